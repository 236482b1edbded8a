package rotate_test

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

	"github.com/tokenvend/tokenvend/pkg/credential/folder"
	"github.com/tokenvend/tokenvend/pkg/journal"
	"github.com/tokenvend/tokenvend/pkg/mint"
	"github.com/tokenvend/tokenvend/pkg/provider/simulator"
	"github.com/tokenvend/tokenvend/pkg/records"
	"github.com/tokenvend/tokenvend/pkg/rotate"
	"github.com/tokenvend/tokenvend/pkg/seal/keyfile"
	"github.com/tokenvend/tokenvend/pkg/store"
	"github.com/tokenvend/tokenvend/pkg/store/memory"
	"github.com/tokenvend/tokenvend/pkg/token"
)

// world is a vend and a rotate over the same store, each with its own memory.
type world struct {
	t       *testing.T
	sim     *simulator.Simulator
	secrets *folder.Source
	store   *memory.Store
	vend    *mint.Mint
	another *mint.Mint // like vend, in another process
	rotator *rotate.Rotator
	every   time.Duration
}

func newWorld(t *testing.T, every time.Duration, o simulator.Options) *world {
	t.Helper()
	w := &world{t: t, sim: simulator.New(o), store: memory.New(), every: every}
	var err error
	if w.secrets, err = folder.New(filepath.Join(t.TempDir(), "credentials")); err != nil {
		t.Fatal(err)
	}
	sealer, err := keyfile.Open(filepath.Join(t.TempDir(), "seal.key"))
	if err != nil {
		t.Fatal(err)
	}
	var mu sync.Mutex
	log := &bytes.Buffer{}
	journal := journal.Journal{Log: slog.New(slog.NewTextHandler(locked{&mu, log}, nil))}
	t.Cleanup(func() {
		if t.Failed() {
			t.Log(log.String())
		}
	})
	make := func() *mint.Mint {
		return mint.New(mint.Config{
			Store: w.store, Source: w.secrets, Sealer: sealer, HTTP: &http.Client{Transport: w.sim}, Every: every,
			Journal: journal,
		})
	}
	w.vend, w.another = make(), make()
	w.rotator = &rotate.Rotator{Mint: make(), Store: w.store, Journal: journal}
	return w
}

type locked struct {
	mu *sync.Mutex
	*bytes.Buffer
}

func (l locked) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.Buffer.Write(p)
}

func (w *world) put(credential, provider string, over map[string]any) {
	w.t.Helper()
	id, secret := w.sim.ClientFor(provider)
	c := map[string]any{"provider": provider, "client_id": id, "client_secret": secret}
	for field, value := range over {
		if c[field] = value; value == nil {
			delete(c, field)
		}
	}
	data, err := json.Marshal(c)
	if err == nil {
		err = w.secrets.Write(credential, data)
	}
	if err != nil {
		w.t.Fatal(err)
	}
}

// tick runs one pass, as the schedule does.
func (w *world) tick() rotate.Report {
	w.t.Helper()
	ctx, cancel := context.WithTimeout(w.t.Context(), time.Minute)
	defer cancel()
	r, err := w.rotator.Run(ctx)
	if err != nil {
		w.t.Fatal(err)
	}
	return r
}

func (w *world) token(credential string) mint.Result {
	w.t.Helper()
	ctx, cancel := context.WithTimeout(w.t.Context(), 29*time.Second)
	defer cancel()
	r, err := w.vend.Token(ctx, token.Key{Credential: credential}, mint.Want{})
	if err != nil {
		w.t.Fatalf("%s: %v", credential, err)
	}
	return r
}

func (w *world) entry(credential string) store.Entry {
	w.t.Helper()
	e, err := w.store.Get(w.t.Context(), store.Strong, token.Key{Credential: credential})
	if err != nil {
		w.t.Fatal(err)
	}
	return e[0]
}

func TestNobodyWaitsForAProviderWhileRotateRuns(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t, time.Second, simulator.Options{Lifetime: 20 * time.Second})
		w.put("minut", "minut", map[string]any{"keep_warm": true})
		w.tick()
		first := w.token("minut").Token.Generation
		for i := range 300 {
			time.Sleep(time.Second)
			w.tick()
			got := w.token("minut")
			if got.Origin == records.Provider || !w.sim.Alive("minut", got.Token.Access.Reveal()) {
				t.Fatalf("vend %d: %+v", i, got)
			}
		}
		if grown := w.token("minut").Token.Generation - first; grown < 15 || grown > 30 {
			t.Errorf("the generation grew by %d in 300 s of 20-second tokens", grown)
		}
	})
}

