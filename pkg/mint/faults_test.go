package mint_test

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/tokenvend/tokenvend/pkg/api"
	"github.com/tokenvend/tokenvend/pkg/mint"
	"github.com/tokenvend/tokenvend/pkg/provider/simulator"
	"github.com/tokenvend/tokenvend/pkg/records"
	"github.com/tokenvend/tokenvend/pkg/store"
	"github.com/tokenvend/tokenvend/pkg/token"
)

// call is what one caller got, and when.
type call struct {
	mint.Result
	err  error
	took time.Duration
}

// herd lets n callers ask at once, spread over the instances.
func herd(t *testing.T, n int, want mint.Want, instances ...*process) []call {
	t.Helper()
	calls := make([]call, n)
	var all sync.WaitGroup
	for i := range calls {
		all.Go(func() {
			ctx, cancel := context.WithTimeout(t.Context(), 29*time.Second)
			defer cancel()
			began := time.Now()
			c := &calls[i]
			c.Result, c.err = instances[i%len(instances)].Token(ctx, key("minut"), want)
			c.took = time.Since(began)
		})
	}
	all.Wait()
	return calls
}

func codeOf(err error) api.Code {
	var known *api.Error
	if errors.As(err, &known) {
		return known.Code
	}
	return ""
}

func TestFault01_ManyColdInstancesAskOnce(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t, simulator.Options{})
		must(t, w.sim.SetFault("minut", simulator.Fault{Delay: 300 * time.Millisecond}))
		var instances []*process
		for range 8 {
			instances = append(instances, w.instance())
		}
		seen := map[string]int{}
		for _, c := range herd(t, 400, mint.Want{}, instances...) {
			if c.err != nil {
				t.Fatal(c.err)
			}
			seen[c.Token.Fingerprint]++
		}
		if len(seen) != 1 || w.asked("minut") != 1 {
			t.Errorf("%d fingerprints, %d requests; want 1 and 1", len(seen), w.asked("minut"))
		}
	})
}

func TestFault02_OneFailureAnswersAllWhoWait(t *testing.T) {
	for _, n := range []int{20, 200, 2000} {
		t.Run(fmt.Sprint(n), func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				w := newWorld(t, simulator.Options{Lifetime: 10 * time.Second})
				m := w.instance()
				mustToken(t, m, key("minut"), mint.Want{})
				time.Sleep(11 * time.Second)
				must(
					t,
					w.sim.SetFault(
						"minut",
						simulator.Fault{Status: http.StatusServiceUnavailable, Delay: 50 * time.Millisecond},
					),
				)
				w.sim.Reset()
				for _, c := range herd(t, n, mint.Want{}, m, w.instance(), w.instance()) {
					if codeOf(c.err) != api.ProviderUnavailable || c.took > 150*time.Millisecond {
						t.Fatalf("%v after %v", c.err, c.took)
					}
					var known *api.Error
					if errors.As(c.err, &known); known.RetryAfter <= 0 {
						t.Fatal("the error does not say when to come back")
					}
				}
				for range 9 {
					time.Sleep(100 * time.Millisecond)
					herd(t, 10, mint.Want{}, m)
				}
				if n := w.asked("minut"); n != 1 {
					t.Errorf("%d requests in the first second of the outage, want 1", n)
				}
			})
		})
	}
}

func TestFault33_ALivingTokenIsVendedInAnOutage(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t, simulator.Options{Lifetime: time.Hour})
		m := w.instance()
		first := mustToken(t, m, key("minut"), mint.Want{})
		must(
			t,
			w.sim.SetFault(
				"minut",
				simulator.Fault{Status: http.StatusServiceUnavailable, Delay: 50 * time.Millisecond},
			),
		)
		time.Sleep(59*time.Minute + 10*time.Second) // less is left than the minute that is wished for
		for _, c := range herd(t, 200, mint.Want{}, m) {
			if c.err != nil || c.Token.Fingerprint != first.Token.Fingerprint || !c.Stale {
				t.Fatalf("%+v", c)
			}
		}
		later := mustToken(t, m, key("minut"), mint.Want{})
		if later.Failure.Code != string(api.ProviderUnavailable) {
			t.Errorf("the failure is not told: %+v", later.Failure)
		}
		time.Sleep(time.Minute)
		if _, err := m.Token(t.Context(), key("minut"), mint.Want{}); codeOf(err) != api.ProviderUnavailable {
			t.Errorf("an expired token: %v", err)
		}
	})
}

