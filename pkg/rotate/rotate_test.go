package rotate_test

import (
	"testing"
	"testing/synctest"
	"time"

	"github.com/tokenvend/tokenvend/internal/testworld"
	"github.com/tokenvend/tokenvend/pkg/mint"
	"github.com/tokenvend/tokenvend/pkg/provider/simulator"
	"github.com/tokenvend/tokenvend/pkg/records"
	"github.com/tokenvend/tokenvend/pkg/rotate"
)

// world is vend and rotate over the same store, each with its own memory.
type world struct {
	*testworld.World
	vend    *testworld.Process
	another *testworld.Process // like vend, in another process
	rotator *rotate.Rotator
}

// newWorld returns a world whose passes begin each minute, unless a change says
// otherwise.
func newWorld(t *testing.T, c testworld.Config, changes ...func(*mint.Config)) *world {
	t.Helper()
	w := &world{World: testworld.New(t, c)}
	w.vend, w.another = w.NewProcess(changes...), w.NewProcess(changes...)
	w.rotator = w.NewRotator(w.NewProcess(changes...))
	return w
}

// pass runs one pass, as the schedule does.
func (w *world) pass() rotate.Report {
	w.T.Helper()
	return w.Pass(w.rotator)
}

// token returns the token of a credential, as a caller of vend gets it.
func (w *world) token(credential string) mint.Result {
	w.T.Helper()
	return w.Token(w.vend, testworld.Key(credential))
}

func TestNobodyWaitsForAProviderWhileRotateRuns(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := testworld.Config{Simulator: simulator.Options{Lifetime: 20 * time.Second}}
		w := newWorld(t, c, func(c *mint.Config) { c.Every = time.Second })
		w.Put("minut", "minut", map[string]any{"keep_warm": true})
		w.pass()
		first := w.token("minut").Token.Generation
		for i := range 300 {
			time.Sleep(time.Second)
			w.pass()
			got := w.token("minut")
			if got.Origin == records.Provider || !w.Providers.Accepts("minut", got.Token.Access.Reveal()) {
				t.Fatalf("Token() in second %d = %+v, want one that lives, without a request", i, got)
			}
		}
		if grown := w.token("minut").Token.Generation - first; grown < 15 || grown > 30 {
			t.Errorf("the generation grew by %d in 300 s of 20-second tokens, want 15 to 30", grown)
		}
	})
}

func TestKeepWarmNeedsNobodyToAsk(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t, testworld.Config{})
		w.Put("warm", "minut", map[string]any{"keep_warm": true})
		w.Put("cold", "movemint", nil)
		w.pass()
		if e := w.Entry(testworld.Key("warm")); e.Generation != 1 {
			t.Errorf("Entry(warm) after the first pass: generation = %d, want 1", e.Generation)
		}
		if e := w.Entry(testworld.Key("cold")); e.Revision != 0 {
			t.Errorf("Entry(cold) = revision %d, want 0: nobody requested it", e.Revision)
		}
		for range 3 * 24 * 60 {
			time.Sleep(time.Minute)
			w.pass()
		}
		if got := w.token("warm"); got.Origin != records.Store || got.Stale {
			t.Errorf("Token(warm) after three days = %+v, want a fresh one from the store", got)
		}
	})
}

func TestAnIdleEntryIsNoLongerRenewed(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t, testworld.Config{})
		w.Put("minut", "minut", map[string]any{"idle_after": "3h"})
		w.token("minut")
		for range 4*60 + 30 {
			time.Sleep(time.Minute)
			w.pass()
		}
		before := w.TokenRequests("minut")
		if before < 4 {
			t.Errorf("%d requests in the first hours, want 4 at least, while it is not idle", before)
		}
		for range 24 * 60 {
			time.Sleep(time.Minute)
			w.pass()
		}
		if after := w.TokenRequests("minut"); after > before+1 {
			t.Errorf("%d requests while idle, want 1 at most", after-before)
		}
		if e := w.Entry(testworld.Key("minut")); !e.NextAt.IsZero() {
			t.Errorf("NextAt of an idle entry = %v, want none", e.NextAt)
		}
		w.token("minut")
		if e := w.Entry(testworld.Key("minut")); e.NextAt.IsZero() {
			t.Error("NextAt of an entry that was requested again = none, want a time")
		}
	})
}

