package statuspage

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/tokenvend/tokenvend/pkg/operate"
	"github.com/tokenvend/tokenvend/pkg/quota"
	"github.com/tokenvend/tokenvend/pkg/redact"
)

// browser sends requests to a page with the cookies that it got.
type browser struct {
	t       *testing.T
	page    http.Handler
	cookies []*http.Cookie
}

func newBrowser(t *testing.T, c Config) *browser {
	t.Helper()
	api := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Path", r.URL.Path)
		w.WriteHeader(http.StatusTeapot)
	})
	return &browser{t: t, page: Handler(c, api)}
}

func (b *browser) send(method, target string, header ...string) *httptest.ResponseRecorder {
	b.t.Helper()
	r := httptest.NewRequestWithContext(b.t.Context(), method, target, nil)
	for _, c := range b.cookies {
		r.AddCookie(c)
	}
	for i := 0; i < len(header); i += 2 {
		r.Header.Set(header[i], header[i+1])
	}
	w := httptest.NewRecorder()
	b.page.ServeHTTP(w, r)
	b.cookies = append(b.cookies, w.Result().Cookies()...)
	return w
}

func (b *browser) get(target string) *httptest.ResponseRecorder {
	return b.send(http.MethodGet, target)
}

func TestLinkSignsOneBrowserInOnce(t *testing.T) {
	b := newBrowser(t, configOf(9))
	if w := b.get("/ui/"); w.Code != 401 || strings.Contains(w.Body.String(), "credential-") {
		t.Errorf("GET /ui/ signed out = %d %s, want 401 and no credential", w.Code, w.Body)
	}
	link := NewLink(secret)
	w := b.get(link)
	if w.Code != 303 || len(b.cookies) != 1 || !b.cookies[0].HttpOnly ||
		b.cookies[0].SameSite != http.SameSiteStrictMode {
		t.Fatalf("GET the link = %d %v, want 303 and a cookie that is HttpOnly and SameSite=Strict", w.Code, b.cookies)
	}
	if w := b.get("/ui/"); w.Code != 200 || !strings.Contains(w.Body.String(), "credential-008") {
		t.Errorf("GET /ui/ = %d, want 200 and the credentials", w.Code)
	}
	other := newBrowser(t, configOf(9))
	other.page = b.page
	if w := other.get(link); w.Code != 401 || len(other.cookies) != 0 {
		t.Errorf("GET the link again = %d %v, want 401 and no cookie", w.Code, other.cookies)
	}
	if w := b.send(http.MethodPost, "/ui/logout"); w.Code != 303 {
		t.Errorf("POST /ui/logout = %d, want 303", w.Code)
	}
	b.cookies = b.cookies[:1]
	if w := b.get("/ui/"); w.Code != 401 {
		t.Errorf("GET /ui/ with the cookie of a session that has ended = %d, want 401", w.Code)
	}
}

func TestLinksThatAreRefused(t *testing.T) {
	now := time.Now()
	good := strings.TrimPrefix(newLink(secret, now), LoginPath+"?code=")
	for name, code := range map[string]string{
		"none": "", "no proof": "x", "another proof": good[:len(good)-1] + "!", "another text": "1" + good,
		"of another key":   strings.TrimPrefix(newLink(redact.New("x"), now), LoginPath+"?code="),
		"too old":          strings.TrimPrefix(newLink(secret, now.Add(-6*time.Minute)), LoginPath+"?code="),
		"of the future":    strings.TrimPrefix(newLink(secret, now.Add(6*time.Minute)), LoginPath+"?code="),
		"before the start": strings.TrimPrefix(newLink(secret, now.Add(-2*time.Minute)), LoginPath+"?code="),
	} {
		t.Run(name, func(t *testing.T) {
			s := &sessions{secret: secret, start: now.Add(-time.Minute)}
			if name == "too old" {
				s.start = now.Add(-time.Hour)
			}
			if cookie, err := s.signIn(code, now); err == nil || cookie != "" {
				t.Errorf("signIn(%s) = %q, %v, want an error", name, cookie, err)
			}
		})
	}
}

