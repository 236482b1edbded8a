package mint_test

import (
	"net/url"
	"testing"
	"testing/synctest"
	"time"

	"github.com/tokenvend/tokenvend/internal/testworld"
	"github.com/tokenvend/tokenvend/pkg/api"
	"github.com/tokenvend/tokenvend/pkg/attempt"
	"github.com/tokenvend/tokenvend/pkg/mint"
	"github.com/tokenvend/tokenvend/pkg/provider/simulator"
	"github.com/tokenvend/tokenvend/pkg/redact"
	"github.com/tokenvend/tokenvend/pkg/rotate"
	"github.com/tokenvend/tokenvend/pkg/token"
)

func TestConnectedAccountsAreVendedAndKeptApart(t *testing.T) {
	for _, name := range []string{"movemint", "trackmania"} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				w := newWorld(t, simulator.Options{})
				m := w.NewProcess()
				fingerprints := map[string]string{}
				for _, who := range []string{"alice", "bob"} {
					testworld.Must(t, m.Connect(t.Context(), testworld.Account(name, who), w.Code(name, who)))
					fingerprints[who] = w.Token(w.NewProcess(), testworld.Account(name, who)).Token.Fingerprint
				}
				own := w.Token(m, testworld.Key(name)).Token.Fingerprint
				if fingerprints["alice"] == fingerprints["bob"] || own == fingerprints["alice"] ||
					own == fingerprints["bob"] {
					t.Errorf("Token() = %v, %s of the credential; want three tokens", fingerprints, own)
				}
				for range 10 { // renewed by refresh tokens, which rotate
					time.Sleep(2 * time.Hour)
					for who := range fingerprints {
						got := w.Token(w.NewProcess(), testworld.Account(name, who)).Token
						if got.Fingerprint == fingerprints[who] || !w.Providers.Accepts(name, got.Access.Reveal()) ||
							w.Providers.Subject(name, got.Access.Reveal()) != who {
							t.Fatalf("Token(%s) = %+v, want a new one that works", who, got)
						}
						fingerprints[who] = got.Fingerprint
					}
				}
				if c := w.Providers.Stats().Providers[name]; c.CodeRequests != 2 || c.RefreshRequests != 20 ||
					w.most(name) != 1 {
					t.Errorf(
						"requests = %+v, a refresh token used %d times; want 2 codes, 20 refreshes, 1",
						c,
						w.most(name),
					)
				}
			})
		})
	}
}

func TestAnAccountThatNobodyConnectedCostsNothing(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t, simulator.Options{})
		m := w.NewProcess()
		for range 3 {
			w.Refused(m, testworld.Account("trackmania", "mallory"), mint.Want{}, api.ReauthorizationRequired)
		}
		if e := w.Entry(testworld.Account("trackmania", "mallory")); e.Revision != 0 ||
			w.TokenRequests("trackmania") != 0 {
			t.Errorf(
				"Entry() = revision %d after %d requests, want 0 after 0",
				e.Revision,
				w.TokenRequests("trackmania"),
			)
		}
	})
}

func TestACodeThatIsRefusedChangesNothing(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t, simulator.Options{})
		m := w.NewProcess()
		alice := testworld.Account("trackmania", "alice")
		good := w.Code("trackmania", "alice")
		wrong := good
		wrong.Verifier = redact.New("x" + testworld.CodeVerifier[1:])
		for _, code := range []attempt.Code{wrong, {Code: redact.New("none"), RedirectURI: testworld.RedirectURI}} {
			if err := m.Connect(t.Context(), alice, code); !testworld.HasCode(err, api.ProviderRejected) {
				t.Errorf("Connect() = %v, want %s", err, api.ProviderRejected)
			}
		}
		if e := w.Entry(alice); e.Generation != 0 || e.Sealed != nil {
			t.Errorf("Entry() = generation %d, %d bytes sealed; want 0, 0", e.Generation, len(e.Sealed))
		}
		testworld.Must(t, m.Connect(t.Context(), alice, w.Code("trackmania", "alice")))
		before := w.Token(m, alice).Token.Fingerprint
		none := attempt.Code{Code: redact.New("none"), RedirectURI: testworld.RedirectURI}
		if err := m.Connect(t.Context(), alice, none); !testworld.HasCode(err, api.ProviderRejected) {
			t.Errorf("Connect() = %v, want %s", err, api.ProviderRejected)
		}
		if after := w.Token(w.NewProcess(), alice).Token.Fingerprint; after != before {
			t.Errorf("Token() after a refused code = %s, want %s", after, before)
		}
		time.Sleep(2 * time.Hour)
		w.Token(m, alice)
	})
}

