package catalog_test

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"crypto/tls"
	"crypto/x509"
	"encoding/pem"
	"io"
	"log"
	"math/big"
	"net/http"
	"net/http/httptest"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/tokenvend/tokenvend/pkg/outbound"
)

// material is what the examples' keys and certificates are replaced by.
type material struct {
	signer      crypto.Signer
	key         string // PEM
	certificate string // PEM
	leaf        *x509.Certificate
}

// rsaMaterial and ecMaterial are made once, because keys take time.
var (
	rsaMaterial = sync.OnceValue(func() material { return newMaterial(rsa.GenerateKey(rand.Reader, 2048)) })
	ecMaterial  = sync.OnceValue(func() material {
		return newMaterial(ecdsa.GenerateKey(elliptic.P256(), rand.Reader))
	})
)

func newMaterial[K crypto.Signer](key K, err error) material {
	if err != nil {
		panic(err)
	}
	der, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		panic(err)
	}
	leaf := certify(key, "client.test")
	return material{
		signer: key, leaf: leaf,
		key:         string(pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: der})),
		certificate: string(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: leaf.Raw})),
	}
}

// certify returns a certificate that signs itself.
func certify(key crypto.Signer, hosts ...string) *x509.Certificate {
	template := &x509.Certificate{
		SerialNumber: big.NewInt(1), DNSNames: hosts,
		NotBefore: time.Unix(0, 0), NotAfter: time.Now().AddDate(1, 0, 0),
		IsCA: true, BasicConstraintsValid: true,
	}
	der, err := x509.CreateCertificate(rand.Reader, template, template, key.Public(), key)
	if err != nil {
		panic(err)
	}
	leaf, err := x509.ParseCertificate(der)
	if err != nil {
		panic(err)
	}
	return leaf
}

// server answers all requests to some hosts, and records them.
type server struct {
	client   *http.Client
	mu       sync.Mutex
	requests []string
	shown    int // client certificates of the last request
}

// serve starts a server for hosts. An answer is a status, a line end and a
// body. The last one is repeated.
func serve(t *testing.T, hosts []string, answers ...string) *server {
	t.Helper()
	s := &server{}
	listener := httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		status, body, _ := strings.Cut(answers[min(s.record(r), len(answers)-1)], "\n")
		code, err := strconv.Atoi(status)
		if err != nil {
			t.Error(err)
		}
		w.Header().Set("Content-Type", contentType(body))
		w.WriteHeader(code)
		_, _ = io.WriteString(w, strings.TrimSuffix(body, "\n"))
	}))
	key := ecMaterial().signer
	leaf := certify(key, hosts...)
	listener.TLS = &tls.Config{
		Certificates: []tls.Certificate{{Certificate: [][]byte{leaf.Raw}, PrivateKey: key, Leaf: leaf}},
		ClientAuth:   tls.RequestClientCert,
	}
	listener.Config.ErrorLog = log.New(io.Discard, "", 0)
	listener.StartTLS()
	roots := x509.NewCertPool()
	roots.AddCert(leaf)
	s.client = outbound.NewClient(outbound.Config{Roots: roots, Route: func(hostport string) (string, bool) {
		host, isHTTPS := strings.CutSuffix(hostport, ":443")
		return listener.Listener.Addr().String(), isHTTPS && slices.Contains(hosts, host)
	}})
	t.Cleanup(func() {
		s.client.CloseIdleConnections()
		listener.Close()
	})
	return s
}

func contentType(body string) string {
	if strings.HasPrefix(body, "{") {
		return "application/json"
	}
	return "text/plain"
}

// unnamed are header fields that every request has.
var unnamed = []string{"Accept-Encoding", "Content-Length", "User-Agent", "Connection"}

// record keeps a request as the golden files have it, and returns how many came
// before it.
func (s *server) record(r *http.Request) int {
	body, _ := io.ReadAll(r.Body)
	text := r.Method + " https://" + r.Host + r.URL.String() + "\n" + headerLines(r.Header) + "\n" + string(body)
	s.mu.Lock()
	defer s.mu.Unlock()
	s.requests, s.shown = append(s.requests, text), len(r.TLS.PeerCertificates)
	return len(s.requests) - 1
}
