package mint_test

import (
	"crypto/sha256"
	"encoding/base64"
	"errors"
	"net/url"
	"testing"
	"testing/synctest"
	"time"

	"github.com/tokenvend/tokenvend/pkg/api"
	"github.com/tokenvend/tokenvend/pkg/attempt"
	"github.com/tokenvend/tokenvend/pkg/mint"
	"github.com/tokenvend/tokenvend/pkg/provider/simulator"
	"github.com/tokenvend/tokenvend/pkg/redact"
	"github.com/tokenvend/tokenvend/pkg/rotate"
	"github.com/tokenvend/tokenvend/pkg/store"
	"github.com/tokenvend/tokenvend/pkg/token"
)

const (
	backTo   = "http://127.0.0.1:8976/connected"
	verifier = "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk"
)

func account(name, whose string) token.Key {
	return token.Key{Credential: name, Variant: token.NewVariant(whose, "", "")}
}

// code is what a person brings back from the provider's page.
func (w *world) code(name, person string) attempt.Code {
	w.t.Helper()
	sum := sha256.Sum256([]byte(verifier))
	code, err := w.sim.IssueCode(name, "demo-"+name, person, "", backTo, base64.RawURLEncoding.EncodeToString(sum[:]))
	if err != nil {
		w.t.Fatal(err)
	}
	return attempt.Code{Code: redact.New(code), Verifier: redact.New(verifier), RedirectURI: backTo}
}

func (w *world) entryOf(k token.Key) store.Entry {
	w.t.Helper()
	entries, err := w.store.Get(w.t.Context(), store.Strong, k)
	if err != nil {
		w.t.Fatal(err)
	}
	return entries[0]
}

func TestConnectedAccountsAreVendedAndKeptApart(t *testing.T) {
	for _, name := range []string{"movemint", "trackmania"} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				w := newWorld(t, simulator.Options{})
				m := w.instance()
				people := map[string]string{}
				for _, who := range []string{"alice", "bob"} {
					must(t, m.Connect(t.Context(), account(name, who), w.code(name, who)))
					people[who] = mustToken(t, w.instance(), account(name, who), mint.Want{}).Token.Fingerprint
				}
				own := mustToken(t, m, key(name), mint.Want{}).Token.Fingerprint
				if people["alice"] == people["bob"] || own == people["alice"] || own == people["bob"] {
					t.Error("one token for two")
				}
				for range 10 { // renewed by refresh tokens, which rotate
					time.Sleep(2 * time.Hour)
					for who := range people {
						got := mustToken(t, w.instance(), account(name, who), mint.Want{}).Token
						if got.Fingerprint == people[who] || !w.sim.Accepts(name, got.Access.Reveal()) || w.sim.Subject(name, got.Access.Reveal()) != who {
							t.Fatalf("%s: %+v", who, got)
						}
						people[who] = got.Fingerprint
					}
				}
				if c := w.sim.Stats().Providers[name]; c.CodeRequests != 2 || c.RefreshRequests != 20 || w.most(name) != 1 {
					t.Errorf("%+v; a refresh token was used %d times", c, w.most(name))
				}
			})
		})
	}
}

func TestAnAccountThatNobodyConnectedCostsNothing(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t, simulator.Options{})
		m := w.instance()
		for range 3 {
			if _, err := m.Token(t.Context(), account("trackmania", "mallory"), mint.Want{}); codeOf(err) != api.ReauthorizationRequired {
				t.Errorf("%v", err)
			}
		}
		if e := w.entryOf(account("trackmania", "mallory")); e.Revision != 0 || w.asked("trackmania") != 0 {
			t.Errorf("revision %d, %d requests; want nothing stored and nobody asked", e.Revision, w.asked("trackmania"))
		}
	})
}

func TestACodeThatIsRefusedChangesNothing(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t, simulator.Options{})
		m := w.instance()
		alice := account("trackmania", "alice")
		good := w.code("trackmania", "alice")
		wrong := good
		wrong.Verifier = redact.New("x" + verifier[1:])
		for _, code := range []attempt.Code{wrong, {Code: redact.New("none"), RedirectURI: backTo}} {
			if err := m.Connect(t.Context(), alice, code); codeOf(err) != api.ProviderRejected {
				t.Errorf("%v", err)
			}
		}
		if e := w.entryOf(alice); e.Generation != 0 || e.Sealed != nil {
			t.Errorf("stored: generation %d, %d bytes sealed", e.Generation, len(e.Sealed))
		}
		must(t, m.Connect(t.Context(), alice, w.code("trackmania", "alice")))
		before := mustToken(t, m, alice, mint.Want{}).Token.Fingerprint
		if err := m.Connect(t.Context(), alice, attempt.Code{Code: redact.New("none"), RedirectURI: backTo}); codeOf(err) != api.ProviderRejected {
			t.Errorf("%v", err)
		}
		if after := mustToken(t, w.instance(), alice, mint.Want{}).Token.Fingerprint; after != before {
			t.Error("a refused code has taken the place of a grant")
		}
		time.Sleep(2 * time.Hour)
		mustToken(t, m, alice, mint.Want{})
	})
}

