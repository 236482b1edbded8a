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
				mustToken(t, warm, key("x"), mint.Want{})
				a.secrets.put("x", evil)
				pending, _ := json.Marshal(at("good.test", "good-secret", nil))
				a.secrets.putRaw("x", credential.Pending, pending)
				for _, m := range []*process{warm, a.instance()} {
					_, _, err := m.Discover(t.Context())
					must(t, err)
					for range 3 {
						time.Sleep(2 * time.Hour)
						_, _ = m.Token(t.Context(), key("x"), mint.Want{})
						_, _ = m.Verify(t.Context(), key("x"))
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
		mustToken(t, a.instance(), key("x"), mint.Want{})
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
func (a *attacked) connected(m *process, over map[string]any) token.Key {
	a.t.Helper()
	all := map[string]any{"authorize": map[string]any{"url": "https://good.test/authorize"}}
	for name, value := range over {
		all[name] = value
	}
	a.secrets.put("x", with(at("good.test", "good-secret", all), "allow", map[string]any{"accounts": []string{"*"}}))
	k := account("x", "ann")
	must(a.t, m.Connect(a.t.Context(), k, attempt.Code{Code: redact.New("good-code"), RedirectURI: backTo}))
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
		"verify.url":            {"verify": map[string]any{"url": "https://evil.test/me"}},
		"revoke.url":            {"revoke": map[string]any{"url": "https://evil.test/revoke"}},
		"refresh.url":           {"refresh": map[string]any{"url": "https://evil.test/token"}},
		"authorize.url":         {"authorize": map[string]any{"url": "https://evil.test/authorize"}},
		"refresh.auth":          {"refresh": map[string]any{"auth": "post"}},
		"response.access_token": {"response": map[string]any{"access_token": "/refresh_token", "refresh_token": "/nothing"}},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				a := newAttacked(t)
				warm := a.instance()
				k := a.connected(warm, nil)
				a.change(over)
				for _, m := range []*process{warm, a.instance()} {
					_, _, err := m.Discover(t.Context())
					must(t, err)
					for range 3 {
						time.Sleep(2 * time.Hour)
						if got, err := m.Token(t.Context(), k, mint.Want{}); codeOf(
							err,
						) != api.ReauthorizationRequired {
							t.Errorf("Token = %v, %v, want %s", got.Token.Fingerprint, err, api.ReauthorizationRequired)
						}
						_, _ = m.Verify(t.Context(), k)
						_, _ = m.Renew(t.Context(), k)
					}
				}
				a.gotNothing("evil.test")
				s, err := warm.Status(t.Context(), k)
				if err != nil || s.State != api.DestinationChanged || len(s.Changes) == 0 {
					t.Fatalf(
						"Status = %s with %d changes, %v, want %s",
						s.State,
						len(s.Changes),
						err,
						api.DestinationChanged,
					)
				}
				if !strings.Contains(s.Changes[len(s.Changes)-1].Name, "descriptor.") {
					t.Errorf("Changes = %+v, want the part of the descriptor", s.Changes)
				}
				if err := warm.Accept(t.Context(), "x", strings.Repeat("0", 32)); codeOf(err) != api.InvalidRequest {
					t.Errorf("Accept of another destination: %v, want %s", err, api.InvalidRequest)
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
		first := mustToken(t, m, k, mint.Want{}).Token
		a.change(map[string]any{"verify": map[string]any{"url": "https://good.test/me"}})
		_, _, err := m.Discover(t.Context())
		must(t, err)
		s, err := m.Status(t.Context(), k)
		must(t, err)
		must(t, m.Accept(t.Context(), "x", s.Destination))
		got := mustToken(t, a.instance(), k, mint.Want{}).Token
		if got.Fingerprint == first.Fingerprint ||
			!strings.Contains(a.sent("good.test"), "refresh_token:[good-refresh-1]") {
			t.Errorf("after Accept: Token = generation %d, want a new one by the refresh token", got.Generation)
		}
		if s, err := m.Status(t.Context(), k); err != nil || s.State != api.Fresh {
			t.Errorf("Status = %s, %v, want %s", s.State, err, api.Fresh)
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
		must(t, err)
		must(t, m.Connect(t.Context(), k, attempt.Code{Code: redact.New("good-code"), RedirectURI: backTo}))
		mustToken(t, a.instance(), k, mint.Want{})
	})
}

// A code goes to the provider that the person was sent to.
func TestAttack02_CodeGoesToNoOtherDestination(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		a := newAttacked(t)
		m := a.instance()
		a.change(nil)
		k := account("x", "ann")
		at, err := m.Authorization(t.Context(), k, backTo)
		must(t, err)
		a.change(map[string]any{"token": map[string]any{"url": "https://evil.test/token"}})
		_, _, err = m.Discover(t.Context())
		must(t, err)
		err = m.Connect(
			t.Context(),
			k,
			attempt.Code{Code: redact.New("good-code"), RedirectURI: backTo, Destination: at.Destination},
		)
		if codeOf(err) != api.InvalidRequest {
			t.Errorf("Connect = %v, want %s", err, api.InvalidRequest)
		}
		a.gotNothing("evil.test")
	})
}

