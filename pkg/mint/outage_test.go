package mint_test

import (
	"context"
	"net"
	"net/http"
	"path/filepath"
	"testing"
	"testing/synctest"
	"time"

	"github.com/tokenvend/tokenvend/internal/testworld"
	"github.com/tokenvend/tokenvend/pkg/api"
	"github.com/tokenvend/tokenvend/pkg/mint"
	"github.com/tokenvend/tokenvend/pkg/provider/simulator"
	"github.com/tokenvend/tokenvend/pkg/store"
	"github.com/tokenvend/tokenvend/pkg/store/bolt"
	"github.com/tokenvend/tokenvend/pkg/store/memory"
	"github.com/tokenvend/tokenvend/pkg/token"
)

// outage is a way in which a provider does not work: the refresh token never
// reaches it.
type outage struct {
	name   string
	fault  simulator.Fault
	broken func(*http.Request) error
}

// outages are the kinds of outage that a grant must outlive.
var outages = []outage{
	{name: "502", fault: simulator.Fault{Status: 502}},
	{name: "HTML 500", fault: simulator.Fault{Status: 500, HTML: true}},
	{name: "200 with a page", fault: simulator.Fault{Status: 200, HTML: true}},
	{name: "reset", fault: simulator.Fault{Drop: true}},
	{name: "time-out", broken: func(r *http.Request) error { <-r.Context().Done(); return r.Context().Err() }},
	{name: "DNS", broken: func(r *http.Request) error {
		return &net.OpError{
			Op:  "dial",
			Net: "tcp",
			Err: &net.DNSError{Err: "server misbehaving", Name: r.URL.Hostname(), IsTemporary: true},
		}
	}},
	{name: "503", fault: simulator.Fault{Status: 503}},
}

// beginnings are when an outage begins, in the life of a token of an hour.
var beginnings = map[string]time.Duration{"renewal": 46 * time.Minute, "expiry": 59*time.Minute + 55*time.Second}

func (w *world) begin(o outage, name string) {
	testworld.Must(w.T, w.Providers.SetFault(name, o.fault))
	w.transport.broken = o.broken
}

func (w *world) end(name string) {
	w.transport.broken = nil
	testworld.Must(w.T, w.Providers.SetFault(name, simulator.Fault{}))
}

// An hour's outage, at renewal and at expiry, whatever its kind and whatever
// the provider does on reuse: the grant lives, and callers are served within
// 30 seconds of its end.
func TestOutageOfAnHourEndsNoGrant(t *testing.T) {
	stores := map[string]func(t *testing.T) store.Store{
		"memory": func(*testing.T) store.Store { return memory.New() },
		"bolt": func(t *testing.T) store.Store {
			s, err := bolt.Open(filepath.Join(t.TempDir(), "entries.db"))
			testworld.Must(t, err)
			t.Cleanup(func() { _ = s.Close() })
			return s
		},
	}
	reuses := []string{"unknown", "tolerated", "refused", "revokes_family"}
	for kind, open := range stores {
		for _, o := range outages[:testworld.Count(len(outages), 2)] {
			for at, begins := range beginnings {
				for _, reuse := range reuses[:testworld.Count(len(reuses), 1)] {
					if kind == "bolt" && reuse != "unknown" {
						continue // the store makes no difference to the rule
					}
					t.Run(kind+"/"+o.name+"/at "+at+"/"+reuse, func(t *testing.T) {
						synctest.Test(t, func(t *testing.T) { outlives(t, open(t), o, begins, reuse) })
					})
				}
			}
		}
	}
}

