package simulator

import (
	"encoding/json"
	"net/http"
	"strings"
	"time"
)

// monta returns the server of monta, which is not OAuth: JSON in both
// directions, absolute expiries, and a refresh token for clients. Its document
// shows no errors, so their form is assumed. It is also assumed that a redeemed
// refresh token is refused, and that the access token beside it stays valid.
func monta() vendor {
	return vendor{ // #nosec G101 -- a path
		name: "monta", host: "public-api.monta.com", token: "/api/v1/auth/token",
		accessLife: time.Hour, refreshLife: 30 * 24 * time.Hour, reuse: Refused, refreshesClients: true,
		expiry:     "accessTokenExpirationDate",
		newAccess:  func(*call, *access) string { return uuid() },
		newRefresh: uuid,
		refuse:     refuseMonta,
		routes: map[string]route{
			"/api/v1/auth/token":   {http.MethodPost, kindToken, montaToken},
			"/api/v1/auth/refresh": {http.MethodPost, kindRefresh, montaRefresh},
			"/api/v1/auth/me":      {http.MethodGet, kindVerify, montaMe},
		},
	}
}

func montaToken(c *call) response {
	fields, problem := c.montaBody("clientId", "clientSecret")
	if problem != "" {
		return c.refuse(c, http.StatusBadRequest, "BAD_REQUEST", problem)
	}
	client, ok := c.client(fields["clientId"], fields["clientSecret"])
	if !ok {
		return c.refuse(c, http.StatusUnauthorized, "INVALID_CREDENTIALS", "Invalid client credentials")
	}
	return c.montaGrant(client.ID, nil)
}

func montaRefresh(c *call) response {
	fields, problem := c.montaBody("refreshToken")
	if problem != "" {
		return c.refuse(c, http.StatusBadRequest, "BAD_REQUEST", problem)
	}
	old, _ := c.redeem(fields["refreshToken"], "", "")
	if old == nil {
		return c.refuse(c, http.StatusUnauthorized, "INVALID_REFRESH_TOKEN", "Invalid refresh token")
	}
	return c.montaGrant(old.client, old)
}

func (c *call) montaGrant(client string, from *refresh) response {
	a, r := c.issue(grant{client: client}, from)
	return c.granted(map[string]any{
		"applicationId": 1, "userId": 1,
		"accessToken": a.value, "accessTokenExpirationDate": c.montaDate(a.expires),
		"refreshToken": r.value, "refreshTokenExpirationDate": c.montaDate(r.expires),
	})
}

// montaDate returns a time with 6 digits of a second and with 9 in turn: Java's
// clock gives either, depending on the machine.
func (c *call) montaDate(t time.Time) string {
	layout := "2006-01-02T15:04:05.000000Z"
	if c.counts.Issued%2 == 0 {
		layout = "2006-01-02T15:04:05.000000000Z"
	}
	return t.Add(c.fault.Skew).UTC().Format(layout)
}

// montaBody reads a JSON object that has exactly these fields, all of them
// texts. Other client authentication beside it is refused.
func (c *call) montaBody(names ...string) (map[string]string, string) {
	if problem := c.checkPlain("application/json"); problem != "" {
		return nil, problem
	}
	if c.header.Get("Authorization") != "" {
		return nil, "No Authorization header is expected here"
	}
	var fields map[string]string
	if err := json.Unmarshal(c.body, &fields); err != nil {
		return nil, "The body is not a JSON object of texts"
	}
	for _, name := range names {
		if fields[name] == "" {
			return nil, "Missing field: " + name
		}
	}
	if len(fields) != len(names) {
		return nil, "There is a field that is not understood; expected: " + strings.Join(names, ", ")
	}
	return fields, ""
}

func montaMe(c *call) response {
	a, _ := c.bearer()
	if a == nil {
		return c.refuse(c, http.StatusUnauthorized, "UNAUTHORIZED", "Unauthorized")
	}
	return reply(http.StatusOK, "verified", map[string]any{
		"id": 1, "userId": 1, "name": "Public Api Demo", "clientId": a.client, "clientSecret": nil,
		"scopes":    []string{"all"},
		"createdAt": "2023-05-04T14:29:06Z", "updatedAt": "2023-05-04T14:29:06Z",
	})
}

func refuseMonta(_ *call, status int, code, hint string) response {
	name := strings.ToUpper(strings.ReplaceAll(http.StatusText(status), " ", "_"))
	return reply(
		status,
		strings.ToLower(code),
		map[string]any{
			"status":          name,
			"message":         hint,
			"errorCode":       strings.ToUpper(code),
			"readableMessage": nil,
			"context":         nil,
		},
	)
}
