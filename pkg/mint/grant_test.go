package mint_test

import (
	"context"
	"errors"
	"regexp"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/tokenvend/tokenvend/pkg/api"
	"github.com/tokenvend/tokenvend/pkg/mint"
	"github.com/tokenvend/tokenvend/pkg/provider/simulator"
	"github.com/tokenvend/tokenvend/pkg/records"
	"github.com/tokenvend/tokenvend/pkg/rotate"
	"github.com/tokenvend/tokenvend/pkg/store"
)

// granted makes a provider's credential one that has nothing but a refresh token, and returns that.
func (w *world) granted(name string, over map[string]any) string {
	w.t.Helper()
	seed, err := w.sim.IssueRefreshToken(name, "demo-"+name, "alice", "")
	if err != nil {
		w.t.Fatal(err)
	}
	c := map[string]any{"grant": "refresh_token", "refresh_token": seed}
	for field, value := range over {
		c[field] = value
	}
	w.put(name, c)
	return seed
}

// uses is how often each refresh token of a provider has reached it.
func (w *world) uses(name string) []int {
	var all []int
	for _, n := range w.sim.Stats().Providers[name].RefreshUses {
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

// alarms is how often the metric stands in the log.
func (w *world) alarms(metric string) int {
	return strings.Count(w.logged(), " "+metric+"=1")
}

// dyingStore is the store of a process that dies before its commit.
type dyingStore struct{ store.Store }

var errDead = errors.New("this process is dead")

func (dyingStore) Commit(context.Context, store.Lease, store.Entry) error { return errDead }

// dies lets a process ask that dies between the provider's answer and the commit, and waits until its lease is over.
func (w *world) dies(name string, want mint.Want) {
	w.t.Helper()
	ctx, cancel := context.WithTimeout(w.t.Context(), 29*time.Second)
	defer cancel()
	m := newProcess(mint.Config{Store: dyingStore{w.store}, Source: w.secrets, Sealer: w.sealer, HTTP: w.client()})
	if r, err := m.Token(ctx, key(name), want); err == nil && r.Origin == records.Provider {
		w.t.Fatal("a dead process has answered")
	}
	m.Wait()
	time.Sleep(mint.LeaseTTL)
}

func TestFault11_TwoRedeemOneTokenOnce(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t, simulator.Options{})
		w.granted("trackmania", nil)
		must(t, w.sim.SetFault("trackmania", simulator.Fault{Delay: time.Second}))
		done := make(chan error)
		for range 8 {
			go func() {
				_, err := w.instance().Token(t.Context(), key("trackmania"), mint.Want{})
				done <- err
			}()
		}
		for range 8 {
			must(t, <-done)
		}
		if got := w.uses("trackmania"); len(got) != 1 || got[0] != 1 {
			t.Errorf("refresh tokens were used %v times, want one, once", got)
		}
	})
}

