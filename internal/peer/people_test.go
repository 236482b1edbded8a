//go:build testall

package peer_test

import (
	"strings"
	"testing"
	"time"

	"github.com/tokenvend/tokenvend/pkg/api"
	"github.com/tokenvend/tokenvend/pkg/mint"
	"github.com/tokenvend/tokenvend/pkg/redact"
	"github.com/tokenvend/tokenvend/pkg/store"
	"github.com/tokenvend/tokenvend/pkg/store/memory"
	"github.com/tokenvend/tokenvend/pkg/token"
)

// connectable writes the credential of an app.
func (w *world) connectable(id string) {
	w.put(id, fields{
		"descriptor": w.descriptor("post"), "client_id": id, "client_secret": secret, "scope": "openid offline_access",
	})
}

// verified verifies the current token at the server's userinfo endpoint, as
// status --verify does.
func verified(t *testing.T, m *mint.Mint, k token.Key) bool {
	t.Helper()
	said, err := m.Verify(t.Context(), k)
	must(t, err)
	if said == nil {
		t.Fatal("there is no token to prove")
	}
	return said.Works
}

func mustToken(t *testing.T, m *mint.Mint, k token.Key) token.Token {
	t.Helper()
	r, err := m.Token(t.Context(), k, mint.Want{})
	must(t, err)
	return r.Token
}

// renewWhenDue waits in real time until an entry is due and renews it as rotate
// does.
func (w *world) renewWhenDue(m *mint.Mint, k token.Key) (mint.Renewal, error) {
	w.t.Helper()
	wait := time.Until(w.entry(k).NextAt)
	if wait > tokenSeconds*time.Second {
		w.t.Fatalf("due in %v, want sooner than in %d s", wait, tokenSeconds)
	}
	time.Sleep(wait)
	return m.Renew(w.t.Context(), k)
}

func anAccountIsConnectedKeptAndRevoked(t *testing.T, w *world) {
	w.connectable("kept")
	alice := account("kept", "alice")
	m := w.instance()
	must(t, m.Connect(t.Context(), alice, w.code(m, alice)))
	first := mustToken(t, m, alice)
	if first.Scope != "offline_access openid" && first.Scope != "openid offline_access" || !verified(t, m, alice) {
		t.Errorf("scope %q; the server does not take the token, or grants something else", first.Scope)
	}
	for generation := int64(2); generation <= 3; generation++ {
		if became, err := w.renewWhenDue(w.instance(), alice); became != mint.Renewed {
			t.Fatal(became, err)
		}
		if got := mustToken(t, w.instance(), alice); got.Generation != generation || !w.alive(got.Access) {
			t.Fatalf("generation %d, want %d, which the server takes", got.Generation, generation)
		}
	}
	if time.Sleep(time.Until(first.ExpiresAt)); w.alive(first.Access) {
		t.Errorf("the server takes a token at %v, which should have ended at %v", time.Now(), first.ExpiresAt)
	}
	last := mustToken(t, w.instance(), alice)
	if revoked, _, err := w.instance().Revoke(t.Context(), alice); err != nil || !revoked || w.alive(last.Access) {
		t.Errorf("revoked %t, %v; the server still takes it: %t", revoked, err, w.alive(last.Access))
	}
	if _, err := w.instance().Token(t.Context(), alice, mint.Want{}); !is(err, api.ReauthorizationRequired) {
		t.Errorf("afterwards: %v", err)
	}
	if n := w.asked("kept"); n != 3 {
		t.Errorf("%d token requests, want a code and two refreshes", n)
	}
}

// A store that was restored from a copy holds a refresh token that was used
// since.
func aFamilyThatEndsIsToldOfOnce(t *testing.T, w *world) {
	w.connectable("family")
	alice := account("family", "alice")
	m := w.instance()
	must(t, m.Connect(t.Context(), alice, w.code(m, alice)))
	copied := w.copied(token.RecordKey("family"), alice)
	if became, err := w.renewWhenDue(m, alice); became != mint.Renewed {
		t.Fatal(became, err)
	}
	newest := mustToken(t, m, alice)
	if !w.alive(newest.Access) {
		t.Fatal("the server does not take the new token")
	}

	restored := w.instanceOver(copied)
	for range 3 {
		if became, err := restored.Renew(t.Context(), alice); became == mint.Renewed ||
			err != nil && !is(err, api.ReauthorizationRequired) {
			t.Errorf("%s, %v", became, err)
		}
	}
	if w.alive(newest.Access) {
		t.Error("the server ends no family when a refresh token comes twice, and so this test shows nothing")
	}
	if s, err := restored.Status(t.Context(), alice); err != nil || s.State != api.Reauthorize ||
		w.alarms("CredentialsFailing") != 1 || w.asked("family") != 3 {
		t.Errorf(
			"%s, %v, %d alarms, %d token requests; want reauthorize, one alarm, 3 requests", s.State, err,
			w.alarms("CredentialsFailing"), w.asked("family"),
		)
	}

	if became, err := w.renewWhenDue(m, alice); became != mint.Failed || !is(err, api.ReauthorizationRequired) {
		t.Errorf("the store that the copy was made of: %s, %v", became, err)
	}
	must(t, m.Connect(t.Context(), alice, w.code(m, alice)))
	if got := mustToken(t, w.instance(), alice); !w.alive(got.Access) || w.alarms("CredentialsFailing") != 2 {
		t.Errorf(
			"connected again: the server takes the token: %t; %d alarms, want one for each store", w.alive(got.Access),
			w.alarms("CredentialsFailing"),
		)
	}
}

