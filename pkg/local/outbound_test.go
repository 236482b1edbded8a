package local

import (
	"bytes"
	"encoding/pem"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/tokenvend/tokenvend/pkg/local/datafolder"
)

// ownProvider is a token endpoint of a developer's own: on loopback, with a
// certificate that no system trusts. ca is the file of its authority.
func ownProvider(t *testing.T) (at, ca string) {
	t.Helper()
	server := httptest.NewTLSServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		id, secret, _ := r.BasicAuth()
		if id != "own" || secret != "own-secret" {
			w.WriteHeader(http.StatusUnauthorized)
			return
		}
		_, _ = io.WriteString(w, `{"access_token":"own-token","expires_in":3600}`)
	}))
	t.Cleanup(server.Close)
	ca = filepath.Join(t.TempDir(), "ca.pem")
	block := pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: server.Certificate().Raw})
	if err := os.WriteFile(ca, block, 0o600); err != nil {
		t.Fatal(err)
	}
	return server.URL + "/token", ca
}

// withCredential makes a data folder with a credential for a token endpoint.
func withCredential(t *testing.T, name, tokenURL string) string {
	t.Helper()
	data := t.TempDir()
	folder := filepath.Join(data, datafolder.CredentialsName)
	secret := fmt.Sprintf(
		`{"provider":"oauth2","token_url":%q,"client_id":"own","client_secret":"own-secret"}`, tokenURL,
	)
	err := os.MkdirAll(folder, 0o700)
	if err == nil {
		err = os.WriteFile(filepath.Join(folder, name+".json"), []byte(secret), 0o600)
	}
	if err != nil {
		t.Fatal(err)
	}
	return data
}

func TestCaseC35_OwnProviderWithAPrivateCA(t *testing.T) {
	at, ca := ownProvider(t)
	var log bytes.Buffer
	r := start(t, Config{
		Data: withCredential(t, "own", at), AllowPrivate: true, CA: ca, Log: textLog(&log),
	})
	if got := r.token(t, "own"); got.AccessToken != "own-token" {
		t.Errorf("token(own) = %q, want own-token", got.AccessToken)
	}
	if err := r.stop(); err != nil {
		t.Fatal(err)
	}
	checkText(t, "the log", log.String(), "msg=opened", "--allow-private", "--ca")
}

// A company's certificates come as a bundle of roots and intermediates, with
// text between them ("Corporate TLS inspection in local agentengine dev up",
// MongoDB; "CA certificates extracted from Mozilla", curl).
func TestCaseC35_BundleOfCertificates(t *testing.T) {
	at, ca := ownProvider(t)
	_, other := ownProvider(t)
	text := "# Company Root CA\n"
	for _, file := range []string{other, ca} {
		pem, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		text += "=================\n" + string(pem) + "\r\n"
	}
	bundle := filepath.Join(t.TempDir(), "bundle.pem")
	write(t, bundle, text, 0o600)
	r := start(t, Config{Data: withCredential(t, "own", at), AllowPrivate: true, CA: bundle})
	if got := r.token(t, "own"); got.AccessToken != "own-token" {
		t.Errorf("token(own) = %q, want own-token", got.AccessToken)
	}
}

// A developer's own server, or a local identity provider such as Keycloak in
// its development mode ("Running Keycloak in a container": http on port 8080),
// has no TLS.
func TestCaseC35_PlainHTTPOnLoopback(t *testing.T) {
	plain := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		_, _ = io.WriteString(w, `{"access_token":"own-token","expires_in":3600}`)
	}))
	t.Cleanup(plain.Close)
	_, port, err := net.SplitHostPort(plain.Listener.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	for _, host := range []string{"127.0.0.1", "localhost"} {
		at := "http://" + net.JoinHostPort(host, port) + "/token"
		t.Run(host, func(t *testing.T) {
			r := start(t, Config{Data: withCredential(t, "own", at), AllowPrivate: true})
			if got := r.token(t, "own"); got.AccessToken != "own-token" {
				t.Errorf("token(own) = %q, want own-token", got.AccessToken)
			}
			refused := start(t, Config{Data: withCredential(t, "own", at)})
			got := refused.get(t, "/tokens/own")
			if !strings.Contains(got.Body, `"misconfigured"`) || !strings.Contains(got.Body, "--allow-private") {
				t.Errorf("GET /tokens/own = %d %s, want misconfigured with --allow-private", got.Status, got.Body)
			}
		})
	}
}

