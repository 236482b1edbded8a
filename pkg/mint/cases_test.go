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
	"github.com/tokenvend/tokenvend/pkg/store"
)

// inline returns a credential at trackmania's server with a descriptor of its
// own, which has more fields.
func (w *world) inline(more map[string]any) map[string]any {
	d := map[string]any{
		"token": map[string]any{
			"url":  w.Providers.TokenURL("trackmania"),
			"auth": "post",
		}, "refresh": map[string]any{"rotates": "yes"},
		"authorize": map[string]any{"url": "/oauth/authorize"}, "overlap": map[string]any{"refresh_token": "revokes"},
	}
	for name, value := range more {
		d[name] = value
	}
	return map[string]any{"provider": nil, "descriptor": d}
}

// An end of a refresh token that is 0, cannot be read, or has come before the
// token did, throws no refresh token away.
func TestCaseC20_RefreshExpiryOfZeroIsNoEnd(t *testing.T) {
	for name, c := range map[string]struct{ field, value, kind string }{
		"Keycloak, an offline token":    {"refresh_expires_in", `0`, "seconds"},
		"Apigee, without an end":        {"refresh_token_expires_in", `"0"`, "seconds"},
		"a .NET server's smallest date": {"refreshTokenExpirationDate", `"0001-01-01T00:00:00Z"`, "rfc3339"},
		"an end before the token":       {"refresh_expires_at", `"1999-12-31T23:00:00Z"`, "rfc3339"},
		"negative":                      {"refresh_expires_in", `-1`, "seconds"},
		"unreadable":                    {"refresh_expires_in", `"never"`, "seconds"},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				w := newWorld(t, simulator.Options{})
				w.granted(
					"trackmania",
					w.inline(
						map[string]any{
							"response": map[string]any{
								"refresh_expiry": map[string]any{"at": "/" + c.field, "kind": c.kind},
							},
						},
					),
				)
				testworld.Must(
					t,
					w.Providers.SetFault("trackmania", simulator.Fault{Set: map[string]string{c.field: c.value}}),
				)
				m := w.NewProcess()
				for range 5 {
					w.Token(m, testworld.Key("trackmania"))
					if e := w.Entry(testworld.Key("trackmania")); !e.RefreshUntil.IsZero() {
						t.Fatalf("RefreshUntil = %v, want none", e.RefreshUntil)
					}
					time.Sleep(time.Hour)
				}
			})
		})
	}
}

// The provider's word ends a grant at once, whatever its spelling. The token
// that lives is vended, operators are told once, nothing is sent again by
// itself, and an operator can have it tried once more.
func TestCaseC22_DeadGrantIsToldAtOnce(t *testing.T) {
	for name, c := range map[string]struct {
		status int
		body   string
	}{
		"HubSpot": {400, `{"status":"BAD_REFRESH_TOKEN","message":"missing or invalid refresh token"}`},
		"GitHub":  {200, `{"error":"bad_refresh_token"}`},
		"a list":  {400, `{"errors":["invalid_grant - Refresh token invalid: 1"]}`},
		"Strava":  {400, `{"message":"Bad Request","errors":[{"resource":"RefreshToken","field":"refresh_token","code":"invalid"}]}`},
		"Dex":     {400, `{"error":"invalid_request","error_description":"Refresh token is invalid or has already been claimed by another client."}`},
		"RFC":     {400, `{"error":"invalid_grant"}`},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				w := newWorld(t, simulator.Options{})
				m := w.NewProcess()
				alice := testworld.Account("trackmania", "alice")
				testworld.Must(t, m.Connect(t.Context(), alice, w.Code("trackmania", "alice")))
				living := w.Token(m, alice)
				testworld.Must(
					t,
					w.Providers.SetFault(
						"trackmania",
						simulator.Fault{Only: "refresh", Status: c.status, Body: c.body},
					),
				)
				time.Sleep(time.Until(w.Entry(alice).NextAt))
				if became, err := m.Renew(t.Context(), alice); became != rotate.Failed ||
					!testworld.HasCode(err, api.ReauthorizationRequired) {
					t.Errorf("Renew() = %s, %v; want failed, reauthorize", became, err)
				}
				if got := w.Token(w.NewProcess(), alice); got.Token.Fingerprint != living.Token.Fingerprint {
					t.Error("Token() = another token, want the living one")
				}
				s, err := m.Status(t.Context(), alice)
				if err != nil || s.State != api.Reauthorize || !s.Entry.NextAt.IsZero() || !s.Failure.RetryAt.IsZero() {
					t.Errorf(
						"Status() = %s, due %v, next attempt %v, %v; want reauthorize, and no time",
						s.State,
						s.Entry.NextAt,
						s.Failure.RetryAt,
						err,
					)
				}
				for range 5 {
					time.Sleep(time.Hour)
					w.Refused(m, alice, mint.Want{}, api.ReauthorizationRequired)
				}
				if n := w.Providers.Stats().Providers["trackmania"].RefreshRequests; n != 1 ||
					w.Alarms("CredentialsFailing") != 1 {
					t.Errorf("%d requests, %d alarms; want 1 and 1", n, w.Alarms("CredentialsFailing"))
				}
				testworld.Must(t, w.Providers.SetFault("trackmania", simulator.Fault{}))
				if err := m.RenewNow(t.Context(), alice); err != nil { // the provider had been wrong
					t.Errorf("RenewNow() = %v, want it renewed by the refresh token that was kept", err)
				}
				w.Token(w.NewProcess(), alice)
			})
		})
	}
}