func TestFault12_WhatCannotBeCommittedIsRecovered(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t, simulator.Options{})
		w.granted("trackmania", nil)
		m := w.instanceOver(dyingStore{w.store})
		if _, err := m.Token(t.Context(), key("trackmania"), mint.Want{}); codeOf(err) != api.StoreUnavailable {
			t.Errorf("nothing could be stored: %v", err)
		}
		blob := regexp.MustCompile(`recovery="?([A-Za-z0-9+/=]+)`).FindStringSubmatch(w.logged())
		if blob == nil || w.alarms("GrantsUnstored") != 1 {
			t.Fatal("no recovery blob in the log, or no alarm")
		}
		time.Sleep(mint.LeaseTTL)
		rescuer := w.instance()
		if _, err := rescuer.Recover(t.Context(), "movemint", blob[1]); codeOf(err) != api.InvalidRequest {
			t.Errorf("another credential takes the blob: %v", err)
		}
		got, err := rescuer.Recover(t.Context(), "trackmania", blob[1])
		if err != nil || got != key("trackmania") {
			t.Fatalf("%v, %v", got, err)
		}
		mustToken(t, w.instance(), key("trackmania"), mint.Want{})
		if got := w.most("trackmania"); got != 1 {
			t.Errorf("a refresh token was used %d times", got)
		}
		if _, err := rescuer.Recover(t.Context(), "trackmania", blob[1]); codeOf(err) != api.InvalidRequest {
			t.Errorf("the blob fits another generation: %v", err)
		}
		mustToken(t, w.instance(), key("trackmania"), mint.Want{Rejected: "0123456789abcdef"})
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
		mustToken(t, w.instance(), key("trackmania"), mint.Want{})
		time.Sleep(58 * time.Minute)
		late := w.instanceOver(
			lateStore{
				w.store,
				sync.OnceFunc(
					func() { // thawed after its lease was over: another found an answer that may be lost, and said so
						e := w.entry("trackmania")
						e.RefreshSpent = true
						must(t, w.store.Delete(t.Context(), e.Key))
						lease, err := w.store.Acquire(t.Context(), store.Entry{Key: e.Key}, time.Second)
						must(t, err)
						must(t, w.store.Commit(t.Context(), lease, e))
					},
				),
			},
		)
		_, _ = late.Renew(t.Context(), key("trackmania"))
		if e := w.entry("trackmania"); e.RefreshSpent || w.alarms("GrantsUnstored") != 0 {
			t.Errorf("the new refresh token was not put back: spent %t, generation %d", e.RefreshSpent, e.Generation)
		}
		mustToken(t, w.instance(), key("trackmania"), mint.Want{})
		if got := w.most("trackmania"); got != 1 {
			t.Errorf("a refresh token was used %d times, want once each", got)
		}
	})
}

// tempers are descriptors that know, or do not know, what becomes of a refresh token that is sent again; each speaks as trackmania does.
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
		w.granted("trackmania", temper(w.sim, "tolerated"))
		mustToken(t, w.instance(), key("trackmania"), mint.Want{})
		time.Sleep(58 * time.Minute)
		w.dies("trackmania", mint.Want{Proactive: true})
		if r := mustToken(t, w.instance(), key("trackmania"), mint.Want{Proactive: true}); r.Token.Generation != 2 ||
			w.most("trackmania") != 2 {
			t.Errorf("%+v; a refresh token was used %d times, want 2", r.Token, w.most("trackmania"))
		}
	})
}

func TestFault13_WhereClientCredentialsBringTokensTheyDo(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t, simulator.Options{Reuse: map[string]simulator.Reuse{"monta": simulator.RevokesFamily}})
		mustToken(t, w.instance(), key("monta"), mint.Want{})
		time.Sleep(58 * time.Minute)
		w.dies("monta", mint.Want{Proactive: true})
		r := mustToken(t, w.instance(), key("monta"), mint.Want{Proactive: true})
		if c := w.sim.Stats().Providers["monta"]; r.Token.Generation != 2 || c.TokenRequests != 2 ||
			w.most("monta") != 1 {
			t.Errorf(
				"%+v; asked by client credentials %d times, a refresh token used %d times; want 2 and 1",
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
				first := mustToken(t, w.instance(), key("trackmania"), mint.Want{})
				time.Sleep(58 * time.Minute)
				w.dies("trackmania", mint.Want{Proactive: true})
				m := w.instance()
				for time.Until(first.Token.ExpiresAt) > 5*time.Second { // callers and passes of the schedule, until the token is over
					if got := mustToken(t, m, key("trackmania"), mint.Want{}); got.Token.Fingerprint != first.Token.Fingerprint {
						t.Fatal("another token, from nowhere")
					}
					_, _ = m.Renew(t.Context(), key("trackmania"))
					time.Sleep(5 * time.Second)
				}
				if w.most("trackmania") != 1 {
					t.Error("sent again while the access token lived")
				}
				time.Sleep(time.Until(first.Token.ExpiresAt.Add(mint.ExchangeTimeout)))
				for range 20 {
					if _, err := m.Token(t.Context(), key("trackmania"), mint.Want{}); codeOf(
						err,
					) != api.ReauthorizationRequired {
						t.Fatalf("the provider refuses the refresh token: %v", err)
					}
					_, _ = m.Renew(t.Context(), key("trackmania"))
					time.Sleep(time.Hour)
				}
				if c := w.sim.Stats().Providers["trackmania"]; w.most("trackmania") != 2 || c.ReusedEarly != 0 {
					t.Errorf(
						"a refresh token was used %d times, %d of them early; want 2 and 0",
						w.most("trackmania"),
						c.ReusedEarly,
					)
				}
				if e := w.entry("trackmania"); e.State != store.Reauthorize || !e.NextAt.IsZero() ||
					w.alarms("CredentialsFailing") != 1 {
					t.Errorf(
						"%s, due %v, %d alarms; want reauthorize, never, one",
						e.State,
						e.NextAt,
						w.alarms("CredentialsFailing"),
					)
				}
			})
		})
	}
}

