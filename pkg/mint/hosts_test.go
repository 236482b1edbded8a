package mint_test

import (
	"context"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strings"
	"sync"
	"testing"

	"github.com/tokenvend/tokenvend/internal/testworld"
	"github.com/tokenvend/tokenvend/pkg/credential"
	"github.com/tokenvend/tokenvend/pkg/credential/secret"
	"github.com/tokenvend/tokenvend/pkg/mint"
	"github.com/tokenvend/tokenvend/pkg/provider/simulator"
	"github.com/tokenvend/tokenvend/pkg/row"
)

// hosts are servers by their names, honest and hostile ones. All that each one
// is sent is kept, so that a test can look for what it must not have got.
type hosts struct {
	mu      sync.Mutex
	answers map[string]func(r *http.Request, form url.Values) (status int, body string)
	got     map[string]string
}

// RoundTrip implements http.RoundTripper.
func (h *hosts) RoundTrip(r *http.Request) (*http.Response, error) {
	var body []byte
	if r.Body != nil {
		var err error
		if body, err = io.ReadAll(r.Body); err != nil {
			return nil, err
		}
	}
	form, _ := url.ParseQuery(string(body))
	h.mu.Lock()
	defer h.mu.Unlock()
	user, password, _ := r.BasicAuth()
	h.got[r.URL.Host] += fmt.Sprintln(r.URL, r.Header, user, password, form)
	status, text := http.StatusNotFound, ""
	if answer := h.answers[r.URL.Host]; answer != nil {
		status, text = answer(r, form)
	}
	return &http.Response{
		StatusCode: status, Header: http.Header{"Content-Type": {"application/json"}},
		Body: io.NopCloser(strings.NewReader(text)), Request: r,
	}, nil
}

// sent returns all that a host was sent, decoded.
func (h *hosts) sent(host string) string {
	h.mu.Lock()
	defer h.mu.Unlock()
	return h.got[host]
}

// staged is a source of credentials whose secrets have all three stages.
type staged struct {
	mu       sync.Mutex
	count    int
	versions map[string]map[credential.Stage]version
}

type version struct {
	id   string
	data []byte
}

// put makes a new version of a secret the current one, and the one before the
// previous one.
func (s *staged) put(name string, secret map[string]any) {
	data, err := json.Marshal(secret)
	if err != nil {
		panic(err)
	}
	s.putRaw(name, credential.Current, data)
}

func (s *staged) putRaw(name string, stage credential.Stage, data []byte) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.count++
	all := s.versions[name]
	if all == nil {
		all = map[credential.Stage]version{}
		s.versions[name] = all
	}
	if before, ok := all[credential.Current]; ok && stage == credential.Current {
		all[credential.Previous] = before
	}
	all[stage] = version{id: fmt.Sprintf("version-%d", s.count), data: data}
}

// Read implements credential.Source.
func (s *staged) Read(_ context.Context, name string, stage credential.Stage) (credential.Credential, error) {
	s.mu.Lock()
	v, ok := s.versions[name][stage]
	s.mu.Unlock()
	if !ok {
		return credential.Credential{}, credential.ErrUnknown
	}
	return secret.Parse(name, v.id, v.data)
}

// List implements credential.Source.
func (s *staged) List(context.Context) ([]credential.Listed, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	var all []credential.Listed
	for name, versions := range s.versions {
		all = append(all, credential.Listed{Name: name, Version: versions[credential.Current].id})
	}
	return all, nil
}

// Absent implements credential.Source.
func (s *staged) Absent(_ context.Context, name string) (bool, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return len(s.versions[name]) == 0, nil
}

// attacked is a world whose providers are [hosts] and whose secrets have
// stages.
type attacked struct {
	*world
	*hosts
	secrets *staged
}

// newAttacked has two hosts: good.test, which takes the client "id" with the
// secret "good-secret" and redeems every refresh token that it gave, and
// evil.test, which takes whatever it is sent and knows nobody.
func newAttacked(t *testing.T) *attacked {
	t.Helper()
	a := &attacked{
		world:   newWorld(t, simulator.Options{}),
		hosts:   &hosts{got: map[string]string{}, answers: map[string]func(*http.Request, url.Values) (int, string){}},
		secrets: &staged{versions: map[string]map[credential.Stage]version{}},
	}
	issued := 0
	a.answers["good.test"] = func(r *http.Request, form url.Values) (int, string) {
		_, password, _ := r.BasicAuth()
		if r.URL.Path != "/token" {
			return http.StatusOK, "{}"
		}
		if password != "good-secret" {
			return http.StatusUnauthorized, `{"error":"invalid_client"}`
		}
		issued++
		if form.Get("grant_type") == "client_credentials" {
			return http.StatusOK, fmt.Sprintf(`{"access_token":"good-access-%d","expires_in":3600}`, issued)
		}
		return http.StatusOK, fmt.Sprintf(
			`{"access_token":"good-access-%d","expires_in":3600,"refresh_token":"good-refresh-%d"}`,
			issued,
			issued,
		)
	}
	a.answers["evil.test"] = func(*http.Request, url.Values) (int, string) {
		return http.StatusUnauthorized, `{"error":"invalid_client"}`
	}
	return a
}

// instance is one process of the attacked world.
func (a *attacked) instance() *testworld.Process { return a.formatted(row.Format2) }

// formatted is a process that reads and writes rows of a format.
func (a *attacked) formatted(format row.Format) *testworld.Process {
	return a.NewProcess(func(c *mint.Config) {
		c.RowFormat, c.Source, c.HTTP = format, a.secrets, &http.Client{Transport: a.hosts}
	})
}

// gotNothing fails the test if a host was sent any of good.test's secrets.
func (a *attacked) gotNothing(host string) {
	a.T.Helper()
	sent := a.sent(host)
	for _, secret := range []string{"good-secret", "good-access", "good-refresh", "good-code"} {
		if strings.Contains(sent, secret) || strings.Contains(sent, base64.StdEncoding.EncodeToString([]byte(secret))) {
			a.T.Errorf("%s was sent %q, want nothing of good.test's:\n%s", host, secret, sent)
		}
	}
}

// at is a secret whose token endpoint is on a host, with fields laid over its
// descriptor.
func at(host, secret string, over map[string]any) map[string]any {
	descriptor := map[string]any{
		"token":   map[string]any{"url": "https://" + host + "/token"},
		"refresh": map[string]any{},
	}
	for name, value := range over {
		descriptor[name] = value
	}
	return map[string]any{"client_id": "id", "client_secret": secret, "descriptor": descriptor}
}

// with is a secret with another field.
func with(secret map[string]any, name string, value any) map[string]any {
	secret[name] = value
	return secret
}
