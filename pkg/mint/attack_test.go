package mint_test

import (
	"context"
	"encoding/json"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/tokenvend/tokenvend/internal/testworld"
	"github.com/tokenvend/tokenvend/pkg/api"
	"github.com/tokenvend/tokenvend/pkg/attempt"
	"github.com/tokenvend/tokenvend/pkg/credential"
	"github.com/tokenvend/tokenvend/pkg/mint"
	"github.com/tokenvend/tokenvend/pkg/provider/simulator"
	"github.com/tokenvend/tokenvend/pkg/redact"
	"github.com/tokenvend/tokenvend/pkg/row"
	"github.com/tokenvend/tokenvend/pkg/store"
	"github.com/tokenvend/tokenvend/pkg/token"
)

// Whoever may write a new version of a secret names a host of his own, and gets
// nothing of the versions before.
func TestAttack01_NewVersionDoesNotGetTheClientOfTheOld(t *testing.T) {
	for name, evil := range map[string]map[string]any{
		"token URL": at("evil.test", "evil-secret", nil),
		"refresh URL": at("good.test", "wrong-secret", map[string]any{
			"refresh": map[string]any{"url": "https://evil.test/token"},
		}),
		"assertion audience": at("evil.test", "evil-secret", map[string]any{
			"token": map[string]any{"url": "https://evil.test/token", "assertion_audience": "https://good.test/token"},
		}),
		"verify URL": at("good.test", "wrong-secret", map[string]any{
			"verify": map[string]any{"url": "https://evil.test/me", "minted": true},
		}),
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				a := newAttacked(t)
				a.secrets.put("x", at("good.test", "good-secret", nil))
				warm := a.instance()
				a.Token(warm, testworld.Key("x"))
				a.secrets.put("x", evil)
				pending, _ := json.Marshal(at("good.test", "good-secret", nil))
				a.secrets.putRaw("x", credential.Pending, pending)
				for _, m := range []*testworld.Process{warm, a.instance()} {
					_, _, err := m.Discover(t.Context())
					testworld.Must(t, err)
					for range 3 {
						time.Sleep(2 * time.Hour)
						_, _ = m.Token(t.Context(), testworld.Key("x"), mint.Want{})
						_, _ = m.Verify(t.Context(), testworld.Key("x"))
					}
				}
				a.gotNothing("evil.test")
			})
		})
	}
}

// Only the rotation of a secret itself makes another version stand in.
func TestAttack01_OtherVersionStandsInAtItsOwnEndpointAlone(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		a := newAttacked(t)
		for _, v := range []struct{ secret, mark string }{{"good-secret", "old"}, {"not-yet-known", "new"}} {
			request := map[string]any{"url": "https://good.test/token", "params": map[string]string{"tenant": v.mark}}
			a.secrets.put("x", with(at("good.test", v.secret, map[string]any{"token": request}), "scope", v.mark))
		}
		a.Token(a.instance(), testworld.Key("x"))
		for line := range strings.Lines(a.sent("good.test")) {
			if strings.Contains(line, "good-secret") &&
				!(strings.Contains(line, "scope:[old]") && strings.Contains(line, "tenant:[old]")) {
				t.Errorf(
					"good.test was sent\n%s\nwant the previous version's secret with its own scope and parameters",
					line,
				)
			}
		}
	})
}

// connected gives an account of x a grant at good.test, by a secret with fields
// laid over its descriptor.
func (a *attacked) connected(m *testworld.Process, over map[string]any) token.Key {
	a.T.Helper()
	all := map[string]any{"authorize": map[string]any{"url": "https://good.test/authorize"}}
	for name, value := range over {
		all[name] = value
	}
	a.secrets.put("x", with(at("good.test", "good-secret", all), "allow", map[string]any{"accounts": []string{"*"}}))
	k := testworld.Account("x", "ann")
	testworld.Must(
		a.T,
		m.Connect(a.T.Context(), k, attempt.Code{Code: redact.New("good-code"), RedirectURI: testworld.RedirectURI}),
	)
	return k
}

// change lays fields over the descriptor of a connected account's secret.
func (a *attacked) change(over map[string]any) {
	all := map[string]any{"authorize": map[string]any{"url": "https://good.test/authorize"}}
	for name, value := range over {
		all[name] = value
	}
	a.secrets.put("x", with(at("good.test", "good-secret", all), "allow", map[string]any{"accounts": []string{"*"}}))
}

