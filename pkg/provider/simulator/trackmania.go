package simulator

import (
	"encoding/json"
	"fmt"
	"net/http"
	"strconv"
	"strings"
	"time"
)

// trackmania runs League's oauth2-server 8: redeeming a refresh token ends it and its access token, and a dead one is a 401 invalid_request. The document names no lifetime.
func trackmania() vendor {
	return vendor{
		name: "trackmania", host: "api.trackmania.com", token: "/api/access_token",
		life: time.Hour, keep: 30 * 24 * time.Hour, reuse: Refused, kills: true, people: true, expiry: "expires_in",
		newAccess:  leagueToken,
		newRefresh: func() string { return "def502" + hexes(96) },
		refuse:     refuseLeague,
		routes:     map[string]route{"/api/access_token": {http.MethodPost, kindToken, trackmaniaToken}},
	}
}

func trackmaniaToken(c *call) answer {
	if problem := c.checkForm("grant_type", "client_id", "client_secret", "scope", refreshToken); problem != "" {
		return c.refuse(c, http.StatusBadRequest, "invalid_request", problem)
	}
	client, ok := c.postClient()
	if !ok {
		return c.refuse(c, http.StatusUnauthorized, "invalid_client", "")
	}
	switch c.param("grant_type") {
	case clientCredentials:
		a, _ := c.issue(grant{client: client.ID}, nil)
		return c.granted(leagueFields(c, a))
	case refreshToken:
		return trackmaniaRefresh(c, client)
	}
	return c.refuse(c, http.StatusBadRequest, "unsupported_grant_type", "Check that all required parameters have been provided")
}

func trackmaniaRefresh(c *call, client Client) answer {
	if c.param(refreshToken) == "" {
		return c.refuse(c, http.StatusBadRequest, "invalid_request", "Check the `refresh_token` parameter")
	}
	old, why := c.redeem(c.param(refreshToken), client.ID)
	if old == nil {
		return c.refuse(c, http.StatusUnauthorized, "invalid_request", why)
	}
	a, r := c.issue(grant{client: client.ID, scope: old.scope, subject: old.subject}, old)
	fields := leagueFields(c, a)
	fields["refresh_token"] = r.value
	return c.granted(fields)
}

func leagueFields(c *call, a *access) map[string]any {
	return map[string]any{"token_type": "Bearer", "expires_in": c.seconds(a), "access_token": a.value}
}

// leagueToken has fractional times, as lcobucci/jwt writes them. Its signature is random: nobody but the provider checks it.
func leagueToken(c *call, a *access) string {
	at := func(t time.Time) json.Number {
		return json.Number(strconv.FormatFloat(float64(t.Add(c.fault.Skew).UnixMicro())/1e6, 'f', -1, 64))
	}
	claims := map[string]any{
		"aud": a.client, "jti": hexes(40), "iat": at(a.issued), "nbf": at(a.issued), "exp": at(a.expires), "sub": a.subject, "scopes": append([]string{}, strings.Fields(a.scope)...),
	}
	return jwt(map[string]any{"typ": "JWT", "alg": "RS256"}, claims, func(string) []byte { return random(256) })
}

// leagueSays are League's messages.
func leagueSays(status int, code, hint string) string {
	switch {
	case code == "invalid_client":
		return "Client authentication failed"
	case code == "invalid_request" && status == http.StatusUnauthorized:
		return "The refresh token is invalid."
	case code == "invalid_request":
		return "The request is missing a required parameter, includes an invalid parameter value, includes a parameter more than once, or is otherwise malformed."
	case code == "unsupported_grant_type":
		return "The authorization grant type is not supported by the authorization server."
	}
	return hint
}

func refuseLeague(c *call, status int, code, hint string) answer {
	message := leagueSays(status, code, hint)
	fields := map[string]any{"error": code, "error_description": message, "message": message}
	if hint != "" {
		fields["hint"] = hint
	}
	a := reply(status, code, fields)
	if code == "invalid_client" && c.header.Get("Authorization") != "" {
		a.header.Set("WWW-Authenticate", fmt.Sprintf("Basic realm=%q", "OAuth"))
	}
	return a
}
