package functions_test

import (
	"encoding/json"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/tokenvend/tokenvend/pkg/api"
	"github.com/tokenvend/tokenvend/pkg/mint"
	"github.com/tokenvend/tokenvend/pkg/provider/simulator"
)

const redirectURI = "http://127.0.0.1/connected"

// connect connects a user's account of a provider's credential.
func (h *installation) connect(name, who string) api.StatusReport {
	h.t.Helper()
	id, _ := h.sim.ClientFor(name)
	code, err := h.sim.IssueCode(name, id, who, "", redirectURI, "")
	if err != nil {
		h.t.Fatal(err)
	}
	h.addSecret("an authorization code", code)
	answer, refused := h.direct("admin",
		api.Request{Action: api.Connect, Credential: name, Account: who, Code: code, RedirectURI: redirectURI})
	if refused != nil {
		h.t.Fatal(refused)
	}
	return read[api.StatusReport](h.t, answer)
}

// earlyAccount is an account of trackmania whose first token is renewed after
// two fifths of its life: its jitter, a hash of the key, is the maximum.
const earlyAccount = "user-253"

// shortLife is about the shortest life of a token that has a time of renewal:
// as long as the time between two passes of rotate.
const shortLife = 62 * time.Second

// connectEarly connects earlyAccount, whose token lives for shortLife.
func (h *installation) connectEarly() api.StatusReport {
	h.t.Helper()
	s := h.connect("trackmania", earlyAccount)
	if due := s.NextAt.Sub(s.IssuedAt); due > shortLife*45/100 {
		h.t.Fatalf("connect(%s) = a token that is due after %v, want two fifths of %v", earlyAccount, due, shortLife)
	}
	return s
}

// killBeforeCommit has a process renew an account's token, and kills it between
// the provider's answer and the commit. It returns the time at which the lease
// was taken.
func (h *installation) killBeforeCommit(name, who string, due time.Time) time.Time {
	h.t.Helper()
	time.Sleep(time.Until(due))
	request, err := json.Marshal(api.Request{Credential: name, Account: who})
	if err != nil {
		h.t.Fatal(err)
	}
	committing, release := h.aws["vend"].store.Hold("UpdateItem", 1) // the lease passes
	go func() { _, _, _ = h.runtimes["vend"].Invoke(h.t.Context(), h.arn("vend", "admin"), request) }()
	<-committing
	leased := time.Now()
	h.processes[len(h.processes)-1].Kill()
	time.Sleep(200 * time.Millisecond) // until the proxy drops what it forwards for the dead client
	release()
	h.start("vend")
	return leased
}

func (h *installation) accountToken(name, who string) (api.Token, *api.Error) {
	h.t.Helper()
	answer, refused := h.direct("admin", api.Request{Credential: name, Account: who})
	if refused != nil {
		return api.Token{}, refused
	}
	return read[api.Token](h.t, answer), nil
}

func TestFault13_TheHolderIsKilledBetweenTheAnswerAndTheCommit(t *testing.T) {
	t.Parallel()
	anyAccount := map[string]any{"allow": map[string]any{"accounts": []string{"*"}}}
	for _, reuse := range []simulator.Reuse{simulator.Tolerated, simulator.Refused, simulator.RevokesFamily} {
		t.Run(string(reuse), func(t *testing.T) {
			t.Parallel()
			h := newInstallation(t, simulator.Options{Lifetime: shortLife,
				Reuse: map[string]simulator.Reuse{"trackmania": reuse}})
			secret := anyAccount
			if reuse == simulator.Tolerated {
				secret = map[string]any{"allow": anyAccount["allow"], "provider": nil, "descriptor": map[string]any{
					"token":     map[string]any{"url": h.sim.TokenURL("trackmania"), "auth": "post"},
					"authorize": map[string]any{"url": h.sim.AuthorizeURL("trackmania")},
					"refresh":   map[string]any{"rotates": "yes", "reuse": "tolerated"},
					"overlap":   map[string]any{"refresh_token": "revokes"},
				}}
			}
			h.put("trackmania", "trackmania", secret)
			h.start("vend")
			first := h.connectEarly()
			leased := h.killBeforeCommit("trackmania", earlyAccount, first.NextAt)

			if got, refused := h.accountToken("trackmania", earlyAccount); refused != nil ||
				got.Fingerprint != first.Fingerprint {
				t.Errorf("accountToken() during the lease = %s, %v, want %s", got.Fingerprint, refused,
					first.Fingerprint)
			}
			time.Sleep(time.Until(leased.Add(mint.LeaseTTL + time.Second)))
			got, refused := h.accountToken("trackmania", earlyAccount)
			if reuse == simulator.Tolerated {
				// A slow machine may need more than the two seconds that a
				// caller with a token waits.
				for refused == nil && got.Fingerprint == first.Fingerprint && time.Now().Before(first.ExpiresAt) {
					got, refused = h.accountToken("trackmania", earlyAccount)
				}
				if refused != nil || got.Fingerprint == first.Fingerprint {
					t.Errorf("accountToken() after the lease = %s, %v, want another: the refresh token works once more", got.Fingerprint, refused)
				}
				return
			}
			if refused != nil || got.Fingerprint != first.Fingerprint {
				t.Errorf("accountToken() after the lease = %s, %v, want %s", got.Fingerprint, refused,
					first.Fingerprint)
			}
			time.Sleep(time.Until(first.ExpiresAt.Add(mint.ExchangeTimeout)))
			for range 5 {
				_, refused := h.accountToken("trackmania", earlyAccount)
				if codeOf(refused) != api.ReauthorizationRequired {
					t.Errorf("accountToken() after its end = %v, want reauthorize", refused)
				}
			}
			h.checkLostGrant()
		})
	}
}