// A new destination beside an unchanged token URL and client gets neither the
// token nor the refresh token, until an operator accepts it.
func TestAttack02_GrantGoesToNoOtherDestination(t *testing.T) {
	for name, over := range map[string]map[string]any{
		"verify.url":    {"verify": map[string]any{"url": "https://evil.test/me"}},
		"revoke.url":    {"revoke": map[string]any{"url": "https://evil.test/revoke"}},
		"refresh.url":   {"refresh": map[string]any{"url": "https://evil.test/token"}},
		"authorize.url": {"authorize": map[string]any{"url": "https://evil.test/authorize"}},
		"refresh.auth":  {"refresh": map[string]any{"auth": "post"}},
		"response.access_token": {"response": map[string]any{
			"access_token": "/refresh_token", "refresh_token": "/nothing",
		}},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				a := newAttacked(t)
				warm := a.instance()
				k := a.connected(warm, nil)
				a.change(over)
				for _, m := range []*testworld.Process{warm, a.instance()} {
					_, _, err := m.Discover(t.Context())
					testworld.Must(t, err)
					for range 3 {
						time.Sleep(2 * time.Hour)
						a.Refused(m, k, mint.Want{}, api.ReauthorizationRequired)
						_, _ = m.Verify(t.Context(), k)
						_, _ = m.Renew(t.Context(), k)
					}
				}
				a.gotNothing("evil.test")
				s, err := warm.Status(t.Context(), k)
				if err != nil || s.State != api.DestinationChanged || len(s.Changes) == 0 {
					t.Fatalf(
						"Status() = %s with %d changes, %v, want %s",
						s.State,
						len(s.Changes),
						err,
						api.DestinationChanged,
					)
				}
				if !strings.Contains(s.Changes[len(s.Changes)-1].Name, "descriptor.") {
					t.Errorf("Changes = %+v, want the part of the descriptor", s.Changes)
				}
				if err := warm.Accept(t.Context(), "x", strings.Repeat("0", 32)); !testworld.HasCode(
					err,
					api.InvalidRequest,
				) {
					t.Errorf("Accept() of another destination = %v, want %s", err, api.InvalidRequest)
				}
			})
		})
	}
}

func TestAttack02_AcceptedGrantGoesOn(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		a := newAttacked(t)
		m := a.instance()
		k := a.connected(m, nil)
		first := a.Token(m, k).Token
		a.change(map[string]any{"verify": map[string]any{"url": "https://good.test/me"}})
		_, _, err := m.Discover(t.Context())
		testworld.Must(t, err)
		s, err := m.Status(t.Context(), k)
		testworld.Must(t, err)
		testworld.Must(t, m.Accept(t.Context(), "x", s.Destination))
		got := a.Token(a.instance(), k).Token
		if got.Fingerprint == first.Fingerprint ||
			!strings.Contains(a.sent("good.test"), "refresh_token:[good-refresh-1]") {
			t.Errorf("Token() after Accept() = generation %d, want a new one by the refresh token", got.Generation)
		}
		if s, err := m.Status(t.Context(), k); err != nil || s.State != api.Fresh {
			t.Errorf("Status() = %s, %v, want %s", s.State, err, api.Fresh)
		}
	})
}

func TestAttack02_ConnectGoesOnWithoutAccept(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		a := newAttacked(t)
		m := a.instance()
		k := a.connected(m, nil)
		a.change(map[string]any{"verify": map[string]any{"url": "https://good.test/me"}})
		_, _, err := m.Discover(t.Context())
		testworld.Must(t, err)
		testworld.Must(
			t,
			m.Connect(t.Context(), k, attempt.Code{Code: redact.New("good-code"), RedirectURI: testworld.RedirectURI}),
		)
		a.Token(a.instance(), k)
	})
}

