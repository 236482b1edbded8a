package mint_test

import (
	"fmt"
	"net/http"
	"testing"
	"testing/synctest"
	"time"

	"github.com/tokenvend/tokenvend/internal/testworld"
	"github.com/tokenvend/tokenvend/pkg/journal"
	"github.com/tokenvend/tokenvend/pkg/mint"
	"github.com/tokenvend/tokenvend/pkg/provider/simulator"
	"github.com/tokenvend/tokenvend/pkg/token"
)

// The longer an outage lasts, the less often its host is asked. A client that
// was deleted, behind answers that an intermediary may have given, looks like
// an outage.
func TestOutageIsProbedLessOftenWithItsAge(t *testing.T) {
	for name, grants := range map[string]int{"401 empty": 1, "502 page": 3} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) { probedLessOften(t, intermediaries[name], grants) })
		})
	}
}

func probedLessOften(t *testing.T, a answer, grants int) {
	const name = "trackmania"
	w := newWorld(t, simulator.Options{})
	var in answer
	m := w.NewProcess(func(c *mint.Config) {
		c.HTTP, c.Journal = &http.Client{Transport: intermediary{w.Providers, &in}}, journal.Journal{}
	})
	keys := make([]token.Key, grants)
	for i := range keys {
		keys[i] = testworld.Account(name, fmt.Sprintf("person-%d", i))
		testworld.Must(t, m.Connect(t.Context(), keys[i], w.Code(name, keys[i].Variant.Account)))
	}
	time.Sleep(2 * time.Hour)
	asked := 0
	in = func(r *http.Request) (*http.Response, error) { asked++; return a(r) }
	during := func(lasts, pause time.Duration) int {
		before := asked
		for end := time.Now().Add(lasts); time.Now().Before(end); time.Sleep(pause) {
			for _, k := range keys {
				_, _ = m.Token(t.Context(), k, mint.Want{})
			}
		}
		return asked - before
	}
	if n := during(time.Hour, 5*time.Second); n < 60 || n > 260 {
		t.Errorf("%d requests in the first hour, want 60 to 260", n)
	}
	during(70*time.Hour, 2*time.Minute)
	// Four probes, and for a grant that fails alone its own back-off.
	if n := during(time.Hour, 10*time.Second); n < 2 || n > 14 || grants > 1 && n > 5 {
		t.Errorf("%d requests in the last of 72 hours, want 2 to 14, and to 5 for more than one grant", n)
	}
	in = nil
	for began := time.Now(); ; time.Sleep(5 * time.Second) {
		if _, err := m.Token(t.Context(), keys[0], mint.Want{}); err == nil {
			break
		} else if time.Since(began) > 15*time.Minute+20*time.Second {
			t.Fatalf("Token() %v after the outage = %v, want a token", time.Since(began), err)
		}
	}
}