func outlives(t *testing.T, s store.Store, o outage, begins time.Duration, reuse string) {
	const name = "trackmania"
	w := newWorld(t, simulator.Options{Reuse: map[string]simulator.Reuse{name: simulator.RevokesFamily}})
	w.Store = s
	w.granted(name, temper(w.Providers, reuse))
	first := w.Token(w.NewProcess(), testworld.Key(name))
	time.Sleep(begins)
	w.begin(o, name)
	instances := []*testworld.Process{w.NewProcess(), w.NewProcess()}
	defer instances[0].Wait()
	defer instances[1].Wait()
	for end, i := time.Now().Add(time.Hour), 0; time.Now().Before(end); i++ {
		got, err := instances[i%2].Token(t.Context(), testworld.Key(name), mint.Want{})
		switch living := first.Token.Left(time.Now()) > 0; {
		case living && err != nil:
			t.Fatalf("Token() at %v = %v, want the token that still lives", time.Now(), err)
		case living && got.Token.Fingerprint != first.Token.Fingerprint:
			t.Fatalf("Token() at %v = another token in an outage", time.Now())
		case testworld.HasCode(err, api.ReauthorizationRequired):
			t.Fatalf("Token() at %v = %v: an outage has ended the grant", time.Now(), err)
		}
		if e := w.Entry(testworld.Key(name)); i%6 == 0 && !e.NextAt.IsZero() && !time.Now().Before(e.NextAt) {
			_, _ = instances[0].Renew(t.Context(), testworld.Key(name))
		}
		time.Sleep(10 * time.Second)
	}
	w.end(name)
	for over := time.Now(); ; time.Sleep(time.Second) {
		got, err := instances[1].Token(t.Context(), testworld.Key(name), mint.Want{})
		if err == nil && got.Token.Generation == 2 {
			break
		}
		if time.Since(over) > 30*time.Second {
			t.Fatalf("Token() %v after the outage = %v, want a new token", time.Since(over), err)
		}
	}
	c := w.Providers.Stats().Providers[name]
	if w.Alarms("CredentialsFailing") != 0 || c.ReusedEarly != 0 {
		t.Errorf(
			"after the outage: %d alarms, %d refresh tokens sent again early; want 0 and 0",
			w.Alarms("CredentialsFailing"),
			c.ReusedEarly,
		)
	}
	if got := w.Entry(testworld.Key(name)); got.State != store.Live || !got.Failure.IsZero() {
		t.Errorf("entry after the outage = state %q, failure %q; want a living one", got.State, got.Failure.Code)
	}
}

// A record of an outage that no process can have written holds nobody back.
func TestOutageRecordOfTheFarFutureHoldsNobodyBack(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t, simulator.Options{})
		w.granted("trackmania", nil)
		host := token.HostKey("api.trackmania.com")
		forged := store.Entry{Key: host, IssuedAt: time.Now().Add(time.Hour), Failure: store.Failure{
			Code: string(
				api.ProviderUnavailable,
			), Version: "*", Since: time.Now(), RetryAt: time.Now().Add(1000 * time.Hour),
		}}
		_, err := w.Store.Replace(t.Context(), store.Entry{Key: host}, forged)
		testworld.Must(t, err)
		w.Token(w.NewProcess(), testworld.Key("trackmania"))
	})
}

// A single 502 while the token lives costs its callers nothing, and they have
// a token at every moment of the next half hour.
func TestCaseC26_OneBadAnswerCostsCallersNothing(t *testing.T) {
	for _, reuse := range []string{"tolerated", "unknown", "refused", "revokes_family"} {
		t.Run(reuse, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				const name = "trackmania"
				w := newWorld(t, simulator.Options{})
				w.granted(name, temper(w.Providers, reuse))
				m := w.NewProcess()
				defer m.Wait()
				w.Token(m, testworld.Key(name))
				time.Sleep(time.Until(w.Entry(testworld.Key(name)).NextAt))
				testworld.Must(t, w.Providers.SetFault(name, simulator.Fault{Status: 502, Only: "refresh", Times: 1}))
				for end := time.Now().Add(75 * time.Minute); time.Now().Before(end); time.Sleep(time.Second) {
					ctx, cancel := context.WithTimeout(t.Context(), testworld.CallerTimeout)
					_, err := m.Token(ctx, testworld.Key(name), mint.Want{})
					cancel()
					if err != nil {
						t.Fatalf("Token() at %v = %v, want a token at every moment", time.Now(), err)
					}
					if e := w.Entry(testworld.Key(name)); time.Now().Second() == 0 && !time.Now().Before(e.NextAt) {
						_, _ = m.Renew(t.Context(), testworld.Key(name))
					}
				}
				if w.Entry(testworld.Key(name)).Generation < 2 {
					t.Errorf("Generation = %d, want 2 at least", w.Entry(testworld.Key(name)).Generation)
				}
			})
		})
	}
}