func TestAGrantThatIsOverIsConnectedAgain(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t, simulator.Options{})
		m := w.NewProcess()
		alice := testworld.Account("trackmania", "alice")
		testworld.Must(t, m.Connect(t.Context(), alice, w.Code("trackmania", "alice")))
		_, err := w.Providers.RevokeTokens("trackmania", true)
		testworld.Must(t, err)
		living := w.Token(m, alice)
		if _, err := m.Token(t.Context(), alice, mint.Want{Rejected: "0000000000000000"}); err != nil {
			t.Errorf("Token() that reports another token = %v, want a token", err)
		}
		time.Sleep(time.Until(w.Entry(alice).NextAt))
		if became, err := m.Renew(t.Context(), alice); became != rotate.Failed ||
			!testworld.HasCode(err, api.ReauthorizationRequired) {
			t.Errorf("Renew() = %s, %v, want %s, %s", became, err, rotate.Failed, api.ReauthorizationRequired)
		}
		s, err := m.Status(t.Context(), alice)
		if err != nil || s.State != api.Reauthorize || w.Alarms("CredentialsFailing") != 1 {
			t.Errorf("Status() = %+v, %v, %d alarms; want reauthorize, 1", s, err, w.Alarms("CredentialsFailing"))
		}
		if got := w.Token(w.NewProcess(), alice); got.Token.Fingerprint != living.Token.Fingerprint {
			t.Errorf("Token() = %s, want %s, which lives", got.Token.Fingerprint, living.Token.Fingerprint)
		}
		testworld.Must(t, m.Connect(t.Context(), alice, w.Code("trackmania", "alice")))
		if got := w.Token(w.NewProcess(), alice); got.Token.Fingerprint == living.Token.Fingerprint ||
			!got.Failure.IsZero() {
			t.Errorf("Token() after Connect() = %+v, want a new one without a failure", got)
		}
	})
}

// A changed request brings a new token at the next renewal, by the same grant.
func TestChangedRequestKeepsGrant(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t, simulator.Options{})
		m := w.NewProcess()
		alice := testworld.Account("trackmania", "alice")
		testworld.Must(t, m.Connect(t.Context(), alice, w.Code("trackmania", "alice")))
		for _, scope := range []any{"clubs", "clubs read_favorite"} {
			w.Put("trackmania", "trackmania", map[string]any{"scope": scope})
			_, _, err := m.Discover(t.Context())
			testworld.Must(t, err)
			time.Sleep(time.Minute)
			before := w.Entry(alice).Fingerprint
			if became, err := m.Renew(t.Context(), alice); became != rotate.Renewed || err != nil {
				t.Errorf("Renew() after scope became %q = %s, %v, want renewed", scope, became, err)
			}
			s, err := m.Status(t.Context(), alice)
			if err != nil || s.State != api.Fresh || s.Entry.Fingerprint == before ||
				w.Alarms("CredentialsFailing") != 0 {
				t.Errorf(
					"Status() after scope became %q = %s, %v, token changed %t, %d alarms; want fresh, a new token, no alarm",
					scope,
					s.State,
					err,
					s.Entry.Fingerprint != before,
					w.Alarms("CredentialsFailing"),
				)
			}
		}
		w.Put("trackmania", "trackmania", nil) // what it was granted for, after all
		_, _, err := m.Discover(t.Context())
		testworld.Must(t, err)
		w.Token(m, alice)
	})
}

// Without an account the grant is the credential's own, if its secret says so.
func TestACredentialThatAPersonConnects(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t, simulator.Options{})
		m := w.NewProcess()
		err := m.Connect(t.Context(), testworld.Key("trackmania"), w.Code("trackmania", "alice"))
		if !testworld.HasCode(err, api.InvalidRequest) {
			t.Errorf("Connect() of a credential with client credentials = %v, want %s", err, api.InvalidRequest)
		}
		w.Put("trackmania", "trackmania", map[string]any{"grant": "authorization_code"})
		_, _, err = m.Discover(t.Context())
		testworld.Must(t, err)
		w.Refused(m, testworld.Key("trackmania"), mint.Want{}, api.ReauthorizationRequired)
		testworld.Must(t, m.Connect(t.Context(), testworld.Key("trackmania"), w.Code("trackmania", "alice")))
		got := w.Token(m, testworld.Key("trackmania"))
		if w.Providers.Subject("trackmania", got.Token.Access.Reveal()) != "alice" {
			t.Errorf("Token() = %+v, want alice's", got)
		}
	})
}

func TestWhereAPersonIsSent(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t, simulator.Options{})
		m := w.NewProcess()
		at, err := m.Authorization(
			t.Context(),
			token.Key{Credential: "trackmania", Variant: token.NewVariant("alice", "", "clubs")},
			testworld.RedirectURI,
		)
		testworld.Must(t, err)
		u, err := url.Parse(at.URL)
		testworld.Must(t, err)
		q := u.Query()
		if u.Host != "api.trackmania.com" || u.Path != "/oauth/authorize" || q.Get("client_id") != "demo-trackmania" ||
			q.Get("scope") != "clubs" ||
			q.Get("redirect_uri") != testworld.RedirectURI ||
			at.Challenge != "S256" ||
			at.Destination == "" {
			t.Errorf("Authorization() = %+v, want trackmania's page for clubs, S256", at)
		}
		for _, k := range []token.Key{
			testworld.Account("minut", "alice"), testworld.Key("trackmania"), testworld.Account("nobody", "alice"),
		} {
			if _, err := m.Authorization(t.Context(), k, testworld.RedirectURI); err == nil {
				t.Errorf("Authorization(%s) = nil error, want one", k)
			}
		}
	})
}

