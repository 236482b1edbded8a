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

const backTo = "http://127.0.0.1/connected"

// connect is what a person does who connects an account of a provider's credential.
func (h *house) connect(name, who string) api.StatusReport {
	h.t.Helper()
	id, _ := h.sim.ClientFor(name)
	code, err := h.sim.IssueCode(name, id, who, "", backTo, "")
	if err != nil {
		h.t.Fatal(err)
	}
	h.hush("an authorization code", code)
	answer, refused := h.direct("admin", api.Request{Action: api.Connect, Credential: name, Account: who, Code: code, RedirectURI: backTo})
	if refused != nil {
		h.t.Fatal(refused)
	}
	return read[api.StatusReport](h.t, answer)
}

// soon connects an account whose token is to be renewed within that time: which one is, a hash decides.
func (h *house) soon(name string, within time.Duration) (who string, s api.StatusReport) {
	h.t.Helper()
	for _, who := range strings.Fields("ann ben cal dan eve fay gus hal ivy jan kim lea max ned oda pam") {
		if s := h.connect(name, who); s.NextAt.Sub(s.IssuedAt) < within {
			return who, s
		}
	}
	h.t.Fatal("no account's token is renewed so soon")
	return "", s
}

// killed lets a process renew an account's token, and kills it between the provider's answer and the commit. It returns when the lease was taken.
func (h *house) killed(name, who string, due time.Time) time.Time {
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
	time.Sleep(200 * time.Millisecond) // the proxy has noticed: what is forwarded for a dead client goes nowhere
	release()
	h.start("vend")
	return leased
}

func (h *house) ofAccount(name, who string) (api.Token, *api.Error) {
	h.t.Helper()
	answer, refused := h.direct("admin", api.Request{Credential: name, Account: who})
	if refused != nil {
		return api.Token{}, refused
	}
	return read[api.Token](h.t, answer), nil
}

func TestFault13_TheHolderIsKilledBetweenTheAnswerAndTheCommit(t *testing.T) {
	people := map[string]any{"allow": map[string]any{"accounts": []string{"*"}}}
	for _, reuse := range []simulator.Reuse{simulator.Tolerated, simulator.Refused, simulator.RevokesFamily} {
		t.Run(string(reuse), func(t *testing.T) {
			t.Parallel()
			h := newHouse(t, simulator.Options{Lifetime: 70 * time.Second, Reuse: map[string]simulator.Reuse{"trackmania": reuse}})
			secret := people
			if reuse == simulator.Tolerated {
				secret = map[string]any{"allow": people["allow"], "provider": nil, "descriptor": map[string]any{
					"token": map[string]any{"url": h.sim.TokenURL("trackmania"), "auth": "post"}, "authorize": map[string]any{"url": h.sim.AuthorizeURL("trackmania")},
					"refresh": map[string]any{"rotates": "yes", "reuse": "tolerated"}, "overlap": map[string]any{"refresh_token": "revokes"},
				}}
			}
			h.put("trackmania", "trackmania", secret)
			h.start("vend")
			who, first := h.soon("trackmania", 42*time.Second)
			leased := h.killed("trackmania", who, first.NextAt)

			if got, refused := h.ofAccount("trackmania", who); refused != nil || got.Fingerprint != first.Fingerprint {
				t.Errorf("while the lease lives: %+v, %v; want the token that still lives", got.Fingerprint, refused)
			}
			time.Sleep(time.Until(leased.Add(mint.LeaseTTL + time.Second)))
			got, refused := h.ofAccount("trackmania", who)
			if reuse == simulator.Tolerated {
				for refused == nil && got.Fingerprint == first.Fingerprint && time.Now().Before(first.ExpiresAt) { // a machine may be too slow for the two seconds that a caller waits who has a token
					got, refused = h.ofAccount("trackmania", who)
				}
				if refused != nil || got.Fingerprint == first.Fingerprint {
					t.Errorf("after the lease: %s, %v; want another token, for the refresh token works once more", got.Fingerprint, refused)
				}
				return
			}
			if refused != nil || got.Fingerprint != first.Fingerprint {
				t.Errorf("after the lease: %s, %v; want the token that still lives", got.Fingerprint, refused)
			}
			time.Sleep(time.Until(first.ExpiresAt.Add(mint.ExchangeTimeout)))
			for range 5 {
				if _, refused := h.ofAccount("trackmania", who); codeOf(refused) != api.ReauthorizationRequired {
					t.Errorf("once it is over: %v", refused)
				}
			}
			h.lostOnce(who)
		})
	}
}

