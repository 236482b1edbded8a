//go:build testall

package peer_test

import (
	"strings"
	"testing"
	"time"

	"github.com/tokenvend/tokenvend/internal/testworld"
	"github.com/tokenvend/tokenvend/pkg/api"
	"github.com/tokenvend/tokenvend/pkg/attempt"
	"github.com/tokenvend/tokenvend/pkg/mint"
	"github.com/tokenvend/tokenvend/pkg/redact"
	"github.com/tokenvend/tokenvend/pkg/rotate"
	"github.com/tokenvend/tokenvend/pkg/store"
	"github.com/tokenvend/tokenvend/pkg/store/memory"
	"github.com/tokenvend/tokenvend/pkg/token"
)

// connectable writes the credential of an app.
func (w *world) connectable(id string) {
	w.PutSecret(id, fields{
		"descriptor": w.descriptor("post"), "client_id": id, "client_secret": secret, "scope": "openid offline_access",
	})
}

// verified verifies the current token at the server's userinfo endpoint, as
// status --verify does.
func verified(t *testing.T, m *testworld.Process, k token.Key) bool {
	t.Helper()
	said, err := m.Verify(t.Context(), k)
	testworld.Must(t, err)
	if said == nil {
		t.Fatalf("Verify(%s) = nil, want a result", k)
	}
	return said.Works
}

// renewWhenDue waits in real time until an entry is due and renews it as rotate
// does.
func (w *world) renewWhenDue(m *testworld.Process, k token.Key) (rotate.Renewal, error) {
	w.T.Helper()
	wait := time.Until(w.Entry(k).NextAt)
	if wait > tokenSeconds*time.Second {
		w.T.Fatalf("Entry(%s) is due in %v, want within %d s", k, wait, tokenSeconds)
	}
	time.Sleep(wait)
	return m.Renew(w.T.Context(), k)
}

func anAccountIsConnectedKeptAndRevoked(t *testing.T, w *world) {
	w.connectable("kept")
	alice := testworld.Account("kept", "alice")
	m := w.newProcess()
	testworld.Must(t, m.Connect(t.Context(), alice, w.code(m, alice)))
	first := w.Token(m, alice).Token
	if first.Scope != "offline_access openid" && first.Scope != "openid offline_access" || !verified(t, m, alice) {
		t.Errorf("Token() = scope %q, accepted %t; want the requested scopes, true", first.Scope, verified(t, m, alice))
	}
	for generation := int64(2); generation <= 3; generation++ {
		if became, err := w.renewWhenDue(w.newProcess(), alice); became != rotate.Renewed {
			t.Fatalf("Renew() = %s, %v, want %s", became, err, rotate.Renewed)
		}
		if got := w.Token(w.newProcess(), alice).Token; got.Generation != generation || !w.alive(got.Access) {
			t.Fatalf("Token() = generation %d, want %d, which the server accepts", got.Generation, generation)
		}
	}
	if time.Sleep(time.Until(first.ExpiresAt)); w.alive(first.Access) {
		t.Errorf("the server accepts a token at %v, want none after %v", time.Now(), first.ExpiresAt)
	}
	last := w.Token(w.newProcess(), alice).Token
	if revoked, _, err := w.newProcess().Revoke(t.Context(), alice); err != nil || !revoked ||
		w.alive(last.Access) {
		t.Errorf(
			"Revoke() = %t, %v, accepted afterwards: %t; want true, nil, false",
			revoked,
			err,
			w.alive(last.Access),
		)
	}
	_, err := w.newProcess().Token(t.Context(), alice, mint.Want{})
	if !testworld.HasCode(err, api.ReauthorizationRequired) {
		t.Errorf("Token() after Revoke() = %v, want %s", err, api.ReauthorizationRequired)
	}
	if n := w.asked("kept"); n != 3 {
		t.Errorf("%d token requests, want 3: a code and two refreshes", n)
	}
}

// A store that was restored from a copy holds a refresh token that was used
// since.
func aRevokedFamilyIsReportedOnce(t *testing.T, w *world) {
	w.connectable("family")
	alice := testworld.Account("family", "alice")
	m := w.newProcess()
	testworld.Must(t, m.Connect(t.Context(), alice, w.code(m, alice)))
	copied := w.copied(token.RecordKey("family"), alice)
	if became, err := w.renewWhenDue(m, alice); became != rotate.Renewed {
		t.Fatalf("Renew() = %s, %v, want %s", became, err, rotate.Renewed)
	}
	newest := w.Token(m, alice).Token
	if !w.alive(newest.Access) {
		t.Fatalf("generation %d, just issued: the server refuses it, want it accepted", newest.Generation)
	}

	restored := w.newProcess(testworld.WithStore(copied))
	for range 3 {
		if became, err := restored.Renew(t.Context(), alice); became == rotate.Renewed ||
			err != nil && !testworld.HasCode(err, api.ReauthorizationRequired) {
			t.Errorf("Renew() from a restored store = %s, %v, want %s", became, err, api.ReauthorizationRequired)
		}
	}
	if w.alive(newest.Access) {
		t.Error("the newest token after a refresh token came twice: accepted, want the family ended")
	}
	if s, err := restored.Status(t.Context(), alice); err != nil || s.State != api.Reauthorize ||
		w.Alarms("CredentialsFailing") != 1 || w.asked("family") != 3 {
		t.Errorf(
			"Status() = %s, %v, %d alarms, %d token requests; want reauthorize, one alarm, 3 requests", s.State, err,
			w.Alarms("CredentialsFailing"), w.asked("family"),
		)
	}

	became, err := w.renewWhenDue(m, alice)
	if became != rotate.Failed || !testworld.HasCode(err, api.ReauthorizationRequired) {
		t.Errorf(
			"Renew() from the copied store = %s, %v, want %s, %s", became, err, rotate.Failed,
			api.ReauthorizationRequired,
		)
	}
	testworld.Must(t, m.Connect(t.Context(), alice, w.code(m, alice)))
	if got := w.Token(w.newProcess(), alice).Token; !w.alive(got.Access) || w.Alarms("CredentialsFailing") != 2 {
		t.Errorf(
			"after Connect(): token accepted %t, %d alarms; want true, one alarm for each store", w.alive(got.Access),
			w.Alarms("CredentialsFailing"),
		)
	}
}

