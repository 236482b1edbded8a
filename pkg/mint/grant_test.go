package mint_test

import (
	"context"
	"errors"
	"regexp"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/tokenvend/tokenvend/internal/testworld"
	"github.com/tokenvend/tokenvend/pkg/api"
	"github.com/tokenvend/tokenvend/pkg/mint"
	"github.com/tokenvend/tokenvend/pkg/provider/simulator"
	"github.com/tokenvend/tokenvend/pkg/records"
	"github.com/tokenvend/tokenvend/pkg/rotate"
	"github.com/tokenvend/tokenvend/pkg/store"
)

// granted makes a provider's credential one that has nothing but a refresh
// token, and returns that.
func (w *world) granted(name string, over map[string]any) string {
	w.T.Helper()
	seed, err := w.Providers.IssueRefreshToken(name, "demo-"+name, "alice", "")
	if err != nil {
		w.T.Fatal(err)
	}
	c := map[string]any{"grant": "refresh_token", "refresh_token": seed}
	for field, value := range over {
		c[field] = value
	}
	w.Put(name, name, c)
	return seed
}

// uses is how often each refresh token of a provider has reached it.
func (w *world) uses(name string) []int {
	var all []int
	for _, n := range w.Providers.Stats().Providers[name].RefreshUses {
		all = append(all, n)
	}
	return all
}

// most is the largest of them.
func (w *world) most(name string) (most int) {
	for _, n := range w.uses(name) {
		most = max(most, n)
	}
	return most
}

// dyingStore is the store of a process that dies before its commit.
type dyingStore struct{ store.Store }

var errDead = errors.New("this process is dead")

func (dyingStore) Commit(context.Context, store.Lease, store.Entry) error { return errDead }

// dies lets a process ask that dies between the provider's answer and the
// commit, and waits until its lease is over.
func (w *world) dies(name string, want mint.Want) {
	w.T.Helper()
	ctx, cancel := context.WithTimeout(w.T.Context(), testworld.CallerTimeout)
	defer cancel()
	m := w.NewProcess(testworld.WithStore(dyingStore{w.Store}))
	if r, err := m.Token(ctx, testworld.Key(name), want); err == nil && r.Origin == records.Provider {
		w.T.Fatalf("Token() of a dead process = %s, want none", r.Token.Fingerprint)
	}
	m.Wait()
	time.Sleep(mint.LeaseTTL)
}

func TestFault11_TwoRedeemOneTokenOnce(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t, simulator.Options{})
		w.granted("trackmania", nil)
		testworld.Must(t, w.Providers.SetFault("trackmania", simulator.Fault{Delay: time.Second}))
		done := make(chan error)
		for range 8 {
			go func() {
				_, err := w.NewProcess().Token(t.Context(), testworld.Key("trackmania"), mint.Want{})
				done <- err
			}()
		}
		for range 8 {
			testworld.Must(t, <-done)
		}
		if got := w.uses("trackmania"); len(got) != 1 || got[0] != 1 {
			t.Errorf("refresh tokens were used %v times, want [1]", got)
		}
	})
}

func TestFault12_WhatCannotBeCommittedIsRecovered(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t, simulator.Options{})
		w.granted("trackmania", nil)
		m := w.NewProcess(testworld.WithStore(dyingStore{w.Store}))
		w.Refused(m, testworld.Key("trackmania"), mint.Want{}, api.StoreUnavailable)
		blob := regexp.MustCompile(`recovery="?([A-Za-z0-9+/=]+)`).FindStringSubmatch(w.Log.String())
		if blob == nil || w.Alarms("GrantsUnstored") != 1 {
			t.Fatalf("log = %s, want a recovery blob, and one alarm", w.Log.String())
		}
		time.Sleep(mint.LeaseTTL)
		rescuer := w.NewProcess()
		if _, err := rescuer.Recover(t.Context(), "movemint", blob[1]); !testworld.HasCode(err, api.InvalidRequest) {
			t.Errorf("Recover() of another credential's blob = %v, want %s", err, api.InvalidRequest)
		}
		got, err := rescuer.Recover(t.Context(), "trackmania", blob[1])
		if err != nil || got != testworld.Key("trackmania") {
			t.Fatalf("Recover() = %v, %v, want the key of trackmania", got, err)
		}
		w.Token(w.NewProcess(), testworld.Key("trackmania"))
		if got := w.most("trackmania"); got != 1 {
			t.Errorf("a refresh token was used %d times, want 1", got)
		}
		if _, err := rescuer.Recover(t.Context(), "trackmania", blob[1]); !testworld.HasCode(err, api.InvalidRequest) {
			t.Errorf("Recover() into another generation = %v, want %s", err, api.InvalidRequest)
		}
		w.TokenThat(w.NewProcess(), testworld.Key("trackmania"), mint.Want{Rejected: "0123456789abcdef"})
	})
}

