package client_test

import (
	"context"
	"errors"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/tokenvend/tokenvend/pkg/api"
	"github.com/tokenvend/tokenvend/pkg/client"
)

func hour() *desk { return &desk{life: time.Hour, renewal: 12 * time.Minute} }

func TestTokenIsKeptUntilCacheUntil(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		d := hour()
		c := inMemory(t, d)
		first := mustToken(t, c)
		time.Sleep(47 * time.Minute)
		token, _ := c.Token(t.Context(), "minut")
		if token.AccessToken != first || token.ExpiresIn != api.Seconds(13*time.Minute) {
			t.Errorf("after 47 minutes: %s with %v left", token.AccessToken, time.Duration(token.ExpiresIn))
		}
		time.Sleep(2 * time.Minute)
		if mustToken(t, c) == first || len(d.calls()) != 2 {
			t.Errorf("after 49 minutes the first token still, or calls: %q", d.calls())
		}
	})
}

func TestAWrongClockHereDoesNoHarm(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		d := hour()
		d.skew = 4 * time.Minute
		c := inMemory(t, d)
		first := mustToken(t, c)
		time.Sleep(49 * time.Minute)
		if mustToken(t, c) == first {
			t.Error("a token was kept beyond its cache_until, by a clock that is late")
		}
	})
}

func TestManyAtOnceAskOnce(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		d := hour()
		d.slow = time.Second
		d.renewal = time.Hour // past its cache_until at once: yet those who waited share it
		c := inMemory(t, d)
		var all sync.WaitGroup
		for range 200 {
			all.Go(func() { mustToken(t, c) })
		}
		all.Wait()
		if n := len(d.calls()); n != 1 {
			t.Errorf("200 calls at once asked %d times", n)
		}
	})
}

func TestManyFailAtOnce(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		d := hour()
		d.slow = time.Second
		d.refuse(&api.Error{Code: api.ProviderUnavailable, Detail: "down"})
		c := inMemory(t, d)
		var all sync.WaitGroup
		for range 200 {
			all.Go(func() {
				_, err := c.Token(t.Context(), "minut")
				wantCode(t, err, api.ProviderUnavailable)
			})
		}
		all.Wait()
		if n := len(d.calls()); n != 1 {
			t.Errorf("200 calls at once asked %d times", n)
		}
	})
}

func TestWhoGoesAwayFailsNobodyElse(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		d := hour()
		d.slow = time.Second
		c := inMemory(t, d)
		gone, cancel := context.WithTimeout(t.Context(), time.Second/2)
		defer cancel()
		var all sync.WaitGroup
		all.Go(func() {
			if _, err := c.Token(gone, "minut"); !errors.Is(err, context.DeadlineExceeded) {
				t.Errorf("who went away got %v", err)
			}
		})
		time.Sleep(time.Second / 4)
		all.Go(func() { mustToken(t, c) })
		all.Wait()
	})
}

func TestALivingTokenBridgesAnOutage(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		d := hour()
		c := inMemory(t, d)
		first := mustToken(t, c)
		d.refuse(&api.Error{Code: api.StoreUnavailable, RetryAfter: 10 * time.Second})
		time.Sleep(50 * time.Minute)
		for range 5 {
			if mustToken(t, c) != first {
				t.Error("not the living token")
			}
		}
		if n := len(d.calls()); n != 2 {
			t.Errorf("%d calls: within Retry-After it asks again", n)
		}
		time.Sleep(11 * time.Minute)
		_, err := c.Token(t.Context(), "minut")
		wantCode(t, err, api.StoreUnavailable)
	})
}

func TestALivingTokenDoesNotOutliveAPermission(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		d := hour()
		c := inMemory(t, d)
		mustToken(t, c)
		d.refuse(&api.Error{Code: api.UnknownCredential})
		time.Sleep(50 * time.Minute)
		_, err := c.Token(t.Context(), "minut")
		wantCode(t, err, api.UnknownCredential)
	})
}

func TestMinTTLLooksAtTheTokenAtHand(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		d := hour()
		c := inMemory(t, d)
		first := mustToken(t, c)
		time.Sleep(45 * time.Minute)
		if mustToken(t, c, client.MinTTL(10*time.Minute)) != first {
			t.Error("15 minutes are left, and 10 were asked for: another token")
		}
		if mustToken(t, c, client.MinTTL(20*time.Minute+time.Millisecond)) == first {
			t.Error("15 minutes are left, and 20 were asked for: the same token")
		}
		if got := d.calls()[1]; got != "GET /tokens/minut?min_ttl=1201" {
			t.Errorf("asked %q", got)
		}
	})
}

func TestManyReportsAreSentOnce(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		d := hour()
		d.slow = time.Second
		c := inMemory(t, d)
		token, err := c.Token(t.Context(), "minut")
		if err != nil {
			t.Fatal(err)
		}
		var all sync.WaitGroup
		for range 100 {
			all.Go(func() {
				next, err := c.Reject(t.Context(), "minut", token.Fingerprint)
				if err != nil || next.Fingerprint != "fingerprint-2" {
					t.Errorf("%v %v", next.Fingerprint, err)
				}
			})
		}
		all.Wait()
		if calls := d.calls(); len(calls) != 2 || calls[1] != `POST /tokens/minut {"rejected":"fingerprint-1"}` {
			t.Errorf("%q", calls)
		}
	})
}

func TestAReportThatIsRefusedIsNotRepeated(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		d := hour()
		c := inMemory(t, d)
		token, _ := c.Token(t.Context(), "minut")
		d.refuse(&api.Error{Code: api.TooManyReports, RetryAfter: 20 * time.Second})
		for range 5 {
			_, err := c.Reject(t.Context(), "minut", token.Fingerprint)
			wantCode(t, err, api.TooManyReports)
		}
		if mustToken(t, c) != token.AccessToken || len(d.calls()) != 2 {
			t.Errorf("%q", d.calls())
		}
		time.Sleep(21 * time.Second)
		d.refuse(nil)
		if next, err := c.Reject(t.Context(), "minut", token.Fingerprint); err != nil || next.AccessToken == token.AccessToken {
			t.Errorf("%v %v", next.Fingerprint, err)
		}
	})
}

func TestRevokeForgets(t *testing.T) {
	d := hour()
	c := clientOf(serve(t, d))
	first := mustToken(t, c, client.Scope("read"))
	if _, err := c.Revoke(t.Context(), "minut", client.Scope("read")); err != nil {
		t.Fatal(err)
	}
	if mustToken(t, c, client.Scope("read")) == first {
		t.Error("a revoked token was given out")
	}
}

func TestVariantsAreKeptApart(t *testing.T) {
	d := hour()
	c := clientOf(serve(t, d))
	for _, o := range [][]client.Option{{}, {client.Scope("write read")}, {client.Scope("read  write read")}, {client.Audience("a b")}, {client.Account("kalle")}} {
		mustToken(t, c, o...)
	}
	want := []string{"GET /tokens/minut", "GET /tokens/minut?scope=write%20read", "GET /tokens/minut?audience=a%20b", "GET /tokens/minut?account=kalle"}
	if got := d.calls(); len(got) != len(want) || got[1] != want[1] || got[2] != want[2] || got[3] != want[3] {
		t.Errorf("%q", got)
	}
}

func wantCode(t *testing.T, err error, code api.Code) {
	t.Helper()
	if e, ok := errors.AsType[*api.Error](err); !ok || e.Code != code {
		t.Errorf("%v, not %s", err, code)
	}
}
