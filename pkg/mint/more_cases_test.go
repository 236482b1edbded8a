package mint_test

import (
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/tokenvend/tokenvend/internal/testworld"
	"github.com/tokenvend/tokenvend/pkg/api"
	"github.com/tokenvend/tokenvend/pkg/mint"
	"github.com/tokenvend/tokenvend/pkg/provider/simulator"
	"github.com/tokenvend/tokenvend/pkg/rotate"
)

// A scope that providers never echo, or echo by another name, raises no alarm;
// one that was not granted raises one, once.
func TestCaseC25_ScopesByAnotherNameRaiseNoAlarm(t *testing.T) {
	for name, c := range map[string]struct{ asked, granted, missing string }{
		"offline_access": {"offline_access read", `"read"`, ""},
		"Microsoft's short names": {
			"https://graph.microsoft.com/User.Read offline_access", `"User.Read profile openid email"`, "",
		},
		"Google's long names":      {"email profile", `"https://www.googleapis.com/auth/userinfo.email https://www.googleapis.com/auth/userinfo.profile openid"`, ""},
		"GitHub's commas, implied": {"repo user:email", `"repo,user"`, ""},
		"Shopify, implied":         {"read_products write_products", `"write_products"`, ""},
		"another vocabulary":       {"read", `"accounts:everything"`, ""},
		"one not granted":          {"cards payouts", `"cards"`, "payouts"},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				w := newWorld(t, simulator.Options{})
				w.Put("miden", "miden", map[string]any{"scope": c.asked})
				testworld.Must(
					t,
					w.Providers.SetFault("miden", simulator.Fault{Set: map[string]string{"scope": c.granted}}),
				)
				m := w.NewProcess()
				for range 4 {
					w.Token(m, testworld.Key("miden"))
					time.Sleep(2 * time.Hour)
				}
				want := 0
				if c.missing != "" {
					want = 1
				}
				if n := w.Alarms("ScopesWithheld"); n != want ||
					want == 1 && !strings.Contains(w.Log.String(), "withheld="+c.missing) {
					t.Errorf("%d alarms in four renewals, want %d", n, want)
				}
			})
		})
	}
}