func TestAGrantThatIsOverIsConnectedAgain(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t, simulator.Options{})
		m := w.instance()
		alice := account("trackmania", "alice")
		must(t, m.Connect(t.Context(), alice, w.code("trackmania", "alice")))
		_, err := w.sim.RevokeTokens("trackmania", true)
		must(t, err)
		living := mustToken(t, m, alice, mint.Want{})
		if _, err := m.Token(t.Context(), alice, mint.Want{Rejected: "0000000000000000"}); err != nil {
			t.Errorf("a report of another token: %v", err)
		}
		time.Sleep(time.Until(w.entryOf(alice).NextAt))
		if became, err := m.Renew(t.Context(), alice); became != rotate.Failed || codeOf(err) != api.ReauthorizationRequired {
			t.Errorf("%s, %v", became, err)
		}
		s, err := m.Status(t.Context(), alice)
		if err != nil || s.State != api.Reauthorize || w.alarms("CredentialsFailing") != 1 {
			t.Errorf("%+v, %v, %d alarms", s, err, w.alarms("CredentialsFailing"))
		}
		if got := mustToken(t, w.instance(), alice, mint.Want{}); got.Token.Fingerprint != living.Token.Fingerprint {
			t.Error("the token that still lives is not vended")
		}
		must(t, m.Connect(t.Context(), alice, w.code("trackmania", "alice")))
		if got := mustToken(t, w.instance(), alice, mint.Want{}); got.Token.Fingerprint == living.Token.Fingerprint || !got.Failure.IsZero() {
			t.Errorf("%+v", got)
		}
	})
}

// A changed request brings a new token at the next renewal, by the same grant.
func TestChangedRequestKeepsGrant(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t, simulator.Options{})
		m := w.instance()
		alice := account("trackmania", "alice")
		must(t, m.Connect(t.Context(), alice, w.code("trackmania", "alice")))
		for _, scope := range []any{"clubs", "clubs read_favorite"} {
			w.put("trackmania", map[string]any{"scope": scope})
			_, _, err := m.Discover(t.Context())
			must(t, err)
			time.Sleep(time.Minute)
			before := w.entryOf(alice).Fingerprint
			if became, err := m.Renew(t.Context(), alice); became != rotate.Renewed || err != nil {
				t.Errorf("Renew after scope became %q = %s, %v, want renewed", scope, became, err)
			}
			s, err := m.Status(t.Context(), alice)
			if err != nil || s.State != api.Fresh || s.Entry.Fingerprint == before || w.alarms("CredentialsFailing") != 0 {
				t.Errorf("Status after scope became %q = %s, %v, token changed %t, %d alarms; want fresh, a new token, no alarm",
					scope, s.State, err, s.Entry.Fingerprint != before, w.alarms("CredentialsFailing"))
			}
		}
		w.put("trackmania", nil) // what it was granted for, after all
		_, _, err := m.Discover(t.Context())
		must(t, err)
		mustToken(t, m, alice, mint.Want{})
	})
}

// Without an account the grant is the credential's own, if its secret says so.
func TestACredentialThatAPersonConnects(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t, simulator.Options{})
		m := w.instance()
		if err := m.Connect(t.Context(), key("trackmania"), w.code("trackmania", "alice")); codeOf(err) != api.InvalidRequest {
			t.Errorf("a grant in the place of client credentials: %v", err)
		}
		w.put("trackmania", map[string]any{"grant": "authorization_code"})
		_, _, err := m.Discover(t.Context())
		must(t, err)
		if _, err := m.Token(t.Context(), key("trackmania"), mint.Want{}); codeOf(err) != api.ReauthorizationRequired {
			t.Errorf("before: %v", err)
		}
		must(t, m.Connect(t.Context(), key("trackmania"), w.code("trackmania", "alice")))
		got := mustToken(t, m, key("trackmania"), mint.Want{})
		if w.sim.Subject("trackmania", got.Token.Access.Reveal()) != "alice" {
			t.Errorf("%+v", got)
		}
	})
}

