package client_test

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/tokenvend/tokenvend/pkg/api"
	"github.com/tokenvend/tokenvend/pkg/client"
	"github.com/tokenvend/tokenvend/pkg/client/clienttest"
)

func TestTokenIsKeptUntilCacheUntil(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		fake := hourly()
		s := sourceOf(t, fake)
		first := mustToken(t, s)
		time.Sleep(47 * time.Minute)
		token, err := s.Token(t.Context())
		if err != nil || token.Reveal() != first || time.Until(token.ExpiresAt) != 13*time.Minute {
			t.Errorf("Token() after 47 minutes = %v, %v; want the first, for another 13 minutes", token, err)
		}
		wantRequests(t, fake, 1)
		time.Sleep(2 * time.Minute)
		if got := mustToken(t, s); got != first {
			t.Errorf("Token() after 49 minutes = %s, want the first while another is asked for", got)
		}
		synctest.Wait()
		if got := mustToken(t, s); got == first {
			t.Errorf("Token() once another has come = %s, want another", got)
		}
		wantRequests(t, fake, 2)
	})
}

func TestWrongClockDoesNoHarm(t *testing.T) {
	for _, skew := range []time.Duration{-4 * time.Hour, 4 * time.Minute, 4 * time.Hour} {
		t.Run(skew.String(), func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				fake := hourly()
				fake.Skew = skew
				s := sourceOf(t, fake)
				first := mustToken(t, s)
				time.Sleep(49 * time.Minute)
				mustToken(t, s)
				synctest.Wait()
				if mustToken(t, s) == first {
					t.Error("Token() after cache_until = the first token, want another")
				}
				wantRequests(t, fake, 2)
			})
		})
	}
}

func TestConcurrentCallsShareOneRequest(t *testing.T) {
	for name, refusal := range map[string]error{"vended": nil,
		"refused": &api.Error{Code: api.ProviderUnavailable, Detail: "down"}} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				fake := &clienttest.Server{Lifetime: time.Hour, Early: time.Hour} // past its cache_until at once
				fake.Delay(time.Second)
				fake.Fail(refusal)
				s := sourceOf(t, fake)
				var all sync.WaitGroup
				for range 200 {
					all.Go(func() {
						if _, err := s.Token(t.Context()); !errors.Is(err, refusal) {
							t.Errorf("Token() = %v, want %v", err, refusal)
						}
					})
				}
				all.Wait()
				wantRequests(t, fake, 1)
			})
		})
	}
}

func TestCallerThatLeavesFailsNobodyElse(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		fake := hourly()
		fake.Delay(time.Second)
		s := sourceOf(t, fake)
		var all sync.WaitGroup
		all.Go(func() {
			if _, err := s.Token(within(t, time.Second/2)); !errors.Is(err, context.DeadlineExceeded) {
				t.Errorf("Token() of a caller that left = %v, want its deadline", err)
			}
		})
		time.Sleep(time.Second / 4)
		all.Go(func() { mustToken(t, s) })
		all.Wait()
		wantRequests(t, fake, 1)
	})
}

func TestHeldTokenBridgesAnOutage(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		fake := hourly()
		s := sourceOf(t, fake)
		first := mustToken(t, s)
		fake.Fail(&api.Error{Code: api.StoreUnavailable, RetryAfter: 10 * time.Second})
		time.Sleep(50 * time.Minute)
		for range 5 {
			if got := mustToken(t, s); got != first {
				t.Errorf("Token() in an outage = %s, want the one at hand", got)
			}
			time.Sleep(time.Second)
		}
		wantRequests(t, fake, 2) // not again within Retry-After
		time.Sleep(11 * time.Minute)
		_, err := s.Token(t.Context())
		wantCode(t, "Token() after the token's end", err, api.StoreUnavailable)
	})
}

func TestRefreshesBackOffInAnOutage(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		fake := hourly()
		s := sourceOf(t, fake)
		first := mustToken(t, s)
		fake.Fail(errors.New("no connection"))
		time.Sleep(48 * time.Minute)
		for range 10 * 60 {
			if mustToken(t, s) != first {
				t.Fatal("Token() in an outage = another token, want the held one")
			}
			time.Sleep(time.Second)
		}
		if n := len(fake.Requests()) - 1; n < 20 || n > 26 {
			t.Errorf("tokenvend was sent %d requests in ten minutes of outage, want one each 30 seconds in the end", n)
		}
	})
}

// A limit says nothing against the token at hand.
func TestHeldTokenOutlivesALimit(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		fake := hourly()
		s := sourceOf(t, fake)
		first := mustToken(t, s)
		fake.Fail(&api.Error{Code: api.TooManyVariants, RetryAfter: time.Minute})
		time.Sleep(50 * time.Minute)
		for range 5 {
			if got := mustToken(t, s); got != first {
				t.Errorf("Token() beyond a limit = %s, want the one at hand", got)
			}
			time.Sleep(time.Second)
		}
	})
}

func TestHeldTokenDoesNotOutliveAPermission(t *testing.T) {
	for name, refusal := range map[string]error{
		"by tokenvend": &api.Error{Code: api.UnknownCredential}, "by IAM": &client.GatewayError{Status: 403},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				fake := hourly()
				s := sourceOf(t, fake)
				mustToken(t, s)
				fake.Fail(refusal)
				time.Sleep(50 * time.Minute)
				mustToken(t, s) // tokenvend is asked meanwhile
				synctest.Wait()
				if token, err := s.Token(t.Context()); !errors.Is(err, refusal) {
					t.Errorf("Token() once the refusal is known = %v, %v, want %v", token, err, refusal)
				}
			})
		})
	}
}