var recoveryBlob = regexp.MustCompile(`"recovery":"([A-Za-z0-9+/=]+)"`)

func TestFault12_WhatTheTableDoesNotTakeIsRecovered(t *testing.T) {
	t.Parallel()
	h := newInstallation(t, simulator.Options{Lifetime: shortLife})
	h.put("trackmania", "trackmania", map[string]any{"allow": map[string]any{"accounts": []string{"*"}}})
	p := h.start("vend")
	first := h.connectEarly()
	time.Sleep(time.Until(first.NextAt))
	restore := h.aws["vend"].store.Fail("UpdateItem", 1) // the lease passes, the commit does not
	defer restore()
	got, refused := h.accountToken("trackmania", earlyAccount)
	if refused != nil || got.Fingerprint != first.Fingerprint {
		t.Errorf("accountToken() while the table fails = %s, %v, want %s", got.Fingerprint, refused, first.Fingerprint)
	}
	var blob []string
	for end := time.Now().Add(mint.LeaseTTL + 5*time.Second); blob == nil &&
		time.Now().Before(end); time.Sleep(200 * time.Millisecond) {
		blob = recoveryBlob.FindStringSubmatch(p.Output())
	}
	if blob == nil || !strings.Contains(p.Output(), `"GrantsUnstored":1`) {
		t.Fatalf("the log = %s, want a recovery blob and the alarm", p.Output())
	}
	restore()
	for _, alias := range []string{"", "c-trackmania", "billing"} {
		if _, refused := h.direct(alias,
			api.Request{Action: api.Recover, Credential: "trackmania",
				Recovery: blob[1]}); codeOf(refused) != api.AccessDenied && codeOf(refused) != api.UnknownCredential {
			t.Errorf("direct(%q, recover) = %v, want it refused", alias, refused)
		}
	}
	if _, refused := h.direct("admin",
		api.Request{Action: api.Recover, Credential: "trackmania", Recovery: blob[1]}); refused != nil {
		t.Fatal(refused)
	}
	got, refused = h.accountToken("trackmania", earlyAccount)
	if refused != nil || got.Fingerprint == first.Fingerprint {
		t.Errorf("accountToken() after the recovery = %s, %v, want another", got.Fingerprint, refused)
	}
	for _, uses := range h.sim.Stats().Providers["trackmania"].RefreshUses {
		if uses != 1 {
			t.Errorf("a refresh token was sent %d times, want once", uses)
		}
	}
}

// checkLostGrant checks that the refresh token of a lost grant was sent once
// more and not early, that one alarm was raised, and that connecting again
// gives a new grant.
func (h *installation) checkLostGrant() {
	h.t.Helper()
	seen, most := h.sim.Stats().Providers["trackmania"], 0
	for _, uses := range seen.RefreshUses {
		most = max(most, uses)
	}
	if most != 2 || seen.Reused != 1 || seen.ReusedEarly != 0 {
		h.t.Errorf("a refresh token was sent %d times, %d times again, %d of them before its access token expired, want 2, 1, 0", most, seen.Reused, seen.ReusedEarly)
	}
	alarms := 0
	for _, p := range h.processes {
		alarms += strings.Count(p.Output(), `"CredentialsFailing":1`)
	}
	if alarms != 1 {
		h.t.Errorf("the log has %d alarms, want 1", alarms)
	}
	if s := h.connect("trackmania", earlyAccount); s.State != api.Fresh {
		h.t.Errorf("connect() = %+v, want fresh", s)
	}
}