// lateStore lets another holder in between the answer and the commit.
type lateStore struct {
	store.Store
	before func()
}

func (s lateStore) Commit(ctx context.Context, l store.Lease, e store.Entry) error {
	s.before()
	return s.Store.Commit(ctx, l, e)
}

func TestFault12_ALateHolderPutsTheRefreshTokenWhereTheNextOneLeftTheEntry(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t, simulator.Options{})
		w.granted("trackmania", nil)
		w.Token(w.NewProcess(), testworld.Key("trackmania"))
		time.Sleep(58 * time.Minute)
		late := w.NewProcess(testworld.WithStore(lateStore{
			w.Store,
			sync.OnceFunc(
				func() { // thawed after its lease was over: another found an answer that may be lost, and said so
					e := w.Entry(testworld.Key("trackmania"))
					e.RefreshSpent = true
					testworld.Must(t, w.Store.Delete(t.Context(), e.Key))
					lease, err := w.Store.Acquire(t.Context(), store.Entry{Key: e.Key}, time.Second)
					testworld.Must(t, err)
					testworld.Must(t, w.Store.Commit(t.Context(), lease, e))
				},
			),
		}))
		_, _ = late.Renew(t.Context(), testworld.Key("trackmania"))
		if e := w.Entry(testworld.Key("trackmania")); e.RefreshSpent || w.Alarms("GrantsUnstored") != 0 {
			t.Errorf(
				"Entry() = spent %t, generation %d, want the new refresh token in it",
				e.RefreshSpent,
				e.Generation,
			)
		}
		w.Token(w.NewProcess(), testworld.Key("trackmania"))
		if got := w.most("trackmania"); got != 1 {
			t.Errorf("a refresh token was used %d times, want once each", got)
		}
	})
}

// tempers are descriptors that know, or do not know, what becomes of a refresh
// token that is sent again; each speaks as trackmania does.
func temper(sim *simulator.Simulator, reuse string) map[string]any {
	return map[string]any{"provider": nil, "descriptor": map[string]any{
		"token": map[string]any{
			"url":  sim.TokenURL("trackmania"),
			"auth": "post",
		}, "refresh": map[string]any{"rotates": "yes", "reuse": reuse},
		"overlap": map[string]any{"refresh_token": "revokes"},
	}}
}

func TestFault13_WhereReuseIsToleratedItIsSentOnceMore(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t, simulator.Options{Reuse: map[string]simulator.Reuse{"trackmania": simulator.Tolerated}})
		w.granted("trackmania", temper(w.Providers, "tolerated"))
		w.Token(w.NewProcess(), testworld.Key("trackmania"))
		time.Sleep(58 * time.Minute)
		w.dies("trackmania", mint.Want{Proactive: true})
		r := w.TokenThat(w.NewProcess(), testworld.Key("trackmania"), mint.Want{Proactive: true})
		if r.Token.Generation != 2 ||
			w.most("trackmania") != 2 {
			t.Errorf(
				"Token() = %+v after %d uses of a refresh token, want generation 2 after 2",
				r.Token,
				w.most("trackmania"),
			)
		}
	})
}

func TestFault13_WhereClientCredentialsBringTokensTheyDo(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t, simulator.Options{Reuse: map[string]simulator.Reuse{"monta": simulator.RevokesFamily}})
		w.Token(w.NewProcess(), testworld.Key("monta"))
		time.Sleep(58 * time.Minute)
		w.dies("monta", mint.Want{Proactive: true})
		r := w.TokenThat(w.NewProcess(), testworld.Key("monta"), mint.Want{Proactive: true})
		if c := w.Providers.Stats().Providers["monta"]; r.Token.Generation != 2 || c.TokenRequests != 2 ||
			w.most("monta") != 1 {
			t.Errorf(
				"Token() = %+v, %d requests by client credentials, %d uses of a refresh token; want generation 2, 2, 1",
				r.Token,
				c.TokenRequests,
				w.most("monta"),
			)
		}
	})
}

