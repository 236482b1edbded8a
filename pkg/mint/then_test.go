package mint_test

import (
	"net/http"
	"net/url"
	"slices"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/tokenvend/tokenvend/internal/testworld"
	"github.com/tokenvend/tokenvend/pkg/attempt"
	"github.com/tokenvend/tokenvend/pkg/credential"
	"github.com/tokenvend/tokenvend/pkg/mint"
	"github.com/tokenvend/tokenvend/pkg/redact"
)

// sessions is a provider with single-use refresh tokens and a request after
// each token request, which it may refuse.
type sessions struct {
	mu       sync.Mutex
	refuses  bool
	redeemed []string // codes and refresh tokens, in order
}

func (s *sessions) answer(r *http.Request, form url.Values) (status int, body string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if r.URL.Path == "/session" {
		if s.refuses {
			return http.StatusUnauthorized, `{"error":"invalid_client"}`
		}
		return http.StatusOK, `{"url":"https://eu.test"}`
	}
	sent := form.Get("code") + form.Get("refresh_token")
	s.redeemed = append(s.redeemed, sent)
	return http.StatusOK, `{"access_token":"access-of-` + sent + `","expires_in":3600,"refresh_token":"` + sent + `+"}`
}

func (s *sessions) setRefuses(refuses bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.refuses = refuses
}

// wantRedeemed checks what the provider has redeemed, in order.
func (s *sessions) wantRedeemed(t *testing.T, want ...string) {
	t.Helper()
	s.mu.Lock()
	defer s.mu.Unlock()
	if !slices.Equal(s.redeemed, want) {
		t.Errorf("the provider redeemed %q, want %q", s.redeemed, want)
	}
}

// newSessions returns a process of a credential with two versions.
func newSessions(t *testing.T) (*sessions, *testworld.Process) {
	s := &sessions{}
	h := &hosts{got: map[string]string{}, answers: map[string]func(*http.Request, url.Values) (int, string){
		"id.example": s.answer,
	}}
	secrets := &staged{versions: map[string]map[credential.Stage]version{}}
	for range 2 {
		secrets.put("api", map[string]any{
			"descriptor": map[string]any{
				"token":     map[string]any{"url": "https://id.example/token", "auth": "post"},
				"refresh":   map[string]any{"rotates": "yes"},
				"authorize": map[string]any{"url": "/authorize"},
				"then": map[string]any{
					"url":     "/session",
					"headers": map[string]any{"X-Token": "{access_token}", "X-Key": "{secrets.key}"},
					"extra":   map[string]any{"url": "/url"},
				},
			},
			"client_id": "id", "client_secret": "one-secret-value", "secrets": map[string]any{"key": "key-value"},
			"allow": map[string]any{"accounts": []string{"*"}},
		})
	}
	w := testworld.New(t, testworld.Config{HTTP: &http.Client{Transport: h}})
	return s, w.NewProcess(func(c *mint.Config) { c.Source = secrets })
}

func connectSession(t *testing.T, p *testworld.Process, account, code string) error {
	t.Helper()
	return p.Connect(t.Context(), testworld.Account("api", account), attempt.Code{
		Code: redact.New(code), Verifier: redact.New(testworld.CodeVerifier), RedirectURI: testworld.RedirectURI,
	})
}

// A refresh token is redeemed once, though the request after it is refused and
// the secret has another version, and the new one is kept.
func TestThenThatIsRefusedKeepsTheNewRefreshToken(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s, p := newSessions(t)
		if err := connectSession(t, p, "alice", "A"); err != nil {
			t.Fatalf("Connect(alice) = %v, want nil", err)
		}
		s.setRefuses(true)
		time.Sleep(2 * time.Hour)
		if r, err := p.Token(t.Context(), testworld.Account("api", "alice"), mint.Want{}); err == nil {
			t.Errorf("Token(alice) = %q, want an error", r.Token.Access.Reveal())
		}
		s.wantRedeemed(t, "A", "A+")
		s.setRefuses(false)
		time.Sleep(2 * time.Hour)
		r, err := p.Token(t.Context(), testworld.Account("api", "alice"), mint.Want{})
		if got := r.Token.Access.Reveal(); err != nil || got != "access-of-A++" {
			t.Errorf("Token(alice) = %q, %v, want access-of-A++", got, err)
		}
		s.wantRedeemed(t, "A", "A+", "A++")
	})
}

// No other grant is tried after a refused request: its response would replace
// the new refresh token.
func TestThenThatIsRefusedTriesNoOtherGrant(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s, p := newSessions(t)
		for i, refuses := range []bool{false, true, false} {
			s.setRefuses(refuses)
			_, err := p.Token(t.Context(), testworld.Key("api"), mint.Want{})
			if failed := err != nil; failed != refuses {
				t.Errorf("Token(api) = %v at request %d, want an error: %t", err, i, refuses)
			}
			time.Sleep(2 * time.Hour)
		}
		s.wantRedeemed(t, "", "+", "++")
	})
}

// A code is redeemed once too, and other accounts do not suffer.
func TestThenThatIsRefusedConcernsOneAccount(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s, p := newSessions(t)
		s.setRefuses(true)
		if err := connectSession(t, p, "bob", "B"); err == nil {
			t.Error("Connect(bob) = nil, want an error")
		}
		s.wantRedeemed(t, "B")
		s.setRefuses(false)
		if err := connectSession(t, p, "carol", "C"); err != nil {
			t.Errorf("Connect(carol) = %v, want nil", err)
		}
		r, err := p.Token(t.Context(), testworld.Account("api", "carol"), mint.Want{})
		if got := r.Token.Access.Reveal(); err != nil || got != "access-of-C" {
			t.Errorf("Token(carol) = %q, %v, want access-of-C", got, err)
		}
		s.wantRedeemed(t, "B", "C")
	})
}
