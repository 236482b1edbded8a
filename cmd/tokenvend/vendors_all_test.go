//go:build testall && linux

package main

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"encoding/pem"
	"fmt"
	"io"
	"math/big"
	"net"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/tokenvend/tokenvend/pkg/privatekey"
)

// vendors is a server that answers for providers as the golden files of the
// catalogue say. Its first tokens live for six seconds.
type vendors struct {
	proxy string // the URL of a proxy that leads to it, whatever the host

	mu      sync.Mutex
	byHost  map[string]*vendor
	refusal string // what all clients are told; "": none is refused
}

// vendor is a provider, with its golden request and answer.
type vendor struct {
	name, request, answer string
	requests              []string
}

// newVendors starts a server for providers, and writes its certificate to
// ca.pem in a folder.
func newVendors(t *testing.T, dir string, providers ...string) *vendors {
	t.Helper()
	v := &vendors{byHost: map[string]*vendor{}}
	var hosts []string
	for _, provider := range providers {
		data, err := os.ReadFile("../../internal/catalog/testdata/" + provider + ".token.txt")
		must(t, err)
		_, rest, _ := strings.Cut(string(data), "-- request --\n")
		request, _, _ := strings.Cut(rest, "\n-- ")
		_, rest, _ = strings.Cut(rest, "-- answer --\n")
		answer, _, _ := strings.Cut(rest, "\n-- ")
		at, err := url.Parse(strings.Fields(request)[1])
		must(t, err)
		hosts = append(hosts, at.Host)
		v.byHost[at.Host] = &vendor{name: provider, request: request, answer: answer}
	}
	server := httptest.NewUnstartedServer(v)
	server.TLS = &tls.Config{Certificates: []tls.Certificate{certificateFor(t, filepath.Join(dir, "ca.pem"), hosts)}}
	server.StartTLS()
	t.Cleanup(server.Close)
	proxy := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		tunnel(w, server.Listener.Addr().String())
	}))
	t.Cleanup(proxy.Close)
	v.proxy = proxy.URL
	return v
}

// tunnel answers CONNECT, and connects to an address in any case.
func tunnel(w http.ResponseWriter, address string) {
	there, err := net.Dial("tcp", address)
	if err != nil {
		http.Error(w, err.Error(), http.StatusBadGateway)
		return
	}
	defer func() { _ = there.Close() }()
	here, _, err := w.(http.Hijacker).Hijack()
	if err != nil {
		return
	}
	defer func() { _ = here.Close() }()
	_, _ = io.WriteString(here, "HTTP/1.1 200 Connection established\r\n\r\n")
	go func() { // ends with either connection
		_, _ = io.Copy(there, here)
		_ = there.Close()
	}()
	_, _ = io.Copy(here, there)
}

// ServeHTTP implements http.Handler.
func (v *vendors) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	body, _ := io.ReadAll(r.Body)
	v.mu.Lock()
	defer v.mu.Unlock()
	one, known := v.byHost[r.Host]
	if !known {
		http.NotFound(w, r)
		return
	}
	one.requests = append(one.requests, requestText(r, body))
	w.Header().Set("Content-Type", "application/json")
	if v.refusal != "" {
		w.WriteHeader(http.StatusUnauthorized)
		_, _ = io.WriteString(w, `{"error":"invalid_client","error_description":"`+v.refusal+`"}`)
		return
	}
	var status int
	_, rest, _ := strings.Cut(one.answer, "\n")
	_, _ = fmt.Sscan(one.answer, &status)
	w.WriteHeader(status)
	_, _ = io.WriteString(w, one.fresh(rest))
}

var (
	tokenMember  = regexp.MustCompile(`("access_token"|"token"): "[^"]*"`)
	expiryMember = regexp.MustCompile(`"expires_in": \d+`)
	endMember    = regexp.MustCompile(`"expires_at": "[^"]*"`)
)

// fresh returns an answer with a token of its own, the first of a short life.
func (one *vendor) fresh(answer string) string {
	lives := 6 * time.Second
	if len(one.requests) > 1 {
		lives = time.Hour
	}
	answer = tokenMember.ReplaceAllString(answer, fmt.Sprintf(`$1: "TOKEN-OF-%s-%d"`, one.name, len(one.requests)))
	answer = expiryMember.ReplaceAllString(answer, fmt.Sprintf(`"expires_in": %d`, int(lives.Seconds())))
	return endMember.ReplaceAllString(answer, `"expires_at": "`+time.Now().Add(lives).UTC().Format(time.RFC3339)+`"`)
}

var (
	assertionText = regexp.MustCompile(`eyJ[\w-]+\.[\w-]+\.[\w-]+`)
	// webIdentity is a token of the stand-in of AWS STS, for Entra.
	webIdentity = regexp.MustCompile(`stand-in\.RS256\.api%253A%252F%252FAzureADTokenExchange\.[A-Z2-7]+`)
)

// requestText returns a request as the golden files have it, without the header
// fields that they leave out.
func requestText(r *http.Request, body []byte) string {
	var b strings.Builder
	fmt.Fprintf(&b, "%s https://%s%s\n", r.Method, r.Host, r.URL)
	for _, name := range []string{"Accept", "Authorization", "Content-Type", "X-Github-Api-Version"} {
		value := r.Header.Get(name)
		if value != "" && (name != "Accept" || value != "application/json") {
			fmt.Fprintf(&b, "%s: %s\n", name, value)
		}
	}
	fmt.Fprintf(&b, "\n%s", body)
	return webIdentity.ReplaceAllString(assertionText.ReplaceAllString(b.String(), "ASSERTION"), "WEB_IDENTITY_TOKEN")
}

// check compares the requests with the golden files.
func (v *vendors) check(t *testing.T) {
	t.Helper()
	v.mu.Lock()
	defer v.mu.Unlock()
	for _, one := range v.byHost {
		if len(one.requests) == 0 || one.requests[0] != one.request {
			t.Errorf("the requests to %s are\n%q\nwant\n%q", one.name, one.requests, one.request)
		}
	}
}

// refuse has the server refuse all clients, with a description.
func (v *vendors) refuse(description string) {
	v.mu.Lock()
	defer v.mu.Unlock()
	v.refusal = description
}

// certificateFor returns a certificate that signs itself, and writes it to a
// file.
func certificateFor(t *testing.T, file string, hosts []string) tls.Certificate {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	must(t, err)
	template := &x509.Certificate{
		SerialNumber: big.NewInt(1), DNSNames: hosts, NotBefore: time.Unix(0, 0), NotAfter: time.Now().AddDate(1, 0, 0),
		IsCA: true, BasicConstraintsValid: true,
	}
	der, err := x509.CreateCertificate(rand.Reader, template, template, key.Public(), key)
	must(t, err)
	must(t, os.WriteFile(file, pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der}), 0o600))
	return tls.Certificate{Certificate: [][]byte{der}, PrivateKey: key}
}

// certificateOf returns a certificate in PEM that a key signs itself.
func certificateOf(t *testing.T, text, name string) []byte {
	t.Helper()
	key, ok := privatekey.Parse(text)
	if !ok {
		t.Fatal("Parse() finds no key, want the one of the test")
	}
	template := &x509.Certificate{
		SerialNumber: big.NewInt(1), DNSNames: []string{name}, NotBefore: time.Unix(0, 0),
		NotAfter: time.Now().AddDate(1, 0, 0),
	}
	der, err := x509.CreateCertificate(rand.Reader, template, template, key.Public(), key)
	must(t, err)
	return pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der})
}
