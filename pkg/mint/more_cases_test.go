package mint_test

import (
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/tokenvend/tokenvend/pkg/api"
	"github.com/tokenvend/tokenvend/pkg/mint"
	"github.com/tokenvend/tokenvend/pkg/provider/simulator"
	"github.com/tokenvend/tokenvend/pkg/rotate"
)

// A scope that providers never echo, or echo by another name, raises no alarm;
// one that was not granted raises one, once.
func TestCaseC25_ScopesByAnotherNameRaiseNoAlarm(t *testing.T) {
	for name, c := range map[string]struct{ asked, granted, withheld string }{
		"offline_access":           {"offline_access read", `"read"`, ""},
		"Microsoft's short names":  {"https://graph.microsoft.com/User.Read offline_access", `"User.Read profile openid email"`, ""},
		"Google's long names":      {"email profile", `"https://www.googleapis.com/auth/userinfo.email https://www.googleapis.com/auth/userinfo.profile openid"`, ""},
		"GitHub's commas, implied": {"repo user:email", `"repo,user"`, ""},
		"Shopify, implied":         {"read_products write_products", `"write_products"`, ""},
		"another vocabulary":       {"read", `"accounts:everything"`, ""},
		"one not granted":          {"cards payouts", `"cards"`, "payouts"},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				w := newWorld(t, simulator.Options{})
				w.put("miden", map[string]any{"scope": c.asked})
				must(t, w.sim.SetFault("miden", simulator.Fault{Set: map[string]string{"scope": c.granted}}))
				m := w.instance()
				for range 4 {
					mustToken(t, m, key("miden"), mint.Want{})
					time.Sleep(2 * time.Hour)
				}
				want := 0
				if c.withheld != "" {
					want = 1
				}
				if n := w.alarms("ScopesWithheld"); n != want || want == 1 && !strings.Contains(w.logged(), "withheld="+c.withheld) {
					t.Errorf("%d alarms in four renewals, want %d", n, want)
				}
			})
		})
	}
}

// The provider gives no refresh token. Connecting says so at once, status
// shows a grant that ends with its token, and the error afterwards is true.
func TestCaseC28_NoRefreshTokenIsToldAtOnce(t *testing.T) {
	for name, value := range map[string]string{"OpenBao, none at all": simulator.Omit, "an empty text": `""`, "null": `null`} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				w := newWorld(t, simulator.Options{})
				m := w.instance()
				alice := account("trackmania", "alice")
				must(t, w.sim.SetFault("trackmania", simulator.Fault{Set: map[string]string{"refresh_token": value}}))
				must(t, m.Connect(t.Context(), alice, w.code("trackmania", "alice")))
				s, err := m.Status(t.Context(), alice)
				if err != nil || !strings.Contains(s.Warning, "offline_access") || !s.Entry.RefreshUntil.Equal(s.Entry.ExpiresAt) || !s.Entry.NextAt.IsZero() {
					t.Errorf("Status() = warning %q, grant until %v, due %v, %v; want what to ask for, the token's end %v, and never", s.Warning, s.Entry.RefreshUntil, s.Entry.NextAt, err, s.Entry.ExpiresAt)
				}
				if !strings.Contains(w.logged(), "gave no refresh token") {
					t.Error("the journal does not say that no refresh token came")
				}
				time.Sleep(2 * time.Hour)
				_, err = w.instance().Token(t.Context(), alice, mint.Want{})
				if codeOf(err) != api.ReauthorizationRequired || strings.Contains(err.Error(), "nobody has connected") || !strings.Contains(err.Error(), "offline_access") {
					t.Errorf("Token() = %v, want that the grant ended with its token, and what to ask for", err)
				}
				must(t, w.sim.SetFault("trackmania", simulator.Fault{}))
				must(t, m.Connect(t.Context(), alice, w.code("trackmania", "alice")))
				if s, err := m.Status(t.Context(), alice); err != nil || s.Warning != "" {
					t.Errorf("Status() with a refresh token = warning %q, %v; want none", s.Warning, err)
				}
			})
		})
	}
}

// overlapping is a credential at movemint, whose descriptor does not say that a
// new token ends the one before.
func (w *world) overlapping(name, overlap string) {
	id, secret := w.sim.ClientFor("movemint")
	d := map[string]any{
		"token": map[string]any{"url": w.sim.TokenURL("movemint"), "auth": "post"}, "refresh": map[string]any{},
		"authorize": map[string]any{"url": "/oauth/authorize"}, "verify": map[string]any{"url": "/oauth/token/info"},
	}
	if overlap != "" {
		d["overlap"] = map[string]any{"refresh_token": overlap}
	}
	w.write(name, map[string]any{"client_id": id, "client_secret": secret, "descriptor": d})
}