// A provider's clock runs on when ours says that the token is over: it was issued a little later than it was asked for.
func TestFault13_TheProviderSeesTheAccessTokenEndFirst(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t, simulator.Options{Reuse: map[string]simulator.Reuse{"trackmania": simulator.RevokesFamily}})
		w.granted("trackmania", nil)
		w.slow = 5 * time.Second
		first := mustToken(t, w.instance(), key("trackmania"), mint.Want{})
		w.slow = 0
		time.Sleep(58 * time.Minute)
		w.dies("trackmania", mint.Want{Proactive: true})
		m := w.instance()
		for time.Now().Before(first.Token.ExpiresAt.Add(time.Minute)) {
			_, _ = m.Token(t.Context(), key("trackmania"), mint.Want{})
			time.Sleep(time.Second)
		}
		if c := w.sim.Stats().Providers["trackmania"]; c.Reused != 1 || c.ReusedEarly != 0 {
			t.Errorf(
				"sent again %d times, %d of them while the access token lived by the provider's clock; want 1 and 0",
				c.Reused,
				c.ReusedEarly,
			)
		}
	})
}

// The holder died, and nothing had arrived: the refresh token works when it is sent once more.
func TestFault13_WhatNeverArrivedWorksOnceMore(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t, simulator.Options{})
		w.granted("trackmania", nil)
		first := mustToken(t, w.instance(), key("trackmania"), mint.Want{})
		time.Sleep(58 * time.Minute)
		must(t, w.sim.SetFault("trackmania", simulator.Fault{Drop: true}))
		w.dies("trackmania", mint.Want{Proactive: true})
		must(t, w.sim.SetFault("trackmania", simulator.Fault{}))
		time.Sleep(time.Until(first.Token.ExpiresAt.Add(mint.ExchangeTimeout)))
		if got := mustToken(t, w.instance(), key("trackmania"), mint.Want{}); got.Token.Generation != 2 ||
			w.most("trackmania") != 1 {
			t.Errorf("%+v; a refresh token was used %d times", got.Token, w.most("trackmania"))
		}
	})
}

