package simulator

import (
	"cmp"
	"net/http"
	"time"
)

// miden returns the server of miden. Its document publishes no URL and no
// lifetime; these are invented.
func miden() vendor {
	return vendor{ // #nosec G101 -- a path
		name: "miden", host: "auth.sandbox.miden.example", token: "/oauth/token",
		accessLife: time.Hour, reuse: Refused, expiry: "expires_in",
		newAccess: func(*call, *access) string { return opaque() },
		refuse:    refuseOAuth,
		routes:    map[string]route{"/oauth/token": {http.MethodPost, kindToken, midenGrant}},
	}
}

func midenGrant(c *call) response {
	if problem := c.checkForm("grant_type", "scope"); problem != "" {
		return c.refuse(c, http.StatusBadRequest, "invalid_request", problem)
	}
	client, ok := c.basicClient()
	switch {
	case !ok:
		return c.refuse(c, http.StatusUnauthorized, "invalid_client", "Invalid Client ID or Client Secret")
	case client.Forbidden:
		return c.refuse(
			c,
			http.StatusForbidden,
			"access_denied",
			"Your credentials are valid but your account does not have permission to access this resource. Contact "+
				"support if you believe this is an error.",
		)
	case c.param("grant_type") != clientCredentials:
		return c.unsupportedGrant()
	case !client.grants(c.param("scope")):
		return c.refuse(c, http.StatusBadRequest, "invalid_scope", "The requested scope is invalid")
	}
	a, _ := c.issue(grant{client: client.ID, scope: cmp.Or(c.param("scope"), "api")}, nil)
	return c.granted(
		map[string]any{"access_token": a.value, "token_type": "Bearer", "expires_in": c.seconds(a), "scope": a.scope},
	)
}
