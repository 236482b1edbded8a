package rotate_test

import (
	"context"
	"errors"
	"math/rand/v2"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/tokenvend/tokenvend/internal/testworld"
	"github.com/tokenvend/tokenvend/pkg/api"
	"github.com/tokenvend/tokenvend/pkg/mint"
	"github.com/tokenvend/tokenvend/pkg/token"
)

// reporter reports the current token of a key as soon as allowed and then every
// 31 seconds, for a day. It counts how often it gets another one.
func (w *world) reporter(vend *testworld.Process, key token.Key, forced *atomic.Int64) {
	ask := func(want mint.Want) (mint.Result, error) {
		ctx, cancel := context.WithTimeout(w.T.Context(), testworld.CallerTimeout)
		defer cancel()
		return vend.Token(ctx, key, want)
	}
	for end := time.Now().Add(24 * time.Hour); time.Now().Before(end); time.Sleep(31 * time.Second) {
		current, err := ask(mint.Want{})
		if err != nil {
			w.T.Errorf("Token(%s) = %v, want a token", key, err)
			return
		}
		got, err := ask(mint.Want{Rejected: current.Token.Fingerprint})
		var known *api.Error
		switch {
		case err == nil && got.Token.Generation > current.Token.Generation:
			forced.Add(1)
		case !errors.As(err, &known) || known.Code != api.TooManyReports || known.RetryAfter <= 0:
			w.T.Errorf(
				"report of %s: %+v, %v; want %s with a time to come back", key, got.Token, err, api.TooManyReports,
			)
			return
		}
	}
}

// A renewal at movemint and trackmania ends the previous token. movemint's
// tokens can be verified, so a false report changes nothing. trackmania's
// cannot, so the back-off bounds the effect of false reports.
func TestAttack15_FalseReportsForADay(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t, testworld.Config{})
		anyAccount := map[string]any{"allow": map[string]any{"accounts": []string{"*"}}}
		var all sync.WaitGroup
		var forced [2]atomic.Int64
		var met [2]atomic.Int64
		for n, provider := range []string{"movemint", "trackmania"} {
			w.Put(provider, provider, anyAccount)
			key := testworld.Account(provider, "alice")
			w.Connect(w.vend, key)
			for i := range 4 {
				vend := []*testworld.Process{w.vend, w.another}[i%2]
				all.Go(func() { w.reporter(vend, key, &forced[n]) })
			}
		}
		key := testworld.Account("movemint", "alice")
		all.Go(func() { w.caller(w.another, "movemint", key, rand.New(rand.NewPCG(1, 2)), &met) })
		for range 24 * 60 {
			w.pass()
			time.Sleep(time.Minute)
		}
		all.Wait()
		renewals := w.Providers.Stats().Providers["trackmania"].RefreshRequests
		t.Logf("%d renewals forced at movemint; %d renewals at trackmania", forced[0].Load(), renewals)
		t.Logf("%d uses of movemint's token, %d × 401", met[0].Load(), met[1].Load())
		if n := forced[0].Load(); n != 0 {
			t.Errorf("%d renewals forced where the provider takes the token, want none", n)
		}
		if renewals > 24*5/2 || forced[1].Load() == 0 {
			t.Errorf("%d renewals in a day where tokens cannot be verified, want at most five in two hours", renewals)
		}
		if met[0].Load() < 1000 {
			t.Errorf("%d uses of a token, too few to show anything", met[0].Load())
		}
	})
}

// A token that verify finds to be revoked is replaced after 30 seconds,
// whatever the back-off.
func TestAttack15_ADeadTokenIsReplacedAtOnce(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t, testworld.Config{})
		w.Put("minut", "minut", nil)
		key := testworld.Key("minut")
		current := w.token("minut").Token
		for n := range 10 {
			time.Sleep(31 * time.Second)
			if _, err := w.Providers.RevokeTokens("minut", false); err != nil {
				t.Fatal(err)
			}
			vend := []*testworld.Process{w.vend, w.another}[n%2]
			var reports sync.WaitGroup
			var got [5]mint.Result
			for i := range got {
				reports.Go(func() {
					ctx, cancel := context.WithTimeout(t.Context(), testworld.CallerTimeout)
					defer cancel()
					var err error
					if got[i], err = vend.Token(ctx, key, mint.Want{Rejected: current.Fingerprint}); err != nil {
						t.Errorf("Token() that reports a dead token, the %dth time = %v, want another token", n, err)
					}
				})
			}
			reports.Wait()
			for _, r := range got {
				if r.Token.Generation != current.Generation+1 {
					t.Errorf("report %d: generation = %d, want %d", n, r.Token.Generation, current.Generation+1)
				}
			}
			current = got[0].Token
		}
	})
}