// The provider gives no refresh token. Connecting says so at once, status
// shows a grant that ends with its token, and the error afterwards is true.
func TestCaseC28_NoRefreshTokenIsToldAtOnce(t *testing.T) {
	for name, value := range map[string]string{
		"OpenBao, none at all": simulator.Omit, "an empty text": `""`, "null": `null`,
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				w := newWorld(t, simulator.Options{})
				m := w.NewProcess()
				alice := testworld.Account("trackmania", "alice")
				testworld.Must(
					t,
					w.Providers.SetFault("trackmania", simulator.Fault{Set: map[string]string{"refresh_token": value}}),
				)
				testworld.Must(t, m.Connect(t.Context(), alice, w.Code("trackmania", "alice")))
				s, err := m.Status(t.Context(), alice)
				if err != nil || !strings.Contains(s.Warning, "offline_access") ||
					!s.Entry.RefreshUntil.Equal(s.Entry.ExpiresAt) ||
					!s.Entry.NextAt.IsZero() {
					t.Errorf(
						"Status() = warning %q, grant until %v, due %v, %v; want what to ask for, the token's end %v, and never",
						s.Warning,
						s.Entry.RefreshUntil,
						s.Entry.NextAt,
						err,
						s.Entry.ExpiresAt,
					)
				}
				if !strings.Contains(w.Log.String(), "gave no refresh token") {
					t.Errorf("log = %s, want that no refresh token came", w.Log.String())
				}
				time.Sleep(2 * time.Hour)
				_, err = w.NewProcess().Token(t.Context(), alice, mint.Want{})
				if !testworld.HasCode(err, api.ReauthorizationRequired) ||
					strings.Contains(err.Error(), "nobody has connected") ||
					!strings.Contains(err.Error(), "offline_access") {
					t.Errorf("Token() = %v, want that the grant ended with its token, and what to ask for", err)
				}
				testworld.Must(t, w.Providers.SetFault("trackmania", simulator.Fault{}))
				testworld.Must(t, m.Connect(t.Context(), alice, w.Code("trackmania", "alice")))
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
	id, secret := w.Providers.ClientFor("movemint")
	d := map[string]any{
		"token": map[string]any{"url": w.Providers.TokenURL("movemint"), "auth": "post"}, "refresh": map[string]any{},
		"authorize": map[string]any{"url": "/oauth/authorize"}, "verify": map[string]any{"url": "/oauth/token/info"},
	}
	if overlap != "" {
		d["overlap"] = map[string]any{"refresh_token": overlap}
	}
	w.PutSecret(name, map[string]any{"client_id": id, "client_secret": secret, "descriptor": d})
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
				m := w.NewProcess()
				alice := testworld.Account("learner", "alice")
				testworld.Must(t, m.Connect(t.Context(), alice, w.Code("movemint", "alice")))
				check := func() {
					if c.canary {
						_, _, err := m.Canary(t.Context(), 15*time.Minute)
						testworld.Must(t, err)
						return
					}
					_, err := m.Verify(t.Context(), alice)
					testworld.Must(t, err)
				}
				renew := func() {
					time.Sleep(time.Until(w.Entry(alice).NextAt))
					if became, err := m.Renew(t.Context(), alice); became != rotate.Renewed {
						t.Fatalf("Renew() = %s, %v, want it renewed", became, err)
					}
					time.Sleep(time.Second)
					check()
				}
				renew()
				if strings.Contains(w.Log.String(), "msg=overlap") {
					t.Fatal("the overlap after one refusal is learned, want it unknown")
				}
				renew()
				renew()
				renew()
				e := w.Entry(alice)
				if sooner := e.CacheUntil.Before(e.RenewAt); sooner != c.learned {
					t.Errorf("CacheUntil = %v before RenewAt, want sooner: %t", e.RenewAt.Sub(e.CacheUntil), c.learned)
				}
				want := map[bool]int{true: 1}[c.learned]
				if n := strings.Count(w.Log.String(), "msg=overlap"); n != want {
					t.Errorf("the overlap was logged %d times, want %d", n, want)
				}
				w.overlapping("learner", c.overlap) // the same secret, written anew
				if other := w.NewProcess(); c.learned {
					_, _, err := other.Discover(t.Context())
					testworld.Must(t, err)
					time.Sleep(time.Until(w.Entry(alice).NextAt))
					_, _ = other.Renew(t.Context(), alice)
					if e := w.Entry(alice); !e.CacheUntil.Before(e.RenewAt) {
						t.Error(
							"the overlap in another process, after a new version of the secret, is unknown, want it learned",
						)
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
		m := w.NewProcess()
		w.Token(m, testworld.Key("monta"))
		for range 4 {
			time.Sleep(time.Until(w.Entry(testworld.Key("monta")).NextAt))
			w.TokenThat(m, testworld.Key("monta"), mint.Want{Proactive: true})
			_, _, err := m.Canary(t.Context(), 15*time.Minute)
			testworld.Must(t, err)
		}
		if n := w.Providers.Stats().Providers["monta"].OtherRequests; n != 8 ||
			strings.Contains(w.Log.String(), "msg=overlap") {
			t.Errorf(
				"%d verifications, learned: %t; want 8 and false",
				n,
				strings.Contains(w.Log.String(), "msg=overlap"),
			)
		}
	})
}

// Reports by callers alone never teach it.
func TestCaseC29_ReportsTeachNothing(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t, simulator.Options{Reuse: map[string]simulator.Reuse{"movemint": simulator.Refused}})
		w.overlapping("learner", "")
		m := w.NewProcess()
		alice := testworld.Account("learner", "alice")
		testworld.Must(t, m.Connect(t.Context(), alice, w.Code("movemint", "alice")))
		for range 6 {
			got := w.Token(m, alice)
			time.Sleep(40 * time.Minute)
			_, err := w.Providers.RevokeTokens("movemint", false)
			testworld.Must(t, err)
			w.TokenThat(m, alice, mint.Want{Rejected: got.Token.Fingerprint})
		}
		if strings.Contains(w.Log.String(), "msg=overlap") {
			t.Error("the overlap after reports is learned, want it unknown")
		}
	})
}