func TestSessionEnds(t *testing.T) {
	now := time.Now()
	s := &sessions{secret: secret, start: now}
	cookie, err := s.signIn(strings.TrimPrefix(newLink(secret, now), LoginPath+"?code="), now)
	if err != nil || !s.signedIn(cookie, now.Add(sessionLife-time.Second)) {
		t.Fatalf("signedIn() = false, %v, want true before its end", err)
	}
	if s.signedIn(cookie, now.Add(sessionLife)) || s.signedIn("", now) {
		t.Error("signedIn() = true, want false after the end, and without a cookie")
	}
}

func TestHeadersOfThePage(t *testing.T) {
	b := newBrowser(t, configOf(1))
	for _, target := range []string{"/ui/", NewLink(secret), "/ui/", "/ui/nothing", LoginPath} {
		h := b.get(target).Header()
		for name, want := range map[string]string{
			"Content-Security-Policy": "frame-ancestors 'none'", "X-Frame-Options": "DENY", "Cache-Control": "no-store",
			"X-Content-Type-Options": "nosniff", "Referrer-Policy": "no-referrer",
		} {
			if !strings.Contains(h.Get(name), want) {
				t.Errorf("GET %s has %s: %s, want %s", target, name, h.Get(name), want)
			}
		}
		if strings.Contains(h.Get("Content-Security-Policy"), "unsafe") {
			t.Errorf("GET %s has the policy %s, want nothing unsafe", target, h.Get("Content-Security-Policy"))
		}
	}
}

func TestOtherSitesCannotSignOut(t *testing.T) {
	b := newBrowser(t, configOf(1))
	b.get(NewLink(secret))
	if w := b.send(http.MethodPost, "/ui/logout", "Sec-Fetch-Site", "cross-site"); w.Code != 403 {
		t.Errorf("POST /ui/logout from another site = %d, want 403", w.Code)
	}
	if w := b.get("/ui/"); w.Code != 200 {
		t.Errorf("GET /ui/ = %d, want 200: still signed in", w.Code)
	}
}

// All other paths reach the API as they stand.
func TestAPIKeepsItsPaths(t *testing.T) {
	b := newBrowser(t, configOf(1))
	for _, path := range []string{"/", "/tokens/minut", "//tokens//x", "/tokens/../ui/", "/uix", "/tokens/"} {
		if w := b.get(path); w.Code != 418 || w.Header().Get("Path") != path {
			t.Errorf("GET %s = %d at %q, want that the API answers", path, w.Code, w.Header().Get("Path"))
		}
	}
	if w := b.get("/ui"); w.Code != 303 || w.Header().Get("Location") != "/ui/" {
		t.Errorf("GET /ui = %d, want a redirect to /ui/", w.Code)
	}
}

func TestPageFiltersAndEscapes(t *testing.T) {
	b := newBrowser(t, configOf(30))
	b.get(NewLink(secret))
	for target, want := range map[string][2]string{
		"/ui/?state=fresh":                     {"credential-006", "credential-007"},
		"/ui/?text=Credential-02":              {"credential-020", "credential-010"},
		"/ui/?text=account-003":                {"credential-003", "credential-004"},
		"/ui/?text=%3Cscript%3Ealert(1)":       {"No token is like that", "<script>"},
		"/ui/?state=%22%3E%3Cscript%3Ealert(1": {"No token is like that", "<script>"},
	} {
		text := b.get(target).Body.String()
		table, _, _ := strings.Cut(text, "Recent events")
		if !strings.Contains(table, want[0]) || strings.Contains(table, want[1]) {
			t.Errorf("GET %s = %s, want %q in it and not %q", target, table, want[0], want[1])
		}
	}
	if text := b.get("/ui/").Body.String(); strings.Contains(text, "<secret>") {
		t.Error("GET /ui/ shows the provider's words as HTML, want them escaped")
	}
}

