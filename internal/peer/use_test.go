//go:build testall

package peer_test

import (
	"cmp"
	"crypto/sha256"
	"crypto/tls"
	"crypto/x509"
	"encoding/base64"
	"encoding/json"
	"html"
	"io"
	"log"
	"net/http"
	"net/http/cookiejar"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"regexp"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/tokenvend/tokenvend/internal/testbed"
	"github.com/tokenvend/tokenvend/internal/testworld"
	"github.com/tokenvend/tokenvend/pkg/attempt"
	"github.com/tokenvend/tokenvend/pkg/descriptor/parser"
	"github.com/tokenvend/tokenvend/pkg/mint"
	"github.com/tokenvend/tokenvend/pkg/outbound"
	"github.com/tokenvend/tokenvend/pkg/provider"
	"github.com/tokenvend/tokenvend/pkg/redact"
	"github.com/tokenvend/tokenvend/pkg/rotate"
	"github.com/tokenvend/tokenvend/pkg/store"
	"github.com/tokenvend/tokenvend/pkg/store/memory"
	"github.com/tokenvend/tokenvend/pkg/token"
)

// peer is a server of the table in one scenario, with instances of tokenvend.
// A proxy in front of it terminates TLS and counts token requests.
type peer struct {
	*testworld.World
	oauthServer
	*running
	t        *testing.T
	url      string // of the proxy
	roots    *x509.CertPool
	requests *atomic.Int32
}

func newPeer(t *testing.T, s oauthServer, up *running) *peer {
	requests := new(atomic.Int32)
	authority := testbed.NewAuthority(t)
	front := httptest.NewUnstartedServer(&httputil.ReverseProxy{
		Rewrite: func(r *httputil.ProxyRequest) {
			if r.In.URL.Path == s.token {
				requests.Add(1)
			}
			r.SetURL(up.at)
			r.SetXForwarded()
			if up.at.Hostname() == "127.0.0.1" {
				r.Out.Host = r.In.Host
			}
		},
		Transport: up.transport,
		// A server that is down refuses connections. A proxy can only end them.
		ErrorHandler: func(http.ResponseWriter, *http.Request, error) { panic(http.ErrAbortHandler) },
		ErrorLog:     log.New(io.Discard, "", 0),
	})
	pair := authority.Issue(t, "127.0.0.1")
	certificate, err := tls.X509KeyPair([]byte(pair.Certificate), []byte(pair.Key))
	testworld.Must(t, err)
	front.TLS = &tls.Config{Certificates: []tls.Certificate{certificate}}
	front.Config.ErrorLog = log.New(io.Discard, "", 0)
	front.StartTLS()
	t.Cleanup(front.Close)
	client := outbound.NewClient(outbound.Config{AllowPrivate: true, Roots: authority.Roots()})
	t.Cleanup(client.CloseIdleConnections)
	return &peer{
		World: testworld.New(t, testworld.Config{HTTP: client}), oauthServer: s, running: up, t: t, url: front.URL,
		roots: authority.Roots(), requests: requests,
	}
}

// put writes the credential of a client.
func (p *peer) put(name, auth, id, secret, scope string) {
	p.t.Helper()
	d := map[string]any{
		"token":     map[string]any{"auth": auth},
		"refresh":   map[string]any{"rotates": "yes", "reuse": p.reuse},
		"authorize": map[string]any{"url": p.authorize, "params": p.authorizeParams},
		"overlap":   map[string]any{"refresh_token": p.overlap},
	}
	if p.revoke != "" {
		d["revoke"] = map[string]any{"url": p.revoke}
	}
	if p.verify != "" {
		d["verify"] = p.verification()
	}
	content := map[string]any{
		"descriptor": d, "token_url": p.url + p.token, "client_id": id, "client_secret": secret,
	}
	if scope != "" {
		content["scope"] = scope
	}
	p.PutSecret(name, content)
}

