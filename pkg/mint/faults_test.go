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

	"github.com/tokenvend/tokenvend/internal/testworld"
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
func herd(t *testing.T, n int, want mint.Want, instances ...*testworld.Process) []call {
	t.Helper()
	calls := make([]call, n)
	var all sync.WaitGroup
	for i := range calls {
		all.Go(func() {
			ctx, cancel := context.WithTimeout(t.Context(), testworld.CallerTimeout)
			defer cancel()
			began := time.Now()
			c := &calls[i]
			c.Result, c.err = instances[i%len(instances)].Token(ctx, testworld.Key("minut"), want)
			c.took = time.Since(began)
		})
	}
	all.Wait()
	return calls
}

func TestFault01_ManyColdInstancesAskOnce(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t, simulator.Options{})
		testworld.Must(t, w.Providers.SetFault("minut", simulator.Fault{Delay: 300 * time.Millisecond}))
		var instances []*testworld.Process
		for range 8 {
			instances = append(instances, w.NewProcess())
		}
		seen := map[string]int{}
		for _, c := range herd(t, 400, mint.Want{}, instances...) {
			if c.err != nil {
				t.Fatalf("Token() = %v, want a token", c.err)
			}
			seen[c.Token.Fingerprint]++
		}
		if len(seen) != 1 || w.TokenRequests("minut") != 1 {
			t.Errorf("%d fingerprints, %d requests; want 1 and 1", len(seen), w.TokenRequests("minut"))
		}
	})
}

func TestFault02_OneFailureAnswersAllWhoWait(t *testing.T) {
	for _, n := range []int{20, 200, 2000} {
		t.Run(fmt.Sprint(n), func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				w := newWorld(t, simulator.Options{Lifetime: 10 * time.Second})
				m := w.NewProcess()
				w.Token(m, testworld.Key("minut"))
				time.Sleep(11 * time.Second)
				testworld.Must(t, w.Providers.SetFault(
					"minut",
					simulator.Fault{Status: http.StatusServiceUnavailable, Delay: 50 * time.Millisecond},
				))
				w.Providers.Reset()
				for _, c := range herd(t, n, mint.Want{}, m, w.NewProcess(), w.NewProcess()) {
					if !testworld.HasCode(c.err, api.ProviderUnavailable) || c.took > 150*time.Millisecond {
						t.Fatalf("Token() = %v after %v, want %s within 150ms", c.err, c.took, api.ProviderUnavailable)
					}
					var known *api.Error
					if errors.As(c.err, &known); known.RetryAfter <= 0 {
						t.Fatalf("RetryAfter of %v = %v, want more", c.err, known.RetryAfter)
					}
				}
				for range 9 {
					time.Sleep(100 * time.Millisecond)
					herd(t, 10, mint.Want{}, m)
				}
				if n := w.TokenRequests("minut"); n != 1 {
					t.Errorf("%d requests in the first second of the outage, want 1", n)
				}
			})
		})
	}
}

func TestFault33_ALivingTokenIsVendedInAnOutage(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t, simulator.Options{Lifetime: time.Hour})
		m := w.NewProcess()
		first := w.Token(m, testworld.Key("minut"))
		testworld.Must(t, w.Providers.SetFault(
			"minut",
			simulator.Fault{Status: http.StatusServiceUnavailable, Delay: 50 * time.Millisecond},
		))
		time.Sleep(59*time.Minute + 10*time.Second) // less is left than the minute that is preferred
		for _, c := range herd(t, 200, mint.Want{}, m) {
			if c.err != nil || c.Token.Fingerprint != first.Token.Fingerprint || !c.Stale {
				t.Fatalf("Token() = %+v, want %s, stale", c, first.Token.Fingerprint)
			}
		}
		later := w.Token(m, testworld.Key("minut"))
		if later.Failure.Code != string(api.ProviderUnavailable) {
			t.Errorf("Failure = %+v, want %s", later.Failure, api.ProviderUnavailable)
		}
		time.Sleep(time.Minute)
		w.Refused(m, testworld.Key("minut"), mint.Want{}, api.ProviderUnavailable)
	})
}

