//go:build testall

// Package peer tests mint against an independent OAuth server, over TLS and in
// real time: it obtains, renews, verifies and revokes tokens. The server knows
// nothing of tokenvend.
package peer_test

import (
	"bytes"
	"context"
	"crypto/sha256"
	"crypto/tls"
	"encoding/base64"
	"encoding/json"
	"errors"
	"html"
	"io"
	"log/slog"
	"net/http"
	"net/http/cookiejar"
	"net/url"
	"path/filepath"
	"regexp"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/tokenvend/tokenvend/pkg/api"
	"github.com/tokenvend/tokenvend/pkg/credential/folder"
	"github.com/tokenvend/tokenvend/pkg/journal"
	"github.com/tokenvend/tokenvend/pkg/mint"
	"github.com/tokenvend/tokenvend/pkg/operate"
	"github.com/tokenvend/tokenvend/pkg/outbound"
	"github.com/tokenvend/tokenvend/pkg/redact"
	"github.com/tokenvend/tokenvend/pkg/rotate"
	"github.com/tokenvend/tokenvend/pkg/seal/keyfile"
	"github.com/tokenvend/tokenvend/pkg/store"
	"github.com/tokenvend/tokenvend/pkg/store/memory"
	"github.com/tokenvend/tokenvend/pkg/token"
)

const (
	backTo   = "http://127.0.0.1:8976/connected"
	verifier = "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk"
)

// world is what instances of tokenvend share in one test, and the server.
type world struct {
	*site
	t       *testing.T
	secrets *folder.Source
	store   *memory.Store
	sealer  *keyfile.Sealer
	http    *http.Client

	mu  sync.Mutex
	log bytes.Buffer
}

func newWorld(t *testing.T, s *site) *world {
	t.Helper()
	w := &world{site: s, t: t, store: memory.New()}
	w.http = outbound.NewClient(outbound.Config{AllowPrivate: true, Roots: s.known.Roots()})
	t.Cleanup(w.http.CloseIdleConnections)
	var err error
	if w.secrets, err = folder.New(filepath.Join(t.TempDir(), "credentials")); err != nil {
		t.Fatal(err)
	}
	if w.sealer, err = keyfile.Open(filepath.Join(t.TempDir(), "seal.key")); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if t.Failed() {
			t.Log(w.logged())
		}
	})
	return w
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

// put writes a credential.
func (w *world) put(name string, c fields) {
	w.t.Helper()
	data, err := json.Marshal(c)
	if err == nil {
		err = w.secrets.Write(name, data)
	}
	must(w.t, err)
}

// Write implements io.Writer for the instances' log.
func (w *world) Write(p []byte) (int, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.log.Write(p)
}

func (w *world) logged() string {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.log.String()
}

// process is one process: only its memory is its own.
type process struct {
	*mint.Mint
	operate.Operator
}

func newProcess(c mint.Config) *process {
	m := mint.New(c)
	return &process{m, operate.New(m)}
}

// Renew renews a due entry as a pass of rotate does.
func (p *process) Renew(ctx context.Context, key token.Key) (rotate.Renewal, error) {
	return (&rotate.Rotator{Mint: p.Mint}).Renew(ctx, key)
}

// instance returns a new process.
func (w *world) instance() *process { return w.instanceOver(w.store) }

func (w *world) instanceOver(s store.Store) *process {
	return newProcess(mint.Config{
		Store: s, Source: w.secrets, Sealer: w.sealer, HTTP: w.http, Every: time.Second,
		Journal: journal.Journal{Log: slog.New(slog.NewTextHandler(w, nil)), Metrics: "test"},
	})
}

func (w *world) entry(k token.Key) store.Entry {
	w.t.Helper()
	entries, err := w.store.Get(w.t.Context(), store.Strong, k)
	must(w.t, err)
	return entries[0]
}

// alarms returns how often a metric was counted.
func (w *world) alarms(metric string) int { return strings.Count(w.logged(), " "+metric+"=1") }

