package main

import (
	"encoding/json"
	"net/http"
	"strings"
	"testing"

	"github.com/tokenvend/tokenvend/cmd/tokenvend/internal/clierror"
	"github.com/tokenvend/tokenvend/pkg/api"
)

// The header line is the one that the provider's API expects.
func TestGetHeaderObeysUse(t *testing.T) {
	for name, c := range map[string]struct {
		use  api.Use
		want string
		code clierror.Code
	}{
		"the default": {api.Use{}, "Authorization: Bearer TOKEN\n", clierror.OK},
		"a header":    {api.Use{Header: "X-Shopify-Access-Token"}, "X-Shopify-Access-Token: TOKEN\n", clierror.OK},
		"a prefix": {
			api.Use{Header: "Authorization", Prefix: "OAuth "}, "Authorization: OAuth TOKEN\n", clierror.OK,
		},
		"the query": {api.Use{Query: "access_token"}, "", clierror.BadUsage},
		"two lines": {api.Use{Header: "X", Prefix: "a\r\nY: "}, "", clierror.Failed},
	} {
		t.Run(name, func(t *testing.T) {
			env, url := hostile(t, func(w http.ResponseWriter, _ *http.Request) {
				_ = json.NewEncoder(w).Encode(api.Token{
					AccessToken: "TOKEN", TokenType: "Bearer", Fingerprint: "9f86d081884c7d65", ExpiresIn: 3600e9,
					Extra: map[string]string{"instance_url": "https://x"}, Use: c.use,
				})
			})
			r := tvEnv(t, t.TempDir(), "", env, "get", "--url", url, "shop", "--format", "header").want(t, c.code)
			if r.out != c.want {
				t.Errorf("get --format header = %q, want %q", r.out, c.want)
			}
			var shown api.Token
			out := tvEnv(t, t.TempDir(), "", env, "get", "--url", url, "shop", "--json").want(t, clierror.OK).out
			if err := json.Unmarshal([]byte(out), &shown); err != nil || shown.Use != c.use ||
				shown.Extra["instance_url"] != "https://x" {
				t.Errorf("get --json = %s, want extra and use", strings.TrimSpace(out))
			}
		})
	}
}