func TestFault03_AWaiterIsAnsweredWithinItsDeadline(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t, simulator.Options{})
		testworld.Must(t, w.Providers.SetFault("minut", simulator.Fault{Delay: 30 * time.Second}))
		asking := w.NewProcess()
		go func() { _, _ = asking.Token(t.Context(), testworld.Key("minut"), mint.Want{}) }()
		time.Sleep(100 * time.Millisecond)
		for whose, m := range map[string]*testworld.Process{"its own": asking, "another": w.NewProcess()} {
			ctx, cancel := context.WithTimeout(t.Context(), 700*time.Millisecond)
			defer cancel()
			began := time.Now()
			_, err := m.Token(ctx, testworld.Key("minut"), mint.Want{})
			if took := time.Since(began); took > 750*time.Millisecond ||
				!testworld.HasCode(err, api.ProviderUnavailable) {
				t.Errorf(
					"Token() while %s process mints = %v after %v, want %s within 750ms", whose, err, took,
					api.ProviderUnavailable,
				)
			}
		}
		asking.Wait()
	})
}

func TestFault45_AReportedTokenIsReplacedOnce(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t, simulator.Options{})
		m := w.NewProcess()
		first := w.Token(m, testworld.Key("minut")).Token
		w.Refused(m, testworld.Key("minut"), mint.Want{Rejected: first.Fingerprint}, api.TooManyReports)
		time.Sleep(31 * time.Second)
		w.kill("minut")
		seen := map[string]bool{}
		for _, c := range herd(t, 100, mint.Want{Rejected: first.Fingerprint}, m, w.NewProcess()) {
			if c.err != nil {
				t.Fatalf("Token() = %v, want a token", c.err)
			}
			seen[c.Token.Fingerprint] = true
		}
		if len(seen) != 1 || seen[first.Fingerprint] || w.TokenRequests("minut") != 2 {
			t.Errorf("Token() = %v after %d requests, want one other after 2", seen, w.TokenRequests("minut"))
		}
		got := w.TokenThat(m, testworld.Key("minut"), mint.Want{Rejected: first.Fingerprint})
		if !seen[got.Token.Fingerprint] ||
			w.TokenRequests("minut") != 2 {
			t.Errorf(
				"Token() = %s after %d requests, want %v after 2",
				got.Token.Fingerprint,
				w.TokenRequests("minut"),
				seen,
			)
		}
	})
}

func TestFault35_APermanentRefusalIsToldFromAPassingFault(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t, simulator.Options{})
		w.Put("minut", "minut", map[string]any{"client_secret": "wrong"})
		m := w.NewProcess()
		w.Refused(m, testworld.Key("minut"), mint.Want{}, api.ProviderRejected)
		for range 48 * 60 { // two days, a caller each minute
			time.Sleep(time.Minute)
			w.Refused(m, testworld.Key("minut"), mint.Want{}, api.ProviderRejected)
			if time.Since(time.Date(2000, 1, 1, 0, 0, 0, 0, time.UTC)) == time.Hour && w.TokenRequests("minut") > 6 {
				t.Errorf("%d requests in the first hour, want 6 at most", w.TokenRequests("minut"))
			}
		}
		if n := w.TokenRequests("minut"); n > 6+47 {
			t.Errorf("%d requests in two days, want 53 at most", n)
		}
	})
}

func TestFault46_ARotatedSecretFailsNoVend(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t, simulator.Options{Lifetime: 10 * time.Minute})
		m := w.NewProcess()
		w.Token(m, testworld.Key("minut"))
		id, _ := w.Providers.ClientFor("minut")
		testworld.Must(t, w.Providers.SetClient("minut", simulator.Client{ID: id, Secret: "the new one"}))
		w.Put("minut", "minut", map[string]any{"client_secret": "the new one"})
		time.Sleep(11 * time.Minute)
		if got := w.Token(m, testworld.Key("minut")); got.Token.Generation != 2 {
			t.Errorf("Token() = %+v, want generation 2", got)
		}
	})
}