var recoveryBlob = regexp.MustCompile(`"recovery":"([A-Za-z0-9+/=]+)"`)

func TestFault12_WhatTheTableDoesNotTakeIsRecovered(t *testing.T) {
	t.Parallel()
	h := newHouse(t, simulator.Options{Lifetime: time.Minute})
	h.put("trackmania", "trackmania", map[string]any{"allow": map[string]any{"accounts": []string{"*"}}})
	p := h.start("vend")
	who, first := h.soon("trackmania", 38*time.Second)
	time.Sleep(time.Until(first.NextAt))
	restore := h.aws["vend"].store.Fail("UpdateItem", 1) // the lease passes, the commit does not
	defer restore()
	if got, refused := h.ofAccount("trackmania", who); refused != nil || got.Fingerprint != first.Fingerprint {
		t.Errorf("while the table takes nothing: %s, %v; want the token that still lives", got.Fingerprint, refused)
	}
	var blob []string
	for end := time.Now().Add(mint.LeaseTTL + 5*time.Second); blob == nil && time.Now().Before(end); time.Sleep(200 * time.Millisecond) {
		blob = recoveryBlob.FindStringSubmatch(p.Output())
	}
	if blob == nil || !strings.Contains(p.Output(), `"GrantsUnstored":1`) {
		t.Fatalf("no recovery blob in the log, or no alarm:\n%s", p.Output())
	}
	restore()
	for _, alias := range []string{"", "c-trackmania", "billing"} {
		if _, refused := h.direct(alias, api.Request{Action: api.Recover, Credential: "trackmania", Recovery: blob[1]}); codeOf(refused) != api.AccessDenied && codeOf(refused) != api.UnknownCredential {
			t.Errorf("as %q: %v", alias, refused)
		}
	}
	if _, refused := h.direct("admin", api.Request{Action: api.Recover, Credential: "trackmania", Recovery: blob[1]}); refused != nil {
		t.Fatal(refused)
	}
	got, refused := h.ofAccount("trackmania", who)
	if refused != nil || got.Fingerprint == first.Fingerprint {
		t.Errorf("recovered: %s, %v; want another token", got.Fingerprint, refused)
	}
	for _, uses := range h.sim.Stats().Providers["trackmania"].RefreshUses {
		if uses != 1 {
			t.Errorf("a refresh token was sent %d times", uses)
		}
	}
}

// lostOnce holds what must be true of a grant that was lost: sent once more and no more, not early, told once; and connecting again mends it.
func (h *house) lostOnce(who string) {
	h.t.Helper()
	seen, most := h.sim.Stats().Providers["trackmania"], 0
	for _, uses := range seen.RefreshUses {
		most = max(most, uses)
	}
	if most != 2 || seen.Reused != 1 || seen.ReusedEarly != 0 {
		h.t.Errorf("a refresh token was sent %d times, %d times again, %d of them while its access token lived; want 2, 1, 0", most, seen.Reused, seen.ReusedEarly)
	}
	alarms := 0
	for _, p := range h.processes {
		alarms += strings.Count(p.Output(), `"CredentialsFailing":1`)
	}
	if alarms != 1 {
		h.t.Errorf("%d alarms, want one", alarms)
	}
	if s := h.connect("trackmania", who); s.State != api.Fresh {
		h.t.Errorf("connected again: %+v", s)
	}
}