// copied returns a store with a copy of the current entries.
func (w *world) copied(keys ...token.Key) *memory.Store {
	w.T.Helper()
	other := memory.New()
	for _, k := range keys {
		lease, err := other.Acquire(w.T.Context(), store.Entry{Key: k}, time.Minute)
		testworld.Must(w.T, err)
		testworld.Must(w.T, other.Commit(w.T.Context(), lease, w.Entry(k)))
	}
	return other
}

func codesAreRefused(t *testing.T, w *world) {
	w.connectable("codes")
	w.connectable("hasty")
	m := w.newProcess()
	refused := func(what string, k token.Key, code attempt.Code) {
		t.Helper()
		given, detail := apiError(m.Connect(t.Context(), k, code))
		if given != api.ProviderRejected ||
			!strings.Contains(detail, "rejected (HTTP 400): invalid_grant: grant request is invalid") {
			t.Errorf("Connect() with %s = %s: %s, want %s, invalid_grant", what, given, detail, api.ProviderRejected)
		}
		for _, one := range []redact.String{code.Code, code.Verifier, redact.New(secret)} {
			if strings.Contains(detail+w.Log.String(), one.Reveal()) {
				t.Errorf("Connect() with %s: the error %q or the log shows a secret", what, detail)
			}
		}
	}

	late := w.code(m, testworld.Account("hasty", "alice"))
	over := time.Now().Add(1100 * time.Millisecond)
	other := w.code(m, testworld.Account("codes", "alice"))
	other.Verifier = redact.New("x" + testworld.CodeVerifier[1:])
	refused("another verifier", testworld.Account("codes", "alice"), other)
	elsewhere := w.code(m, testworld.Account("codes", "alice"))
	elsewhere.RedirectURI = testworld.RedirectURI + "/elsewhere"
	refused("another redirect URI", testworld.Account("codes", "alice"), elsewhere)
	stolen := w.code(m, testworld.Account("codes", "alice"))
	stolen.Destination = late.Destination
	refused("another client's code", testworld.Account("hasty", "alice"), stolen)
	time.Sleep(time.Until(over))
	refused("an expired code", testworld.Account("hasty", "alice"), late)
	for _, name := range []string{"codes", "hasty"} {
		if e := w.Entry(testworld.Account(name, "alice")); e.Generation != 0 || e.Sealed != nil {
			t.Errorf("Entry(%s) = generation %d, %d bytes sealed; want 0, 0", e.Key, e.Generation, len(e.Sealed))
		}
	}

	// A code that is used twice revokes the tokens that it was exchanged for
	// (RFC 6749 §4.1.2).
	twice := w.code(m, testworld.Account("codes", "bob"))
	testworld.Must(t, m.Connect(t.Context(), testworld.Account("codes", "bob"), twice))
	if !verified(t, w.newProcess(), testworld.Account("codes", "bob")) {
		t.Error("Verify() of the token of a code = refused, want accepted")
	}
	refused("a used code", testworld.Account("codes", "bob"), twice)
	if verified(t, w.newProcess(), testworld.Account("codes", "bob")) {
		t.Error("Verify() of the token of a code that came twice = accepted, want refused")
	}
}

// A token that is bound to the client's certificate (RFC 8705 §3) is refused on
// other connections, also if it is verified.
func tokensAreBoundToACertificate(t *testing.T, w *world) {
	w.PutSecret("bound", fields{
		"descriptor": w.descriptor("tls"), "client_id": "bound", "certificate": w.bound.Certificate,
		"private_key": w.bound.Key, "scope": "openid offline_access",
	})
	alice := testworld.Account("bound", "alice")
	m := w.newProcess()
	testworld.Must(t, m.Connect(t.Context(), alice, w.code(m, alice)))
	got := w.Token(m, alice).Token
	if !verified(t, m, alice) || w.alive(got.Access) {
		t.Errorf(
			"token with the certificate: accepted %t, without %t; want true, false", verified(t, m, alice),
			w.alive(got.Access),
		)
	}
	if became, err := m.Renew(t.Context(), alice); became != rotate.Renewed {
		t.Errorf("Renew() = %s, %v, want %s", became, err, rotate.Renewed)
	}
	if revoked, _, err := m.Revoke(t.Context(), alice); err != nil || !revoked {
		t.Errorf("Revoke() = %t, %v, want true", revoked, err)
	}
}