// putClient writes the credential of a client of the table, for client
// credentials.
func (p *peer) putClient(id string) token.Key {
	p.t.Helper()
	p.put(id, p.auths[0], id, peerSecret, p.machineScope)
	return testworld.Key(id)
}

// putUser writes the credential of a client of the table, for users.
func (p *peer) putUser(id string) token.Key {
	p.t.Helper()
	p.put(id+"-user", p.auths[0], id, peerSecret, p.scope)
	return testworld.Account(id+"-user", "alice")
}

// connect connects the account of a key and returns its first token.
func (p *peer) connect(m *testworld.Process, k token.Key) token.Token {
	p.t.Helper()
	code, err := p.code(m, k)
	testworld.Must(p.t, err)
	if err := m.Connect(p.t.Context(), k, code); err != nil {
		p.t.Fatalf("Connect(%s) = %v, want nil", k, err)
	}
	return p.Token(m, k).Token
}

// verification returns how a descriptor describes the verification of a token.
func (p *peer) verification() map[string]any {
	d := map[string]any{"url": p.verify}
	if p.refuses != 0 {
		d["refused"] = []int{p.refuses}
	}
	return d
}

// verifies reports whether the server takes an access token, as tokenvend
// verifies it.
func (p *peer) verifies(access redact.String) (bool, error) {
	p.t.Helper()
	text, err := json.Marshal(map[string]any{
		"token": map[string]any{"url": p.url + p.token}, "verify": p.verification(),
	})
	testworld.Must(p.t, err)
	d, err := parser.Parse(text)
	testworld.Must(p.t, err)
	return provider.Endpoint{HTTP: p.HTTP, Descriptor: d}.VerifyToken(p.t.Context(), access)
}

// alive reports whether the server takes an access token of a user.
func (p *peer) alive(access redact.String) bool {
	p.t.Helper()
	if p.accepts != nil {
		return p.accepts(access.Reveal())
	}
	r, err := http.NewRequestWithContext(p.t.Context(), http.MethodGet, p.url+p.verify, nil)
	testworld.Must(p.t, err)
	r.Header.Set("Authorization", "Bearer "+access.Reveal())
	response, err := p.HTTP.Do(r)
	testworld.Must(p.t, err)
	testworld.Must(p.t, response.Body.Close())
	switch response.StatusCode {
	case http.StatusOK:
		return true
	case cmp.Or(p.refuses, http.StatusUnauthorized):
	default:
		p.t.Errorf("GET %s = %d, want 200, or %d, or 401", p.verify, response.StatusCode, p.refuses)
	}
	return false
}

// renewWhenDue waits in real time until an entry is due, and renews it.
func (p *peer) renewWhenDue(m *testworld.Process, k token.Key) (rotate.Renewal, error) {
	p.t.Helper()
	wait := time.Until(p.Entry(k).NextAt)
	if wait > time.Duration(p.shortSeconds())*time.Second {
		p.t.Fatalf("the entry of %s is due in %v, want at most %d s", k, wait, p.shortSeconds())
	}
	time.Sleep(wait)
	return m.Renew(p.t.Context(), k)
}

// copied returns a store with a copy of the current entries.
func (p *peer) copied(keys ...token.Key) *memory.Store {
	p.t.Helper()
	other := memory.New()
	for _, k := range keys {
		lease, err := other.Acquire(p.t.Context(), store.Entry{Key: k}, time.Minute)
		testworld.Must(p.t, err)
		testworld.Must(p.t, other.Commit(p.t.Context(), lease, p.Entry(k)))
	}
	return other
}

