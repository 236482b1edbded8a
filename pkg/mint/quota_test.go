package mint_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/tokenvend/tokenvend/internal/testworld"
	"github.com/tokenvend/tokenvend/pkg/mint"
	"github.com/tokenvend/tokenvend/pkg/provider/simulator"
	"github.com/tokenvend/tokenvend/pkg/quota/counter"
	"github.com/tokenvend/tokenvend/pkg/store"
	"github.com/tokenvend/tokenvend/pkg/token"
)

// ofAMonth is a quota that the simulated time of a test does not exceed.
var ofAMonth = map[string]any{"requests": 1000, "per": "month"}

// used returns the use of a credential's quota, as its status shows it.
func (w *world) used(p *testworld.Process, credential string) string {
	w.T.Helper()
	s, err := p.Status(w.T.Context(), testworld.Key(credential))
	testworld.Must(w.T, err)
	return fmt.Sprint(s.Quota)
}

// seen returns the use of a quota by which a provider counts.
func (w *world) seen(provider string) string {
	c := w.Providers.Stats().Providers[provider]
	return fmt.Sprintf("%d of 1000 this month", c.TokenRequests+c.RefreshRequests+c.CodeRequests)
}

// What is counted is what the provider sees, by whichever grant: codes,
// renewals, refusals and answers that are lost.
func TestQuotaCountsWhatTheProviderSees(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t, simulator.Options{})
		w.Put("movemint", "movemint", map[string]any{"quota": ofAMonth})
		m := w.NewProcess()
		keys := []token.Key{
			testworld.Key("movemint"), testworld.Account("movemint", "alice"), testworld.Account("movemint", "bob"),
		}
		for _, k := range keys[1:] {
			testworld.Must(t, m.Connect(t.Context(), k, w.Code("movemint", k.Variant.Account)))
		}
		for i := range 12 {
			if i == 6 {
				testworld.Must(t, w.Providers.SetFault("movemint", simulator.Fault{Times: 3, Status: 500}))
			}
			for _, k := range keys {
				_, _ = w.NewProcess().Token(t.Context(), k, mint.Want{})
			}
			time.Sleep(90 * time.Minute)
		}
		refused := simulator.Fault{Status: 401, Body: `{"error":"invalid_client"}`}
		testworld.Must(t, w.Providers.SetFault("movemint", refused))
		_, err := w.NewProcess().Token(t.Context(), keys[0], mint.Want{})
		if got, want := w.used(m, "movemint"), w.seen("movemint"); got != want || err == nil {
			t.Errorf("the quota that is used = %s, want %s; Token() = %v, want a refusal", got, want, err)
		}
	})
}

// Processes that request tokens at once lose no count.
func TestQuotaOfSeveralProcesses(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t, simulator.Options{})
		var scopes []string
		for i := range 20 {
			scopes = append(scopes, fmt.Sprint("scope", i))
		}
		w.Put("minut", "minut", map[string]any{"quota": ofAMonth, "allow": map[string]any{"scopes": scopes}})
		processes := []*testworld.Process{w.NewProcess(), w.NewProcess()}
		var all sync.WaitGroup
		for i, scope := range slices.Concat(scopes, scopes) {
			all.Go(func() {
				key := token.Key{Credential: "minut", Variant: token.NewVariant("", "", scope)}
				w.Token(processes[i%2], key)
			})
		}
		all.Wait()
		if got, want := w.used(processes[0], "minut"), w.seen("minut"); got != want {
			t.Errorf("the quota that is used = %s, want %s", got, want)
		}
	})
}

// counters is a store whose counters fail after some time.
type counters struct {
	store.Store
	after time.Duration
	calls int
}

func (c *counters) Count(ctx context.Context, _ store.Counter, _ int64) (int64, error) {
	c.calls++
	select {
	case <-ctx.Done():
		return 0, ctx.Err()
	case <-time.After(c.after):
		return 0, errors.New("read-only")
	}
}

func (c *counters) Counted(context.Context, store.Counter) (int64, error) {
	c.calls++
	return 0, errors.New("read-only")
}

// A store that does not count takes nobody longer than its time, and no lease
// is held meanwhile.
func TestStoreThatDoesNotCount(t *testing.T) {
	for name, after := range map[string]time.Duration{"fails": 0, "hangs": time.Hour} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				w := newWorld(t, simulator.Options{})
				w.Put("minut", "minut", map[string]any{"quota": ofAMonth})
				broken := &counters{Store: w.Store, after: after}
				m, began := w.NewProcess(testworld.WithStore(broken)), time.Now()
				var other time.Duration
				var waits sync.WaitGroup
				waits.Go(func() {
					time.Sleep(time.Millisecond)
					w.Token(w.NewProcess(), testworld.Key("minut"))
					other = time.Since(began)
				})
				w.Token(m, testworld.Key("minut"))
				took := time.Since(began)
				waits.Wait()
				const slack = 100 * time.Millisecond
				if most := min(after, counter.Timeout); took > most+slack || other > slack {
					t.Errorf("Token() took %v and %v in another process, want %v at most, and 100ms", took, other, most)
				}
				if got := w.used(m, "minut"); got != "<nil>" || w.TokenRequests("minut") != 1 {
					t.Errorf("the quota = %s after %d requests, want none known and 1", got, w.TokenRequests("minut"))
				}
				if log := w.Log.String(); !strings.Contains(log, "msg=quota credential=minut") ||
					strings.Contains(log, "ProviderQuotaUsed") {
					t.Errorf("the log = %s, want a warning and no metric", log)
				}
			})
		})
	}
}

func TestCredentialWithoutQuotaIsNotCounted(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t, simulator.Options{})
		broken := &counters{Store: w.Store}
		m := w.NewProcess(testworld.WithStore(broken))
		w.Token(m, testworld.Key("minut"))
		if got := w.used(m, "minut"); got != "<nil>" || broken.calls != 0 {
			t.Errorf("the quota = %s after %d calls of the store's counters, want none", got, broken.calls)
		}
	})
}

// readOnly is a store that takes leases and nothing else.
type readOnly struct{ counters }

func (*readOnly) Commit(context.Context, store.Lease, store.Entry) error {
	return errors.New("read-only")
}

// A refresh token that the store does not accept is in the log before anything
// waits for a count.
func TestCountKeepsNoRefreshTokenBack(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t, simulator.Options{})
		w.granted("trackmania", map[string]any{"quota": ofAMonth})
		w.Token(w.NewProcess(), testworld.Key("trackmania"))
		time.Sleep(58 * time.Minute)
		s := &readOnly{counters{Store: w.Store, after: time.Hour}}
		_, _ = w.NewProcess(testworld.WithStore(s)).Renew(t.Context(), testworld.Key("trackmania"))
		log := w.Log.String()
		kept, failed := strings.Index(log, "msg=unstored"), strings.Index(log, "msg=quota")
		if kept < 0 || failed < kept || s.calls != 1 {
			t.Errorf("the log = %s, want the line unstored, and then the line quota of 1 count", log)
		}
	})
}
