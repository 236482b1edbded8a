package provider

import (
	"context"
	"errors"
	"net/http"
	"testing"

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