// copied returns a store with a copy of the current entries.
func (w *world) copied(keys ...token.Key) *memory.Store {
	w.t.Helper()
	other := memory.New()
	for _, k := range keys {
		lease, err := other.Acquire(w.t.Context(), store.Entry{Key: k}, time.Minute)
		must(w.t, err)
		must(w.t, other.Commit(w.t.Context(), lease, w.entry(k)))
	}
	return other
}

func codesAreRefused(t *testing.T, w *world) {
	w.connectable("codes")
	w.connectable("hasty")
	m := w.instance()
	refused := func(what string, k token.Key, code mint.Code) {
		t.Helper()
		given, detail := apiError(m.Connect(t.Context(), k, code))
		if given != api.ProviderRejected ||
			!strings.Contains(detail, "rejected (HTTP 400): invalid_grant: grant request is invalid") {
			t.Errorf("%s: %s: %s", what, given, detail)
		}
		for _, one := range []redact.String{code.Code, code.Verifier, redact.New(secret)} {
			if strings.Contains(detail+w.logged(), one.Reveal()) {
				t.Errorf("%s: what is secret stands in the error or in the log", what)
			}
		}
	}

	late := w.code(m, account("hasty", "alice"))
	over := time.Now().Add(1100 * time.Millisecond)
	other := w.code(m, account("codes", "alice"))
	other.Verifier = redact.New("x" + verifier[1:])
	refused("another verifier", account("codes", "alice"), other)
	elsewhere := w.code(m, account("codes", "alice"))
	elsewhere.RedirectURI = backTo + "/elsewhere"
	refused("another redirect URI", account("codes", "alice"), elsewhere)
	stolen := w.code(m, account("codes", "alice"))
	stolen.Destination = late.Destination
	refused("another client's", account("hasty", "alice"), stolen)
	time.Sleep(time.Until(over))
	refused("too late", account("hasty", "alice"), late)
	for _, name := range []string{"codes", "hasty"} {
		if e := w.entry(account(name, "alice")); e.Generation != 0 || e.Sealed != nil {
			t.Errorf("%s: stored: generation %d, %d bytes sealed", name, e.Generation, len(e.Sealed))
		}
	}

	// A code that is used twice revokes the tokens that it was exchanged for
	// (RFC 6749 §4.1.2).
	twice := w.code(m, account("codes", "bob"))
	must(t, m.Connect(t.Context(), account("codes", "bob"), twice))
	if !verified(t, w.instance(), account("codes", "bob")) {
		t.Error("the server does not take the token of a code")
	}
	refused("twice", account("codes", "bob"), twice)
	if verified(t, w.instance(), account("codes", "bob")) {
		t.Error("the server still takes the token of a code that came twice")
	}
}

// A token that is bound to the client's certificate (RFC 8705 §3) is refused on
// other connections, also if it is verified.
func tokensAreBoundToACertificate(t *testing.T, w *world) {
	w.put("bound", fields{
		"descriptor": w.descriptor("tls"), "client_id": "bound", "certificate": w.bound.Certificate,
		"private_key": w.bound.Key, "scope": "openid offline_access",
	})
	alice := account("bound", "alice")
	m := w.instance()
	must(t, m.Connect(t.Context(), alice, w.code(m, alice)))
	got := mustToken(t, m, alice)
	if !verified(t, m, alice) || w.alive(got.Access) {
		t.Errorf(
			"proven %t; without the certificate the server takes it too: %t", verified(t, m, alice), w.alive(got.Access),
		)
	}
	if became, err := m.Renew(t.Context(), alice); became != mint.Renewed {
		t.Error(became, err)
	}
	if revoked, _, err := m.Revoke(t.Context(), alice); err != nil || !revoked {
		t.Errorf("revoked %t, %v", revoked, err)
	}
}

func is(err error, code api.Code) bool {
	given, _ := apiError(err)
	return given == code
}