func TestFault14_AnAnswerLostOnTheWireIsNotAskedForBlindly(t *testing.T) {
	for name, fault := range map[string]simulator.Fault{"dropped": {Drop: true, Late: true}, "cut": {Cut: true}, "slow": {Delay: 20 * time.Second}, "gateway": {Status: 504, Late: true}} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				w := newWorld(
					t,
					simulator.Options{Reuse: map[string]simulator.Reuse{"trackmania": simulator.RevokesFamily}},
				)
				w.granted("trackmania", nil)
				first := mustToken(t, w.instance(), key("trackmania"), mint.Want{})
				time.Sleep(58 * time.Minute)
				must(t, w.sim.SetFault("trackmania", fault))
				m := w.instance()
				for now := time.Now(); now.Before(first.Token.ExpiresAt); now = time.Now() {
					_, _ = m.Renew(t.Context(), key("trackmania"))
					if got := mustToken(t, m, key("trackmania"), mint.Want{}); got.Token.Fingerprint != first.Token.Fingerprint ||
						!got.Stale {
						t.Fatalf("%+v", got)
					}
					time.Sleep(10 * time.Second)
				}
				if c := w.sim.Stats().Providers["trackmania"]; w.most("trackmania") != 1 || c.Reused != 0 {
					t.Errorf("a refresh token was used %d times while the access token lived", w.most("trackmania"))
				}
				for range 10 { // no answer: the grant is not over, however often
					if name == "cut" {
						break // half of a refusal is enough to read the provider's word in
					}
					_, err := m.Token(t.Context(), key("trackmania"), mint.Want{})
					if code := codeOf(err); code != api.ProviderUnavailable && code != api.ProviderMalformed {
						t.Fatalf("Token() while answers are lost = %v, want that the provider does not answer", err)
					}
					time.Sleep(3 * time.Minute)
				}
				must(t, w.sim.SetFault("trackmania", simulator.Fault{}))
				if _, err := m.Token(t.Context(), key("trackmania"), mint.Want{}); codeOf(
					err,
				) != api.ReauthorizationRequired { // its own word
					t.Errorf("Token() once the provider answers = %v, want reauthorize", err)
				}
				if e := w.entry("trackmania"); e.State != store.Reauthorize || w.alarms("CredentialsFailing") != 1 {
					t.Errorf(
						"entry = state %q, %d alarms; want reauthorize, 1",
						e.State,
						w.alarms("CredentialsFailing"),
					)
				}
			})
		})
	}
}

// Refusals that are made before the refresh token is looked at use up nothing, however long they last.
func TestFault14_WhatTheProviderDidNotHandleUsesUpNothing(t *testing.T) {
	for name, fault := range map[string]simulator.Fault{
		"cannot serve": {Status: 503}, "too many": {Status: 429}, "no connection": {Down: true}, "a firewall": {Status: 403, HTML: true},
		"the client": {Status: 401, Body: `{"error":"invalid_client"}`},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				w := newWorld(t, simulator.Options{})
				w.granted("trackmania", nil)
				m := w.instance()
				mustToken(t, m, key("trackmania"), mint.Want{})
				time.Sleep(2 * time.Hour)
				must(t, w.sim.SetFault("trackmania", fault))
				for range 48 {
					if _, err := m.Token(t.Context(), key("trackmania"), mint.Want{}); err == nil ||
						codeOf(err) == api.ReauthorizationRequired {
						t.Fatal(err)
					}
					time.Sleep(time.Hour)
				}
				must(t, w.sim.SetFault("trackmania", simulator.Fault{}))
				time.Sleep(time.Hour)
				mustToken(t, m, key("trackmania"), mint.Want{})
			})
		})
	}
}

func TestFault15_WithoutANewRefreshTokenTheOldOneIsKept(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t, simulator.Options{Reuse: map[string]simulator.Reuse{"trackmania": simulator.Tolerated}})
		seed := w.granted("trackmania", nil)
		must(t, w.sim.SetFault("trackmania", simulator.Fault{Set: map[string]string{"refresh_token": simulator.Omit}}))
		m := w.instance()
		for range 5 {
			mustToken(t, m, key("trackmania"), mint.Want{})
			time.Sleep(time.Hour)
		}
		if uses := w.uses("trackmania"); len(uses) != 1 || uses[0] != 5 {
			t.Errorf("refresh tokens were used %v times, want the one %d times (%d bytes)", uses, 5, len(seed))
		}
	})
}

func TestFault16_ARefreshTokenIsKeptWhateverElseIsWrong(t *testing.T) {
	for name, fault := range map[string]simulator.Fault{
		"no token": {Set: map[string]string{"access_token": simulator.Omit}}, "a split token": {Set: map[string]string{"access_token": `"a\r\nb"`}},
		"another type": {Set: map[string]string{"token_type": `"mac"`}}, "over": {Expiry: "0"}, "absurd": {Expiry: "-1"}, "an error": {Set: map[string]string{"access_token": `""`, "error": `"server_error"`}},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				w := newWorld(t, simulator.Options{})
				w.granted("trackmania", nil)
				m := w.instance()
				mustToken(t, m, key("trackmania"), mint.Want{})
				time.Sleep(2 * time.Hour)
				fault.Times = 1
				must(t, w.sim.SetFault("trackmania", fault))
				if _, err := m.Token(t.Context(), key("trackmania"), mint.Want{}); err == nil {
					t.Fatal("vended")
				}
				time.Sleep(time.Minute)
				mustToken(t, w.instance(), key("trackmania"), mint.Want{})
				if got := w.most("trackmania"); got != 1 {
					t.Errorf("a refresh token was used %d times", got)
				}
			})
		})
	}
}

