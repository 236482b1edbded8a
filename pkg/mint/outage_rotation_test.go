package mint_test

import (
	"encoding/json"
	"net/http"
	"net/url"
	"testing"
	"testing/synctest"
	"time"

	"github.com/tokenvend/tokenvend/internal/testworld"
	"github.com/tokenvend/tokenvend/pkg/credential"
	"github.com/tokenvend/tokenvend/pkg/mint"
)

// The rotation of a client secret that an outage interrupts leaves the provider
// with the pending version. The first vend after the outage uses it.
func TestFault47_OutageInTheMiddleOfARotation(t *testing.T) {
	for name, status := range map[string]int{"502": 502, "401 page": 401, "403 page": 403} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				a := newAttacked(t)
				m := a.instance()
				k := a.connected(m, nil)
				honest, down := a.answers["good.test"], false
				a.answers["good.test"] = func(r *http.Request, form url.Values) (int, string) {
					_, password, _ := r.BasicAuth()
					switch {
					case down:
						return status, html
					case password != "good-pending":
						return http.StatusUnauthorized, `{"error":"invalid_client"}`
					}
					r.SetBasicAuth("id", "good-secret")
					return honest(r, form)
				}
				time.Sleep(50 * time.Minute)
				down = true
				for range 300 {
					_, _ = m.Token(t.Context(), k, mint.Want{})
					time.Sleep(10 * time.Second)
				}
				pending, err := json.Marshal(with(at("good.test", "good-pending", map[string]any{
					"authorize": map[string]any{"url": "https://good.test/authorize"},
				}), "allow", map[string]any{"accounts": []string{"*"}}))
				testworld.Must(t, err)
				a.secrets.putRaw("x", credential.Pending, pending)
				down = false
				for over := time.Now(); ; time.Sleep(time.Second) {
					if _, err = m.Token(t.Context(), k, mint.Want{}); err == nil {
						break
					}
					if time.Since(over) > 30*time.Second {
						t.Fatalf("Token() %v after the outage = %v, want a new token", time.Since(over), err)
					}
				}
			})
		})
	}
}
