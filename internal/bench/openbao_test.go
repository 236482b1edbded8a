//go:build testall

package bench_test

import (
	"bytes"
	"crypto/tls"
	"crypto/x509"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"os"
	"strings"
	"testing"
	"time"
)

// The environment variables that name an OpenBao or a Vault, and what to read
// there. The first three are those of their own programs.
const (
	envVaultAddress   = "VAULT_ADDR"
	envVaultToken     = "VAULT_TOKEN"
	envVaultAuthority = "VAULT_CACERT" // a file; "": the system's
	envVaultPath      = "VAULT_PATH"   // such as secret/data/NAME
)

// openBao measures tokenvend serve beside a Vault of the environment.
func openBao(b *testing.B) *section {
	page := &section{
		title: "Beside OpenBao or Vault",
		text: "`tokenvend serve` as above, in turns with an OpenBao or a Vault that the same client reads a secret from. In " +
			"the environment of `make bench`, `VAULT_ADDR`, `VAULT_TOKEN` and `VAULT_PATH` (such as `secret/data/NAME`) name " +
			"it, and `VAULT_CACERT` the file of its authority if that is not the system's. n/a: none was named.",
		head: []string{
			"callers", "version", "its calls/s", "p50", "p99", "tokenvend, calls/s", "p50", "p99", "tokenvend ÷ it",
		},
	}
	if os.Getenv(envVaultAddress) == "" {
		page.add("n/a", "n/a", "n/a", "n/a", "n/a", "n/a", "n/a", "n/a", "n/a")
		return page
	}
	theirs, version, err := newOpenBao()
	if err != nil {
		b.Fatal(err)
	}
	rounds, length := 5, 2*time.Second
	if *brief {
		rounds, length = 2, time.Second
	}
	ours := serve(b)
	for _, callers := range []int{1, 16, 64} {
		var its, own []load
		for range rounds {
			its = append(its, theirs.under(b, callers, length))
			own = append(own, ours.under(b, callers, length))
		}
		page.openBaoRow(fmt.Sprint(callers), version, its, own)
	}
	return page
}

func (s *section) openBaoRow(callers, version string, its, own []load) {
	ratios := make([]float64, len(own))
	for i := range own {
		ratios[i] = own[i].rate / its[i].rate
	}
	cells := []string{callers, version}
	for _, loads := range [][]load{its, own} {
		cells = append(
			cells, fmt.Sprintf("%.0f", medianOf(loads, func(l load) float64 { return l.rate })),
			inMillis(medianOf(loads, func(l load) float64 { return float64(l.p50) })),
			inMillis(medianOf(loads, func(l load) float64 { return float64(l.p99) })),
		)
	}
	s.add(append(cells, times(median(ratios)))...)
}

// newOpenBao returns the server that the environment names, with the request
// for the secret, and its version.
func newOpenBao() (s server, version string, err error) {
	at, err := url.Parse(os.Getenv(envVaultAddress))
	if err != nil {
		return server{}, "", err
	}
	if os.Getenv(envVaultToken) == "" || os.Getenv(envVaultPath) == "" {
		return server{}, "", fmt.Errorf("%s is set: set %s and %s too", envVaultAddress, envVaultToken, envVaultPath)
	}
	if s, err = openBaoAt(at); err != nil {
		return server{}, "", err
	}
	read, err := http.NewRequest(http.MethodGet, at.JoinPath("v1", os.Getenv(envVaultPath)).String(), nil)
	if err != nil {
		return server{}, "", err
	}
	read.Header.Set("X-Vault-Token", os.Getenv(envVaultToken))
	var wire bytes.Buffer
	if err := read.Write(&wire); err != nil {
		return server{}, "", err
	}
	s.request = wire.Bytes()
	version, err = s.versionOfOpenBao(at)
	return s, version, err
}

// openBaoAt returns a server at a URL, without a request.
func openBaoAt(at *url.URL) (server, error) {
	port := at.Port()
	switch {
	case at.Scheme == "http" && port == "":
		port = "80"
	case at.Scheme == "https" && port == "":
		port = "443"
	}
	s := server{address: net.JoinHostPort(at.Hostname(), port)}
	if at.Scheme == "http" {
		return s, nil
	}
	s.over = &tls.Config{ServerName: at.Hostname()}
	if file := os.Getenv(envVaultAuthority); file != "" {
		text, err := os.ReadFile(file)
		if err != nil {
			return server{}, err
		}
		s.over.RootCAs = x509.NewCertPool()
		if !s.over.RootCAs.AppendCertsFromPEM(text) {
			return server{}, fmt.Errorf("%s holds no certificate", file)
		}
	}
	return s, nil
}

// versionOfOpenBao returns the version that the health check names.
func (s server) versionOfOpenBao(at *url.URL) (string, error) {
	client := &http.Client{Transport: &http.Transport{TLSClientConfig: s.over, DisableKeepAlives: true}}
	answer, err := client.Get(at.JoinPath("v1/sys/health").String())
	if err != nil {
		return "", err
	}
	defer func() { _ = answer.Body.Close() }()
	text, err := io.ReadAll(answer.Body)
	if err != nil {
		return "", err
	}
	var health struct{ Version string }
	if err := json.Unmarshal(text, &health); err != nil || health.Version == "" {
		return "", fmt.Errorf("%s answers %s without a version: %.200q", at, answer.Status, text)
	}
	return strings.TrimPrefix(health.Version, "v"), nil
}
