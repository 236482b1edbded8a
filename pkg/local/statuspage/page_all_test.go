//go:build testall

package statuspage

import (
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"testing"

	"github.com/tokenvend/tokenvend/internal/testbed"
)

// The page in Chromium, wide and narrow, light and dark: axe-core finds nothing
// wrong with it, and 300 credentials fit. The pictures are kept by
// go test -tags testall -artifacts.
func TestPageInBrowser(t *testing.T) {
	few := httptest.NewServer(Handler(configOf(len(states)), http.NotFoundHandler()))
	defer few.Close()
	many := httptest.NewServer(Handler(configOf(300), http.NotFoundHandler()))
	defer many.Close()
	tab := testbed.NewBrowser(t).Tab()
	tab.Open(few.URL + "/ui/")
	tab.Await("tokenvend ui")
	check(t, tab, "signed out")
	tab.Open(few.URL + NewLink(secret))
	tab.Await("9 of 9 tokens")
	eachLook(tab, func(name string, _ int) {
		if name == "wide light" || name == "narrow dark" { // each layout, and each set of colors
			check(t, tab, "few "+name)
		}
	})
	tab.Open(many.URL + NewLink(secret))
	tab.Await("300 of 300 tokens")
	eachLook(tab, func(name string, width int) {
		picture(t, tab, "many "+name)
		if n := tab.Measure("document.documentElement.scrollWidth"); n > float64(width) {
			t.Errorf("the page is %.0f pixels wide in a window of %d, want that it fits", n, width)
		}
	})
	tab.Open(many.URL + "/ui/?state=fresh&text=credential-1")
	tab.Await("11 of 300 tokens")
	picture(t, tab, "fresh")
	tab.Click("header button")
	tab.Await("Signed out")
}

// eachLook calls do for each width of the window and each color scheme.
func eachLook(tab *testbed.Tab, do func(name string, width int)) {
	for name, width := range map[string]int{"wide": 1400, "medium": 1170, "narrow": 390} {
		for _, scheme := range []string{"light", "dark"} {
			tab.Resize(width, 900)
			tab.PreferScheme(scheme)
			do(name+" "+scheme, width)
		}
	}
}

// check fails for what axe-core finds, and keeps a picture.
func check(t *testing.T, tab *testbed.Tab, name string) {
	t.Helper()
	for _, v := range tab.Accessibility() {
		t.Errorf("%s: axe-core: %s (%s): %s: %d nodes, such as %.200s", name, v.ID, v.Impact, v.Help, len(v.Nodes),
			v.Nodes[0].HTML)
	}
	picture(t, tab, name)
}

func picture(t *testing.T, tab *testbed.Tab, name string) {
	t.Helper()
	if err := os.WriteFile(filepath.Join(t.ArtifactDir(), name+".png"), tab.Picture(), 0o600); err != nil {
		t.Error(err)
	}
}
