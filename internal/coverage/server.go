package main

import (
	"crypto"
	"crypto/tls"
	"crypto/x509"
	"encoding/json"
	"io"
	"log"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"sync"
	"time"

	"github.com/tokenvend/tokenvend/pkg/outbound"
)

// server answers as the vendor of one shape does, and to a request that is not
// exactly that of the shape with 400.
type server struct {
	client *http.Client
	close  func()

	mu       sync.Mutex
	checks   checking
	expected []request // that have not come yet
	refusing *answer   // what every request is answered instead
	problems []string
}

// newServer starts a server for the hosts of a shape.
func newServer(e entry, public crypto.PublicKey) *server {
	s := &server{checks: checking{shape: e.shape, rules: e.expect.Rules, roles: map[string]string{}, public: public}}
	listener := httptest.NewUnstartedServer(s)
	key := ecMaterial().signer
	leaf := certify(key, names(e.hosts()))
	listener.TLS = &tls.Config{
		Certificates: []tls.Certificate{{Certificate: [][]byte{leaf.Raw}, PrivateKey: key, Leaf: leaf}},
		ClientAuth:   tls.RequestClientCert,
	}
	listener.Config.ErrorLog = log.New(io.Discard, "", 0)
	listener.StartTLS()
	roots := x509.NewCertPool()
	roots.AddCert(leaf)
	known := map[string]bool{}
	for _, host := range e.hosts() {
		known[host] = true
	}
	address := listener.Listener.Addr().String()
	s.client = outbound.NewClient(outbound.Config{Roots: roots, Route: func(hostport string) (string, bool) {
		return address, known[hostport]
	}})
	s.close = func() {
		s.client.CloseIdleConnections()
		listener.Close()
	}
	return s
}

// names returns hosts without their ports.
func names(hosts []string) []string {
	var all []string
	for _, host := range hosts {
		name, _, _ := strings.Cut(host, ":")
		all = append(all, name)
	}
	return all
}

// expect says which requests come next.
func (s *server) expect(requests ...request) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.expected, s.checks.since = requests, time.Now()
}

// refuse has all further requests refused.
func (s *server) refuse(a answer) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.refusing = &a
}

// finish returns what was wrong with the requests, those that did not come
// included.
func (s *server) finish() []string {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, r := range s.expected {
		s.problems = append(s.problems, r.Purpose+": no such request was sent")
	}
	return s.problems
}

func (s *server) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	body, _ := io.ReadAll(r.Body) // a body that breaks off is not the expected one
	s.mu.Lock()
	defer s.mu.Unlock()
	switch {
	case s.refusing != nil:
		s.answer(w, *s.refusing)
		return
	case len(s.expected) == 0:
		s.problems = append(s.problems, "sent "+r.Method+" "+r.Host+r.URL.Path+", want no further request")
		http.Error(w, "", http.StatusBadRequest)
		return
	}
	want := s.expected[0]
	s.expected = s.expected[1:]
	c := s.checks
	c.got, c.body = r, body
	c.request(want)
	if len(c.problems) > 0 {
		s.problems = append(s.problems, want.Purpose+": "+strings.Join(c.problems, "; "))
		http.Error(w, "", http.StatusBadRequest)
		return
	}
	s.answer(w, want.Answer)
}

// answer writes an answer, with values in the place of rules.
func (s *server) answer(w http.ResponseWriter, a answer) {
	for name, value := range a.Headers {
		w.Header().Set(name, value)
	}
	w.WriteHeader(a.Status)
	switch body := s.checks.filled(a.Body, time.Now()).(type) {
	case nil:
	case string:
		_, _ = io.WriteString(w, body)
	default:
		_ = json.NewEncoder(w).Encode(body)
	}
}

// filled replaces the rules in an answer by values.
func (c *checking) filled(value any, now time.Time) any {
	switch value := value.(type) {
	case string:
		if r, isRule := c.rules[value]; isRule {
			return r.value(now)
		}
	case []any:
		all := make([]any, len(value))
		for i, item := range value {
			all[i] = c.filled(item, now)
		}
		return all
	case map[string]any:
		all := map[string]any{}
		for name, item := range value {
			all[name] = c.filled(item, now)
		}
		return all
	}
	return value
}

// page compares the URL that a browser is sent to.
func (s *server) page(want request, address string) {
	u, err := url.Parse(address)
	if err != nil {
		s.problems = append(s.problems, err.Error())
		return
	}
	s.checks.roles["state"] = u.Query().Get("state")
	s.checks.roles["challenge"] = u.Query().Get("code_challenge")
	c := s.checks
	c.got = &http.Request{Method: http.MethodGet, Host: u.Host, URL: u, Header: http.Header{}}
	c.request(want)
	if len(c.problems) > 0 {
		s.problems = append(s.problems, want.Purpose+": "+strings.Join(c.problems, "; "))
	}
}
