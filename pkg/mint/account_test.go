package mint_test

import (
	"context"
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/tokenvend/tokenvend/internal/testworld"
	"github.com/tokenvend/tokenvend/pkg/credential"
	"github.com/tokenvend/tokenvend/pkg/journal"
	"github.com/tokenvend/tokenvend/pkg/mint"
	"github.com/tokenvend/tokenvend/pkg/row"
	"github.com/tokenvend/tokenvend/pkg/store"
	"github.com/tokenvend/tokenvend/pkg/store/memory"
	"github.com/tokenvend/tokenvend/pkg/token"
)

// accounts is a token endpoint whose tokens and refresh tokens name the account
// that they are of.
type accounts struct {
	mu        sync.Mutex
	passwords map[string]string // by account
	client    string            // the client secret that works; "": any
	requests  []string          // "GRANT ACCOUNT"
}

func (a *accounts) RoundTrip(r *http.Request) (*http.Response, error) {
	form, err := formOf(r)
	if err != nil {
		return nil, err
	}
	if r.URL.Path == "/revoke" {
		form.Set("grant_type", "revoke")
		form.Set("username", form.Get("token"))
	}
	a.mu.Lock()
	defer a.mu.Unlock()
	w := httptest.NewRecorder()
	w.Header().Set("Content-Type", "application/json")
	account := form.Get("username")
	if sent, ok := strings.CutPrefix(form.Get("refresh_token"), "refresh-"); ok {
		account = sent
	}
	a.requests = append(a.requests, form.Get("grant_type")+" "+account)
	switch {
	case a.client != "" && form.Get("client_secret") != a.client:
		w.WriteHeader(http.StatusUnauthorized)
		_, _ = w.WriteString(`{"error":"invalid_client"}`)
		return w.Result(), nil
	case form.Get("grant_type") == "password" && a.passwords[account] != form.Get("password"):
		w.WriteHeader(http.StatusBadRequest)
		_, _ = w.WriteString(`{"error":"invalid_grant"}`)
		return w.Result(), nil
	}
	answer := map[string]any{
		"access_token": "token-" + account + "-" + time.Now().Format("150405"), "expires_in": 3600,
		"refresh_token": "refresh-" + account,
	}
	if form.Get("grant_type") != "refresh_token" {
		answer["instance_url"] = "https://instance.example"
	}
	err = json.NewEncoder(w).Encode(answer)
	return w.Result(), err
}

// login is a secret by which an account's password obtains tokens.
func login(account, password, clientSecret string) map[string]any {
	return map[string]any{
		"client_id": "id", "client_secret": clientSecret,
		"descriptor": map[string]any{
			"grants": []string{"password"}, "refresh": map[string]any{},
			"revoke":   map[string]any{"url": "https://id.example/revoke"},
			"token":    map[string]any{"url": "https://id.example/token", "auth": "post"},
			"response": map[string]any{"extra": map[string]any{"instance_url": "/instance_url"}},
		},
		"secrets": map[string]any{"username": account, "password": password},
	}
}

// bank is a stack whose credential "api" has tokens of accounts.
type bank struct {
	*testworld.World
	*staged
	rows     store.Store
	provider *accounts
}

func newBank(t *testing.T) *bank {
	t.Helper()
	return &bank{
		World: testworld.New(t, testworld.Config{}), rows: memory.New(),
		staged:   &staged{versions: map[string]map[credential.Stage]version{}},
		provider: &accounts{passwords: map[string]string{"alice": "one", "bob": "two"}},
	}
}

func (b *bank) process() *testworld.Process {
	return b.NewProcess(func(c *mint.Config) {
		c.Store, c.Source, c.HTTP = b.rows, b.staged, &http.Client{Transport: b.provider}
		c.Journal = journal.Journal{}
	})
}

// change puts another version of the secret, and lets it be discovered.
func (b *bank) change(secret map[string]any) {
	b.T.Helper()
	b.put("api", secret)
	b.discover()
}

func (b *bank) discover() {
	b.T.Helper()
	if _, _, err := b.process().Discover(b.T.Context()); err != nil {
		b.T.Fatal(err)
	}
}

// vended returns whose token a new process vends, and its further values; "" on
// an error.
func (b *bank) vended() (account string, extra map[string]string) {
	b.T.Helper()
	ctx, cancel := context.WithTimeout(b.T.Context(), testworld.CallerTimeout)
	defer cancel()
	got, err := b.process().Token(ctx, testworld.Key("api"), mint.Want{})
	if err != nil {
		return "", nil
	}
	account, _, _ = strings.Cut(strings.TrimPrefix(got.Token.Access.Reveal(), "token-"), "-")
	return account, got.Token.Extra.Reveal()
}

func (b *bank) wantAccount(when, want string) {
	b.T.Helper()
	if got, _ := b.vended(); got != want {
		b.T.Errorf("%s: Token() is of %q, want %q; requests %v", when, got, want, b.provider.requests)
	}
}

