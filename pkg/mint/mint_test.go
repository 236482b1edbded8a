package mint_test

import (
	"encoding/json"
	"net/http"
	"testing"
	"testing/synctest"
	"time"

	"github.com/tokenvend/tokenvend/internal/testworld"
	"github.com/tokenvend/tokenvend/pkg/mint"
	"github.com/tokenvend/tokenvend/pkg/provider/simulator"
	"github.com/tokenvend/tokenvend/pkg/records"
	"github.com/tokenvend/tokenvend/pkg/row"
	"github.com/tokenvend/tokenvend/pkg/token"
)

// world has a credential of each simulated provider, under the provider's name.
// Its requests to the providers may be slow or fail.
type world struct {
	*testworld.World
	transport *transport
}

func newWorld(t *testing.T, o simulator.Options) *world {
	t.Helper()
	x := &transport{}
	c := testworld.Config{Simulator: o, HTTP: &http.Client{Transport: x}}
	w := &world{World: testworld.New(t, c), transport: x}
	x.next = w.Providers
	for _, name := range w.Providers.Providers() {
		w.Put(name, name, nil)
	}
	return w
}

// withStaleMax returns a change for NewProcess: the process vends from memory
// for d while the store cannot be read.
func withStaleMax(d time.Duration) func(*mint.Config) {
	return func(c *mint.Config) { c.StaleMax = d }
}

// transport sends requests to the providers.
type transport struct {
	next   http.RoundTripper
	slow   time.Duration             // how long each request takes to arrive
	broken func(*http.Request) error // nil: requests arrive
}

// RoundTrip implements [http.RoundTripper].
func (x *transport) RoundTrip(r *http.Request) (*http.Response, error) {
	time.Sleep(x.slow)
	if broken := x.broken; broken != nil {
		return nil, broken(r)
	}
	return x.next.RoundTrip(r)
}

// refreshIn returns the refresh token in the entry of a credential.
func (w *world) refreshIn(name string) string {
	w.T.Helper()
	return w.refreshOf(testworld.Key(name))
}

// refreshOf returns the refresh token in a key's entry.
func (w *world) refreshOf(k token.Key) string {
	w.T.Helper()
	e := w.Entry(k)
	plain, err := w.Sealer.Open(w.T.Context(), k.Credential, e.Sealed, row.AdditionalData(e))
	var held struct {
		Refresh string `json:"refresh_token"`
	}
	if err == nil {
		err = json.Unmarshal(plain, &held)
	}
	if err != nil {
		w.T.Fatal(err)
	}
	return held.Refresh
}

// kill revokes all access tokens of a provider, there.
func (w *world) kill(name string) {
	w.T.Helper()
	_, err := w.Providers.RevokeTokens(name, false)
	testworld.Must(w.T, err)
}

func TestFiveProvidersAreMinted(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t, simulator.Options{})
		m := w.NewProcess()
		for _, name := range w.Providers.Providers() {
			got := w.Token(m, testworld.Key(name))
			if got.Origin != records.Provider || got.Token.Type != "Bearer" ||
				!w.Providers.Accepts(name, got.Token.Access.Reveal()) ||
				got.Token.Generation != 1 {
				t.Errorf("Token(%s) = %+v, want generation 1 from the provider", name, got)
			}
			if again := w.Token(m, testworld.Key(name)); again.Origin != records.Memory ||
				again.Token.Fingerprint != got.Token.Fingerprint {
				t.Errorf("Token(%s) again = %+v, want %s from memory", name, again, got.Token.Fingerprint)
			}
			if other := w.Token(w.NewProcess(), testworld.Key(name)); other.Origin != records.Store ||
				other.Token.Fingerprint != got.Token.Fingerprint {
				t.Errorf("Token(%s) elsewhere = %+v, want %s from the store", name, other, got.Token.Fingerprint)
			}
			if n := w.TokenRequests(name); n != 1 {
				t.Errorf("TokenRequests(%s) = %d, want 1", name, n)
			}
		}
	})
}
