package mint_test

import (
	"testing"
	"testing/synctest"
	"time"

	"github.com/tokenvend/tokenvend/internal/testworld"
	"github.com/tokenvend/tokenvend/pkg/mint"
)

// A row is deleted 30 days after what it holds has ended. An operator may take
// longer, and the refresh token that waits has no end.
func TestAttack02_GrantWaitsForAcceptBeyondThirtyDays(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		a := newAttacked(t)
		m := a.instance()
		k := a.connected(m, nil)
		rotator := a.NewRotator(m)
		days := func(n int) {
			for range n {
				time.Sleep(24 * time.Hour)
				_, err := rotator.Discover(t.Context())
				testworld.Must(t, err)
				_, _ = rotator.Run(t.Context())
				_, _ = a.instance().Token(t.Context(), k, mint.Want{})
			}
		}
		a.change(map[string]any{"verify": map[string]any{"url": "https://other.test/me"}})
		days(45)
		if e := a.Entry(k); !e.ForgetAt.IsZero() || len(e.Sealed) == 0 {
			t.Errorf("Entry(%s) is forgotten at %v, want never while it waits", k, e.ForgetAt)
		}
		a.change(nil)
		days(1)
		if e := a.Entry(k); e.ForgetAt.IsZero() || a.Token(m, k).Token.Fingerprint == "" {
			t.Errorf("Entry(%s) is forgotten at %v, want a time, and a token", k, e.ForgetAt)
		}
		a.change(map[string]any{"verify": map[string]any{"url": "https://other.test/me"}})
		days(3)
		a.secrets.put("y", at("good.test", "good-secret", nil)) // an empty list removes nothing
		delete(a.secrets.versions, "x")
		days(2)
		if e := a.Entry(k); e.ForgetAt.IsZero() || !e.NextAt.IsZero() {
			t.Errorf("Entry(%s) of a removed secret is forgotten at %v, due at %v, want a time, and never", k, e.ForgetAt,
				e.NextAt)
		}
	})
}