func TestFault17_AGrantIsRenewedBeforeItsRefreshTokenIsOver(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t, simulator.Options{Lifetime: 20 * time.Hour, RefreshLifetime: 10 * time.Hour})
		w.put("monta", map[string]any{"grant": "refresh_token", "refresh_token": w.montaSeed()})
		m := w.instance()
		first := mustToken(t, m, key("monta"), mint.Want{})
		for range 40 {
			due := w.entry("monta").NextAt
			if due.IsZero() || due.After(w.entry("monta").RefreshUntil.Add(-time.Hour)) {
				t.Fatalf("due %v, and the refresh token is over at %v", due, w.entry("monta").RefreshUntil)
			}
			time.Sleep(time.Until(due))
			if became, err := m.Renew(t.Context(), key("monta")); became != rotate.Renewed { // though nobody asks
				t.Fatal(became, err)
			}
		}
		if got := mustToken(t, m, key("monta"), mint.Want{}); got.Token.Generation != first.Token.Generation+40 ||
			w.most("monta") != 1 {
			t.Errorf("%+v", got.Token)
		}
	})
}

// montaSeed is a refresh token as monta hands it out.
func (w *world) montaSeed() string {
	w.t.Helper()
	r := mustToken(w.t, w.instance(), key("monta"), mint.Want{})
	if r.Token.IsZero() {
		w.t.Fatal("no token")
	}
	return w.refreshIn("monta")
}

func TestFault17_AGrantThatEndsIsToldOfAWeekAhead(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t, simulator.Options{})
		seed := w.montaSeed()
		must(
			t,
			w.sim.SetFault(
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
			),
		)
		w.put("monta", map[string]any{"grant": "refresh_token", "refresh_token": seed})
		m := w.instance()
		began := time.Now()
		for time.Since(began) < 22*24*time.Hour {
			mustToken(t, m, key("monta"), mint.Want{})
			time.Sleep(50 * time.Minute)
		}
		if n := w.alarms("GrantsEnding"); n != 0 {
			t.Errorf("%d alarms more than a week ahead", n)
		}
		time.Sleep(2 * 24 * time.Hour)
		mustToken(t, m, key("monta"), mint.Want{})
		if n := w.alarms("GrantsEnding"); n != 1 {
			t.Errorf("%d alarms six days ahead, want one for each renewal", n)
		}
		time.Sleep(7 * 24 * time.Hour)
		if _, err := m.Token(t.Context(), key("monta"), mint.Want{}); codeOf(err) != api.ReauthorizationRequired {
			t.Errorf("after its end: %v", err)
		}
	})
}

func TestANewSecretBringsANewGrant(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t, simulator.Options{})
		w.granted("trackmania", nil)
		m := w.instance()
		mustToken(t, m, key("trackmania"), mint.Want{})
		_, err := w.sim.RevokeTokens("trackmania", true)
		must(t, err)
		time.Sleep(time.Hour)
		for range 3 {
			if _, err := m.Token(t.Context(), key("trackmania"), mint.Want{}); codeOf(
				err,
			) != api.ReauthorizationRequired {
				t.Fatalf("the grant is over: %v", err)
			}
			time.Sleep(time.Hour)
		}
		asked := w.asked("trackmania")
		if asked != 2 {
			t.Errorf("asked %d times, want 2", asked)
		}
		w.granted("trackmania", nil)
		_, _, err = m.Discover(t.Context())
		must(t, err)
		mustToken(t, m, key("trackmania"), mint.Want{})
	})
}
