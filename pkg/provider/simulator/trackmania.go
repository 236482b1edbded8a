package simulator

import (
	"encoding/json"
	"fmt"
	"net/http"
	"strconv"
	"strings"
	"time"
)

// trackmania returns the server of trackmania: League's oauth2-server, where
// redeeming a refresh token revokes it and its access token. The document names
// no lifetime and no errors. An invalid refresh token is a 401 invalid_request,
// as up to version 8, because that is harder to tell from a wrong request. An
// invalid code is a 400 invalid_grant, as from version 9 on. Both are long,
// because they are encrypted.
func trackmania() vendor {
	return vendor{
		name: "trackmania", host: "api.trackmania.com", token: "/api/access_token",
		authorize: "/oauth/authorize", accessLife: time.Hour, refreshLife: 30 * 24 * time.Hour, reuse: Refused,
		revokesAccess: true,
		expiry:        "expires_in",
		newAccess:     leagueToken,
		newRefresh:    func() string { return "def502" + randomHex(369) },
		newCode:       func() string { return "def502" + randomHex(411) },
		refuse:        refuseLeague,
		routes: map[string]route{
			"/oauth/authorize":  {"GET, POST", kindAuthorize, authorize},
			"/api/access_token": {http.MethodPost, kindToken, trackmaniaToken},
		},
	}
}

func trackmaniaToken(c *call) response {
	if problem := c.checkForm(c.tokenForm()...); problem != "" {
		return c.refuse(c, http.StatusBadRequest, "invalid_request", problem)
	}
	client, ok := c.postClient()
	if !ok {
		return c.refuse(c, http.StatusUnauthorized, "invalid_client", "")
	}
	switch c.param("grant_type") {
	case clientCredentials:
		a, r := c.issue(grant{client: client.ID}, nil)
		return c.granted(leagueFields(c, a, r))
	case refreshToken:
		return trackmaniaRefresh(c, client)
	case authorizationCode:
		return trackmaniaCode(c, client)
	}
	return c.refuse(
		c,
		http.StatusBadRequest,
		"unsupported_grant_type",
		"Check that all required parameters have been provided",
	)
}

func trackmaniaRefresh(c *call, client Client) response {
	if name := c.firstMissing(refreshToken); name != "" {
		return refuseParameter(c, name)
	}
	old, why := c.redeem(c.param(refreshToken), client.ID, c.param("scope"))
	switch {
	case why == otherScope:
		return c.refuse(c, http.StatusBadRequest, "invalid_scope", why)
	case old == nil:
		return c.refuse(c, http.StatusUnauthorized, "invalid_request", why)
	}
	a, r := c.issue(old.withScope(c.param("scope")), old)
	return c.granted(leagueFields(c, a, r))
}

func trackmaniaCode(c *call, client Client) response {
	if name := c.firstMissing("code", "redirect_uri"); name != "" {
		return refuseParameter(c, name)
	}
	a, r, wrong := c.exchange(client.ID)
	if wrong != codeValid {
		code, hint := leagueCodeError(wrong)
		return c.refuse(c, http.StatusBadRequest, code, hint)
	}
	return c.granted(leagueFields(c, a, r))
}

// leagueCodeError returns the error of AuthCodeGrant.
func leagueCodeError(wrong codeError) (code, hint string) {
	switch wrong {
	case otherClient:
		return "invalid_request", "Authorization code was not issued to this client"
	case otherRedirect:
		return "invalid_request", "Invalid redirect URI"
	case noVerifier:
		return "invalid_request", "Check the `code_verifier` parameter"
	case unexpectedVerifier:
		return "invalid_request", "code_verifier received when no code_challenge is present"
	case wrongVerifier:
		return "invalid_grant", "Failed to verify `code_verifier`."
	case usedCode:
		return "invalid_grant", "Authorization code has been revoked"
	case expiredCode:
		return "invalid_grant", "Authorization code has expired"
	}
	return "invalid_request", "Issue decrypting the authorization code"
}

func refuseParameter(c *call, name string) response {
	return c.refuse(c, http.StatusBadRequest, "invalid_request", fmt.Sprintf("Check the `%s` parameter", name))
}

func leagueFields(c *call, a *access, r *refresh) map[string]any {
	fields := map[string]any{"token_type": "Bearer", "expires_in": c.seconds(a), "access_token": a.value}
	if r != nil {
		fields[refreshToken] = r.value
	}
	return fields
}

// leagueToken returns a JWT with fractional times, as lcobucci/jwt writes them.
// Its signature is random: only the provider verifies it.
func leagueToken(c *call, a *access) string {
	at := func(t time.Time) json.Number {
		return json.Number(strconv.FormatFloat(float64(t.Add(c.fault.Skew).UnixMicro())/1e6, 'f', -1, 64))
	}
	claims := map[string]any{
		"aud": a.client, "jti": randomHex(40), "iat": at(a.issued), "nbf": at(a.issued), "exp": at(a.expires),
		"sub": a.subject, "scopes": append([]string{}, strings.Fields(a.scope)...),
	}
	return jwt(map[string]any{"typ": "JWT", "alg": "RS256"}, claims, func(string) []byte { return random(256) })
}

// leagueMessage returns League's message for an error.
func leagueMessage(status int, code, hint string) string {
	switch {
	case code == "invalid_client":
		return "Client authentication failed"
	case code == "invalid_request" && status == http.StatusUnauthorized:
		return "The refresh token is invalid."
	case code == "invalid_request":
		return "The request is missing a required parameter, includes an invalid parameter value, includes a " +
			"parameter more than once, or is otherwise malformed."
	case code == "invalid_scope":
		return "The requested scope is invalid, unknown, or malformed"
	case code == "invalid_grant":
		return "The provided authorization grant (e.g., authorization code, resource owner credentials) or refresh " +
			"token is invalid, expired, revoked, does not match the redirection URI used in the authorization " +
			"request, or was issued to another client."
	case code == "unsupported_grant_type":
		return "The authorization grant type is not supported by the authorization server."
	}
	return hint
}

func refuseLeague(c *call, status int, code, hint string) response {
	message := leagueMessage(status, code, hint)
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
