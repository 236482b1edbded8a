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

	"github.com/tokenvend/tokenvend/internal/testworld"
	"github.com/tokenvend/tokenvend/pkg/mint"
	"github.com/tokenvend/tokenvend/pkg/provider/simulator"
	"github.com/tokenvend/tokenvend/pkg/token"
)

// apis are the URLs where each provider's tokens are used.
var apis = map[string]string{
	"movemint": "https://www.movemint.cc/oauth/token/info", "minut": "https://api.minut.com/v8/users/me",
}

// use calls a provider's API with a token and reports whether it was accepted.
// The simulator has no API for trackmania.
func (w *world) use(provider, access string) bool {
	w.T.Helper()
	if apis[provider] == "" {
		return w.Providers.Accepts(provider, access)
	}
	r, err := http.NewRequestWithContext(w.T.Context(), http.MethodGet, apis[provider], http.NoBody)
	if err != nil {
		w.T.Fatal(err)
	}
	r.Header.Set("Authorization", "Bearer "+access)
	res, err := w.Providers.RoundTrip(r)
	if err != nil {
		w.T.Fatal(err)
	}
	_ = res.Body.Close()
	return res.StatusCode == http.StatusOK
}

// caller uses the token of one key for a day. Like any program, it keeps the
// token until cache_until.
func (w *world) caller(vend *testworld.Process, provider string, key token.Key, dice *rand.Rand, met *[2]atomic.Int64) {
	var held token.Token
	for end := time.Now().Add(24 * time.Hour); time.Now().Before(end); time.Sleep(
		time.Duration(dice.IntN(90_000)) * time.Millisecond,
	) {
		if !time.Now().Before(held.CacheUntil) {
			ctx, cancel := context.WithTimeout(w.T.Context(), testworld.CallerTimeout)
			got, err := vend.Token(ctx, key, mint.Want{})
			cancel()
			if err != nil {
				w.T.Errorf("Token(%s) = %v, want a token", key, err)
				return
			}
			held = got.Token
		}
		met[0].Add(1)
		if !w.use(provider, held.Access.Reveal()) {
			met[1].Add(1)
			w.T.Errorf("use of the token of %s at %v = 401, want it accepted until %v", key, time.Now(), held.CacheUntil)
		}
	}
}

func TestFault18_CallersThatObeyCacheUntilMeetNo401(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t, testworld.Config{})
		anyAccount := map[string]any{"allow": map[string]any{"accounts": []string{"*"}}}
		w.Put("movemint", "movemint", anyAccount)
		w.Put("trackmania", "trackmania", anyAccount)
		w.Put("minut", "minut", map[string]any{"provider": nil, "descriptor": map[string]any{
			"token": map[string]any{
				"url":    w.Providers.TokenURL("minut"),
				"params": map[string]string{"response_type": "token"},
			},
			"overlap": map[string]string{"client_credentials": "revokes"},
		}})
		if err := w.Providers.SetFault("minut", simulator.Fault{Overlap: simulator.OverlapRevokes}); err != nil {
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
			key := testworld.Account(who.provider, who.account)
			if who.account != "" {
				w.Connect(w.vend, key)
			}
			for i := range 4 {
				vend := []*testworld.Process{w.vend, w.another}[i%2]
				all.Go(func() { w.caller(vend, who.provider, key, rand.New(rand.NewPCG(uint64(n), uint64(i))), &met) })
			}
		}
		for range 24 * 60 {
			w.pass()
			time.Sleep(time.Minute)
		}
		all.Wait()
		renewed := w.Providers.Stats().Providers["trackmania"].RefreshRequests
		t.Logf(
			"%d uses in a day, %d × 401; trackmania's two grants were renewed %d times", met[0].Load(), met[1].Load(),
			renewed,
		)
		if met[0].Load() < 16*24*40 || renewed < 2*24 {
			t.Errorf(
				"%d uses and %d renewals at trackmania, want %d and %d: this shows nothing", met[0].Load(), renewed,
				16*24*40, 2*24,
			)
		}
	})
}