// Two replaced tokens in a row that the provider refuses, though their
// successors work, teach that a new token ends the one before. From then on
// callers let go of a token sooner.
func TestCaseC29_OverlapIsLearnedFromTheProvider(t *testing.T) {
	for name, c := range map[string]struct {
		reuse   simulator.Reuse // refused: the old token ends with its refresh token
		overlap string
		canary  bool
		learned bool
	}{
		"by the canary":              {reuse: simulator.Refused, canary: true, learned: true},
		"by verify":                  {reuse: simulator.Refused, learned: true},
		"not against the descriptor": {reuse: simulator.Refused, canary: true, overlap: "keeps"},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				w := newWorld(t, simulator.Options{Reuse: map[string]simulator.Reuse{"movemint": c.reuse}})
				w.overlapping("learner", c.overlap)
				m := w.instance()
				alice := account("learner", "alice")
				must(t, m.Connect(t.Context(), alice, w.code("movemint", "alice")))
				check := func() {
					if c.canary {
						_, _, err := m.Canary(t.Context(), 15*time.Minute)
						must(t, err)
						return
					}
					_, err := m.Verify(t.Context(), alice)
					must(t, err)
				}
				renew := func() {
					time.Sleep(time.Until(w.entryOf(alice).NextAt))
					if became, err := m.Renew(t.Context(), alice); became != rotate.Renewed {
						t.Fatalf("Renew() = %s, %v", became, err)
					}
					time.Sleep(time.Second)
					check()
				}
				renew()
				if strings.Contains(w.logged(), "msg=overlap") {
					t.Fatal("learned from one refusal")
				}
				renew()
				renew()
				renew()
				e := w.entryOf(alice)
				if sooner := e.CacheUntil.Before(e.RenewAt); sooner != c.learned {
					t.Errorf("CacheUntil = %v before RenewAt, want sooner: %t", e.RenewAt.Sub(e.CacheUntil), c.learned)
				}
				want := map[bool]int{true: 1}[c.learned]
				if n := strings.Count(w.logged(), "msg=overlap"); n != want {
					t.Errorf("told %d times, want %d", n, want)
				}
				w.overlapping("learner", c.overlap) // the same secret, written anew
				if other := w.instance(); c.learned {
					_, _, err := other.Discover(t.Context())
					must(t, err)
					time.Sleep(time.Until(w.entryOf(alice).NextAt))
					_, _ = other.Renew(t.Context(), alice)
					if e := w.entryOf(alice); !e.CacheUntil.Before(e.RenewAt) {
						t.Error("another process, after a new version of the secret, has forgotten what was learned")
					}
				}
			})
		})
	}
}

// A provider whose tokens overlap teaches nothing.
func TestCaseC29_TokensThatOverlapTeachNothing(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t, simulator.Options{})
		m := w.instance()
		mustToken(t, m, key("monta"), mint.Want{})
		for range 4 {
			time.Sleep(time.Until(w.entry("monta").NextAt))
			mustToken(t, m, key("monta"), mint.Want{Proactive: true})
			_, _, err := m.Canary(t.Context(), 15*time.Minute)
			must(t, err)
		}
		if n := w.sim.Stats().Providers["monta"].OtherRequests; n != 8 || strings.Contains(w.logged(), "msg=overlap") {
			t.Errorf("%d verifications, learned: %t; want 8 and false", n, strings.Contains(w.logged(), "msg=overlap"))
		}
	})
}

// Reports by callers alone never teach it.
func TestCaseC29_ReportsTeachNothing(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t, simulator.Options{Reuse: map[string]simulator.Reuse{"movemint": simulator.Refused}})
		w.overlapping("learner", "")
		m := w.instance()
		alice := account("learner", "alice")
		must(t, m.Connect(t.Context(), alice, w.code("movemint", "alice")))
		for range 6 {
			got := mustToken(t, m, alice, mint.Want{})
			time.Sleep(40 * time.Minute)
			_, err := w.sim.RevokeTokens("movemint", false)
			must(t, err)
			mustToken(t, m, alice, mint.Want{Rejected: got.Token.Fingerprint})
		}
		if strings.Contains(w.logged(), "msg=overlap") {
			t.Error("learned from reports")
		}
	})
}

