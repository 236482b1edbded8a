package rotate_test

import (
	"context"
	"errors"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/tokenvend/tokenvend/internal/testworld"
	"github.com/tokenvend/tokenvend/pkg/credential"
	"github.com/tokenvend/tokenvend/pkg/mint"
	"github.com/tokenvend/tokenvend/pkg/seal"
	"github.com/tokenvend/tokenvend/pkg/store"
)

// The back ends that fail at one operation.
type (
	storeWithoutIndex   struct{ store.Store }
	secretsWithoutList  struct{ credential.Source }
	secretsWithoutReads struct{ credential.Source }
	brokenSealer        struct{ seal.Sealer }
)

func (storeWithoutIndex) Due(context.Context, time.Time, int) ([]store.Due, error) {
	return nil, errors.New("the store does not answer")
}

func (secretsWithoutList) List(context.Context) ([]credential.Listed, error) {
	return nil, credential.ErrUnavailable
}

func (secretsWithoutReads) Read(context.Context, string, credential.Stage) (credential.Credential, error) {
	return credential.Credential{}, credential.ErrUnavailable
}

func (brokenSealer) Open(context.Context, string, []byte, []byte) ([]byte, error) {
	return nil, seal.ErrUnavailable
}

// A discovery, and a pass after it. A pass that did not read what is due is no
// heartbeat, and its backlog is unknown. The metric of the service that failed
// is written.
func TestPassWritesMetricsOfWhatFailed(t *testing.T) {
	for name, c := range map[string]struct {
		store   func(store.Store) store.Store
		changes func(*mint.Config)
		want    map[string]int // passes whose line has the metric
	}{
		"nothing fails": {nil, nil, map[string]int{"Passes": 1}},
		"the index can't be read": {
			func(s store.Store) store.Store { return storeWithoutIndex{s} }, nil, map[string]int{"StoreFailures": 1},
		},
		"secrets can't be listed": {
			nil, func(c *mint.Config) { c.Source = secretsWithoutList{c.Source} },
			map[string]int{"Passes": 1, "DiscoveryFailed": 1},
		},
		"secrets can't be read": {
			nil, func(c *mint.Config) { c.Source = secretsWithoutReads{c.Source} },
			map[string]int{"Passes": 1, "SecretFailures": 1},
		},
		"the key can't be used": {
			nil, func(c *mint.Config) { c.Sealer = brokenSealer{c.Sealer} },
			map[string]int{"Passes": 1, "SealFailures": 1},
		},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				w := newWorld(t, testworld.Config{})
				w.Put("minut", "minut", map[string]any{"keep_warm": true})
				w.Pass(w.NewRotator(w.NewProcess()))
				time.Sleep(50 * time.Minute) // the token is due
				change := func(*mint.Config) {}
				if c.changes != nil {
					change = c.changes
				}
				rotator := w.NewRotator(w.NewProcess(change))
				if c.store != nil {
					rotator.Store = c.store(w.Store)
				}
				w.Log.Take()
				ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
				defer cancel()
				_, _ = rotator.Discover(ctx) // the log has the errors
				_, _ = rotator.Run(ctx)
				for _, metric := range []string{
					"Passes", "StoreFailures", "SealFailures", "SecretFailures", "DiscoveryFailed",
				} {
					if got := w.Alarms(metric); got != c.want[metric] {
						t.Errorf("%s=1 is written %d times, want %d", metric, got, c.want[metric])
					}
				}
				known := strings.Contains(w.Log.String(), " Backlog=")
				if want := c.want["Passes"] > 0; known != want {
					t.Errorf("the backlog is written: %t, want %t", known, want)
				}
			})
		})
	}
}

// Operators are told once that a provider refuses a credential, and again only
// after it worked meanwhile.
func TestRefusedCredentialIsToldOnce(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t, testworld.Config{})
		w.Put("minut", "minut", map[string]any{"keep_warm": true, "client_secret": "wrong"})
		for minute := range 4 * 60 {
			w.pass()
			if minute == 3*60 && w.TokenRequests("minut") < 4 {
				t.Fatal("TokenRequests(minut): want several that are refused")
			}
			time.Sleep(time.Minute)
		}
		if n := w.Alarms("CredentialsFailing"); n != 1 {
			t.Errorf("CredentialsFailing=1 is written %d times in four hours, want 1", n)
		}
	})
}