func TestFault13_ElseOnceMoreWhenNothingIsLeftToLose(t *testing.T) {
	for _, reuse := range []simulator.Reuse{simulator.Refused, simulator.RevokesFamily} {
		t.Run(string(reuse), func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				w := newWorld(t, simulator.Options{Reuse: map[string]simulator.Reuse{"trackmania": reuse}})
				w.granted("trackmania", nil)
				first := w.Token(w.NewProcess(), testworld.Key("trackmania"))
				time.Sleep(58 * time.Minute)
				w.dies("trackmania", mint.Want{Proactive: true})
				m := w.NewProcess()
				// callers and passes of the schedule, until the token is over
				for time.Until(first.Token.ExpiresAt) > 5*time.Second {
					got := w.Token(m, testworld.Key("trackmania"))
					if got.Token.Fingerprint != first.Token.Fingerprint {
						t.Fatalf("Token() = %s, want %s", got.Token.Fingerprint, first.Token.Fingerprint)
					}
					_, _ = m.Renew(t.Context(), testworld.Key("trackmania"))
					time.Sleep(5 * time.Second)
				}
				if w.most("trackmania") != 1 {
					t.Errorf(
						"a refresh token was used %d times while the access token lived, want 1",
						w.most("trackmania"),
					)
				}
				time.Sleep(time.Until(first.Token.ExpiresAt.Add(mint.ExchangeTimeout)))
				for range 20 {
					w.Refused(m, testworld.Key("trackmania"), mint.Want{}, api.ReauthorizationRequired)
					_, _ = m.Renew(t.Context(), testworld.Key("trackmania"))
					time.Sleep(time.Hour)
				}
				if c := w.Providers.Stats().Providers["trackmania"]; w.most("trackmania") != 2 || c.ReusedEarly != 0 {
					t.Errorf(
						"a refresh token was used %d times, %d of them early; want 2 and 0",
						w.most("trackmania"),
						c.ReusedEarly,
					)
				}
				if e := w.Entry(testworld.Key("trackmania")); e.State != store.Reauthorize || !e.NextAt.IsZero() ||
					w.Alarms("CredentialsFailing") != 1 {
					t.Errorf(
						"Entry() = %s, due %v, %d alarms; want reauthorize, never, 1",
						e.State,
						e.NextAt,
						w.Alarms("CredentialsFailing"),
					)
				}
			})
		})
	}
}

// A provider's clock runs on when ours says that the token is over: it was
// issued a little later than it was asked for.
func TestFault13_TheProviderSeesTheAccessTokenEndFirst(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t, simulator.Options{Reuse: map[string]simulator.Reuse{"trackmania": simulator.RevokesFamily}})
		w.granted("trackmania", nil)
		w.transport.slow = 5 * time.Second
		first := w.Token(w.NewProcess(), testworld.Key("trackmania"))
		w.transport.slow = 0
		time.Sleep(58 * time.Minute)
		w.dies("trackmania", mint.Want{Proactive: true})
		m := w.NewProcess()
		for time.Now().Before(first.Token.ExpiresAt.Add(time.Minute)) {
			_, _ = m.Token(t.Context(), testworld.Key("trackmania"), mint.Want{})
			time.Sleep(time.Second)
		}
		if c := w.Providers.Stats().Providers["trackmania"]; c.Reused != 1 || c.ReusedEarly != 0 {
			t.Errorf(
				"sent again %d times, %d of them while the access token lived by the provider's clock; want 1 and 0",
				c.Reused,
				c.ReusedEarly,
			)
		}
	})
}

// The holder died, and nothing had arrived: the refresh token works when it is
// sent once more.
func TestFault13_WhatNeverArrivedWorksOnceMore(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t, simulator.Options{})
		w.granted("trackmania", nil)
		first := w.Token(w.NewProcess(), testworld.Key("trackmania"))
		time.Sleep(58 * time.Minute)
		testworld.Must(t, w.Providers.SetFault("trackmania", simulator.Fault{Drop: true}))
		w.dies("trackmania", mint.Want{Proactive: true})
		testworld.Must(t, w.Providers.SetFault("trackmania", simulator.Fault{}))
		time.Sleep(time.Until(first.Token.ExpiresAt.Add(mint.ExchangeTimeout)))
		if got := w.Token(w.NewProcess(), testworld.Key("trackmania")); got.Token.Generation != 2 ||
			w.most("trackmania") != 1 {
			t.Errorf(
				"Token() = %+v after %d uses of a refresh token, want generation 2 after 1",
				got.Token,
				w.most("trackmania"),
			)
		}
	})
}

