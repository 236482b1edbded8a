package agent

import (
	"context"
	"errors"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/tokenvend/tokenvend/pkg/api"
	"github.com/tokenvend/tokenvend/pkg/client"
	"github.com/tokenvend/tokenvend/pkg/client/clienttest"
)

func vend(name string) api.Request { return api.Request{Credential: name} }

// value returns the token of a credential.
func value(t *testing.T, a *Agent, name string) string {
	t.Helper()
	got, err := a.Token(t.Context(), vend(name))
	if err != nil {
		t.Fatalf("Token(%s) = %v, want a token", name, err)
	}
	return got.Reveal()
}

func TestManyCallersAreOneRequest(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		fake := &clienttest.Server{}
		fake.Delay(time.Second)
		a := New(Config{Transport: fake})
		defer a.Close()
		var callers sync.WaitGroup
		for range 500 {
			callers.Go(func() {
				if got, err := a.Token(t.Context(), vend("minut")); err != nil || got.Reveal() != "token-1" {
					t.Errorf("Token(minut) = %q, %v, want token-1", got.Reveal(), err)
				}
			})
		}
		callers.Wait()
		if n := len(fake.Requests()); n != 1 {
			t.Errorf("500 calls of Token(minut) send %d requests, want 1", n)
		}
	})
}

// A token in use is replaced at its cache_until though nobody asks then. One
// that nobody has had since it was obtained is not.
func TestTokensInUseAreObtainedAhead(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		fake := &clienttest.Server{Lifetime: time.Hour, Early: 10 * time.Minute}
		a := New(Config{Transport: fake})
		defer a.Close()
		ctx, cancel := context.WithCancel(t.Context())
		done := make(chan struct{})
		go func() { defer close(done); a.Run(ctx) }()
		value(t, a, "minut")
		time.Sleep(51 * time.Minute)
		if n := len(fake.Requests()); n != 2 {
			t.Errorf("requests at cache_until = %d, want 2", n)
		}
		if got := value(t, a, "minut"); got != "token-2" {
			t.Errorf("Token(minut) after cache_until = %s, want token-2", got)
		}
		time.Sleep(51 * time.Minute)
		if n := len(fake.Requests()); n != 3 {
			t.Errorf("requests after the second cache_until = %d, want 3", n)
		}
		time.Sleep(5 * time.Hour)
		if n := len(fake.Requests()); n != 3 {
			t.Errorf("requests after hours without a caller = %d, want 3", n)
		}
		cancel()
		<-done
	})
}

func TestLivingTokenBridgesAnOutage(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		fake := &clienttest.Server{Lifetime: time.Hour, Early: 10 * time.Minute}
		a := New(Config{Transport: fake})
		defer a.Close()
		value(t, a, "minut")
		fake.Fail(errors.New("no route to host"))
		for range 50 {
			time.Sleep(time.Minute)
			a.Refresh()
			synctest.Wait()
		}
		time.Sleep(9 * time.Minute)
		if got := value(t, a, "minut"); got != "token-1" {
			t.Errorf("Token(minut) in an outage = %s, want token-1", got)
		}
		time.Sleep(2 * time.Minute)
		if got, err := a.Token(t.Context(), vend("minut")); err == nil {
			t.Errorf("Token(minut) after the token's end = %v, want an error", got)
		}
		fake.Fail(nil)
		time.Sleep(time.Minute)
		if got := value(t, a, "minut"); got != "token-2" {
			t.Errorf("Token(minut) after the outage = %s, want token-2", got)
		}
	})
}

// A reading of the monotonic clock, which stops in a frozen process, would
// decide a comparison.
func TestTimesAreOfTheWallClock(t *testing.T) {
	a := New(Config{Transport: &clienttest.Server{}})
	defer a.Close()
	got, err := a.Token(t.Context(), vend("minut"))
	if err != nil {
		t.Fatal(err)
	}
	for name, at := range map[string]time.Time{"ExpiresAt": got.ExpiresAt, "CacheUntil": got.CacheUntil} {
		if at != at.Round(0) {
			t.Errorf("Token(minut).%s = %v, want no monotonic reading", name, at)
		}
	}
}

func TestOnlyListedCredentialsAreAskedFor(t *testing.T) {
	fake := &clienttest.Server{}
	a := New(Config{Transport: fake, Credentials: []string{"minut"}})
	defer a.Close()
	value(t, a, "minut")
	for name, want := range map[string]api.Code{
		"monta": api.UnknownCredential, "..": api.InvalidRequest, "": api.InvalidRequest, "a/b": api.InvalidRequest,
		"Minut": api.InvalidRequest,
	} {
		t.Run(name, func(t *testing.T) {
			_, err := a.Token(t.Context(), vend(name))
			if e, ok := errors.AsType[*api.Error](err); !ok || e.Code != want {
				t.Errorf("Token(%q) = %v, want %s", name, err, want)
			}
		})
	}
	if n := len(fake.Requests()); n != 1 {
		t.Errorf("requests = %d, want 1: nothing else is asked for", n)
	}
}

func TestPrefetchStartsARequestForEachListedCredential(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		fake := &clienttest.Server{}
		a := New(Config{Transport: fake, Credentials: []string{"minut", "monta"}})
		defer a.Close()
		a.Prefetch()
		synctest.Wait()
		if n := len(fake.Requests()); n != 2 {
			t.Errorf("requests after Prefetch = %d, want 2", n)
		}
		value(t, a, "minut")
		if n := len(fake.Requests()); n != 2 {
			t.Errorf("requests after Token(minut) = %d, want 2", n)
		}
	})
}

func TestReportedTokenIsReplaced(t *testing.T) {
	fake := &clienttest.Server{}
	a := New(Config{Transport: fake})
	defer a.Close()
	first, err := a.Token(t.Context(), vend("minut"))
	if err != nil {
		t.Fatal(err)
	}
	next, err := a.Token(t.Context(), api.Request{Credential: "minut", Rejected: first.Fingerprint})
	if err != nil || next.Fingerprint == first.Fingerprint {
		t.Errorf("Token(minut, rejected) = %v, %v, want another token", next, err)
	}
}

// What callers ask for does not make the agent remember without bound.
func TestSourcesInUseAreBounded(t *testing.T) {
	a := New(Config{Transport: &clienttest.Server{}})
	defer a.Close()
	for i := range maxInUse + 10 {
		a.noteUse(a.tokens.Source("minut", client.Account(string(rune('a'+i)))), client.Token{})
	}
	if n := len(a.inUse); n != maxInUse {
		t.Errorf("sources in use = %d, want %d", n, maxInUse)
	}
}