// get returns the server's response to a browser, or to a program with a token.
func (w *world) get(path string, access redact.String) (status int, body []byte) {
	w.t.Helper()
	req, err := http.NewRequestWithContext(w.t.Context(), http.MethodGet, string(w.server)+path, nil)
	must(w.t, err)
	if !access.IsZero() {
		req.Header.Set("Authorization", "Bearer "+access.Reveal())
	}
	answer, err := w.http.Do(req)
	must(w.t, err)
	defer func() { _ = answer.Body.Close() }()
	body, err = io.ReadAll(answer.Body)
	must(w.t, err)
	return answer.StatusCode, body
}

// alive reports whether the server's userinfo takes an access token.
func (w *world) alive(access redact.String) bool {
	w.t.Helper()
	status, _ := w.get("/me", access)
	if status != http.StatusOK && status != http.StatusUnauthorized {
		w.t.Fatalf("userinfo: HTTP %d", status)
	}
	return status == http.StatusOK
}

// asked returns how many token requests the server received from a client.
func (w *world) asked(client string) (n int) {
	w.t.Helper()
	_, body := w.get("/asked", redact.String{})
	all := map[string]int{}
	must(w.t, json.Unmarshal(body, &all))
	return all[client]
}

// code has a user log in and consent for the key of an account. It returns the
// authorization response.
func (w *world) code(m *process, k token.Key) mint.Code {
	w.t.Helper()
	at, err := m.Authorization(w.t.Context(), k, backTo)
	must(w.t, err)
	sum := sha256.Sum256([]byte(verifier))
	back := w.browse(at.URL+"&"+url.Values{
		"state": {"of this test"}, "code_challenge": {base64.RawURLEncoding.EncodeToString(sum[:])},
		"code_challenge_method": {at.Challenge},
	}.Encode(), k.Variant.Account)
	if back.Get("code") == "" || back.Get("state") != "of this test" {
		w.t.Fatalf(
			"the server sent no code back, or another state: %s %s", back.Get("error"), back.Get("error_description"),
		)
	}
	return mint.Code{
		Code: redact.New(back.Get("code")), Verifier: redact.New(verifier), RedirectURI: backTo,
		Destination: at.Destination,
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
	w.t.Helper()
	jar, err := cookiejar.New(nil)
	must(w.t, err)
	transport := &http.Transport{TLSClientConfig: &tls.Config{RootCAs: w.known.Roots()}}
	defer transport.CloseIdleConnections()
	stopAtCaller := func(req *http.Request, _ []*http.Request) error {
		if strings.HasPrefix(req.URL.String(), backTo+"?") {
			return http.ErrUseLastResponse
		}
		return nil
	}
	browser := &http.Client{
		Jar: jar, Transport: transport, Timeout: 10 * time.Second, CheckRedirect: stopAtCaller,
	}
	answer, err := browser.Get(to)
	for range 3 { // login, consent and redirect
		must(w.t, err)
		page, unread := io.ReadAll(answer.Body)
		must(w.t, errors.Join(unread, answer.Body.Close()))
		if back, err := answer.Location(); err == nil {
			return back.Query()
		}
		action, prompt := formAction.FindSubmatch(page), formPrompt.FindSubmatch(page)
		if action == nil || prompt == nil {
			w.t.Fatalf("HTTP %d, and no form to fill in", answer.StatusCode)
		}
		answer, err = browser.PostForm(html.UnescapeString(string(action[1])), url.Values{
			"prompt":   {string(prompt[1])},
			"login":    {login},
			"password": {"any"},
		})
	}
	w.t.Fatal("the server asks and asks")
	return nil
}

func key(name string) token.Key { return token.Key{Credential: name} }

func account(name, whose string) token.Key {
	return token.Key{Credential: name, Variant: token.NewVariant(whose, "", "")}
}

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// apiError returns the code and the detail of an error.
func apiError(err error) (api.Code, string) {
	var known *api.Error
	if errors.As(err, &known) {
		return known.Code, known.Detail
	}
	return "", ""
}
