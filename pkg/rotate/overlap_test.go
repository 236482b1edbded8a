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
	"github.com/tokenvend/tokenvend/pkg/provider/simulator"
	"github.com/tokenvend/tokenvend/pkg/redact"
	"github.com/tokenvend/tokenvend/pkg/token"
)

// apis are where each provider's tokens are used.
var apis = map[string]string{"movemint": "https://www.movemint.cc/oauth/token/info", "minut": "https://api.minut.com/v8/users/me"}

// use calls a provider's API with a token, and says whether it was taken. trackmania's has nothing that the simulator plays.
func (h *house) use(provider, access string) bool {
	h.t.Helper()
	if apis[provider] == "" {
		return h.sim.Alive(provider, access)
	}
	r, err := http.NewRequestWithContext(h.t.Context(), http.MethodGet, apis[provider], http.NoBody)
	if err != nil {
		h.t.Fatal(err)
	}
	r.Header.Set("Authorization", "Bearer "+access)
	res, err := h.sim.RoundTrip(r)
	if err != nil {
		h.t.Fatal(err)
	}
	_ = res.Body.Close()
	return res.StatusCode == http.StatusOK
}

// caller uses one key's token for a day, as a program does that keeps it until its cache_until and no longer.
func (h *house) caller(vend *mint.Mint, provider string, key token.Key, dice *rand.Rand, met *[2]atomic.Int64) {
	var held token.Token
	for end := time.Now().Add(24 * time.Hour); time.Now().Before(end); time.Sleep(time.Duration(dice.IntN(90_000)) * time.Millisecond) {
		if !time.Now().Before(held.CacheUntil) {
			ctx, cancel := context.WithTimeout(h.t.Context(), 29*time.Second)
			got, err := vend.Token(ctx, key, mint.Want{})
			cancel()
			if err != nil {
				h.t.Errorf("%s: %v", key, err)
				return
			}
			held = got.Token
		}
		met[0].Add(1)
		if !h.use(provider, held.Access.Reveal()) {
			met[1].Add(1)
			h.t.Errorf("%s: 401 at %v, for a token to be kept until %v and renewed by then", key, time.Now(), held.CacheUntil)
		}
	}
}

func TestFault18_CallersThatObeyCacheUntilMeetNo401(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := newHouse(t, time.Minute, simulator.Options{})
		people := map[string]any{"allow": map[string]any{"accounts": []string{"*"}}}
		h.put("movemint", "movemint", people)
		h.put("trackmania", "trackmania", people)
		h.put("minut", "minut", map[string]any{"provider": nil, "descriptor": map[string]any{
			"token":   map[string]any{"url": h.sim.TokenURL("minut"), "params": map[string]string{"response_type": "token"}},
			"overlap": map[string]string{"client_credentials": "revokes"},
		}})
		if err := h.sim.SetFault("minut", simulator.Fault{Overlap: simulator.OverlapRevokes}); err != nil {
			t.Fatal(err)
		}
		var all sync.WaitGroup
		var met [2]atomic.Int64 // uses, and 401
		for n, who := range []struct{ provider, account string }{{"minut", ""}, {"movemint", "alice"}, {"trackmania", "alice"}, {"trackmania", "bob"}} {
			key := token.Key{Credential: who.provider, Variant: token.NewVariant(who.account, "", "")}
			if who.account != "" {
				h.connect(key)
			}
			for i := range 4 {
				vend := []*mint.Mint{h.vend, h.another}[i%2]
				all.Go(func() { h.caller(vend, who.provider, key, rand.New(rand.NewPCG(uint64(n), uint64(i))), &met) })
			}
		}
		for range 24 * 60 {
			h.tick()
			time.Sleep(time.Minute)
		}
		all.Wait()
		renewed := h.sim.Stats().Providers["trackmania"].RefreshRequests
		t.Logf("%d uses in a day, %d × 401; trackmania's two grants were renewed %d times", met[0].Load(), met[1].Load(), renewed)
		if met[0].Load() < 16*24*40 || renewed < 2*24 {
			t.Error("too little happened to show anything")
		}
	})
}

// connect is what a person does who connects an account.
func (h *house) connect(key token.Key) {
	h.t.Helper()
	const backTo = "http://127.0.0.1/connected"
	id, _ := h.sim.ClientFor(key.Credential)
	code, err := h.sim.Grant(key.Credential, id, key.Variant.Account, "", backTo, "")
	if err == nil {
		err = h.vend.Connect(h.t.Context(), key, mint.Code{Code: redact.New(code), RedirectURI: backTo})
	}
	if err != nil {
		h.t.Fatal(err)
	}
}