// A code goes to the provider that the person was sent to.
func TestAttack02_CodeGoesToNoOtherDestination(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		a := newAttacked(t)
		m := a.instance()
		a.change(nil)
		k := testworld.Account("x", "ann")
		at, err := m.Authorization(t.Context(), k, testworld.RedirectURI)
		testworld.Must(t, err)
		a.change(map[string]any{"token": map[string]any{"url": "https://evil.test/token"}})
		_, _, err = m.Discover(t.Context())
		testworld.Must(t, err)
		err = m.Connect(
			t.Context(),
			k,
			attempt.Code{
				Code:        redact.New("good-code"),
				RedirectURI: testworld.RedirectURI,
				Destination: at.Destination,
			},
		)
		if !testworld.HasCode(err, api.InvalidRequest) {
			t.Errorf("Connect() = %v, want %s", err, api.InvalidRequest)
		}
		a.gotNothing("evil.test")
	})
}

// A credential that needs no grant obtains a token at the new destination at
// once.
func TestAttack02_ClientCredentialsGoOnAtTheNewDestination(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		a := newAttacked(t)
		m := a.instance()
		a.secrets.put("x", at("good.test", "good-secret", nil))
		a.Token(m, testworld.Key("x"))
		a.answers["other.test"] = func(*http.Request, url.Values) (int, string) {
			return http.StatusOK, `{"access_token":"other-access","expires_in":3600}`
		}
		a.secrets.put("x", at("other.test", "other-secret", nil))
		_, _, err := m.Discover(t.Context())
		testworld.Must(t, err)
		if got := a.Token(m, testworld.Key("x")).Token; got.Access.Reveal() != "other-access" {
			t.Errorf("Token() = generation %d of another destination, want the new one's", got.Generation)
		}
		a.gotNothing("other.test")
	})
}

// Whoever may write the table and seal writes terms of his own. The secret is
// used at the URLs that it names itself.
func TestAttack03_ForgedTermsGetNoSecret(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		a := newAttacked(t)
		a.secrets.put("x", at("good.test", "good-secret", nil))
		a.Token(a.instance(), testworld.Key("x"))
		own := a.own("x")
		plain, err := a.Sealer.Open(t.Context(), "x", own.Sealed, row.AdditionalData(own))
		testworld.Must(t, err)
		forged := own
		forged.Sealed, err = a.Sealer.Seal(
			t.Context(),
			"x",
			[]byte(strings.ReplaceAll(string(plain), "good.test", "evil.test")),
			row.AdditionalData(own),
		)
		testworld.Must(t, err)
		_, err = a.Store.Replace(t.Context(), own, forged)
		testworld.Must(t, err)
		m := a.instance()
		for range 3 {
			_, _ = m.Token(t.Context(), testworld.Key("x"), mint.Want{})
			time.Sleep(time.Hour)
		}
		a.gotNothing("evil.test")
		if a.Alarms("IntegrityFailures") == 0 {
			t.Error("0 alarms IntegrityFailures, want one: the record names other endpoints than its secret")
		}
		if got := a.Token(m, testworld.Key("x")).Token; got.Access.IsZero() {
			t.Error("Token() = no token, want one")
		}
	})
}

// A recovery blob out of the log is worth nothing after a revocation, nor after
// a new connect.
func TestAttack04_RecoveryBlobRevivesNothing(t *testing.T) {
	for name, end := range map[string]func(*world, *testworld.Process, token.Key){
		"revoked": func(w *world, m *testworld.Process, k token.Key) {
			_, _, err := m.Revoke(w.T.Context(), k)
			testworld.Must(w.T, err)
		},
		"connected": func(w *world, m *testworld.Process, k token.Key) {
			testworld.Must(w.T, m.Connect(w.T.Context(), k, w.Code("trackmania", "alice")))
		},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				w := newWorld(t, simulator.Options{})
				m := w.NewProcess()
				k := testworld.Account("trackmania", "alice")
				testworld.Must(t, m.Connect(t.Context(), k, w.Code("trackmania", "alice")))
				time.Sleep(time.Hour)
				full := &fullStore{Store: w.Store}
				_, _ = w.NewProcess(testworld.WithStore(full)).
					Token(deadline(t, testworld.CallerTimeout), k, mint.Want{})
				blob := recoveryIn(w.Log.String())
				if blob == "" {
					t.Fatalf("log = %s, want a recovery blob in it", w.Log.String())
				}
				time.Sleep(mint.LeaseTTL)
				end(w, m, k)
				before := w.Entry(k)
				if _, err := m.Recover(t.Context(), "trackmania", blob); !testworld.HasCode(err, api.InvalidRequest) {
					t.Errorf("Recover() = %v, want %s", err, api.InvalidRequest)
				}
				if after := w.Entry(k); string(after.Sealed) != string(before.Sealed) {
					t.Errorf("Entry(%s) after Recover() is another, want it unchanged", k)
				}
			})
		})
	}
}