// A new token is verified where the descriptor says so, and its refresh token
// is kept even if it is refused.
func TestANewTokenIsVerifiedBeforeItIsVended(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t, simulator.Options{})
		id, secret := w.Providers.ClientFor("minut")
		w.PutSecret("verified", map[string]any{"client_id": id, "client_secret": secret, "descriptor": map[string]any{
			"token": map[string]any{
				"url":    w.Providers.TokenURL("minut"),
				"params": map[string]string{"response_type": "token"},
			},
			"verify": map[string]any{"url": "/v8/users/me", "minted": true},
		}})
		m := w.NewProcess()
		w.Token(m, testworld.Key("verified"))
		if n := w.Providers.Stats().Providers["minut"].OtherRequests; n != 1 {
			t.Errorf("%d requests to verify a new token, want 1", n)
		}
		time.Sleep(2 * time.Hour)
		testworld.Must(t, w.Providers.SetFault("minut", simulator.Fault{Status: 401, Only: "verify"}))
		w.Refused(m, testworld.Key("verified"), mint.Want{}, api.ProviderMalformed)
		testworld.Must(t, w.Providers.SetFault("minut", simulator.Fault{Status: 503, Only: "verify"}))
		time.Sleep(time.Hour)
		w.Token(m, testworld.Key("verified")) // it cannot be verified now, and is vended
	})
}

func TestVerifyAsksTheProvider(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t, simulator.Options{})
		m := w.NewProcess()
		_, err := m.Terms(t.Context(), "minut")
		testworld.Must(t, err)
		if said, err := m.Verify(t.Context(), testworld.Key("minut")); err != nil || said != nil {
			t.Errorf("Verify() without a token = %+v, %v, want nil", said, err)
		}
		for _, name := range []string{"minut", "movemint", "monta"} {
			w.Token(m, testworld.Key(name))
			for range 5 {
				if said, err := m.Verify(t.Context(), testworld.Key(name)); err != nil || !said.Works {
					t.Errorf("Verify(%s) = %+v, %v, want that it works", name, said, err)
				}
			}
			if n := w.Providers.Stats().Providers[name].OtherRequests; n != 1 {
				t.Errorf("five Verify(%s) cost %d requests, want 1", name, n)
			}
			_, err := w.Providers.RevokeTokens(name, false)
			testworld.Must(t, err)
			time.Sleep(10 * time.Second)
			if said, err := m.Verify(t.Context(), testworld.Key(name)); err != nil || said.Works {
				t.Errorf("Verify(%s) of a revoked token = %+v, %v, want that it does not work", name, said, err)
			}
		}
		w.Token(m, testworld.Key("trackmania"))
		_, err = m.Verify(t.Context(), testworld.Key("trackmania"))
		if !testworld.HasCode(err, api.InvalidRequest) {
			t.Errorf("Verify(trackmania), which has no endpoint for it = %v, want %s", err, api.InvalidRequest)
		}
		testworld.Must(t, w.Providers.SetFault("minut", simulator.Fault{Status: 500}))
		time.Sleep(10 * time.Second)
		_, err = m.Verify(t.Context(), testworld.Key("minut"))
		if !testworld.HasCode(err, api.ProviderUnavailable) {
			t.Errorf("Verify(minut) in an outage = %v, want %s", err, api.ProviderUnavailable)
		}
	})
}

func TestCanaryReportsTokensThatDied(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t, simulator.Options{})
		m := w.NewProcess()
		for _, name := range []string{"minut", "monta", "trackmania"} {
			w.Token(m, testworld.Key(name))
		}
		testworld.Must(t, m.Connect(t.Context(), testworld.Account("movemint", "alice"), w.Code("movemint", "alice")))
		look := func(wantChecked, wantRefused int) {
			t.Helper()
			checked, refused, err := m.Canary(t.Context(), 15*time.Minute)
			if err != nil || checked != wantChecked || refused != wantRefused {
				t.Errorf("Canary() = %d, %d, %v, want %d, %d", checked, refused, err, wantChecked, wantRefused)
			}
		}
		look(3, 0)
		look(0, 0) // not yet again
		_, err := w.Providers.RevokeTokens("minut", false)
		testworld.Must(t, err)
		minted := w.TokenRequests("minut")
		time.Sleep(15 * time.Minute)
		look(3, 1)
		if w.Alarms("TokensRefused") != 1 || w.TokenRequests("minut") != minted+1 {
			t.Errorf(
				"%d alarms, %d new requests for tokens; want 1 and 1",
				w.Alarms("TokensRefused"),
				w.TokenRequests("minut")-minted,
			)
		}
	})
}