func TestFault36_ANewVersionOfTheSecretClearsTheFailure(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t, simulator.Options{})
		w.Put("minut", "minut", map[string]any{"client_secret": "wrong"})
		m := w.NewProcess()
		w.Refused(m, testworld.Key("minut"), mint.Want{}, api.ProviderRejected)
		w.Put("minut", "minut", nil)
		if learnt, _, err := w.NewProcess().Discover(t.Context()); err != nil || learnt < 1 {
			t.Fatalf("Discover() = %d, %v, want 1 at least", learnt, err)
		}
		time.Sleep(61 * time.Second)
		w.Token(m, testworld.Key("minut"))
	})
}

func TestFault34_NobodyAsksBeforeTheProviderAllowsIt(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t, simulator.Options{})
		testworld.Must(t, w.Providers.SetFault(
			"monta",
			simulator.Fault{
				Status: http.StatusTooManyRequests,
				Header: map[string]string{"RateLimit-ResetsIn": "120"},
			},
		))
		m := w.NewProcess()
		w.Refused(m, testworld.Key("monta"), mint.Want{}, api.ProviderUnavailable)
		testworld.Must(t, w.Providers.SetFault("monta", simulator.Fault{}))
		w.Put("monta", "monta", map[string]any{"keep_warm": true}) // a new version clears failures, not cooldowns
		if _, _, err := m.Discover(t.Context()); err != nil {
			t.Fatal(err)
		}
		for range 11 {
			time.Sleep(10 * time.Second)
			w.Refused(w.NewProcess(), testworld.Key("monta"), mint.Want{IgnoreBackoff: true}, api.ProviderUnavailable)
		}
		if n := w.TokenRequests("monta"); n != 1 {
			t.Errorf("%d requests during the cooldown, want 1", n)
		}
		time.Sleep(11 * time.Second)
		w.Token(w.NewProcess(), testworld.Key("monta"))
	})
}

func TestFault25_TheSameTokenIsNotAskedForAgainAndAgain(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t, simulator.Options{Lifetime: 10 * time.Minute})
		testworld.Must(t, w.Providers.SetFault("minut", simulator.Fault{Same: true}))
		m := w.NewProcess()
		for range 9*60 + 50 {
			w.Token(m, testworld.Key("minut"))
			_, _ = m.Renew(t.Context(), testworld.Key("minut"))
			time.Sleep(time.Second)
		}
		if n := w.TokenRequests("minut"); n > 3 {
			t.Errorf("%d requests in one life, want 3 at most", n)
		}
	})
}

func TestFault24_ShortLivesAreCachedAndShared(t *testing.T) {
	for _, life := range []time.Duration{10 * time.Second, 31 * time.Second, time.Minute} {
		t.Run(life.String(), func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				w := newWorld(t, simulator.Options{Lifetime: life})
				a, b := w.NewProcess(), w.NewProcess()
				const lives = 20
				for range lives * int(life/time.Second) {
					for _, m := range []*testworld.Process{a, b} {
						if got := w.Token(m, testworld.Key("minut")); got.Token.Left(time.Now()) <= 0 {
							t.Fatalf("Token() = one that ended at %v, want one that lives", got.Token.ExpiresAt)
						}
					}
					time.Sleep(time.Second)
				}
				if n, most := w.TokenRequests("minut"), lives*10/8+1; n > most {
					t.Errorf("%d requests in %d lives, want %d at most", n, lives, most)
				}
			})
		})
	}
}

func TestFault51_MemoryServesWhileTheStoreIsDown(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t, simulator.Options{})
		down := &downStore{Store: w.Store}
		m := w.NewProcess(testworld.WithStore(down), withStaleMax(records.LongestStaleMax))
		first := w.Token(m, testworld.Key("minut"))
		down.down = true
		for time.Now().Before(first.Token.CacheUntil.Add(-time.Second)) {
			time.Sleep(time.Minute)
			if !time.Now().Before(first.Token.CacheUntil) {
				break
			}
			w.Token(m, testworld.Key("minut"))
		}
		time.Sleep(2 * time.Minute)
		w.Refused(m, testworld.Key("minut"), mint.Want{}, api.StoreUnavailable)
		w.Refused(m, testworld.Key("monta"), mint.Want{}, api.StoreUnavailable)
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