func TestCaseC35_ThroughAProxy(t *testing.T) {
	at, ca := ownProvider(t)
	var tunnels atomic.Int32
	proxy := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		tunnels.Add(1)
		tunnel(w, r)
	}))
	defer proxy.Close()
	u, err := url.Parse(proxy.URL)
	if err != nil {
		t.Fatal(err)
	}
	r := start(t, Config{Data: withCredential(t, "own", at), CA: ca, Proxy: u})
	if got := r.token(t, "own"); got.AccessToken != "own-token" || tunnels.Load() == 0 {
		t.Errorf("token(own) = %q through %d tunnels, want own-token through one", got.AccessToken, tunnels.Load())
	}
}

// tunnel is what a proxy does with CONNECT.
func tunnel(w http.ResponseWriter, r *http.Request) {
	out, err := net.Dial("tcp", r.Host)
	if err != nil || r.Method != http.MethodConnect {
		w.WriteHeader(http.StatusBadGateway)
		return
	}
	in, _, err := w.(http.Hijacker).Hijack()
	if err != nil {
		return
	}
	_, _ = io.WriteString(in, "HTTP/1.1 200 OK\r\n\r\n")
	go func() { _, _ = io.Copy(out, in); _ = out.Close() }()
	_, _ = io.Copy(in, out)
	_ = in.Close()
}

// A refusal that only a setting changes says so, and is not tried again soon.
func TestCaseC36_PrivateAddressIsNoPassingFault(t *testing.T) {
	at, ca := ownProvider(t)
	const linkLocal = "https://169.254.169.254/token"
	metadata := map[string]string{
		"link-local": linkLocal,
		// "Amazon ECS task metadata available for tasks on Fargate".
		"ECS": "https://169.254.170.2/v4/token",
		// aws/ec2-macos-init, release 1.5.15.
		"EC2 over IPv6": "https://[fd00:ec2::254]/token",
		// BuffaloWill, "Cloud Metadata Dictionary useful for SSRF Testing".
		"inside an IPv6 address": "https://[::ffff:169.254.169.254]/token",
	}
	for name, c := range map[string]struct {
		url, want string
	}{
		"loopback": {at, "--allow-private"},
		"private":  {"https://10.1.2.3/token", "--allow-private"},
		// AWS, "VPC CIDR blocks": addresses of RFC 6598, for a VPC of its own.
		"shared":     {"https://100.64.1.2/token", "--allow-private"},
		"link-local": {linkLocal, "always refused"},
	} {
		t.Run(name, func(t *testing.T) {
			r := start(t, Config{Data: withCredential(t, "own", c.url), CA: ca})
			got := r.get(t, "/tokens/own")
			if got.Status != http.StatusInternalServerError || !strings.Contains(got.Body, `"misconfigured"`) ||
				!strings.Contains(got.Body, c.want) {
				t.Errorf("GET /tokens/own = %d %s, want 500 misconfigured with %q", got.Status, got.Body, c.want)
			}
		})
	}
	for name, at := range metadata {
		t.Run(name+" with --allow-private", func(t *testing.T) {
			r := start(t, Config{Data: withCredential(t, "own", at), AllowPrivate: true})
			if got := r.get(t, "/tokens/own"); !strings.Contains(got.Body, "always refused") {
				t.Errorf("GET /tokens/own at %s = %d %s, want it refused", at, got.Status, got.Body)
			}
		})
	}
}

func TestServeRefusesAFileWithoutCertificates(t *testing.T) {
	file := filepath.Join(t.TempDir(), "ca.pem")
	write(t, file, "nothing", 0o600)
	for ca, want := range map[string]string{file: "holds no certificate in PEM", file + ".missing": "no such file"} {
		err := Serve(t.Context(), Config{Data: t.TempDir(), Listen: "127.0.0.1:0", CA: ca})
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("Serve() with --ca %s = %v, want %q", ca, err, want)
		}
	}
}
