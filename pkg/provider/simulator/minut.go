package simulator

import (
	"crypto/hmac"
	"crypto/sha256"
	"net/http"
	"time"
)

func minut() vendor {
	key := random(32)
	return vendor{ // #nosec G101 -- a path
		name: "minut", host: "api.minut.com", token: "/v8/oauth/token",
		accessLife: time.Hour, reuse: Refused, expiry: "expires_in",
		newAccess: func(c *call, a *access) string { return minutToken(c, a, key) },
		refuse:    refuseOAuth,
		routes: map[string]route{
			"/v8/oauth/token": {http.MethodPost, kindToken, minutGrant},
			"/v8/users/me":    {http.MethodGet, kindVerify, minutMe},
		},
	}
}

func minutGrant(c *call) response {
	if problem := c.checkForm("grant_type", "response_type", "scope"); problem != "" {
		return c.refuse(c, http.StatusBadRequest, "invalid_request", problem)
	}
	client, ok := c.basicClient()
	switch {
	case !ok:
		return c.refuse(c, http.StatusUnauthorized, "invalid_client", "Client credentials are invalid")
	case c.param("grant_type") != clientCredentials:
		return c.unsupportedGrant()
	case c.param("response_type") != "token":
		return c.refuse(c, http.StatusBadRequest, "invalid_request", "response_type must be token")
	}
	a, _ := c.issue(grant{client: client.ID, scope: c.param("scope")}, nil)
	return c.granted(map[string]any{"access_token": a.value, "token_type": "Bearer", "expires_in": c.seconds(a)})
}

// minutToken returns a JWT with the claims of the document's example, and a
// jti, so that two tokens of one second differ.
func minutToken(c *call, a *access, key []byte) string {
	claims := map[string]any{
		"userId": randomHex(
			12,
		), "roles": []string{"create-user"}, "orgId": "minut", "scope": "", "clientId": a.client, "iss": "Minut, Inc.",
		"iat": a.issued.Add(c.fault.Skew).Unix(), "exp": a.expires.Add(c.fault.Skew).Unix(), "jti": randomHex(8),
	}
	return jwt(map[string]any{"typ": "JWT", "alg": "HS256"}, claims, func(text string) []byte {
		mac := hmac.New(sha256.New, key)
		mac.Write([]byte(text))
		return mac.Sum(nil)
	})
}

func minutMe(c *call) response {
	if a, why := c.bearer(); a == nil {
		return c.refuse(c, http.StatusUnauthorized, "invalid_token", "The access token is "+why)
	}
	return reply(
		http.StatusOK,
		"verified",
		map[string]any{"user_id": "cc0904093ce855d4e2a9d224", "fullname": "Mr Minut", "email": "mrminut@minut.com"},
	)
}