func TestFault14_AnAnswerLostOnTheWireIsNotAskedForBlindly(t *testing.T) {
	for name, fault := range map[string]simulator.Fault{
		"dropped": {Drop: true, Late: true}, "cut": {Cut: true}, "slow": {Delay: 20 * time.Second},
		"gateway": {Status: 504, Late: true},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				w := newWorld(
					t,
					simulator.Options{Reuse: map[string]simulator.Reuse{"trackmania": simulator.RevokesFamily}},
				)
				w.granted("trackmania", nil)
				first := w.Token(w.NewProcess(), testworld.Key("trackmania"))
				time.Sleep(58 * time.Minute)
				testworld.Must(t, w.Providers.SetFault("trackmania", fault))
				m := w.NewProcess()
				for now := time.Now(); now.Before(first.Token.ExpiresAt); now = time.Now() {
					_, _ = m.Renew(t.Context(), testworld.Key("trackmania"))
					got := w.Token(m, testworld.Key("trackmania"))
					if got.Token.Fingerprint != first.Token.Fingerprint ||
						!got.Stale {
						t.Fatalf("Token() = %+v, want %s, stale", got, first.Token.Fingerprint)
					}
					time.Sleep(10 * time.Second)
				}
				if c := w.Providers.Stats().Providers["trackmania"]; w.most("trackmania") != 1 || c.Reused != 0 {
					t.Errorf(
						"a refresh token was used %d times while the access token lived, want 1",
						w.most("trackmania"),
					)
				}
				for range 10 { // no answer: the grant is not over, however often
					if name == "cut" {
						break // half of a refusal is enough to read the provider's word in
					}
					_, err := m.Token(t.Context(), testworld.Key("trackmania"), mint.Want{})
					if code := testworld.ErrorCode(err); code != api.ProviderUnavailable &&
						code != api.ProviderMalformed {
						t.Fatalf("Token() while answers are lost = %v, want that the provider does not answer", err)
					}
					time.Sleep(3 * time.Minute)
				}
				testworld.Must(t, w.Providers.SetFault("trackmania", simulator.Fault{}))
				w.Refused(m, testworld.Key("trackmania"), mint.Want{}, api.ReauthorizationRequired) // its own word
				if e := w.Entry(testworld.Key("trackmania")); e.State != store.Reauthorize ||
					w.Alarms("CredentialsFailing") != 1 {
					t.Errorf(
						"entry = state %q, %d alarms; want reauthorize, 1",
						e.State,
						w.Alarms("CredentialsFailing"),
					)
				}
			})
		})
	}
}

// Refusals that are made before the refresh token is looked at use up nothing,
// however long they last.
func TestFault14_WhatTheProviderDidNotHandleUsesUpNothing(t *testing.T) {
	for name, fault := range map[string]simulator.Fault{
		"cannot serve": {Status: 503}, "too many": {Status: 429}, "no connection": {Down: true},
		"a firewall": {Status: 403, HTML: true},
		"the client": {Status: 401, Body: `{"error":"invalid_client"}`},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				w := newWorld(t, simulator.Options{})
				w.granted("trackmania", nil)
				m := w.NewProcess()
				w.Token(m, testworld.Key("trackmania"))
				time.Sleep(2 * time.Hour)
				testworld.Must(t, w.Providers.SetFault("trackmania", fault))
				for range 48 {
					if _, err := m.Token(t.Context(), testworld.Key("trackmania"), mint.Want{}); err == nil ||
						testworld.HasCode(err, api.ReauthorizationRequired) {
						t.Fatal(err)
					}
					time.Sleep(time.Hour)
				}
				testworld.Must(t, w.Providers.SetFault("trackmania", simulator.Fault{}))
				time.Sleep(time.Hour)
				w.Token(m, testworld.Key("trackmania"))
			})
		})
	}
}

func TestFault15_WithoutANewRefreshTokenTheOldOneIsKept(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t, simulator.Options{Reuse: map[string]simulator.Reuse{"trackmania": simulator.Tolerated}})
		seed := w.granted("trackmania", nil)
		testworld.Must(
			t,
			w.Providers.SetFault(
				"trackmania",
				simulator.Fault{Set: map[string]string{"refresh_token": simulator.Omit}},
			),
		)
		m := w.NewProcess()
		for range 5 {
			w.Token(m, testworld.Key("trackmania"))
			time.Sleep(time.Hour)
		}
		if uses := w.uses("trackmania"); len(uses) != 1 || uses[0] != 5 {
			t.Errorf("refresh tokens were used %v times, want the one of %d bytes 5 times", uses, len(seed))
		}
	})
}