// code has alice log in and consent. It returns the authorization response.
func (p *peer) code(m *testworld.Process, k token.Key) (attempt.Code, error) {
	p.t.Helper()
	const state = "state of this test"
	at, err := m.Authorization(p.t.Context(), k, testworld.RedirectURI)
	if err != nil {
		return attempt.Code{}, err
	}
	sum := sha256.Sum256([]byte(testworld.CodeVerifier))
	back := p.browse(at.URL + "&" + url.Values{
		"state": {state}, "code_challenge": {base64.RawURLEncoding.EncodeToString(sum[:])},
		"code_challenge_method": {at.Challenge},
	}.Encode())
	if back.Get("code") == "" || back.Get("state") != state {
		p.t.Fatalf("the authorization response is %v, want a code and state=%s", back, state)
	}
	return attempt.Code{
		Code: redact.New(back.Get("code")), Verifier: redact.New(testworld.CodeVerifier),
		RedirectURI: testworld.RedirectURI, Destination: at.Destination,
	}, nil
}

// The parts of the servers' pages.
var (
	formTag   = regexp.MustCompile(`<form[^>]*>`)
	fieldTag  = regexp.MustCompile(`<(?:input|button)[^>]*>`)
	attribute = regexp.MustCompile(`\b(action|name|value)="([^"]*)"`)
)

// answers are what alice enters, by the name of the field. Other fields keep
// the value that they have.
var answers = map[string]string{
	"login": "alice", "username": "alice", "person": "alice", "password": "any",
}

// browse acts as a browser with a user who logs in and consents. It ends at the
// redirect back, and returns its query.
func (p *peer) browse(to string) url.Values {
	p.t.Helper()
	jar, err := cookiejar.New(nil)
	testworld.Must(p.t, err)
	transport := &http.Transport{TLSClientConfig: &tls.Config{RootCAs: p.roots}}
	defer transport.CloseIdleConnections()
	browser := &http.Client{
		Jar: jar, Transport: transport, Timeout: time.Minute,
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}
	response, err := browser.Get(to)
	for range 10 { // login, consent and redirects
		testworld.Must(p.t, err)
		page, err := io.ReadAll(response.Body)
		testworld.Must(p.t, err)
		testworld.Must(p.t, response.Body.Close())
		at := response.Request.URL
		if next, err := response.Location(); err == nil {
			if strings.HasPrefix(next.String(), testworld.RedirectURI+"?") {
				return next.Query()
			}
			response, err = browser.Get(next.String())
			testworld.Must(p.t, err)
			continue
		}
		action, values := filled(string(page))
		if values == nil {
			p.t.Fatalf("GET %s = %d without a form, want a form to fill in:\n%s", at.Path, response.StatusCode, page)
		}
		if at, err = at.Parse(action); err != nil {
			p.t.Fatal(err)
		}
		response, err = browser.PostForm(at.String(), values)
		testworld.Must(p.t, err)
	}
	p.t.Fatalf("GET %s did not end at %s", to, testworld.RedirectURI)
	return nil
}

// filled returns where the form of a page goes, and its fields with alice's
// answers. nil: there is no form.
func filled(page string) (action string, values url.Values) {
	form := formTag.FindStringIndex(page)
	if form == nil {
		return "", nil
	}
	action = attributes(page[form[0]:form[1]])["action"]
	values = url.Values{}
	for _, tag := range fieldTag.FindAllString(page[form[1]:], -1) {
		field := attributes(tag)
		name := field["name"]
		if name == "" || values.Has(name) {
			continue
		}
		if answer, ok := answers[name]; ok {
			field["value"] = answer
		}
		values.Set(name, field["value"])
	}
	return action, values
}

func attributes(tag string) map[string]string {
	all := map[string]string{}
	for _, found := range attribute.FindAllStringSubmatch(tag, -1) {
		all[found[1]] = html.UnescapeString(found[2])
	}
	return all
}

// newProcess returns a new instance, with passes each second.
func (p *peer) newProcess() *testworld.Process { return p.newProcessOver(p.Store) }

// newProcessOver returns an instance over another store.
func (p *peer) newProcessOver(s store.Store) *testworld.Process {
	return p.NewProcess(func(c *mint.Config) { c.Store, c.Every = s, time.Second })
}

// requested returns how many token requests were sent since the last call.
func (p *peer) requested() int { return int(p.requests.Swap(0)) }
