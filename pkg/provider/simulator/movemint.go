package simulator

import (
	"fmt"
	"net/http"
	"strings"
	"time"
)

// movemint runs Doorkeeper, with the column previous_refresh_token: a redeemed refresh token works until what replaced it is used, and takes its access token with it.
func movemint() vendor {
	return vendor{
		name: "movemint", host: "www.movemint.cc", token: "/oauth/token",
		life: 2 * time.Hour, reuse: Tolerated, kills: true, people: true, expiry: "expires_in",
		newAccess:  func(*call, *access) string { return opaque() },
		newRefresh: opaque,
		refuse:     refuseDoorkeeper,
		routes: map[string]route{
			"/oauth/token":      {http.MethodPost, kindToken, movemintToken},
			"/oauth/revoke":     {http.MethodPost, kindRevoke, movemintRevoke},
			"/oauth/token/info": {http.MethodGet, kindVerify, movemintInfo},
		},
	}
}

func movemintToken(c *call) answer {
	if problem := c.checkForm("grant_type", "client_id", "client_secret", "scope", refreshToken); problem != "" {
		return c.refuse(c, http.StatusBadRequest, "invalid_request", problem)
	}
	client, ok := c.postClient()
	if !ok {
		return c.refuse(c, http.StatusUnauthorized, "invalid_client", "")
	}
	switch c.param("grant_type") {
	case clientCredentials:
		return movemintClient(c, client)
	case refreshToken:
		return movemintRefresh(c, client)
	}
	return c.unsupportedGrant()
}

func movemintClient(c *call, client Client) answer {
	if !client.grants(c.param("scope")) {
		return c.refuse(c, http.StatusBadRequest, "invalid_scope", "")
	}
	a, _ := c.issue(grant{client: client.ID, scope: c.param("scope")}, nil)
	return c.granted(movemintFields(c, a))
}

func movemintRefresh(c *call, client Client) answer {
	if c.param(refreshToken) == "" {
		return c.refuse(c, http.StatusBadRequest, "invalid_request", "Missing required parameter: refresh_token.")
	}
	old, _ := c.redeem(c.param(refreshToken), client.ID)
	if old == nil {
		return c.refuse(c, http.StatusBadRequest, "invalid_grant", "")
	}
	a, r := c.issue(grant{client: client.ID, scope: old.scope, subject: old.subject}, old)
	fields := movemintFields(c, a)
	fields["refresh_token"] = r.value
	return c.granted(fields)
}

func movemintFields(c *call, a *access) map[string]any {
	return map[string]any{
		"access_token": a.value, "token_type": "Bearer", "expires_in": c.seconds(a), "created_at": a.issued.Add(c.fault.Skew).Unix(),
	}
}

func movemintRevoke(c *call) answer {
	if problem := c.checkForm("token", "client_id", "client_secret", "token_type_hint"); problem != "" {
		return c.refuse(c, http.StatusBadRequest, "invalid_request", problem)
	}
	for _, name := range []string{"token", "client_id", "client_secret"} {
		if c.param(name) == "" {
			return c.refuse(c, http.StatusBadRequest, "invalid_request", fmt.Sprintf("Missing required parameter: %s.", name))
		}
	}
	client, ok := c.postClient()
	if !ok || !c.revoke(c.param("token"), client.ID) {
		return c.refuse(c, http.StatusForbidden, "unauthorized_client", "You are not authorized to revoke this token")
	}
	a := reply(http.StatusOK, "revoked", nil)
	a.body = nil
	return a
}

func movemintInfo(c *call) answer {
	a, why := c.bearer()
	if a == nil {
		said := map[string]string{"unknown": "The access token is invalid", "revoked": "The access token was revoked", "expired": "The access token expired"}
		return c.refuse(c, http.StatusUnauthorized, "invalid_token", said[why])
	}
	var owner any
	if a.subject != "" {
		owner = a.subject
	}
	return reply(http.StatusOK, "verified", map[string]any{
		"resource_owner_id": owner, "scope": append([]string{}, strings.Fields(a.scope)...), "expires_in": c.seconds(a),
		"application": map[string]string{"uid": a.client}, "created_at": a.issued.Add(c.fault.Skew).Unix(),
	})
}

// doorkeeperSays are Doorkeeper's descriptions, where it has one for all cases.
func doorkeeperSays(code, hint string) string {
	switch code {
	case "invalid_client":
		return "Client authentication failed due to unknown client, no client authentication included, or unsupported authentication method."
	case "invalid_grant":
		return "The provided authorization grant is invalid, expired, revoked, does not match the redirection URI used in the authorization request, or was issued to another client."
	case "invalid_scope":
		return "The requested scope is invalid, unknown, or malformed."
	}
	return hint
}

func refuseDoorkeeper(_ *call, status int, code, hint string) answer {
	description := doorkeeperSays(code, hint)
	a := reply(status, code, map[string]any{"error": code, "error_description": description})
	a.header.Set("Cache-Control", "no-store")
	if status == http.StatusUnauthorized {
		a.header.Set("WWW-Authenticate", fmt.Sprintf(`Bearer realm="Doorkeeper", error=%q, error_description=%q`, code, description))
	}
	return a
}
