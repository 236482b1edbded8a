package provider

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"testing"

	"github.com/tokenvend/tokenvend/pkg/descriptor/parser"
	"github.com/tokenvend/tokenvend/pkg/redact"
)

// What a proxy or a firewall answers in an API's place says nothing of a token.
// A challenge is the API's own (RFC 6750 §3).
func TestVerifyBehindAnIntermediary(t *testing.T) {
	const page = "<!DOCTYPE html><title>401 Authorization Required</title>"
	for name, c := range map[string]struct {
		body, challenge string
		refused         bool
	}{
		"page":                {page, "", false},
		"page of no type":     {"\n<HTML><body>sign in</body></HTML>", "", false},
		"page with challenge": {page, `Bearer error="invalid_token"`, true},
		"JSON":                {`{"message":"Unauthorized"}`, "", true},
		"XML":                 {`<?xml version="1.0"?><error>expired</error>`, "", true},
		"text":                {"Unauthorized", "", true},
		"empty":               {"", "", true},
	} {
		t.Run(name, func(t *testing.T) {
			v := serve(t, func(w http.ResponseWriter, _ *http.Request) {
				if c.challenge != "" {
					w.Header().Set("WWW-Authenticate", c.challenge)
				}
				w.WriteHeader(http.StatusUnauthorized)
				_, _ = w.Write([]byte(c.body))
			})
			endpoint := at(mustCatalog(t, "minut"), Client{}, v.hc)
			works, err := endpoint.VerifyToken(context.Background(), redact.New("TOKEN"))
			if works || (err == nil) != c.refused {
				t.Errorf("VerifyToken() = %t, %v; want false, an error: %t", works, err, !c.refused)
			}
			if e := (*Error)(nil); err != nil && (!errors.As(err, &e) || e.Kind != Unavailable) {
				t.Errorf("VerifyToken() = %v, want an *Error of kind Unavailable", err)
			}
		})
	}
}

// Servers differ in how they refuse a token (RFC 6750 §3.1). A token that lacks
// a scope is not refused: another one would lack it too.
func TestVerifyKnowsARefusedToken(t *testing.T) {
	const challenge = `Bearer realm="api", error="%s", error_description="The access token expired"`
	for name, c := range map[string]struct {
		status          int
		body, challenge string
		refused         string // of the descriptor
		want            bool
	}{
		// The example of RFC 6750 §3.
		"the RFC": {401, "", fmt.Sprintf(challenge, "invalid_token"), "", true},
		// "Access token has been revoked" of League's oauth2-server.
		"League": {401, `{"error":"access_denied","hint":"Access token has been revoked"}`, "", "", true},
		// "Refreshing an Access Token" (oauth.com).
		"in the body": {401, `{"error":"invalid_token","error_description":"The access token expired"}`, "", "", true},
		// FusionAuth/fusionauth-issues#321: 400 where the RFC wants 401.
		"as 400":                    {400, `{"error":"invalid_token"}`, "", "", true},
		"as 403, by the challenge":  {403, "", fmt.Sprintf(challenge, "invalid_token"), "", true},
		"as 403, a challenge, page": {403, "<html>", fmt.Sprintf(challenge, "invalid_token"), "", true},
		// zitadel/oidc, pkg/op/userinfo.go: the error of the storage, with 403.
		"zitadel, plain":             {403, `{}`, "", "", false},
		"zitadel, by the descriptor": {403, `{}`, "", `,"refused":[403]`, true},
		"a page, by the descriptor":  {403, "<html>", "", `,"refused":[403]`, false},
		// The second half of RFC 6750 §3.1.
		"a scope that is missing": {403, "", fmt.Sprintf(challenge, "insufficient_scope"), "", false},
		"the same in the body":    {403, `{"error":"insufficient_scope"}`, "", `,"refused":[403]`, false},
		"the same with 401":       {401, `{"error":"insufficient_scope"}`, "", "", false},
		"a gateway's 403":         {403, `{"message":"Forbidden"}`, "", "", false},
		"a malformed request":     {400, `{"error":"invalid_request"}`, "", "", false},
		"too many requests":       {429, `{"error":"invalid_token"}`, "", "", false},
		"a server in trouble":     {500, `{"error":"invalid_token"}`, "", "", false},
	} {
		t.Run(name, func(t *testing.T) {
			v := serve(t, func(w http.ResponseWriter, _ *http.Request) {
				if c.challenge != "" {
					w.Header().Set("WWW-Authenticate", c.challenge)
				}
				w.WriteHeader(c.status)
				_, _ = w.Write([]byte(c.body))
			})
			text := `{"token":{"url":"https://login.test/token"},"verify":{"url":"/me"` + c.refused + `}}`
			d, err := parser.Parse([]byte(text))
			if err != nil {
				t.Fatal(err)
			}
			works, err := at(d, Client{}, v.hc).VerifyToken(context.Background(), redact.New("TOKEN"))
			if works || (err == nil) != c.want {
				t.Errorf("VerifyToken() = %t, %v; want false, refused: %t", works, err, c.want)
			}
			if e := (*Error)(nil); err != nil && (!errors.As(err, &e) || e.Status != c.status) {
				t.Errorf("VerifyToken() = %v, want an *Error with the status %d", err, c.status)
			}
		})
	}
}