func TestMinTTL(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		fake := hourly()
		c := client.New(fake)
		defer func() { _ = c.Close() }()
		short, long := c.Source(
			"minut",
			client.MinTTL(10*time.Minute),
		), c.Source(
			"minut",
			client.MinTTL(20*time.Minute+time.Millisecond),
		)
		first := mustToken(t, short)
		if mustToken(t, long) != first {
			t.Error("Token(20m) of a new token = another token, want the same")
		}
		time.Sleep(45 * time.Minute)
		if mustToken(t, short) != first {
			t.Error("Token(10m) with 15 minutes left = another token, want the same")
		}
		if mustToken(t, long) == first {
			t.Error("Token(20m) with 15 minutes left = the same token, want another")
		}
		if got := time.Duration(fake.Requests()[1].MinTTL); got != 20*time.Minute+time.Second {
			t.Errorf("min_ttl = %v, want 20m1s", got)
		}
	})
}

func TestConcurrentReportsAreSentOnce(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		fake := hourly()
		fake.Delay(time.Second)
		s := sourceOf(t, fake)
		token, err := s.Token(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		var all sync.WaitGroup
		for range 100 {
			all.Go(func() {
				next, err := s.Reject(t.Context(), token.Fingerprint)
				if err != nil || next.Reveal() != "token-2" {
					t.Errorf("Reject() = %v, %v; want token-2", next, err)
				}
			})
		}
		all.Wait()
		wantRequests(t, fake, 2)
		if got := fake.Requests()[1]; got.Rejected != token.Fingerprint {
			t.Errorf("the report names %q, want %q", got.Rejected, token.Fingerprint)
		}
	})
}

func TestRefusedReportIsNotRepeated(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		fake := hourly()
		s := sourceOf(t, fake)
		token, err := s.Token(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		fake.Fail(&api.Error{Code: api.TooManyReports, RetryAfter: 20 * time.Second})
		for range 5 {
			_, err := s.Reject(t.Context(), token.Fingerprint)
			wantCode(t, "Reject()", err, api.TooManyReports)
		}
		if got := mustToken(t, s); got != token.Reveal() {
			t.Errorf("Token() after a refused report = %s, want the one at hand", got)
		}
		wantRequests(t, fake, 2)
		time.Sleep(21 * time.Second)
		fake.Fail(nil)
		if next, err := s.Reject(t.Context(), token.Fingerprint); err != nil || next.Fingerprint == token.Fingerprint {
			t.Errorf("Reject() after Retry-After = %v, %v; want another token", next, err)
		}
	})
}

func TestForget(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		fake := hourly()
		s := sourceOf(t, fake)
		first := mustToken(t, s)
		if _, err := client.NewAdmin(fake).Revoke(t.Context(), "minut"); err != nil {
			t.Fatal(err)
		}
		s.Forget()
		if mustToken(t, s) == first {
			t.Error("Token() after Forget() = the revoked token, want another")
		}
	})
}

func TestForgetWhileATokenIsUnderWay(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		fake := hourly()
		fake.Delay(time.Second)
		s := sourceOf(t, fake)
		var waiting sync.WaitGroup
		waiting.Go(func() { mustToken(t, s) })
		time.Sleep(time.Second / 2)
		s.Forget()
		waiting.Wait()
		mustToken(t, s)
		wantRequests(t, fake, 2)
	})
}

func TestVariantsAreKeptApart(t *testing.T) {
	fake := hourly()
	c := client.New(fake)
	defer func() { _ = c.Close() }()
	for _, options := range [][]client.Option{
		{}, {client.Scope("write read")}, {client.Scope("read  write read")}, {client.Audience("a b")},
		{client.Account("kalle")}, {client.Option{}},
	} {
		mustToken(t, c.Source("minut", options...))
	}
	want := []api.Request{
		{Credential: "minut"}, {Credential: "minut", Scope: "read write"}, {Credential: "minut", Audience: "a b"},
		{Credential: "minut", Account: "kalle"},
	}
	if got := fake.Requests(); fmt.Sprint(got) != fmt.Sprint(want) {
		t.Errorf("tokenvend was asked for\n%+v, want\n%+v", got, want)
	}
}

// More sources than a client keeps: each works, and those that are kept by
// their callers keep their tokens.
func TestManySources(t *testing.T) {
	fake := hourly()
	c := client.New(fake)
	defer func() { _ = c.Close() }()
	kept := c.Source("minut")
	first := mustToken(t, kept)
	for i := range 10_500 {
		c.Source("minut", client.Account(fmt.Sprint(i)))
	}
	if got := mustToken(t, kept); got != first {
		t.Errorf("Token() of a source that was kept = %s, want %s", got, first)
	}
	mustToken(t, c.Source("minut", client.Account("0")))
}

func TestAnswerWithoutAToken(t *testing.T) {
	for name, answer := range map[string]string{"no token": `{}`, "no JSON": `<html>s3cret`, "nothing": ``} {
		t.Run(name, func(t *testing.T) {
			s := sourceOf(t, answering(answer))
			if token, err := s.Token(t.Context()); err == nil || token.Reveal() != "" {
				t.Errorf("Token() = %v, %v; want an error", token, err)
			}
		})
	}
}

// answering is a transport with one answer.
type answering string

func (a answering) Send(context.Context, api.Request) ([]byte, error) { return []byte(a), nil }