// A credential that needs no grant obtains a token at the new destination at once.
func TestAttack02_ClientCredentialsGoOnAtTheNewDestination(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		a := newAttacked(t)
		m := a.instance()
		a.secrets.put("x", at("good.test", "good-secret", nil))
		mustToken(t, m, key("x"), mint.Want{})
		a.answers["other.test"] = func(*http.Request, url.Values) (int, string) {
			return http.StatusOK, `{"access_token":"other-access","expires_in":3600}`
		}
		a.secrets.put("x", at("other.test", "other-secret", nil))
		_, _, err := m.Discover(t.Context())
		must(t, err)
		if got := mustToken(t, m, key("x"), mint.Want{}).Token; got.Access.Reveal() != "other-access" {
			t.Error("Token is not the new destination's")
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
		mustToken(t, a.instance(), key("x"), mint.Want{})
		own := a.own("x")
		plain, err := a.sealer.Open(t.Context(), "x", own.Sealed, row.Additional(own))
		must(t, err)
		forged := own
		forged.Sealed, err = a.sealer.Seal(
			t.Context(),
			"x",
			[]byte(strings.ReplaceAll(string(plain), "good.test", "evil.test")),
			row.Additional(own),
		)
		must(t, err)
		_, err = a.store.Replace(t.Context(), own, forged)
		must(t, err)
		m := a.instance()
		for range 3 {
			_, _ = m.Token(t.Context(), key("x"), mint.Want{})
			time.Sleep(time.Hour)
		}
		a.gotNothing("evil.test")
		if a.alarms("IntegrityFailures") == 0 {
			t.Error("no alarm for a record that names other endpoints than its secret")
		}
		if got := mustToken(t, m, key("x"), mint.Want{}).Token; got.Access.IsZero() {
			t.Error("the credential is stuck")
		}
	})
}

// A recovery blob out of the log is worth nothing after a revocation, nor after
// a new connect.
func TestAttack04_RecoveryBlobRevivesNothing(t *testing.T) {
	for name, end := range map[string]func(*world, *process, token.Key){
		"revoked": func(w *world, m *process, k token.Key) {
			_, _, err := m.Revoke(w.t.Context(), k)
			must(w.t, err)
		},
		"connected": func(w *world, m *process, k token.Key) {
			must(w.t, m.Connect(w.t.Context(), k, w.code("trackmania", "alice")))
		},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				w := newWorld(t, simulator.Options{})
				m := w.instance()
				k := account("trackmania", "alice")
				must(t, m.Connect(t.Context(), k, w.code("trackmania", "alice")))
				time.Sleep(time.Hour)
				full := &fullStore{Store: w.store}
				_, _ = w.instanceOver(full).Token(deadline(t, 29*time.Second), k, mint.Want{})
				blob := recoveryIn(w.logged())
				if blob == "" {
					t.Fatal("no recovery blob in the log")
				}
				time.Sleep(mint.LeaseTTL)
				end(w, m, k)
				before := w.entryOf(k)
				if _, err := m.Recover(t.Context(), "trackmania", blob); codeOf(err) != api.InvalidRequest {
					t.Errorf("Recover = %v, want %s", err, api.InvalidRequest)
				}
				if after := w.entryOf(k); string(after.Sealed) != string(before.Sealed) {
					t.Error("the entry was changed by a blob of before")
				}
			})
		})
	}
}

// fullStore takes no commit.
type fullStore struct{ store.Store }

func (fullStore) Commit(context.Context, store.Lease, store.Entry) error { return errDead }

func deadline(t *testing.T, d time.Duration) context.Context {
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
	for name, between := range map[string]func(*world, *process){
		"at once": func(*world, *process) {},
		"after its row was deleted": func(w *world, m *process) {
			must(w.t, w.store.Delete(w.t.Context(), key("minut")))
			_, _ = m.Status(w.t.Context(), key("minut"))
		},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				w := newWorld(t, simulator.Options{})
				m := w.instance()
				old := mustToken(t, m, key("minut"), mint.Want{}).Token
				row := w.entry("minut")
				_, _, err := m.Revoke(t.Context(), key("minut"))
				must(t, err)
				between(w, m)
				w.putBack(row)
				time.Sleep(2 * time.Minute)
				if got := mustToken(t, m, key("minut"), mint.Want{}).Token; got.Fingerprint == old.Fingerprint {
					t.Error("Token returns what was revoked")
				}
				if w.alarms("IntegrityFailures") == 0 {
					t.Error("no alarm for an older row that was put back")
				}
			})
		})
	}
}