// fullStore takes no commit.
type fullStore struct{ store.Store }

func (fullStore) Commit(context.Context, store.Lease, store.Entry) error { return errDead }

func deadline(t testing.TB, d time.Duration) context.Context {
	ctx, cancel := context.WithTimeout(t.Context(), d)
	t.Cleanup(cancel)
	return ctx
}

// recoveryIn is the last recovery blob of a log.
func recoveryIn(log string) string {
	_, after, found := strings.Cut(log[max(0, strings.LastIndex(log, "recovery=")):], "recovery=")
	if !found {
		return ""
	}
	blob, _, _ := strings.Cut(after, " ")
	return strings.Trim(blob, `"`)
}

// An older row that is put back is refused and reported, by the process that
// revoked the token too, and also when its cache has long forgotten the row.
func TestAttack04_OlderRowRevivesNoRevokedToken(t *testing.T) {
	for name, between := range map[string]func(*world, *testworld.Process){
		"at once": func(*world, *testworld.Process) {},
		"after its row was deleted": func(w *world, m *testworld.Process) {
			testworld.Must(w.T, w.Store.Delete(w.T.Context(), testworld.Key("minut")))
			_, _ = m.Status(w.T.Context(), testworld.Key("minut"))
		},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				w := newWorld(t, simulator.Options{})
				m := w.NewProcess()
				old := w.Token(m, testworld.Key("minut")).Token
				row := w.Entry(testworld.Key("minut"))
				_, _, err := m.Revoke(t.Context(), testworld.Key("minut"))
				testworld.Must(t, err)
				between(w, m)
				w.putBack(row)
				time.Sleep(2 * time.Minute)
				if got := w.Token(m, testworld.Key("minut")).Token; got.Fingerprint == old.Fingerprint {
					t.Errorf("Token() = %s, which was revoked, want another", old.Fingerprint)
				}
				if w.Alarms("IntegrityFailures") == 0 {
					t.Error("0 alarms IntegrityFailures, want one: an older row was put back")
				}
			})
		})
	}
}

// An older record of a credential that is put back readmits nobody.
func TestAttack04_OlderRecordReadmitsNobody(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t, simulator.Options{})
		m := w.NewProcess()
		w.Token(m, testworld.Key("minut"))
		open := w.own("minut")
		w.Put(
			"minut",
			"minut",
			map[string]any{"allow": map[string]any{"principals": []string{"arn:aws:iam::123456789012:role/one"}}},
		)
		_, _, err := m.Discover(t.Context())
		testworld.Must(t, err)
		for minute := range 5 {
			_, err = w.Store.Replace(t.Context(), w.own("minut"), open)
			testworld.Must(t, err)
			time.Sleep(61 * time.Second)
			terms, err := m.Terms(t.Context(), "minut")
			if err != nil || len(terms.Allow.Principals) != 1 {
				t.Errorf("Terms() in minute %d = %+v, %v, want the current rule", minute, terms.Allow, err)
			}
		}
		if n := w.Alarms("IntegrityFailures"); n == 0 {
			t.Errorf("%d alarms IntegrityFailures, want one: an older record was put back", n)
		}
	})
}

// The state is bound to what is sealed: nobody who may write the table alone
// can have a token vended that is being revoked.
func TestAttack04_FlippedStateOpensNothing(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t, simulator.Options{})
		m := w.NewProcess()
		old := w.Token(m, testworld.Key("movemint")).Token
		testworld.Must(t, w.Providers.SetFault("movemint", simulator.Fault{Down: true}))
		_, _, err := m.Revoke(t.Context(), testworld.Key("movemint"))
		testworld.Must(t, err)
		e := w.Entry(testworld.Key("movemint"))
		if e.State != store.Revoking {
			t.Fatalf("State = %q, want %q", e.State, store.Revoking)
		}
		e.State = store.Live
		_, err = w.Store.Replace(t.Context(), w.Entry(testworld.Key("movemint")), e)
		testworld.Must(t, err)
		testworld.Must(t, w.Providers.SetFault("movemint", simulator.Fault{}))
		time.Sleep(20 * time.Minute) // what of back-off there may be
		if got := w.Token(w.NewProcess(), testworld.Key("movemint")).Token; got.Fingerprint == old.Fingerprint {
			t.Errorf("Token() = %s, which is being revoked, want another", old.Fingerprint)
		}
		if w.Alarms("IntegrityFailures") == 0 {
			t.Error("0 alarms IntegrityFailures, want one: the state was changed")
		}
	})
}

