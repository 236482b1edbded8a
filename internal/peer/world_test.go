//go:build testall

// Package peer tests mint against an independent OAuth server, over TLS and in
// real time: it obtains, renews, verifies and revokes tokens. The server knows
// nothing of tokenvend.
package peer_test

import (
	"crypto/sha256"
	"crypto/tls"
	"encoding/base64"
	"encoding/json"
	"errors"
	"html"
	"io"
	"net/http"
	"net/http/cookiejar"
	"net/url"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/tokenvend/tokenvend/internal/testworld"
	"github.com/tokenvend/tokenvend/pkg/api"
	"github.com/tokenvend/tokenvend/pkg/attempt"
	"github.com/tokenvend/tokenvend/pkg/mint"
	"github.com/tokenvend/tokenvend/pkg/outbound"
	"github.com/tokenvend/tokenvend/pkg/redact"
	"github.com/tokenvend/tokenvend/pkg/token"
)

// world is what instances of tokenvend share in one test, and the server.
type world struct {
	*testworld.World
	*site
}

func newWorld(t *testing.T, s *site) *world {
	t.Helper()
	client := outbound.NewClient(outbound.Config{AllowPrivate: true, Roots: s.known.Roots()})
	t.Cleanup(client.CloseIdleConnections)
	return &world{testworld.New(t, testworld.Config{HTTP: client}), s}
}

// newMint returns a new instance for which passes begin each second, so that
// short-lived tokens are renewed.
func (w *world) newProcess(changes ...func(*mint.Config)) *testworld.Process {
	everySecond := func(c *mint.Config) { c.Every = time.Second }
	return w.NewProcess(append(changes, everySecond)...)
}

// fields is a JSON object.
type fields map[string]any

// descriptor describes the server with one method of client authentication.
func (w *world) descriptor(auth string) fields {
	return fields{
		"token":   fields{"url": string(w.server) + "/token", "auth": auth, "fields": fields{"audience": "resource"}},
		"refresh": fields{"rotates": "yes", "reuse": "revokes_family"},
		// without it, offline_access is ignored (OpenID Connect Core §11)
		"authorize": fields{"url": "/auth", "params": fields{"prompt": "consent"}},
		"revoke":    fields{"url": "/token/revocation"},
		"verify":    fields{"url": "/me"},
		"overlap":   fields{"refresh_token": "keeps"},
	}
}

// get returns the server's response to a browser, or to a program with a token.
func (w *world) get(path string, access redact.String) (status int, body []byte) {
	w.T.Helper()
	req, err := http.NewRequestWithContext(w.T.Context(), http.MethodGet, string(w.server)+path, nil)
	testworld.Must(w.T, err)
	if !access.IsZero() {
		req.Header.Set("Authorization", "Bearer "+access.Reveal())
	}
	answer, err := w.HTTP.Do(req)
	testworld.Must(w.T, err)
	defer func() { _ = answer.Body.Close() }()
	body, err = io.ReadAll(answer.Body)
	testworld.Must(w.T, err)
	return answer.StatusCode, body
}

// alive reports whether the server's userinfo takes an access token.
func (w *world) alive(access redact.String) bool {
	w.T.Helper()
	status, _ := w.get("/me", access)
	if status != http.StatusOK && status != http.StatusUnauthorized {
		w.T.Fatalf("GET /me = %d, want 200 or 401", status)
	}
	return status == http.StatusOK
}

// asked returns how many token requests the server received from a client.
func (w *world) asked(client string) (n int) {
	w.T.Helper()
	_, body := w.get("/asked", redact.String{})
	all := map[string]int{}
	testworld.Must(w.T, json.Unmarshal(body, &all))
	return all[client]
}

// code has a user log in and consent for the key of an account. It returns the
// authorization response.
func (w *world) code(m *testworld.Process, k token.Key) attempt.Code {
	w.T.Helper()
	at, err := m.Authorization(w.T.Context(), k, testworld.RedirectURI)
	testworld.Must(w.T, err)
	sum := sha256.Sum256([]byte(testworld.CodeVerifier))
	back := w.browse(at.URL+"&"+url.Values{
		"state": {"of this test"}, "code_challenge": {base64.RawURLEncoding.EncodeToString(sum[:])},
		"code_challenge_method": {at.Challenge},
	}.Encode(), k.Variant.Account)
	if back.Get("code") == "" || back.Get("state") != "of this test" {
		w.T.Fatalf(
			"authorization response = state %q, %s %s; want a code", back.Get("state"), back.Get("error"),
			back.Get("error_description"),
		)
	}
	return attempt.Code{
		Code: redact.New(back.Get("code")), Verifier: redact.New(testworld.CodeVerifier),
		RedirectURI: testworld.RedirectURI, Destination: at.Destination,
	}
}

// The parts of the server's pages.
var (
	formAction = regexp.MustCompile(`<form[^>]* action="([^"]+)"`)
	formPrompt = regexp.MustCompile(`name="prompt" value="([a-z]+)"`)
)

// browse acts as a browser with a user who logs in and consents. It ends at the
// redirect back.
func (w *world) browse(to, login string) url.Values {
	w.T.Helper()
	jar, err := cookiejar.New(nil)
	testworld.Must(w.T, err)
	transport := &http.Transport{TLSClientConfig: &tls.Config{RootCAs: w.known.Roots()}}
	defer transport.CloseIdleConnections()
	stopAtCaller := func(req *http.Request, _ []*http.Request) error {
		if strings.HasPrefix(req.URL.String(), testworld.RedirectURI+"?") {
			return http.ErrUseLastResponse
		}
		return nil
	}
	browser := &http.Client{
		Jar: jar, Transport: transport, Timeout: 10 * time.Second, CheckRedirect: stopAtCaller,
	}
	answer, err := browser.Get(to)
	for range 3 { // login, consent and redirect
		testworld.Must(w.T, err)
		page, unread := io.ReadAll(answer.Body)
		testworld.Must(w.T, errors.Join(unread, answer.Body.Close()))
		if back, err := answer.Location(); err == nil {
			return back.Query()
		}
		action, prompt := formAction.FindSubmatch(page), formPrompt.FindSubmatch(page)
		if action == nil || prompt == nil {
			w.T.Fatalf("page = HTTP %d without a form, want a form", answer.StatusCode)
		}
		answer, err = browser.PostForm(html.UnescapeString(string(action[1])), url.Values{
			"prompt":   {string(prompt[1])},
			"login":    {login},
			"password": {"any"},
		})
	}
	w.T.Fatal("no redirect to the redirect URI after three pages, want one")
	return nil
}

// apiError returns the code and the detail of an error.
func apiError(err error) (api.Code, string) {
	var known *api.Error
	if errors.As(err, &known) {
		return known.Code, known.Detail
	}
	return "", ""
}