func TestKeepWarmNeedsNobodyToAsk(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t, time.Minute, simulator.Options{})
		w.put("warm", "minut", map[string]any{"keep_warm": true})
		w.put("cold", "movemint", nil)
		w.tick()
		if e := w.entry("warm"); e.Generation != 1 {
			t.Errorf("warm: generation %d after the first pass, want 1", e.Generation)
		}
		if e := w.entry("cold"); e.Revision != 0 {
			t.Errorf("cold: minted though nobody asked")
		}
		for range 3 * 24 * 60 {
			time.Sleep(time.Minute)
			w.tick()
		}
		if got := w.token("warm"); got.Origin != records.Store || got.Stale {
			t.Errorf("after three days: %+v", got)
		}
	})
}

func TestAnIdleEntryIsNoLongerRenewed(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t, time.Minute, simulator.Options{})
		w.put("minut", "minut", map[string]any{"idle_after": "3h"})
		w.token("minut")
		for range 4*60 + 30 {
			time.Sleep(time.Minute)
			w.tick()
		}
		before := w.sim.Stats().Providers["minut"].TokenRequests
		if before < 4 {
			t.Errorf("%d requests in the first hours, want it renewed while not idle", before)
		}
		for range 24 * 60 {
			time.Sleep(time.Minute)
			w.tick()
		}
		if after := w.sim.Stats().Providers["minut"].TokenRequests; after > before+1 {
			t.Errorf("%d requests while idle", after-before)
		}
		if e := w.entry("minut"); !e.NextAt.IsZero() {
			t.Error("an idle entry is still due")
		}
		w.token("minut")
		if e := w.entry("minut"); e.NextAt.IsZero() {
			t.Error("asked for again, and not renewed ahead again")
		}
	})
}

func TestWhoAsksNowAndThenKeepsItAlive(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t, time.Minute, simulator.Options{})
		w.put("minut", "minut", map[string]any{"idle_after": "3h"})
		w.token("minut")
		for i := range 48 * 60 {
			time.Sleep(time.Minute)
			w.tick()
			if i%120 == 0 {
				if got := w.token("minut"); got.Origin == records.Provider {
					t.Fatalf("minute %d: had to wait", i)
				}
			}
		}
	})
}

func TestFault61_RemovedAndChangedCredentials(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t, time.Minute, simulator.Options{})
		w.put("minut", "minut", nil)
		w.put("monta", "monta", nil)
		w.tick()
		w.token("minut")
		if err := w.secrets.Remove("minut"); err != nil {
			t.Fatal(err)
		}
		if r := w.tick(); r.Gone != 1 {
			t.Errorf("%+v, want one gone", r)
		}
		time.Sleep(61 * time.Second)
		if _, err := w.vend.Token(t.Context(), token.Key{Credential: "minut"}, mint.Want{}); err == nil {
			t.Error("vended though its secret is gone")
		}
		w.put("minut", "minut", nil)
		w.tick()
		time.Sleep(61 * time.Second)
		if got := w.token("minut"); got.Token.Generation != 1 {
			t.Errorf("the secret came back, and its token did not: %+v", got)
		}
		w.put("minut", "minut", map[string]any{"scope": "read"})
		w.tick()
		time.Sleep(61 * time.Second)
		if got := w.token("minut"); got.Token.Generation != 2 || got.Origin != records.Store {
			t.Errorf("the scope changed, and the token was not replaced ahead: %+v", got)
		}
	})
}

func TestFault06_StopsBeforeTheDeadlineAndSaysWhatIsLeft(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t, time.Minute, simulator.Options{})
		const credentials = 400
		for i := range credentials {
			w.put("c"+string(rune('a'+i%26))+string(rune('a'+i/26)), "minut", map[string]any{"keep_warm": true})
		}
		if err := w.sim.SetFault("minut", simulator.Fault{Delay: 4 * time.Second}); err != nil {
			t.Fatal(err)
		}
		began := time.Now()
		r := w.tick()
		if took := time.Since(began); took > 50*time.Second || r.Left == 0 || r.Renewed == 0 ||
			r.Renewed+r.Left+r.Failed != credentials {
			t.Errorf("%+v after %v", r, took)
		}
		for range 3 {
			time.Sleep(time.Minute - time.Second)
			r = w.tick()
		}
		if r.Left != 0 || w.sim.Stats().Providers["minut"].TokenRequests != credentials {
			t.Errorf("in the end %+v, %d requests", r, w.sim.Stats().Providers["minut"].TokenRequests)
		}
	})
}

func TestMontaIsAskedByRefreshTokens(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t, time.Minute, simulator.Options{})
		w.put("monta", "monta", map[string]any{"keep_warm": true})
		for range 24 * 60 {
			w.tick()
			time.Sleep(time.Minute)
		}
		seen := w.sim.Stats().Providers["monta"]
		if seen.TokenRequests != 1 || seen.RefreshRequests < 24 {
			t.Errorf(
				"in a day %d requests with client id and secret and %d refreshes, want 1 and an hour's token renewed each time by the other",
				seen.TokenRequests,
				seen.RefreshRequests,
			)
		}
		for refresh, uses := range seen.RefreshUses {
			if uses != 1 {
				t.Errorf("the refresh token %s was redeemed %d times", refresh, uses)
			}
		}
	})
}