// Who loses a race to another holder of the lease hears the same words as who
// comes with a dead grant: that is no end, and no alarm.
func TestCaseC27_LoserOfARaceEndsNoGrant(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t, simulator.Options{})
		w.granted("trackmania", nil)
		w.Token(w.NewProcess(), testworld.Key("trackmania"))
		time.Sleep(2 * time.Hour)
		slow := w.NewProcess()
		w.transport.slow = 9 * time.Second // on its way while its process is stopped beyond its lease
		stopped := make(chan error)
		go func() {
			_, err := slow.Token(t.Context(), testworld.Key("trackmania"), mint.Want{})
			stopped <- err
		}()
		time.Sleep(time.Second)
		synctest.Wait() // it has read slow
		w.transport.slow = 0
		e := w.Entry(testworld.Key("trackmania")) // another holder comes in between: it renews, and commits
		testworld.Must(t, w.Store.Delete(t.Context(), e.Key))
		lease, err := w.Store.Acquire(t.Context(), store.Entry{Key: e.Key}, time.Second)
		testworld.Must(t, err)
		testworld.Must(t, w.Store.Commit(t.Context(), lease, e))
		winner := w.Token(w.NewProcess(), testworld.Key("trackmania"))
		if err := <-stopped; err != nil {
			t.Errorf("Token() of the loser = %v, want the winner's token", err)
		}
		if got := w.Entry(testworld.Key("trackmania")); got.State != store.Live ||
			got.Fingerprint != winner.Token.Fingerprint ||
			w.Alarms("CredentialsFailing") != 0 {
			t.Errorf(
				"entry = state %q, %d alarms; want the winner's, and none",
				got.State,
				w.Alarms("CredentialsFailing"),
			)
		}
	})
}

// A refusal in unknown words came with an answer: the grant is kept, however
// long it lasts, and no text says that no answer came.
func TestCaseC23_UnknownRefusalKeepsTheGrant(t *testing.T) {
	for name, body := range map[string]string{
		"as reported": `{"error":"internal_failure"}`, "unknown words": `{"error":"E_TENANT_PAUSED"}`,
		"a sentence": `{"message":"we are migrating your region"}`,
	} {
		for _, lasts := range []time.Duration{150 * time.Second, 6 * time.Hour} {
			t.Run(name+" for "+lasts.String(), func(t *testing.T) {
				synctest.Test(t, func(t *testing.T) {
					w := newWorld(t, simulator.Options{})
					w.granted("trackmania", nil)
					m := w.NewProcess()
					w.Token(m, testworld.Key("trackmania"))
					time.Sleep(65 * time.Minute)
					testworld.Must(
						t,
						w.Providers.SetFault("trackmania", simulator.Fault{Only: "refresh", Status: 400, Body: body}),
					)
					for end := time.Now().Add(lasts); time.Now().Before(end); time.Sleep(5 * time.Second) {
						_, err := m.Token(t.Context(), testworld.Key("trackmania"), mint.Want{})
						if testworld.HasCode(err, api.ReauthorizationRequired) ||
							strings.Contains(err.Error(), "no answer came") {
							t.Fatalf("Token() = %v, want the refusal as it is", err)
						}
					}
					testworld.Must(t, w.Providers.SetFault("trackmania", simulator.Fault{}))
					time.Sleep(16 * time.Minute)
					w.Token(m, testworld.Key("trackmania"))
					if n := w.most("trackmania"); n != 1 {
						t.Errorf("a refresh token reached the provider %d times, want 1", n)
					}
				})
			})
		}
	}
}
