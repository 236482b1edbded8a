package mint_test

import (
	"bytes"
	"context"
	"encoding/json"
	"log/slog"
	"net/http"
	"path/filepath"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/tokenvend/tokenvend/pkg/credential"
	"github.com/tokenvend/tokenvend/pkg/credential/folder"
	"github.com/tokenvend/tokenvend/pkg/journal"
	"github.com/tokenvend/tokenvend/pkg/mint"
	"github.com/tokenvend/tokenvend/pkg/operate"
	"github.com/tokenvend/tokenvend/pkg/provider/simulator"
	"github.com/tokenvend/tokenvend/pkg/records"
	"github.com/tokenvend/tokenvend/pkg/rotate"
	"github.com/tokenvend/tokenvend/pkg/row"
	"github.com/tokenvend/tokenvend/pkg/seal/keyfile"
	"github.com/tokenvend/tokenvend/pkg/store"
	"github.com/tokenvend/tokenvend/pkg/store/memory"
	"github.com/tokenvend/tokenvend/pkg/token"
)

// world is what many instances share: the providers, the secrets, the store and the sealing key.
type world struct {
	t       *testing.T
	sim     *simulator.Simulator
	secrets *folder.Source
	folder  string // where they are
	store   store.Store
	sealer  *keyfile.Sealer
	slow    time.Duration             // of each request on its way to a provider
	broken  func(*http.Request) error // what happens to a request in the place of an answer; nil: nothing
	log     *bytes.Buffer
	logging sync.Mutex
}

// newWorld makes a world with a credential for each of the five providers. Inside a synctest bubble its time is simulated.
func newWorld(t *testing.T, o simulator.Options) *world {
	t.Helper()
	w := &world{t: t, sim: simulator.New(o), store: memory.New(), log: &bytes.Buffer{}, folder: filepath.Join(t.TempDir(), "credentials")}
	var err error
	if w.secrets, err = folder.New(w.folder); err != nil {
		t.Fatal(err)
	}
	if w.sealer, err = keyfile.Open(filepath.Join(t.TempDir(), "seal.key")); err != nil {
		t.Fatal(err)
	}
	for _, name := range w.sim.Providers() {
		w.put(name, nil)
	}
	t.Cleanup(func() {
		if t.Failed() {
			w.logging.Lock()
			defer w.logging.Unlock()
			t.Log(w.log.String())
		}
	})
	return w
}

// put writes a provider's credential under the provider's name, with fields laid over it.
func (w *world) put(name string, over map[string]any) {
	w.t.Helper()
	id, secret := w.sim.ClientFor(name)
	c := map[string]any{"provider": name, "client_id": id, "client_secret": secret}
	if name == "miden" {
		c["token_url"] = w.sim.TokenURL(name)
	}
	for field, value := range over {
		if c[field] = value; value == nil {
			delete(c, field)
		}
	}
	w.write(name, c)
}

func (w *world) write(name string, c map[string]any) {
	w.t.Helper()
	data, err := json.Marshal(c)
	if err == nil {
		err = w.secrets.Write(name, data)
	}
	if err != nil {
		w.t.Fatal(err)
	}
}

// Write makes the world its instances' log.
func (w *world) Write(p []byte) (int, error) {
	w.logging.Lock()
	defer w.logging.Unlock()
	return w.log.Write(p)
}

func (w *world) logged() string {
	w.logging.Lock()
	defer w.logging.Unlock()
	return w.log.String()
}

// process is one process: nothing but its memory is its own.
type process struct {
	*mint.Mint
	operate.Operator
}

func newProcess(c mint.Config) *process {
	m := mint.New(c)
	return &process{m, operate.New(m)}
}

// Recover is that of the operator.
func (p *process) Recover(ctx context.Context, name, blob string) (token.Key, error) {
	return p.Operator.Recover(ctx, name, blob)
}

// Renew renews a due entry as a pass of rotate does.
func (p *process) Renew(ctx context.Context, key token.Key) (rotate.Renewal, error) {
	return (&rotate.Rotator{Mint: p.Mint}).Renew(ctx, key)
}

// RenewNow renews an entry as an operator asks for it.
func (p *process) RenewNow(ctx context.Context, key token.Key) (rotate.Renewal, error) {
	if err := p.Operator.RenewNow(ctx, key); err != nil {
		return rotate.Failed, err
	}
	return rotate.Renewed, nil
}

