package monitor

import (
	"context"
	"errors"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/tokenvend/tokenvend/pkg/api"
	"github.com/tokenvend/tokenvend/pkg/operate"
	"github.com/tokenvend/tokenvend/pkg/quota"
	"github.com/tokenvend/tokenvend/pkg/redact"
	"github.com/tokenvend/tokenvend/pkg/store"
	"github.com/tokenvend/tokenvend/pkg/token"
)

func TestHealth(t *testing.T) {
	next := http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusTeapot) })
	for name, c := range map[string]struct {
		method, path string
		err          error
		want         int
		body         string
	}{
		"it works":         {http.MethodGet, "/healthz", nil, 200, "ok\n"},
		"HEAD":             {http.MethodHead, "/healthz", nil, 200, "ok\n"},
		"it does not work": {http.MethodGet, "/healthz", errors.New("secret path"), 503, "unavailable\n"},
		"another method":   {http.MethodPost, "/healthz", nil, 405, "method not allowed\n"},
		"another path":     {http.MethodGet, "/healthz/", nil, 418, ""},
		"the API":          {http.MethodGet, "/tokens/minut", nil, 418, ""},
	} {
		t.Run(name, func(t *testing.T) {
			w := httptest.NewRecorder()
			works := func(context.Context) error { return c.err }
			Health(works, next).ServeHTTP(w, httptest.NewRequestWithContext(t.Context(), c.method, c.path, nil))
			if w.Code != c.want || w.Body.String() != c.body {
				t.Errorf("%s %s = %d %q, want %d %q", c.method, c.path, w.Code, w.Body, c.want, c.body)
			}
		})
	}
}

func TestParseToken(t *testing.T) {
	for text, want := range map[string]bool{
		"0123456789abcdef": true, "0123456789abcdef\r\n": true, "0123456789abcde": false, "": false,
		"0123456789 abcdef": false, "0123456789abcdef\n0123456789abcdef": false, "0123456789abcdefé": false,
	} {
		if got, err := ParseToken(text); (err == nil) != want || want && got.Reveal() != "0123456789abcdef" {
			t.Errorf("ParseToken(%q) = %v, want success: %t", text, err, want)
		}
	}
}

// get answers GET /metrics with that Authorization.
func get(t *testing.T, m Metrics, authorization string) (int, string) {
	t.Helper()
	r := httptest.NewRequestWithContext(t.Context(), http.MethodGet, "/metrics", nil)
	if authorization != "" {
		r.Header.Set("Authorization", authorization)
	}
	w := httptest.NewRecorder()
	m.Handler(redact.New("0123456789abcdef")).ServeHTTP(w, r)
	return w.Code, w.Body.String()
}

func TestMetricsTakeTheBearerToken(t *testing.T) {
	m := Metrics{Counters: &Counters{}, Tokens: func(context.Context) ([]operate.Status, error) { return nil, nil }}
	for authorization, want := range map[string]int{
		"": 401, "Bearer": 401, "Bearer 0123456789abcdeF": 401, "Basic 0123456789abcdef": 401,
		"Bearer 0123456789abcdef": 200, "bearer 0123456789abcdef": 200,
	} {
		if code, _ := get(t, m, authorization); code != want {
			t.Errorf("GET /metrics, Authorization %q = %d, want %d", authorization, code, want)
		}
	}
}

func TestMetrics(t *testing.T) {
	c := &Counters{}
	for _, ms := range []float64{250, 750} {
		c.Observe("VendTime", ms)
		c.Observe("Vends", 1)
	}
	c.Observe("Backlog", 7)
	c.Observe("Backlog", 3)
	c.Observe("unknown", 1)
	status := operate.Status{State: api.Fresh, Failure: store.Failure{Code: "x", Count: 2}}
	status.Entry.Key = token.Key{Credential: "minut", Variant: token.Variant{Account: "a\"b\\\n"}}
	status.Entry.ExpiresAt = time.Now().Add(time.Hour)
	status.Quota = &quota.Use{Used: 3, Requests: 4, Per: "day"}
	m := Metrics{Counters: c, Version: "v1", Tokens: func(context.Context) ([]operate.Status, error) {
		return []operate.Status{status}, nil
	}}
	code, text := get(t, m, "Bearer 0123456789abcdef")
	for _, want := range []string{
		"tokenvend_vends_total 2\n", "tokenvend_vend_seconds_sum 1\n", "tokenvend_vend_seconds_count 2\n",
		"tokenvend_backlog 3\n", "# TYPE tokenvend_vends_total counter\n", `tokenvend_tokens{state="fresh"} 1` + "\n",
		`tokenvend_token_failures{credential="minut",account="a\"b\\\n"} 2` + "\n", `tokenvend_info{version="v1"} 1`,
		`tokenvend_token_expiry_seconds{credential="minut",account="a\"b\\\n"} 3599.`, "tokenvend_mints_total 0\n",
		`tokenvend_quota_used_ratio{credential="minut"} 0.75` + "\n",
	} {
		if !strings.Contains(text, want) {
			t.Errorf("GET /metrics = %d %s, want %q in it", code, text, want)
		}
	}
	line := regexp.MustCompile(`^(# (HELP|TYPE) [a-z_]+ .+|[a-z_]+(\{[^}]*\})? -?[0-9.]+)$`)
	for one := range strings.Lines(text) {
		if !line.MatchString(strings.TrimSuffix(one, "\n")) {
			t.Errorf("GET /metrics has the line %q, want a comment or a sample", one)
		}
	}
}

func TestMetricsWithoutStore(t *testing.T) {
	m := Metrics{Counters: &Counters{}, Tokens: func(context.Context) ([]operate.Status, error) {
		return nil, errors.New("no")
	}}
	if code, text := get(t, m, "Bearer 0123456789abcdef"); code != 503 || strings.Contains(text, "tokenvend_") {
		t.Errorf("GET /metrics without a store = %d %q, want 503", code, text)
	}
}

// Every metric that a line of the journal carries has a name here, except that
// of a function that does not start, and that of quotas, which has a value for
// each credential here.
func TestEveryMetricOfTheJournal(t *testing.T) {
	known := []string{"StartFailures", "ProviderQuotaUsed"}
	for _, m := range metrics {
		known = append(known, m.journal)
	}
	sources, err := filepath.Glob(filepath.Join("..", "..", "journal", "*.go"))
	if err != nil {
		t.Fatal(err)
	}
	name := regexp.MustCompile(`\{"([A-Z][A-Za-z]+)", (?:count|millis|percent|store|v\.|p\.)|return "([A-Z][a-z]+Failures)"`)
	found := 0
	for _, path := range sources {
		source, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		for _, match := range name.FindAllStringSubmatch(string(source), -1) {
			found++
			if one := match[1] + match[2]; !slices.Contains(known, one) {
				t.Errorf("the journal's metric %s has no name in Prometheus", one)
			}
		}
	}
	if found < len(metrics) {
		t.Errorf("found %d metrics in the journal, want %d or more", found, len(metrics))
	}
}
