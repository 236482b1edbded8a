package rotate_test

import (
	"context"
	"math/rand/v2"
	"net/http"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/tokenvend/tokenvend/pkg/mint"
	"github.com/tokenvend/tokenvend/pkg/operate"
	"github.com/tokenvend/tokenvend/pkg/provider/simulator"
	"github.com/tokenvend/tokenvend/pkg/redact"
	"github.com/tokenvend/tokenvend/pkg/token"
)

// apis are the URLs where each provider's tokens are used.
var apis = map[string]string{
	"movemint": "https://www.movemint.cc/oauth/token/info", "minut": "https://api.minut.com/v8/users/me",
}

// use calls a provider's API with a token and reports whether it was accepted.
// The simulator has no API for trackmania.
func (w *world) use(provider, access string) bool {
	w.t.Helper()
	if apis[provider] == "" {
		return w.sim.Alive(provider, access)
	}
	r, err := http.NewRequestWithContext(w.t.Context(), http.MethodGet, apis[provider], http.NoBody)
	if err != nil {
		w.t.Fatal(err)
	}
	r.Header.Set("Authorization", "Bearer "+access)
	res, err := w.sim.RoundTrip(r)
	if err != nil {
		w.t.Fatal(err)
	}
	_ = res.Body.Close()
	return res.StatusCode == http.StatusOK
}

// caller uses the token of one key for a day. Like any program, it keeps the
// token until cache_until.
func (w *world) caller(vend *mint.Mint, provider string, key token.Key, dice *rand.Rand, met *[2]atomic.Int64) {
	var held token.Token
	for end := time.Now().Add(24 * time.Hour); time.Now().Before(end); time.Sleep(
		time.Duration(dice.IntN(90_000)) * time.Millisecond,
	) {
		if !time.Now().Before(held.CacheUntil) {
			ctx, cancel := context.WithTimeout(w.t.Context(), 29*time.Second)
			got, err := vend.Token(ctx, key, mint.Want{})
			cancel()
			if err != nil {
				w.t.Errorf("%s: %v", key, err)
				return
			}
			held = got.Token
		}
		met[0].Add(1)
		if !w.use(provider, held.Access.Reveal()) {
			met[1].Add(1)
			w.t.Errorf(
				"%s: 401 at %v, for a token to be kept until %v and renewed by then", key, time.Now(), held.CacheUntil,
			)
		}
	}
}

func TestFault18_CallersThatObeyCacheUntilMeetNo401(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t, time.Minute, simulator.Options{})
		anyAccount := map[string]any{"allow": map[string]any{"accounts": []string{"*"}}}
		w.put("movemint", "movemint", anyAccount)
		w.put("trackmania", "trackmania", anyAccount)
		w.put("minut", "minut", map[string]any{"provider": nil, "descriptor": map[string]any{
			"token": map[string]any{
				"url":    w.sim.TokenURL("minut"),
				"params": map[string]string{"response_type": "token"},
			},
			"overlap": map[string]string{"client_credentials": "revokes"},
		}})
		if err := w.sim.SetFault("minut", simulator.Fault{Overlap: simulator.OverlapRevokes}); err != nil {
			t.Fatal(err)
		}
		var all sync.WaitGroup
		var met [2]atomic.Int64 // uses, and responses with 401
		for n, who := range []struct{ provider, account string }{
			{"minut", ""},
			{"movemint", "alice"},
			{"trackmania", "alice"},
			{"trackmania", "bob"},
		} {
			key := token.Key{Credential: who.provider, Variant: token.NewVariant(who.account, "", "")}
			if who.account != "" {
				w.connect(key)
			}
			for i := range 4 {
				vend := []*mint.Mint{w.vend, w.another}[i%2]
				all.Go(func() { w.caller(vend, who.provider, key, rand.New(rand.NewPCG(uint64(n), uint64(i))), &met) })
			}
		}
		for range 24 * 60 {
			w.tick()
			time.Sleep(time.Minute)
		}
		all.Wait()
		renewed := w.sim.Stats().Providers["trackmania"].RefreshRequests
		t.Logf(
			"%d uses in a day, %d × 401; trackmania's two grants were renewed %d times", met[0].Load(), met[1].Load(),
			renewed,
		)
		if met[0].Load() < 16*24*40 || renewed < 2*24 {
			t.Error("too little happened to show anything")
		}
	})
}

// connect connects an account as a user does.
func (w *world) connect(key token.Key) {
	w.t.Helper()
	const backTo = "http://127.0.0.1/connected"
	id, _ := w.sim.ClientFor(key.Credential)
	code, err := w.sim.Grant(key.Credential, id, key.Variant.Account, "", backTo, "")
	if err == nil {
		err = operate.New(w.vend).Connect(w.t.Context(), key, mint.Code{Code: redact.New(code), RedirectURI: backTo})
	}
	if err != nil {
		w.t.Fatal(err)
	}
}
