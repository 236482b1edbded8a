package local

import (
	"context"
	"io"
	"net"
	"net/http"
	"path/filepath"
	"strings"
	"testing"
)

// fetch gets a URL, with a bearer token where it is not "".
func fetch(t *testing.T, url, bearer string) (int, string) {
	t.Helper()
	r, err := http.NewRequestWithContext(t.Context(), http.MethodGet, url, nil)
	if err != nil {
		t.Fatal(err)
	}
	if bearer != "" {
		r.Header.Set("Authorization", "Bearer "+bearer)
	}
	client := http.Client{Transport: &http.Transport{DisableKeepAlives: true}}
	got, err := client.Do(r)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = got.Body.Close() }()
	body, err := io.ReadAll(got.Body)
	if err != nil {
		t.Fatal(err)
	}
	return got.StatusCode, string(body)
}

func freeAddress(t *testing.T) string {
	t.Helper()
	l, err := new(net.ListenConfig).Listen(context.Background(), "tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = l.Close() }()
	return l.Addr().String()
}

func TestMetricsOfServer(t *testing.T) {
	file := filepath.Join(t.TempDir(), "token")
	write(t, file, "0123456789abcdef\n", 0o600)
	address := freeAddress(t)
	s := start(t, Config{Demo: true, Data: t.TempDir(), Metrics: address, MetricsToken: file})
	s.token(t, "movemint")
	code, text := fetch(t, "http://"+address+"/metrics", "0123456789abcdef")
	if code != 200 {
		t.Fatalf("GET /metrics = %d %s, want 200", code, text)
	}
	checkText(t, "GET /metrics", text, "tokenvend_vends_total 1\n",
		`tokenvend_token_expiry_seconds{credential="movemint"}`, `tokenvend_tokens{state="fresh"}`)
	if code, _ := fetch(t, "http://"+address+"/metrics", ""); code != 401 {
		t.Errorf("GET /metrics without the token = %d, want 401", code)
	}
	if code, text := fetch(t, s.URL+"/healthz", ""); code != 200 || text != "ok\n" {
		t.Errorf("GET /healthz = %d %q, want 200 and ok", code, text)
	}
	if code, _ := fetch(t, s.URL+"/metrics", "0123456789abcdef"); code != 403 {
		t.Errorf("GET /metrics at the API's address = %d, want 403", code)
	}
}

func TestMetricsNeedAddressAndToken(t *testing.T) {
	open := filepath.Join(t.TempDir(), "open")
	write(t, open, "0123456789abcdef\n", 0o644)
	for name, c := range map[string]struct {
		config Config
		want   string
	}{
		"no token":               {Config{Metrics: "127.0.0.1:0"}, "--metrics-token FILE"},
		"no address":             {Config{MetricsToken: open}, "--metrics ADDRESS"},
		"a file others may read": {Config{Metrics: "127.0.0.1:0", MetricsToken: open}, "--metrics-token"},
		"no file":                {Config{Metrics: "127.0.0.1:0", MetricsToken: open + "x"}, "--metrics-token"},
	} {
		t.Run(name, func(t *testing.T) {
			c.config.Data, c.config.Listen = t.TempDir(), "127.0.0.1:0"
			if err := Serve(t.Context(), c.config); err == nil || !strings.Contains(err.Error(), c.want) {
				t.Errorf("Serve() = %v, want an error with %q", err, c.want)
			}
		})
	}
}
