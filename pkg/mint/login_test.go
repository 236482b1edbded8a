package mint_test

import (
	"context"
	"encoding/json"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"testing/synctest"

	"github.com/tokenvend/tokenvend/internal/testbed"
	"github.com/tokenvend/tokenvend/internal/testworld"
	"github.com/tokenvend/tokenvend/internal/testworld/dynamotable"
	"github.com/tokenvend/tokenvend/pkg/api"
	"github.com/tokenvend/tokenvend/pkg/mint"
	"github.com/tokenvend/tokenvend/pkg/row"
	"github.com/tokenvend/tokenvend/pkg/store"
	"github.com/tokenvend/tokenvend/pkg/store/bolt"
	"github.com/tokenvend/tokenvend/pkg/store/dynamo"
	"github.com/tokenvend/tokenvend/pkg/store/memory"
	"github.com/tokenvend/tokenvend/pkg/token"
)

// logins is a token endpoint whose tokens name the parameters that they were
// issued for.
type logins struct {
	mu     sync.Mutex
	away   bool   // answers 503
	kind   string // the token type of responses; "": none
	bodies []url.Values
}

// RoundTrip implements [http.RoundTripper].
func (l *logins) RoundTrip(r *http.Request) (*http.Response, error) {
	form, err := formOf(r)
	if err != nil {
		return nil, err
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	l.bodies = append(l.bodies, form)
	w := httptest.NewRecorder()
	if l.away {
		w.WriteHeader(http.StatusServiceUnavailable)
		return w.Result(), nil
	}
	name := form.Get("username") + form.Get("client_id") + "-" + form.Get("password") + form.Get("client_secret")
	answer := map[string]any{"access_token": name, "expires_in": 3600, "refresh_token": "refresh-of-" + name}
	if l.kind != "" {
		answer["token_type"] = l.kind
	}
	if err := json.NewEncoder(w).Encode(answer); err != nil {
		return nil, err
	}
	return w.Result(), nil
}

// formOf reads the parameters of a token request.
func formOf(r *http.Request) (url.Values, error) {
	body, err := io.ReadAll(r.Body)
	if err != nil {
		return nil, err
	}
	return url.ParseQuery(string(body))
}

func (l *logins) setAway(away bool) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.away = away
}

// sent returns the values of a parameter in all requests.
func (l *logins) sent(name string) []string {
	l.mu.Lock()
	defer l.mu.Unlock()
	var all []string
	for _, body := range l.bodies {
		all = append(all, body.Get(name))
	}
	return all
}

// passwordOf is the secret of a credential of the password grant.
func passwordOf(username, password string) map[string]any {
	return map[string]any{
		"descriptor": map[string]any{
			"grants": []string{"password"}, "refresh": map[string]any{},
			"token": map[string]any{
				"url":    "https://id.example/token",
				"auth":   "none",
				"fields": map[string]any{"client_id": ""},
			},
		},
		"secrets": map[string]any{"username": username, "password": password},
	}
}

// learnLogin writes a secret, and has it discovered.
func learnLogin(w *testworld.World, content map[string]any) {
	w.T.Helper()
	w.PutSecret("api", content)
	_, _, err := w.NewProcess().Discover(w.T.Context())
	testworld.Must(w.T, err)
}

// wantLogin fails the test unless the token is that one.
func wantLogin(w *testworld.World, want string) {
	w.T.Helper()
	if got := w.Token(w.NewProcess(), testworld.Key("api")).Token.Access.Reveal(); got != want {
		w.T.Errorf("Token(api) = %s, want %s", got, want)
	}
}

// A token belongs to the account that it was obtained for. With another
// account, or another password, a new one is obtained at once, and not by the
// refresh token of the old account.
func TestChangedLoginBringsANewToken(t *testing.T) {
	changedLogin := func(t *testing.T, s store.Store) {
		endpoint := &logins{}
		w := testworld.New(t, testworld.Config{Store: s, HTTP: &http.Client{Transport: endpoint}})
		for _, login := range [][2]string{{"alice", "one"}, {"alice", "two"}, {"bob", "two"}} {
			learnLogin(w, passwordOf(login[0], login[1]))
			for range 2 {
				wantLogin(w, login[0]+"-"+login[1])
			}
		}
		if got := strings.Join(endpoint.sent("grant_type"), " "); got != "password password password" {
			t.Errorf("grants of the requests = %s, want the password three times", got)
		}
	}
	t.Run("memory", func(t *testing.T) {
		synctest.Test(t, func(t *testing.T) { changedLogin(t, memory.New()) })
	})
	t.Run("bolt", func(t *testing.T) {
		s, err := bolt.Open(filepath.Join(t.TempDir(), "store.db"))
		testworld.Must(t, err)
		defer s.Close()
		changedLogin(t, s)
	})
	t.Run("DynamoDB", func(t *testing.T) {
		client := dynamotable.Client(testbed.DynamoDB(t), http.DefaultTransport)
		changedLogin(t, dynamo.New(client, dynamotable.New(t, client)))
	})
}