func TestFault03_AWaiterIsAnsweredWithinItsDeadline(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t, simulator.Options{})
		must(t, w.sim.SetFault("minut", simulator.Fault{Delay: 30 * time.Second}))
		asking := w.instance()
		go func() { _, _ = asking.Token(t.Context(), key("minut"), mint.Want{}) }()
		time.Sleep(100 * time.Millisecond)
		for whose, m := range map[string]*process{"its own": asking, "another": w.instance()} {
			ctx, cancel := context.WithTimeout(t.Context(), 700*time.Millisecond)
			defer cancel()
			began := time.Now()
			_, err := m.Token(ctx, key("minut"), mint.Want{})
			if took := time.Since(began); took > 750*time.Millisecond || codeOf(err) != api.ProviderUnavailable {
				t.Errorf("waiting for %s instance's exchange: %v after %v", whose, err, took)
			}
		}
		asking.Wait()
	})
}

func TestFault45_AReportedTokenIsReplacedOnce(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t, simulator.Options{})
		m := w.instance()
		first := mustToken(t, m, key("minut"), mint.Want{}).Token
		if _, err := m.Token(t.Context(), key("minut"), mint.Want{Rejected: first.Fingerprint}); codeOf(
			err,
		) != api.TooManyReports {
			t.Errorf("a young token: %v", err)
		}
		time.Sleep(31 * time.Second)
		w.kill("minut")
		seen := map[string]bool{}
		for _, c := range herd(t, 100, mint.Want{Rejected: first.Fingerprint}, m, w.instance()) {
			if c.err != nil {
				t.Fatal(c.err)
			}
			seen[c.Token.Fingerprint] = true
		}
		if len(seen) != 1 || seen[first.Fingerprint] || w.asked("minut") != 2 {
			t.Errorf("%v after %d requests", seen, w.asked("minut"))
		}
		if got := mustToken(t, m, key("minut"), mint.Want{Rejected: first.Fingerprint}); !seen[got.Token.Fingerprint] ||
			w.asked("minut") != 2 {
			t.Errorf("an old fingerprint minted again")
		}
	})
}

func TestFault35_APermanentRefusalIsToldFromAPassingFault(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t, simulator.Options{})
		w.put("minut", map[string]any{"client_secret": "wrong"})
		m := w.instance()
		if _, err := m.Token(t.Context(), key("minut"), mint.Want{}); codeOf(err) != api.ProviderRejected {
			t.Fatalf("%v", err)
		}
		for range 48 * 60 { // two days, a caller each minute
			time.Sleep(time.Minute)
			if _, err := m.Token(t.Context(), key("minut"), mint.Want{}); codeOf(err) != api.ProviderRejected {
				t.Fatalf("%v", err)
			}
			if time.Since(time.Date(2000, 1, 1, 0, 0, 0, 0, time.UTC)) == time.Hour && w.asked("minut") > 6 {
				t.Errorf("%d requests in the first hour, want 6 at most", w.asked("minut"))
			}
		}
		if n := w.asked("minut"); n > 6+47 {
			t.Errorf("%d requests in two days, want 53 at most", n)
		}
	})
}

func TestFault46_ARotatedSecretFailsNoVend(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t, simulator.Options{Lifetime: 10 * time.Minute})
		m := w.instance()
		mustToken(t, m, key("minut"), mint.Want{})
		id, _ := w.sim.ClientFor("minut")
		must(t, w.sim.SetClient("minut", simulator.Client{ID: id, Secret: "the new one"}))
		w.put("minut", map[string]any{"client_secret": "the new one"})
		time.Sleep(11 * time.Minute)
		if got := mustToken(t, m, key("minut"), mint.Want{}); got.Token.Generation != 2 {
			t.Errorf("%+v", got)
		}
	})
}

func TestFault36_ANewVersionOfTheSecretClearsTheFailure(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t, simulator.Options{})
		w.put("minut", map[string]any{"client_secret": "wrong"})
		m := w.instance()
		if _, err := m.Token(t.Context(), key("minut"), mint.Want{}); codeOf(err) != api.ProviderRejected {
			t.Fatalf("%v", err)
		}
		w.put("minut", nil)
		if learnt, _, err := w.instance().Discover(t.Context()); err != nil || learnt < 1 {
			t.Fatalf("%d learnt, %v", learnt, err)
		}
		time.Sleep(61 * time.Second)
		mustToken(t, m, key("minut"), mint.Want{})
	})
}