// What the canary finds refused is replaced once, within the bounds of reports.
func TestCaseC38_CanaryReplacesWhatIsRefused(t *testing.T) {
	for _, name := range []string{"minut", "monta", "movemint"} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				w := newWorld(t, simulator.Options{})
				m := w.instance()
				dead := mustToken(t, m, key(name), mint.Want{})
				look := func() {
					t.Helper()
					_, _, err := m.Canary(t.Context(), time.Second)
					must(t, err)
				}
				_, err := w.sim.RevokeTokens(name, false)
				must(t, err)
				time.Sleep(10 * time.Second)
				look()
				if n := w.asked(name); n != 1 {
					t.Errorf("%d token requests for a token younger than 30 s, want 1", n)
				}
				time.Sleep(5 * time.Minute)
				look()
				got := mustToken(t, w.instance(), key(name), mint.Want{})
				if got.Token.Fingerprint == dead.Token.Fingerprint || !w.sim.Accepts(name, got.Token.Access.Reveal()) || w.asked(name) != 2 {
					t.Errorf("Token() after the canary = the same token: %t, %d requests; want another one, 2", got.Token.Fingerprint == dead.Token.Fingerprint, w.asked(name))
				}
			})
		})
	}
}

// An operator insists: an attempt is made though a back-off forbids it, once,
// and only for a token of 30 seconds or more.
func TestInsistWaitsForNoBackoff(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t, simulator.Options{})
		w.granted("trackmania", nil)
		m := w.instance()
		must(t, w.sim.SetFault("trackmania", simulator.Fault{Status: 400, Body: `{"error":"upstream_gone"}`}))
		for want := 1; want <= 6; want++ {
			if err := m.Replace(t.Context(), key("trackmania")); codeOf(err) != api.ProviderRejected {
				t.Errorf("Insist() = %v, want the provider's refusal", err)
			}
			if n := w.asked("trackmania"); n != want {
				t.Errorf("%d requests, want %d", n, want)
			}
		}
		must(t, w.sim.SetFault("trackmania", simulator.Fault{}))
		if err := m.Replace(t.Context(), key("trackmania")); err != nil {
			t.Errorf("Insist() = %v, want a token", err)
		}
		if err := m.Replace(t.Context(), key("trackmania")); codeOf(err) != api.TooManyReports {
			t.Errorf("Insist() on a young token = %v, want too_many_reports", err)
		}
		time.Sleep(time.Minute)
		before := w.entry("trackmania").Fingerprint
		if err := m.Replace(t.Context(), key("trackmania")); err != nil || w.entry("trackmania").Fingerprint == before {
			t.Errorf("Insist() = %v, and another token: %t; want one", err, w.entry("trackmania").Fingerprint != before)
		}
	})
}

// A refusal in words, at renewal, is no lost answer: the refresh is tried again
// by back-off while the access token lives, whatever reuse would cost.
func TestCaseC23_RefusalAtRenewalIsTriedAgainBeforeTheEnd(t *testing.T) {
	for name, body := range map[string]string{"try later": `{"error":"internal_failure"}`, "unknown words": `{"error":"E_TENANT_PAUSED"}`} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				w := newWorld(t, simulator.Options{Reuse: map[string]simulator.Reuse{"trackmania": simulator.RevokesFamily}})
				w.granted("trackmania", nil)
				m := w.instance()
				first := mustToken(t, m, key("trackmania"), mint.Want{})
				time.Sleep(time.Until(w.entry("trackmania").NextAt))
				must(t, w.sim.SetFault("trackmania", simulator.Fault{Only: "refresh", Status: 400, Body: body}))
				for began := time.Now(); w.entry("trackmania").Generation == 1; time.Sleep(time.Second) {
					if time.Since(began) > 150*time.Second {
						must(t, w.sim.SetFault("trackmania", simulator.Fault{}))
					}
					if e := w.entry("trackmania"); !time.Now().Before(e.NextAt) {
						_, _ = m.Renew(t.Context(), key("trackmania"))
					}
					if first.Token.Left(time.Now()) < time.Minute {
						t.Fatal("not renewed before the end of the access token")
					}
				}
			})
		})
	}
}

// A dead secret is asked about at most six times in the first hour, however
// the vendor spells that it does not know the client.
func TestCaseC09_DeadSecretIsAskedSixTimesHoweverItIsSpelled(t *testing.T) {
	for name, fault := range map[string]simulator.Fault{
		"GitHub": {Status: 200, Body: `{"error":"incorrect_client_credentials"}`}, "Slack": {Status: 200, Body: `{"ok":false,"error":"bad_client_secret"}`},
		"HubSpot": {Status: 400, Body: `{"status":"BAD_CLIENT_SECRET","message":"missing or invalid client secret"}`},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				w := newWorld(t, simulator.Options{})
				must(t, w.sim.SetFault("minut", fault))
				m := w.instance()
				for range 3600 {
					if _, err := m.Token(t.Context(), key("minut"), mint.Want{}); codeOf(err) != api.ProviderRejected {
						t.Fatalf("Token() = %v, want rejected", err)
					}
					time.Sleep(time.Second)
				}
				if n := w.asked("minut"); n > 6 {
					t.Errorf("%d requests in the first hour, want 6 at most", n)
				}
			})
		})
	}
}