// An older record of a credential that is put back readmits nobody.
func TestAttack04_OlderRecordReadmitsNobody(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t, simulator.Options{})
		m := w.instance()
		mustToken(t, m, key("minut"), mint.Want{})
		open := w.own("minut")
		w.put(
			"minut",
			map[string]any{"allow": map[string]any{"principals": []string{"arn:aws:iam::123456789012:role/one"}}},
		)
		_, _, err := m.Discover(t.Context())
		must(t, err)
		for minute := range 5 {
			_, err = w.store.Replace(t.Context(), w.own("minut"), open)
			must(t, err)
			time.Sleep(61 * time.Second)
			terms, err := m.Terms(t.Context(), "minut")
			if err != nil || len(terms.Allow.Principals) != 1 {
				t.Errorf("minute %d: Terms = %+v, %v, want the rule of today", minute, terms.Allow, err)
			}
		}
		if n := w.alarms("IntegrityFailures"); n == 0 {
			t.Error("no alarm for an older record that was put back")
		}
	})
}

// The state is bound to what is sealed: nobody who may write the table alone
// can have a token vended that is being revoked.
func TestAttack04_FlippedStateOpensNothing(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t, simulator.Options{})
		m := w.instance()
		old := mustToken(t, m, key("movemint"), mint.Want{}).Token
		must(t, w.sim.SetFault("movemint", simulator.Fault{Down: true}))
		_, _, err := m.Revoke(t.Context(), key("movemint"))
		must(t, err)
		e := w.entry("movemint")
		if e.State != store.Revoking {
			t.Fatalf("state = %q, want %q", e.State, store.Revoking)
		}
		e.State = store.Live
		_, err = w.store.Replace(t.Context(), w.entry("movemint"), e)
		must(t, err)
		must(t, w.sim.SetFault("movemint", simulator.Fault{}))
		time.Sleep(20 * time.Minute) // what of back-off there may be
		if got := mustToken(t, w.instance(), key("movemint"), mint.Want{}).Token; got.Fingerprint == old.Fingerprint {
			t.Error("Token returns what is being revoked")
		}
		if w.alarms("IntegrityFailures") == 0 {
			t.Error("no alarm for a state that was changed")
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
		mustToken(t, m, k, mint.Want{})
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
		if _, err := m.Token(t.Context(), k, mint.Want{}); codeOf(err) != api.ReauthorizationRequired {
			t.Errorf("Token = %v, want %s", err, api.ReauthorizationRequired)
		}
		if e := a.entryOf(k); e.State != store.Live || !e.Failure.IsZero() {
			t.Errorf("the entry has state %q and failure %q, want none", e.State, e.Failure.Code)
		}
		s, err := m.Status(t.Context(), k)
		must(t, err)
		must(t, m.Accept(t.Context(), "x", s.Destination))
		mustToken(t, m, k, mint.Want{})
	})
}

// A process that starts cold while a secret is malformed takes the rule that
// stands in the store, and vends the token that lives.
func TestAttack07_MalformedSecretKeepsItsRule(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t, simulator.Options{})
		w.put(
			"minut",
			map[string]any{"allow": map[string]any{"principals": []string{"arn:aws:iam::123456789012:role/one"}}},
		)
		living := mustToken(t, w.instance(), key("minut"), mint.Want{}).Token
		must(t, w.secrets.Write("minut", []byte(`{"provider":"minut","colour":"red"}`)))
		_, _, err := w.instance().Discover(t.Context()) // a cold rotate
		must(t, err)
		m := w.instance()
		terms, err := m.Terms(t.Context(), "minut")
		if err != nil || len(terms.Allow.Principals) != 1 || terms.Malformed {
			t.Errorf("Terms = %+v, malformed %t, %v, want the rule of before", terms.Allow, terms.Malformed, err)
		}
		if got := mustToken(t, m, key("minut"), mint.Want{}); got.Token.Fingerprint != living.Fingerprint {
			t.Error("Token is not the one that lives")
		}
	})
}

// Where no rule is known, nobody gets a token, and operators alone see why.
func TestAttack07_SecretThatWasNeverReadableIsForOperators(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t, simulator.Options{})
		must(t, w.secrets.Write("broken", []byte(`{"provider":"minut","colour":"red"}`)))
		_, _, err := w.instance().Discover(t.Context())
		must(t, err)
		m := w.instance()
		terms, err := m.Terms(t.Context(), "broken")
		if err != nil || !terms.Malformed {
			t.Fatalf("Terms = %+v, %v, want malformed ones", terms, err)
		}
		if _, err := m.Token(t.Context(), key("broken"), mint.Want{}); codeOf(err) != api.Misconfigured ||
			!strings.Contains(err.Error(), "colour") {
			t.Errorf("Token: %v, want %s that names the field", err, api.Misconfigured)
		}
	})
}