// Migrate is that of the records.
func (p *process) Migrate(ctx context.Context) (records.Migration, error) {
	return p.Records.Migrate(ctx)
}

// Terms and Discover are those of the registry.
func (p *process) Terms(ctx context.Context, name string) (credential.Terms, error) {
	return p.Registry.Terms(ctx, name)
}

func (p *process) Discover(ctx context.Context) (learned, deleted int, err error) {
	return p.Registry.Discover(ctx)
}

// instance starts a process.
func (w *world) instance() *process { return w.instanceOver(w.store) }

func (w *world) instanceOver(s store.Store) *process { return w.instanceThat(s, 0) }

// instanceThat is an instance over s that vends from memory for staleMax while
// s cannot be read.
func (w *world) instanceThat(s store.Store, staleMax time.Duration) *process {
	return newProcess(mint.Config{
		StaleMax: staleMax,
		Store:    s, Source: w.secrets, Sealer: w.sealer, HTTP: w.client(),
		Journal: journal.Journal{Log: slog.New(slog.NewTextHandler(w, nil)), Metrics: "test"},
	})
}

func (w *world) client() *http.Client { return &http.Client{Transport: wire{w}} }

// wire is the way to the providers, on which a request may be slow.
type wire struct{ *world }

// RoundTrip implements http.RoundTripper.
func (x wire) RoundTrip(r *http.Request) (*http.Response, error) {
	time.Sleep(x.slow)
	if broken := x.broken; broken != nil {
		return nil, broken(r)
	}
	return x.sim.RoundTrip(r)
}

// refreshIn is the refresh token in an entry.
func (w *world) refreshIn(name string) string {
	w.t.Helper()
	return w.refreshOf(key(name))
}

// refreshOf returns the refresh token in a key's entry.
func (w *world) refreshOf(k token.Key) string {
	w.t.Helper()
	e := w.entryOf(k)
	plain, err := w.sealer.Open(w.t.Context(), k.Credential, e.Sealed, row.Additional(e))
	var held struct {
		Refresh string `json:"refresh_token"`
	}
	if err == nil {
		err = json.Unmarshal(plain, &held)
	}
	if err != nil {
		w.t.Fatal(err)
	}
	return held.Refresh
}

// kill ends all access tokens of a provider, there.
func (w *world) kill(name string) {
	w.t.Helper()
	_, err := w.sim.RevokeTokens(name, false)
	must(w.t, err)
}

func key(name string) token.Key { return token.Key{Credential: name} }

func (w *world) entry(name string) store.Entry {
	w.t.Helper()
	entries, err := w.store.Get(w.t.Context(), store.Strong, key(name))
	if err != nil {
		w.t.Fatal(err)
	}
	return entries[0]
}

// asked is how many token requests of any kind a provider has seen.
func (w *world) asked(name string) int {
	c := w.sim.Stats().Providers[name]
	return c.TokenRequests + c.RefreshRequests
}

func mustToken(t *testing.T, m *process, k token.Key, want mint.Want) mint.Result {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 29*time.Second)
	defer cancel()
	r, err := m.Token(ctx, k, want)
	if err != nil {
		t.Fatalf("%s: %v", k, err)
	}
	return r
}

func TestFiveProvidersAreMinted(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t, simulator.Options{})
		m := w.instance()
		for _, name := range w.sim.Providers() {
			got := mustToken(t, m, key(name), mint.Want{})
			if got.Origin != records.Provider || got.Token.Type != "Bearer" || !w.sim.Accepts(name, got.Token.Access.Reveal()) || got.Token.Generation != 1 {
				t.Errorf("%s: %+v", name, got)
			}
			if again := mustToken(t, m, key(name), mint.Want{}); again.Origin != records.Memory || again.Token.Fingerprint != got.Token.Fingerprint {
				t.Errorf("%s again: %+v", name, again)
			}
			if other := mustToken(t, w.instance(), key(name), mint.Want{}); other.Origin != records.Store || other.Token.Fingerprint != got.Token.Fingerprint {
				t.Errorf("%s elsewhere: %+v", name, other)
			}
			if n := w.asked(name); n != 1 {
				t.Errorf("%s: %d requests, want 1", name, n)
			}
		}
	})
}