// What the canary finds refused is replaced once, within the bounds of reports.
func TestCaseC38_CanaryReplacesWhatIsRefused(t *testing.T) {
	for _, name := range []string{"minut", "monta", "movemint"} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				w := newWorld(t, simulator.Options{})
				m := w.NewProcess()
				dead := w.Token(m, testworld.Key(name))
				look := func() {
					t.Helper()
					_, _, err := m.Canary(t.Context(), time.Second)
					testworld.Must(t, err)
				}
				_, err := w.Providers.RevokeTokens(name, false)
				testworld.Must(t, err)
				time.Sleep(10 * time.Second)
				look()
				if n := w.TokenRequests(name); n != 1 {
					t.Errorf("%d token requests for a token younger than 30 s, want 1", n)
				}
				time.Sleep(5 * time.Minute)
				look()
				got := w.Token(w.NewProcess(), testworld.Key(name))
				if got.Token.Fingerprint == dead.Token.Fingerprint ||
					!w.Providers.Accepts(name, got.Token.Access.Reveal()) ||
					w.TokenRequests(name) != 2 {
					t.Errorf(
						"Token() after the canary = the same token: %t, %d requests; want another one, 2",
						got.Token.Fingerprint == dead.Token.Fingerprint,
						w.TokenRequests(name),
					)
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
		m := w.NewProcess()
		testworld.Must(
			t,
			w.Providers.SetFault("trackmania", simulator.Fault{Status: 400, Body: `{"error":"upstream_gone"}`}),
		)
		for want := 1; want <= 6; want++ {
			if err := m.Replace(t.Context(), testworld.Key("trackmania")); !testworld.HasCode(
				err,
				api.ProviderRejected,
			) {
				t.Errorf("Replace() = %v, want the provider's refusal", err)
			}
			if n := w.TokenRequests("trackmania"); n != want {
				t.Errorf("%d requests, want %d", n, want)
			}
		}
		testworld.Must(t, w.Providers.SetFault("trackmania", simulator.Fault{}))
		if err := m.Replace(t.Context(), testworld.Key("trackmania")); err != nil {
			t.Errorf("Replace() = %v, want a token", err)
		}
		if err := m.Replace(t.Context(), testworld.Key("trackmania")); !testworld.HasCode(err, api.TooManyReports) {
			t.Errorf("Replace() on a young token = %v, want too_many_reports", err)
		}
		time.Sleep(time.Minute)
		before := w.Entry(testworld.Key("trackmania")).Fingerprint
		if err := m.Replace(t.Context(), testworld.Key("trackmania")); err != nil ||
			w.Entry(testworld.Key("trackmania")).Fingerprint == before {
			t.Errorf(
				"Replace() = %v, and another token: %t; want one",
				err,
				w.Entry(testworld.Key("trackmania")).Fingerprint != before,
			)
		}
	})
}

// A refusal in words, at renewal, is no lost answer: the refresh is tried again
// by back-off while the access token lives, whatever reuse would cost.
func TestCaseC23_RefusalAtRenewalIsTriedAgainBeforeTheEnd(t *testing.T) {
	for name, body := range map[string]string{
		"try later": `{"error":"internal_failure"}`, "unknown words": `{"error":"E_TENANT_PAUSED"}`,
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				w := newWorld(
					t,
					simulator.Options{Reuse: map[string]simulator.Reuse{"trackmania": simulator.RevokesFamily}},
				)
				w.granted("trackmania", nil)
				m := w.NewProcess()
				first := w.Token(m, testworld.Key("trackmania"))
				time.Sleep(time.Until(w.Entry(testworld.Key("trackmania")).NextAt))
				testworld.Must(
					t,
					w.Providers.SetFault("trackmania", simulator.Fault{Only: "refresh", Status: 400, Body: body}),
				)
				for began := time.Now(); w.Entry(testworld.Key("trackmania")).Generation == 1; time.Sleep(time.Second) {
					if time.Since(began) > 150*time.Second {
						testworld.Must(t, w.Providers.SetFault("trackmania", simulator.Fault{}))
					}
					if e := w.Entry(testworld.Key("trackmania")); !time.Now().Before(e.NextAt) {
						_, _ = m.Renew(t.Context(), testworld.Key("trackmania"))
					}
					if first.Token.Left(time.Now()) < time.Minute {
						t.Fatal("the access token ended, want it renewed before")
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
		"GitHub":  {Status: 200, Body: `{"error":"incorrect_client_credentials"}`},
		"Slack":   {Status: 200, Body: `{"ok":false,"error":"bad_client_secret"}`},
		"HubSpot": {Status: 400, Body: `{"status":"BAD_CLIENT_SECRET","message":"missing or invalid client secret"}`},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				w := newWorld(t, simulator.Options{})
				testworld.Must(t, w.Providers.SetFault("minut", fault))
				m := w.NewProcess()
				for range 3600 {
					w.Refused(m, testworld.Key("minut"), mint.Want{}, api.ProviderRejected)
					time.Sleep(time.Second)
				}
				if n := w.TokenRequests("minut"); n > 6 {
					t.Errorf("%d requests in the first hour, want 6 at most", n)
				}
			})
		})
	}
}
