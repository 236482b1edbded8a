package main

import (
	"io"
	"net/http"
	"net/http/cookiejar"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/tokenvend/tokenvend/cmd/tokenvend/internal/clierror"
)

// ui prints a link that signs a browser in to the status page, which shows
// accounts and events, and no token.
func TestUIPrintsLink(t *testing.T) {
	s := demo(t, t.TempDir())
	token := strings.TrimSpace(tv(t, s.dir, "", "get", "movemint").want(t, clierror.OK).out)
	s.fault(t, "trackmania", `{"status":401}`)
	tv(t, s.dir, "", "get", "trackmania")
	link := strings.TrimSpace(tv(t, s.dir, "", "ui").want(t, clierror.OK).out)
	if !strings.HasPrefix(link, s.url+"/ui/login?code=") {
		t.Fatalf("ui = %s, want a link to %s", link, s.url)
	}
	jar, err := cookiejar.New(nil)
	must(t, err)
	browser := http.Client{Jar: jar}
	text := page(t, &browser, link)
	for _, want := range []string{"5 of 5 tokens", "movemint", "failing", "To do:", "Recent events", "refusal"} {
		if !strings.Contains(text, want) {
			t.Errorf("the status page = %s, want %q in it", text, want)
		}
	}
	key, err := os.ReadFile(filepath.Join(s.dir, defaultData, "seal.key"))
	must(t, err)
	for _, secret := range []string{token, strings.TrimSpace(string(key))} {
		if strings.Contains(text, secret) {
			t.Error("the status page shows a secret, want none")
		}
	}
	if again := page(t, &http.Client{}, link); !strings.Contains(again, "This link does not work") {
		t.Errorf("the link, used again, = %s, want that it does not work", again)
	}
	tv(t, t.TempDir(), "", "ui", "--data", "none").want(t, clierror.Failed, "serve")
}

// page returns what a browser gets.
func page(t *testing.T, browser *http.Client, url string) string {
	t.Helper()
	got, err := browser.Get(url)
	must(t, err)
	defer func() { _ = got.Body.Close() }()
	text, err := io.ReadAll(got.Body)
	must(t, err)
	return string(text)
}