func TestFault34_NobodyAsksBeforeTheProviderAllowsIt(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t, simulator.Options{})
		must(
			t,
			w.sim.SetFault(
				"monta",
				simulator.Fault{
					Status: http.StatusTooManyRequests,
					Header: map[string]string{"RateLimit-ResetsIn": "120"},
				},
			),
		)
		m := w.instance()
		if _, err := m.Token(t.Context(), key("monta"), mint.Want{}); codeOf(err) != api.ProviderUnavailable {
			t.Fatal(err)
		}
		must(t, w.sim.SetFault("monta", simulator.Fault{}))
		w.put("monta", map[string]any{"keep_warm": true}) // a new version clears failures, not cooldowns
		if _, _, err := m.Discover(t.Context()); err != nil {
			t.Fatal(err)
		}
		for range 11 {
			time.Sleep(10 * time.Second)
			if _, err := w.instance().Token(t.Context(), key("monta"), mint.Want{IgnoreBackoff: true}); codeOf(
				err,
			) != api.ProviderUnavailable {
				t.Fatalf("%v", err)
			}
		}
		if n := w.asked("monta"); n != 1 {
			t.Errorf("%d requests during the cooldown, want 1", n)
		}
		time.Sleep(11 * time.Second)
		mustToken(t, w.instance(), key("monta"), mint.Want{})
	})
}

func TestFault25_TheSameTokenIsNotAskedForAgainAndAgain(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t, simulator.Options{Lifetime: 10 * time.Minute})
		must(t, w.sim.SetFault("minut", simulator.Fault{Same: true}))
		m := w.instance()
		for range 9*60 + 50 {
			mustToken(t, m, key("minut"), mint.Want{})
			_, _ = m.Renew(t.Context(), key("minut"))
			time.Sleep(time.Second)
		}
		if n := w.asked("minut"); n > 3 {
			t.Errorf("%d requests in one life, want 3 at most", n)
		}
	})
}

func TestFault24_ShortLivesAreCachedAndShared(t *testing.T) {
	for _, life := range []time.Duration{10 * time.Second, 31 * time.Second, time.Minute} {
		t.Run(life.String(), func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				w := newWorld(t, simulator.Options{Lifetime: life})
				a, b := w.instance(), w.instance()
				const lives = 20
				for range lives * int(life/time.Second) {
					for _, m := range []*process{a, b} {
						if got := mustToken(t, m, key("minut"), mint.Want{}); got.Token.Left(time.Now()) <= 0 {
							t.Fatal("an expired token")
						}
					}
					time.Sleep(time.Second)
				}
				if n, most := w.asked("minut"), lives*10/8+1; n > most {
					t.Errorf("%d requests in %d lives, want %d at most", n, lives, most)
				}
			})
		})
	}
}

func TestFault51_MemoryServesWhileTheStoreIsDown(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t, simulator.Options{})
		down := &downStore{Store: w.store}
		m := w.instanceThat(down, records.LongestStaleMax)
		first := mustToken(t, m, key("minut"), mint.Want{})
		down.down = true
		for time.Now().Before(first.Token.CacheUntil.Add(-time.Second)) {
			time.Sleep(time.Minute)
			if !time.Now().Before(first.Token.CacheUntil) {
				break
			}
			mustToken(t, m, key("minut"), mint.Want{})
		}
		time.Sleep(2 * time.Minute)
		if _, err := m.Token(t.Context(), key("minut"), mint.Want{}); codeOf(err) != api.StoreUnavailable {
			t.Errorf("after cache_until: %v", err)
		}
		if _, err := m.Token(t.Context(), key("monta"), mint.Want{}); codeOf(err) != api.StoreUnavailable {
			t.Errorf("a token that nobody has: %v", err)
		}
	})
}

// downStore is a store that can't be reached, once down is set.
type downStore struct {
	store.Store
	down bool
}

var errDown = errors.New("connection refused")

func (s *downStore) Get(ctx context.Context, c store.Consistency, keys ...token.Key) ([]store.Entry, error) {
	if s.down {
		return nil, errDown
	}
	return s.Store.Get(ctx, c, keys...)
}

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}