func TestPageWarnsOfQuota(t *testing.T) {
	const text = "quota of token requests is nearly used up: "
	for used, isShown := range map[int64]bool{0: false, 79: false, 80: true, 120: true} {
		c := configOf(1)
		c.Tokens = func(context.Context) ([]operate.Status, error) {
			all := tokens(1, time.Now())
			all[0].Warning, all[0].Quota = "", &quota.Use{Used: used, Requests: 100, Per: "day"}
			return all, nil
		}
		b := newBrowser(t, c)
		b.get(NewLink(secret))
		page := b.get("/ui/").Body.String()
		if strings.Contains(page, fmt.Sprint(text, used, " of 100 this day")) != isShown {
			t.Errorf("GET /ui/ with %d of 100 requests = %s, want the warning: %t", used, page, isShown)
		}
	}
}

func TestEventNamesTheQuota(t *testing.T) {
	r := slog.NewRecord(time.Now(), slog.LevelWarn, "mint", 0)
	r.AddAttrs(slog.String("credential", "minut"), slog.String("quota", "4 of 5 this hour"))
	if e := eventOf(r); e.Text != "quota 4 of 5 this hour" || !e.Warn {
		t.Errorf("eventOf(mint) = %+v, want a warning of the quota", e)
	}
}

func TestPageWithoutStore(t *testing.T) {
	c := configOf(0)
	c.Tokens = func(context.Context) ([]operate.Status, error) { return nil, errors.New("a secret path") }
	b := newBrowser(t, c)
	b.get(NewLink(secret))
	if w := b.get("/ui/"); w.Code != 503 || strings.Contains(w.Body.String(), "secret path") {
		t.Errorf("GET /ui/ = %d %s, want 503 without the error", w.Code, w.Body)
	}
}

func TestEventsKeepTheLast(t *testing.T) {
	var e Events
	h := e.Handler(slog.DiscardHandler)
	for i := range maxEvents + 10 {
		r := slog.NewRecord(time.Unix(int64(i), 0), slog.LevelError, "unstored", 0)
		r.AddAttrs(slog.String("credential", "minut"), slog.String("variant", "account=a"),
			slog.String("recovery", "a-sealed-blob"), slog.String("detail", "full"))
		if err := h.Handle(t.Context(), r); err != nil {
			t.Fatal(err)
		}
		_ = h.Handle(t.Context(), slog.NewRecord(time.Unix(int64(i), 0), slog.LevelInfo, "vend", 0))
	}
	all := e.newest()
	if len(all) != maxEvents || all[0].At.Unix() != maxEvents+9 || all[0].Who != "minut account=a" ||
		all[0].Text != "full" {
		t.Errorf("newest() = %d events, the first %+v, want the last %d without the blob", len(all), all[0], maxEvents)
	}
}

func TestRelative(t *testing.T) {
	now := time.Now()
	for d, want := range map[time.Duration]string{
		90 * time.Second: "in 1m30s", time.Hour: "in 1h", 61*time.Minute + time.Second: "in 1h1m",
		-2 * time.Minute: "2m ago",
		72 * time.Hour:   "in 72h", 20 * time.Minute: "in 20m", 100 * time.Hour: "in 100h", 0: "0s ago",
	} {
		if got := relative(now.Add(d), now); got != want {
			t.Errorf("relative(%s) = %q, want %q", d, got, want)
		}
	}
}

// A new link has to work however often the page was opened before.
func TestNewestSessionTakesTheOldestsPlace(t *testing.T) {
	now := time.Now()
	s := sessions{secret: redact.New("s"), start: now}
	var cookies []string
	for i := range maxSessions + 1 {
		at := now.Add(time.Duration(i) * time.Second)
		_, code, _ := strings.Cut(newLink(s.secret, at), "code=")
		cookie, err := s.signIn(code, at)
		if err != nil {
			t.Fatalf("signIn() of link %d = %v, want a session", i, err)
		}
		cookies = append(cookies, cookie)
	}
	end := now.Add(maxSessions * time.Second)
	for i, want := range map[int]bool{0: false, 1: true, maxSessions: true} {
		if got := s.signedIn(cookies[i], end); got != want {
			t.Errorf("signedIn(cookie %d) = %t, want %t", i, got, want)
		}
	}
}