func TestFault16_ARefreshTokenIsKeptWhateverElseIsWrong(t *testing.T) {
	for name, fault := range map[string]simulator.Fault{
		"no token":      {Set: map[string]string{"access_token": simulator.Omit}},
		"a split token": {Set: map[string]string{"access_token": `"a\r\nb"`}},
		"another type":  {Set: map[string]string{"token_type": `"mac"`}},
		"over":          {Expiry: "0"}, "absurd": {Expiry: "-1"},
		"an error": {Set: map[string]string{
			"access_token": `""`, "error": `"server_error"`,
		}},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				w := newWorld(t, simulator.Options{})
				w.granted("trackmania", nil)
				m := w.NewProcess()
				w.Token(m, testworld.Key("trackmania"))
				time.Sleep(2 * time.Hour)
				fault.Times = 1
				testworld.Must(t, w.Providers.SetFault("trackmania", fault))
				if _, err := m.Token(t.Context(), testworld.Key("trackmania"), mint.Want{}); err == nil {
					t.Fatal("Token() = a token, want an error")
				}
				time.Sleep(time.Minute)
				w.Token(w.NewProcess(), testworld.Key("trackmania"))
				if got := w.most("trackmania"); got != 1 {
					t.Errorf("a refresh token was used %d times, want 1", got)
				}
			})
		})
	}
}

func TestFault17_AGrantIsRenewedBeforeItsRefreshTokenIsOver(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t, simulator.Options{Lifetime: 20 * time.Hour, RefreshLifetime: 10 * time.Hour})
		w.Put("monta", "monta", map[string]any{"grant": "refresh_token", "refresh_token": w.montaSeed()})
		m := w.NewProcess()
		first := w.Token(m, testworld.Key("monta"))
		for range 40 {
			due := w.Entry(testworld.Key("monta")).NextAt
			if due.IsZero() || due.After(w.Entry(testworld.Key("monta")).RefreshUntil.Add(-time.Hour)) {
				t.Fatalf("NextAt = %v, want an hour before %v", due, w.Entry(testworld.Key("monta")).RefreshUntil)
			}
			time.Sleep(time.Until(due))
			// though no caller requests it
			if became, err := m.Renew(t.Context(), testworld.Key("monta")); became != rotate.Renewed {
				t.Fatalf("Renew() = %s, %v, want it renewed", became, err)
			}
		}
		if got := w.Token(m, testworld.Key("monta")); got.Token.Generation != first.Token.Generation+40 ||
			w.most("monta") != 1 {
			t.Errorf("Token() = %+v, want generation %d", got.Token, first.Token.Generation+40)
		}
	})
}

// montaSeed is a refresh token as monta hands it out.
func (w *world) montaSeed() string {
	w.T.Helper()
	r := w.Token(w.NewProcess(), testworld.Key("monta"))
	if r.Token.IsZero() {
		w.T.Fatal("Token(monta) = none, want one")
	}
	return w.refreshIn("monta")
}

func TestFault17_AGrantThatEndsIsToldOfAWeekAhead(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t, simulator.Options{})
		seed := w.montaSeed()
		testworld.Must(t, w.Providers.SetFault(
			"monta",
			simulator.Fault{
				Set: map[string]string{
					"refreshTokenExpirationDate": `"` + time.Now().
						Add(30*24*time.Hour).
						UTC().
						Format(time.RFC3339) +
						`"`,
				},
			},
		))
		w.Put("monta", "monta", map[string]any{"grant": "refresh_token", "refresh_token": seed})
		m := w.NewProcess()
		began := time.Now()
		for time.Since(began) < 22*24*time.Hour {
			w.Token(m, testworld.Key("monta"))
			time.Sleep(50 * time.Minute)
		}
		if n := w.Alarms("GrantsEnding"); n != 0 {
			t.Errorf("%d alarms more than a week ahead, want 0", n)
		}
		time.Sleep(2 * 24 * time.Hour)
		w.Token(m, testworld.Key("monta"))
		if n := w.Alarms("GrantsEnding"); n != 1 {
			t.Errorf("%d alarms six days ahead, want 1 for each renewal", n)
		}
		time.Sleep(7 * 24 * time.Hour)
		w.Refused(m, testworld.Key("monta"), mint.Want{}, api.ReauthorizationRequired)
	})
}

func TestANewSecretBringsANewGrant(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t, simulator.Options{})
		w.granted("trackmania", nil)
		m := w.NewProcess()
		w.Token(m, testworld.Key("trackmania"))
		_, err := w.Providers.RevokeTokens("trackmania", true)
		testworld.Must(t, err)
		time.Sleep(time.Hour)
		for range 3 {
			w.Refused(m, testworld.Key("trackmania"), mint.Want{}, api.ReauthorizationRequired)
			time.Sleep(time.Hour)
		}
		asked := w.TokenRequests("trackmania")
		if asked != 2 {
			t.Errorf("TokenRequests(trackmania) = %d, want 2", asked)
		}
		w.granted("trackmania", nil)
		_, _, err = m.Discover(t.Context())
		testworld.Must(t, err)
		w.Token(m, testworld.Key("trackmania"))
	})
}