func TestWhereAPersonIsSent(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t, simulator.Options{})
		m := w.instance()
		at, err := m.Authorization(t.Context(), token.Key{Credential: "trackmania", Variant: token.NewVariant("alice", "", "clubs")}, backTo)
		must(t, err)
		u, err := url.Parse(at.URL)
		must(t, err)
		q := u.Query()
		if u.Host != "api.trackmania.com" || u.Path != "/oauth/authorize" || q.Get("client_id") != "demo-trackmania" || q.Get("scope") != "clubs" || q.Get("redirect_uri") != backTo || at.Challenge != "S256" || at.Destination == "" {
			t.Errorf("Authorization = %+v", at)
		}
		for _, k := range []token.Key{account("minut", "alice"), key("trackmania"), account("nobody", "alice")} {
			if _, err := m.Authorization(t.Context(), k, backTo); err == nil {
				t.Errorf("%s can be connected", k)
			}
		}
	})
}

// A new token is proven where the descriptor asks for it, and its refresh token is kept even so.
func TestANewTokenIsProvenBeforeItIsVended(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t, simulator.Options{})
		id, secret := w.sim.ClientFor("minut")
		w.write("proven", map[string]any{"client_id": id, "client_secret": secret, "descriptor": map[string]any{
			"token":  map[string]any{"url": w.sim.TokenURL("minut"), "params": map[string]string{"response_type": "token"}},
			"verify": map[string]any{"url": "/v8/users/me", "minted": true},
		}})
		m := w.instance()
		mustToken(t, m, key("proven"), mint.Want{})
		if n := w.sim.Stats().Providers["minut"].OtherRequests; n != 1 {
			t.Errorf("proven by %d requests, want 1", n)
		}
		time.Sleep(2 * time.Hour)
		must(t, w.sim.SetFault("minut", simulator.Fault{Status: 401, Only: "verify"}))
		if _, err := m.Token(t.Context(), key("proven"), mint.Want{}); codeOf(err) != api.ProviderMalformed {
			t.Errorf("the provider does not take its own token: %v", err)
		}
		must(t, w.sim.SetFault("minut", simulator.Fault{Status: 503, Only: "verify"}))
		time.Sleep(time.Hour)
		mustToken(t, m, key("proven"), mint.Want{}) // it can't be asked: no reason to withhold a token
	})
}

func TestVerifyAsksTheProvider(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t, simulator.Options{})
		m := w.instance()
		_, err := m.Terms(t.Context(), "minut")
		must(t, err)
		if said, err := m.Verify(t.Context(), key("minut")); err != nil || said != nil {
			t.Errorf("no token: %+v, %v", said, err)
		}
		for _, name := range []string{"minut", "movemint", "monta"} {
			mustToken(t, m, key(name), mint.Want{})
			for range 5 {
				if said, err := m.Verify(t.Context(), key(name)); err != nil || !said.Works {
					t.Errorf("%s: %+v, %v", name, said, err)
				}
			}
			if n := w.sim.Stats().Providers[name].OtherRequests; n != 1 {
				t.Errorf("%s: five questions at once cost %d requests, want 1", name, n)
			}
			_, err := w.sim.RevokeTokens(name, false)
			must(t, err)
			time.Sleep(10 * time.Second)
			if said, err := m.Verify(t.Context(), key(name)); err != nil || said.Works {
				t.Errorf("%s, revoked: %+v, %v", name, said, err)
			}
		}
		mustToken(t, m, key("trackmania"), mint.Want{})
		if _, err := m.Verify(t.Context(), key("trackmania")); codeOf(err) != api.InvalidRequest {
			t.Errorf("trackmania has nothing to prove a token by: %v", err)
		}
		must(t, w.sim.SetFault("minut", simulator.Fault{Status: 500}))
		time.Sleep(10 * time.Second)
		var known *api.Error
		if _, err := m.Verify(t.Context(), key("minut")); !errors.As(err, &known) || known.Code != api.ProviderUnavailable {
			t.Errorf("it can't be asked: %v", err)
		}
	})
}

func TestTheCanaryTellsOfTokensThatDied(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t, simulator.Options{})
		m := w.instance()
		for _, name := range []string{"minut", "monta", "trackmania"} {
			mustToken(t, m, key(name), mint.Want{})
		}
		must(t, m.Connect(t.Context(), account("movemint", "alice"), w.code("movemint", "alice")))
		look := func(wantProven, wantRefused int) {
			t.Helper()
			proven, refused, err := m.Canary(t.Context(), 15*time.Minute)
			if err != nil || proven != wantProven || refused != wantRefused {
				t.Errorf("proven %d, refused %d, %v; want %d and %d", proven, refused, err, wantProven, wantRefused)
			}
		}
		look(3, 0)
		look(0, 0) // not yet again
		_, err := w.sim.RevokeTokens("minut", false)
		must(t, err)
		minted := w.asked("minut")
		time.Sleep(15 * time.Minute)
		look(3, 1)
		if w.alarms("TokensRefused") != 1 || w.asked("minut") != minted+1 {
			t.Errorf("%d alarms, %d new requests for tokens; want 1 and 1", w.alarms("TokensRefused"), w.asked("minut")-minted)
		}
	})
}
