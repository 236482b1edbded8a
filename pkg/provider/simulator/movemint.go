package simulator

import (
	"fmt"
	"net/http"
	"strings"
	"time"
)

// movemint returns the server of movemint: Doorkeeper with the column
// previous_refresh_token. A redeemed refresh token works until the access token
// that replaced its own is used; then its own access token is revoked too.
// Refresh tokens do not expire.
func movemint() vendor {
	return vendor{ // #nosec G101 -- a path
		name: "movemint", host: "www.movemint.cc", token: "/oauth/token",
		authorize: "/oauth/authorize", accessLife: 2 * time.Hour, reuse: Tolerated, paired: true, expiry: "expires_in",
		newAccess:  func(*call, *access) string { return opaque() },
		newRefresh: opaque,
		newCode:    opaque,
		refuse:     refuseDoorkeeper,
		routes: map[string]route{
			"/oauth/authorize":  {"GET, POST", kindAuthorize, authorize},
			"/oauth/token":      {http.MethodPost, kindToken, movemintToken},
			"/oauth/revoke":     {http.MethodPost, kindRevoke, movemintRevoke},
			"/oauth/token/info": {http.MethodGet, kindVerify, movemintInfo},
		},
	}
}

func movemintToken(c *call) response {
	if problem := c.checkForm(c.tokenForm()...); problem != "" {
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
	case authorizationCode:
		return movemintCode(c, client)
	}
	return c.unsupportedGrant()
}

func movemintClient(c *call, client Client) response {
	if !client.grants(c.param("scope")) {
		return c.refuse(c, http.StatusBadRequest, "invalid_scope", "")
	}
	a, r := c.issue(grant{client: client.ID, scope: c.param("scope")}, nil)
	return c.granted(movemintFields(c, a, r))
}

func movemintRefresh(c *call, client Client) response {
	if name := c.firstMissing(refreshToken); name != "" {
		return refuseMissing(c, name)
	}
	old, why := c.redeem(c.param(refreshToken), client.ID, c.param("scope"))
	switch {
	case why == otherScope:
		return c.refuse(c, http.StatusBadRequest, "invalid_scope", "")
	case old == nil:
		return c.refuse(c, http.StatusBadRequest, "invalid_grant", "")
	}
	a, r := c.issue(old.withScope(c.param("scope")), old)
	return c.granted(movemintFields(c, a, r))
}

func movemintCode(c *call, client Client) response {
	if name := c.firstMissing("code", "redirect_uri"); name != "" {
		return refuseMissing(c, name)
	}
	a, r, wrong := c.exchange(client.ID)
	switch wrong {
	case codeValid:
		return c.granted(movemintFields(c, a, r))
	case noVerifier:
		return refuseMissing(c, "code_verifier")
	}
	return c.refuse(c, http.StatusBadRequest, "invalid_grant", "")
}

func refuseMissing(c *call, name string) response {
	return c.refuse(c, http.StatusBadRequest, "invalid_request", fmt.Sprintf("Missing required parameter: %s.", name))
}

// movemintFields omits what is empty, as Doorkeeper's TokenResponse does: the
// scope if none was granted, the refresh token if none was issued.
func movemintFields(c *call, a *access, r *refresh) map[string]any {
	fields := map[string]any{
		"access_token": a.value, "token_type": "Bearer", "expires_in": c.seconds(a),
		"created_at": a.issued.Add(c.fault.Skew).Unix(),
	}
	if a.scope != "" {
		fields["scope"] = a.scope
	}
	if r != nil {
		fields[refreshToken] = r.value
	}
	return fields
}

func movemintRevoke(c *call) response {
	if problem := c.checkForm("token", "client_id", "client_secret", "token_type_hint"); problem != "" {
		return c.refuse(c, http.StatusBadRequest, "invalid_request", problem)
	}
	if name := c.firstMissing("token", "client_id", "client_secret"); name != "" {
		return refuseMissing(c, name)
	}
	client, ok := c.postClient()
	if !ok || !c.revoke(c.param("token"), client.ID) {
		return c.refuse(c, http.StatusForbidden, "unauthorized_client", "You are not authorized to revoke this token")
	}
	a := reply(http.StatusOK, "revoked", nil)
	a.body = nil
	return a
}

func movemintInfo(c *call) response {
	a, why := c.bearer()
	if a == nil {
		said := map[string]string{
			"unknown": "The access token is invalid",
			"revoked": "The access token was revoked",
			"expired": "The access token expired",
		}
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

// doorkeeperDescription returns Doorkeeper's description of an error, or the
// hint where Doorkeeper has several.
func doorkeeperDescription(code, hint string) string {
	switch code {
	case "invalid_client":
		return "Client authentication failed due to unknown client, no client authentication included, or " +
			"unsupported authentication method."
	case "invalid_grant":
		return "The provided authorization grant is invalid, expired, revoked, does not match the redirection URI " +
			"used in the authorization request, or was issued to another client."
	case "invalid_scope":
		return "The requested scope is invalid, unknown, or malformed."
	}
	return hint
}

func refuseDoorkeeper(_ *call, status int, code, hint string) response {
	description := doorkeeperDescription(code, hint)
	a := reply(status, code, map[string]any{"error": code, "error_description": description})
	a.header.Set("Cache-Control", "no-store")
	if status == http.StatusUnauthorized {
		a.header.Set(
			"WWW-Authenticate",
			fmt.Sprintf(`Bearer realm="Doorkeeper", error=%q, error_description=%q`, code, description),
		)
	}
	return a
}