// An instance that holds a token and a refresh token in memory meets a new
// version of the secret, and sends neither to the endpoints that it names.
func TestAttack05_WarmInstanceKeepsGrantFromNewEndpoint(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		a := newAttacked(t)
		m := a.instance()
		k := a.connected(m, nil)
		a.Token(m, k)
		a.change(map[string]any{"token": map[string]any{"url": "https://evil.test/token"}})
		for range 4 {
			time.Sleep(30 * time.Minute)
			_, _ = m.Token(t.Context(), k, mint.Want{})
			_, _, _ = a.instance().Discover(t.Context())
			_, _ = m.Renew(t.Context(), k)
			_, _, _ = m.Canary(t.Context(), time.Minute)
		}
		a.gotNothing("evil.test")
	})
}

// An instance that reads the new version only when it is about to renew keeps
// the grant as it is, so that it goes on once the change is accepted.
func TestAttack05_ColdInstanceKeepsGrantForAccept(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		a := newAttacked(t)
		k := a.connected(a.instance(), nil)
		time.Sleep(2 * time.Hour)
		a.change(map[string]any{"verify": map[string]any{"url": "https://evil.test/me"}})
		m := a.instance()
		a.Refused(m, k, mint.Want{}, api.ReauthorizationRequired)
		if e := a.Entry(k); e.State != store.Live || !e.Failure.IsZero() {
			t.Errorf("Entry() = state %q, failure %q, want none", e.State, e.Failure.Code)
		}
		s, err := m.Status(t.Context(), k)
		testworld.Must(t, err)
		testworld.Must(t, m.Accept(t.Context(), "x", s.Destination))
		a.Token(m, k)
	})
}

// A process that starts cold while a secret is malformed takes the rule that
// stands in the store, and vends the token that lives.
func TestAttack07_MalformedSecretKeepsItsRule(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t, simulator.Options{})
		w.Put(
			"minut",
			"minut",
			map[string]any{"allow": map[string]any{"principals": []string{"arn:aws:iam::123456789012:role/one"}}},
		)
		living := w.Token(w.NewProcess(), testworld.Key("minut")).Token
		testworld.Must(t, w.Secrets.Write("minut", []byte(`{"provider":"minut","colour":"red"}`)))
		_, _, err := w.NewProcess().Discover(t.Context()) // a cold rotate
		testworld.Must(t, err)
		m := w.NewProcess()
		terms, err := m.Terms(t.Context(), "minut")
		if err != nil || len(terms.Allow.Principals) != 1 || terms.Malformed {
			t.Errorf("Terms() = %+v, malformed %t, %v, want the rule of before", terms.Allow, terms.Malformed, err)
		}
		if got := w.Token(m, testworld.Key("minut")); got.Token.Fingerprint != living.Fingerprint {
			t.Errorf("Token() = %s, want %s, which lives", got.Token.Fingerprint, living.Fingerprint)
		}
	})
}

// Where no rule is known, nobody gets a token, and operators alone see why.
func TestAttack07_SecretThatWasNeverReadableIsForOperators(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t, simulator.Options{})
		testworld.Must(t, w.Secrets.Write("broken", []byte(`{"provider":"minut","colour":"red"}`)))
		_, _, err := w.NewProcess().Discover(t.Context())
		testworld.Must(t, err)
		m := w.NewProcess()
		terms, err := m.Terms(t.Context(), "broken")
		if err != nil || !terms.Malformed {
			t.Fatalf("Terms() = %+v, %v, want malformed ones", terms, err)
		}
		if _, err := m.Token(t.Context(), testworld.Key("broken"), mint.Want{}); !testworld.HasCode(
			err,
			api.Misconfigured,
		) ||
			!strings.Contains(err.Error(), "colour") {
			t.Errorf("Token() = %v, want %s that names the field", err, api.Misconfigured)
		}
	})
}
