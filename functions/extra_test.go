package functions_test

import (
	"strings"
	"testing"

	"github.com/tokenvend/tokenvend/pkg/api"
	"github.com/tokenvend/tokenvend/pkg/provider/simulator"
)

// Further values of a token response are vended by every process, and stand
// nowhere in plain text.
func TestCaseC08_ExtraValuesOfAStack(t *testing.T) {
	t.Parallel()
	h := newInstallation(t, simulator.Options{})
	h.put("monta", "monta", map[string]any{"provider": nil, "descriptor": map[string]any{
		"token": map[string]any{
			"url": h.sim.TokenURL("monta"), "auth": "post", "body": "json", "fields": map[string]any{
				"grant_type": "", "client_id": "clientId", "client_secret": "clientSecret", "scope": "", "audience": "",
			},
		},
		"response": map[string]any{"access_token": "/accessToken", "extra": map[string]any{
			"until": "/accessTokenExpirationDate", "absent": "/absent",
		}},
		"use": map[string]any{"prefix": "Token "},
	}})
	h.start("vend")
	h.makeKnown("monta")
	first := h.token("monta")
	if len(first.Extra) != 1 || !strings.HasPrefix(first.Extra["until"], "20") ||
		first.Use != (api.Use{Header: "Authorization", Prefix: "Token "}) {
		t.Errorf("token(monta) = extra %v, use %+v; want the time and the prefix", first.Extra, first.Use)
	}
	h.start("vend") // another process reads the table
	if again := h.token("monta"); again.Extra["until"] != first.Extra["until"] {
		t.Errorf("token(monta) of another process = extra %v, want %v", again.Extra, first.Extra)
	}
	if n := h.sim.Stats().Providers["monta"].TokenRequests; n != 1 {
		t.Errorf("monta had %d token requests, want 1", n)
	}
}