func TestWhoAsksNowAndThenKeepsItAlive(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t, testworld.Config{})
		w.Put("minut", "minut", map[string]any{"idle_after": "3h"})
		w.token("minut")
		for i := range 48 * 60 {
			time.Sleep(time.Minute)
			w.pass()
			if i%120 == 0 {
				if got := w.token("minut"); got.Origin == records.Provider {
					t.Fatalf("Token() in minute %d comes from the %s, want no wait for it", i, got.Origin)
				}
			}
		}
	})
}

func TestFault61_RemovedAndChangedCredentials(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t, testworld.Config{})
		w.Put("minut", "minut", nil)
		w.Put("monta", "monta", nil)
		w.pass()
		w.token("minut")
		testworld.Must(t, w.Secrets.Remove("minut"))
		if r := w.pass(); r.Gone != 1 {
			t.Errorf("Run() = %+v, want one gone", r)
		}
		time.Sleep(61 * time.Second)
		if _, err := w.vend.Token(t.Context(), testworld.Key("minut"), mint.Want{}); err == nil {
			t.Error("Token() of a credential without a secret = nil error, want one")
		}
		w.Put("minut", "minut", nil)
		w.pass()
		time.Sleep(61 * time.Second)
		if got := w.token("minut"); got.Token.Generation != 1 {
			t.Errorf("Token() once the secret is there again = %+v, want generation 1", got)
		}
		w.Put("minut", "minut", map[string]any{"scope": "read"})
		w.pass()
		time.Sleep(61 * time.Second)
		if got := w.token("minut"); got.Token.Generation != 2 || got.Origin != records.Store {
			t.Errorf("Token() after a change of the scope = %+v, want generation 2 from the store", got)
		}
	})
}

func TestFault06_StopsBeforeTheDeadlineAndSaysWhatIsLeft(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t, testworld.Config{})
		const credentials = 400
		for i := range credentials {
			w.Put("c"+string(rune('a'+i%26))+string(rune('a'+i/26)), "minut", map[string]any{"keep_warm": true})
		}
		testworld.Must(t, w.Providers.SetFault("minut", simulator.Fault{Delay: 4 * time.Second}))
		began := time.Now()
		r := w.pass()
		if took := time.Since(began); took > 50*time.Second || r.Left == 0 || r.Renewed == 0 ||
			r.Renewed+r.Left+r.Failed != credentials {
			t.Errorf("Run() = %+v after %v, want a part of %d within 50s", r, took, credentials)
		}
		for range 3 {
			time.Sleep(time.Minute - time.Second)
			r = w.pass()
		}
		if r.Left != 0 || w.TokenRequests("minut") != credentials {
			t.Errorf("the last Run() = %+v after %d requests, want none left after %d", r, w.TokenRequests("minut"), credentials)
		}
	})
}

func TestMontaIsAskedByRefreshTokens(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t, testworld.Config{})
		w.Put("monta", "monta", map[string]any{"keep_warm": true})
		for range 24 * 60 {
			w.pass()
			time.Sleep(time.Minute)
		}
		seen := w.Providers.Stats().Providers["monta"]
		if seen.TokenRequests != 1 || seen.RefreshRequests < 24 {
			t.Errorf(
				"in a day %d requests with client id and secret and %d refreshes, want 1 and an hour's token renewed each time by the other",
				seen.TokenRequests, seen.RefreshRequests,
			)
		}
		for refresh, uses := range seen.RefreshUses {
			if uses != 1 {
				t.Errorf("the refresh token %s was redeemed %d times, want 1", refresh, uses)
			}
		}
	})
}
