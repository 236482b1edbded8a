package mint_test

import (
	"fmt"
	"net/http"
	"net/url"
	"testing"
	"testing/synctest"
	"time"

	"github.com/tokenvend/tokenvend/internal/testworld"
	"github.com/tokenvend/tokenvend/pkg/attempt"
	"github.com/tokenvend/tokenvend/pkg/mint"
	"github.com/tokenvend/tokenvend/pkg/redact"
)

// A credential whose grants fail at a host that works for all others, because
// its secret names another place of the token or because its tenant is broken
// there, keeps no grant of another credential from being renewed.
func TestAttack19_ACredentialThatFailsHoldsNoOtherBack(t *testing.T) {
	statuses := []int{
		http.StatusBadGateway, http.StatusUnauthorized, http.StatusForbidden, http.StatusTooManyRequests,
	}
	for _, status := range statuses[:testworld.Count(len(statuses), 1)] {
		t.Run(http.StatusText(status), func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) { failsAlone(t, status) })
		})
	}
}

// failsAlone lets the grants of one credential meet a page with a status.
func failsAlone(t *testing.T, status int) {
	a := newAttacked(t)
	victim := a.connected(a.instance(), nil)
	honest := a.answers["good.test"]
	broken := false
	a.answers["good.test"] = func(r *http.Request, form url.Values) (int, string) {
		if _, password, _ := r.BasicAuth(); password == "other-secret" {
			if broken {
				return status, "<html>"
			}
			r.SetBasicAuth("id", "good-secret")
		}
		return honest(r, form)
	}
	authorize := map[string]any{"authorize": map[string]any{"url": "/authorize"}}
	a.secrets.put("y", with(
		at("good.test", "other-secret", authorize), "allow", map[string]any{"accounts": []string{"*"}},
	))
	m := a.instance()
	for i := range 3 {
		code := attempt.Code{Code: redact.New("code"), RedirectURI: "https://app.test/"}
		testworld.Must(t, m.Connect(t.Context(), testworld.Account("y", fmt.Sprint(i)), code))
	}
	broken = true
	time.Sleep(2 * time.Hour)
	longest, since := time.Duration(0), time.Now()
	for end := time.Now().Add(3 * time.Hour); time.Now().Before(end); time.Sleep(5 * time.Second) {
		for i := range 3 {
			_, _ = m.Token(t.Context(), testworld.Account("y", fmt.Sprint(i)), mint.Want{})
		}
		if _, err := m.Token(t.Context(), victim, mint.Want{}); err == nil {
			since = time.Now()
		}
		longest = max(longest, time.Since(since))
	}
	if longest > time.Minute {
		t.Errorf("Token() of another credential failed for %v, want a minute at most", longest)
	}
}