// Where the password of a new account is wrong, nobody gets a token of the
// account before.
func TestPreviousVersionOfAnotherAccountIsNotTried(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newBank(t)
		b.change(login("alice", "one", "s"))
		b.wantAccount("at first", "alice")
		time.Sleep(2 * time.Minute)
		b.change(login("bob", "mistyped", "s"))
		b.wantAccount("after a change to a wrong password of another account", "")
		time.Sleep(20 * time.Minute)
		b.change(login("bob", "two", "s"))
		b.wantAccount("after the right password", "bob")
	})
}

// Where only the password of an account is wrong, its password before may work.
func TestPreviousPasswordOfTheSameAccountIsTried(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newBank(t)
		b.change(login("alice", "one", "s"))
		b.wantAccount("at first", "alice")
		b.change(login("alice", "not yet", "s"))
		b.wantAccount("after a change that the provider does not know yet", "alice")
	})
}

// A refresh token is not sent under the secrets of another account, not even in
// the attempt that notices the change.
func TestRefreshTokenOfAnotherAccountIsNotSent(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newBank(t)
		b.put("api", login("alice", "one", "s1"))
		old := b.process() // it keeps the secret that it has read
		_, _, err := old.Discover(t.Context())
		testworld.Must(t, err)
		b.Token(old, testworld.Key("api"))
		time.Sleep(59*time.Minute + 30*time.Second)
		b.provider.client = "s2"
		b.put("api", login("bob", "two", "s2"))
		ctx, cancel := context.WithTimeout(t.Context(), testworld.CallerTimeout)
		defer cancel()
		if got, err := old.Token(ctx, testworld.Key("api"), mint.Want{}); err == nil &&
			!strings.HasPrefix(got.Token.Access.Reveal(), "token-bob") {
			t.Errorf("Token() = %s, want one of bob; requests %v", got.Token.Access.Reveal(), b.provider.requests)
		}
		b.discover()
		time.Sleep(2 * time.Minute)
		b.wantAccount("after the discovery", "bob")
		time.Sleep(59*time.Minute + 30*time.Second)
		b.wantAccount("after the next renewal", "bob")
	})
}

// A credential that had no account gets one.
func TestTokensOfBeforeAnAccountDoNotCount(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newBank(t)
		secret := map[string]any{
			"client_id": "id", "client_secret": "s", "provider": "oauth2-post", "token_url": "https://id.example/token",
		}
		b.change(secret)
		b.wantAccount("by the client's own credentials", "")
		secret["grant"], secret["secrets"] = "password", map[string]any{"username": "bob", "password": "two"}
		b.change(secret)
		time.Sleep(2 * time.Minute)
		b.wantAccount("with an account", "bob")
	})
}

// asOlderThanLogins rewrites a row as a program wrote it that noted no logins.
func (b *bank) asOlderThanLogins(key token.Key) {
	b.T.Helper()
	ctx := context.WithoutCancel(b.T.Context())
	stored, err := b.rows.Get(ctx, store.Strong, key)
	testworld.Must(b.T, err)
	plain, err := b.Sealer.Open(ctx, key.Credential, stored[0].Sealed, row.AdditionalData(stored[0]))
	testworld.Must(b.T, err)
	older := row.Row{Entry: stored[0]}
	testworld.Must(b.T, older.Read(plain))
	older.Digests.Login, older.History.Login, older.History.LoginKey = "", "", nil
	testworld.Must(b.T, older.Seal(ctx, b.Sealer, row.Format2))
	_, err = b.rows.Replace(ctx, stored[0], older.Entry)
	testworld.Must(b.T, err)
}

// The first renewal after an upgrade keeps the further values that the response
// does not repeat.
func TestFurtherValuesOutliveAnUpgrade(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newBank(t)
		b.change(login("alice", "one", "s"))
		b.wantAccount("at first", "alice")
		b.asOlderThanLogins(testworld.Key("api"))
		b.asOlderThanLogins(token.RecordKey("api"))
		time.Sleep(59*time.Minute + 30*time.Second)
		_, extra := b.vended()
		if last := b.provider.requests[len(b.provider.requests)-1]; last != "refresh_token alice" {
			t.Errorf("the last request is %q, want a renewal by the refresh token", last)
		}
		if extra["instance_url"] == "" {
			t.Errorf("Token() has the further values %v, want instance_url", extra)
		}
	})
}

// What was obtained with the password before can still be revoked.
func TestRevocationAfterAChangeOfThePassword(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newBank(t)
		b.change(login("alice", "one", "s"))
		b.wantAccount("at first", "alice")
		b.change(login("alice", "two", "s"))
		time.Sleep(2 * time.Minute)
		revoked, _, err := b.process().Revoke(t.Context(), testworld.Key("api"))
		if err != nil || !revoked {
			t.Errorf("Revoke() = %t, %v, want true; requests %v", revoked, err, b.provider.requests)
		}
		if n := strings.Count(strings.Join(b.provider.requests, "\n"), "revoke "); n != 2 {
			t.Errorf("the requests are %v, want a revocation of the refresh token and of the token", b.provider.requests)
		}
	})
}