// A session login may have its password in client_secret. A client secret of
// client credentials is rotated without a new token.
func TestChangedClientSecretBringsANewTokenToALogin(t *testing.T) {
	session := map[string]any{
		"grants": []string{"login"},
		"token": map[string]any{
			"url":    "https://id.example/token",
			"auth":   "none",
			"params": map[string]any{"username": "alice", "password": "{client_secret}"},
		},
	}
	for name, c := range map[string]struct {
		content map[string]any
		want    string
	}{
		"a login": {map[string]any{"descriptor": session}, "aliceid-two"},
		"client credentials": {map[string]any{
			"descriptor": map[string]any{"token": map[string]any{"url": "https://id.example/token", "auth": "post"}},
		}, "id-one"},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				w := testworld.New(t, testworld.Config{HTTP: &http.Client{Transport: &logins{}}})
				c.content["client_id"] = "id"
				for _, password := range []string{"one", "two"} {
					c.content["client_secret"] = password
					learnLogin(w, c.content)
					w.Token(w.NewProcess(), testworld.Key("api"))
				}
				wantLogin(w, c.want)
			})
		})
	}
}

// While the provider does not answer, the token of the old account is not
// vended.
func TestChangedLoginIsNotServedByTheOldTokenInAnOutage(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		endpoint := &logins{}
		w := testworld.New(t, testworld.Config{HTTP: &http.Client{Transport: endpoint}})
		learnLogin(w, passwordOf("alice", "one"))
		wantLogin(w, "alice-one")
		endpoint.setAway(true)
		learnLogin(w, passwordOf("bob", "two"))
		w.Refused(w.NewProcess(), testworld.Key("api"), mint.Want{}, api.ProviderUnavailable)
		endpoint.setAway(false)
		r := w.TokenThat(w.NewProcess(), testworld.Key("api"), mint.Want{IgnoreBackoff: true})
		if got := r.Token.Access.Reveal(); got != "bob-two" {
			t.Errorf("Token(api) = %s, want bob-two", got)
		}
	})
}

// An entry that an older program wrote has no MAC, and stays valid.
func TestLoginOfAnOlderRowIsNotKnown(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := testworld.New(t, testworld.Config{HTTP: &http.Client{Transport: &logins{}}})
		learnLogin(w, passwordOf("alice", "one"))
		wantLogin(w, "alice-one")
		forgetLogin(w, testworld.Key("api"))
		learnLogin(w, passwordOf("alice", "two"))
		wantLogin(w, "alice-one")
	})
}

// A record that an older program wrote has no key. It gets one before the next
// token, so that the next change is noticed.
func TestLoginIsLearntOfAnOlderRecord(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := testworld.New(t, testworld.Config{HTTP: &http.Client{Transport: &logins{}}})
		learnLogin(w, passwordOf("alice", "one"))
		forgetLogin(w, token.RecordKey("api"))
		wantLogin(w, "alice-one")
		learnLogin(w, passwordOf("alice", "two"))
		wantLogin(w, "alice-two")
	})
}

// forgetLogin writes a row as an older program does, without a MAC.
func forgetLogin(w *testworld.World, key token.Key) {
	w.T.Helper()
	ctx := context.WithoutCancel(w.T.Context())
	stored, err := w.Store.Get(ctx, store.Strong, key)
	testworld.Must(w.T, err)
	plain, err := w.Sealer.Open(ctx, key.Credential, stored[0].Sealed, row.AdditionalData(stored[0]))
	testworld.Must(w.T, err)
	if !strings.Contains(string(plain), `"login":"`) {
		w.T.Errorf("the row %s has no MAC of the secrets, want one", key)
	}
	opened := row.Row{Entry: stored[0]}
	testworld.Must(w.T, opened.Read(plain))
	opened.Digests.Login, opened.History.Login, opened.History.LoginKey = "", "", nil
	testworld.Must(w.T, opened.Seal(ctx, w.Sealer, row.Format2))
	_, err = w.Store.Replace(ctx, stored[0], opened.Entry)
	testworld.Must(w.T, err)
}
