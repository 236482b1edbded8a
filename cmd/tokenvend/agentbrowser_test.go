//go:build testall

package main

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"

	"github.com/tokenvend/tokenvend/internal/testbed"
	"github.com/tokenvend/tokenvend/pkg/agent"
)

// attackPage tries what a page can send, with the agent's key as if it had been
// stolen, and shows what comes back.
const attackPage = `<title>page</title><pre id=out></pre>
<script>
const key = {"%[3]s": "%[2]s"}
const form = new URLSearchParams({grant_type: "client_credentials", client_id: "minut", client_secret: "%[2]s"})
const tries = {
  "with the key": () => fetch("%[1]s/tokens/minut", {headers: key}),
  "without the key": () => fetch("%[1]s/tokens/minut"),
  "unread": () => fetch("%[1]s/tokens/minut", {mode: "no-cors", headers: key}),
  "the token endpoint": () => fetch("%[1]s/oauth2/token", {method: "POST", body: form}),
  "the token endpoint, unread": () => fetch("%[1]s/oauth2/token", {method: "POST", body: form, mode: "no-cors"}),
}
;(async () => {
  for (const name in tries) {
    let said
    try { const r = await tries[name](); said = r.type + " " + r.status + " " + await r.text() }
    catch (e) { said = String(e) }
    out.textContent += name + ": " + said + "\n"
  }
  out.textContent += "tries are over"
})()
</script>`

// No page in a real browser gets a token, whatever it sends and from wherever
// it comes.
func TestPagesInABrowserGetNoToken(t *testing.T) {
	s := demo(t, t.TempDir())
	a := startAgent(t, s, "minut", "--listen", anyPort, "--data", defaultData)
	key := a.key(t)
	_, header := a.get(t, http.DefaultClient, a.url+"/authorization/minut", key)
	token := strings.TrimPrefix(header, "Bearer ")
	attacker := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Type", "text/html")
		_, _ = fmt.Fprintf(w, attackPage, a.url, key, agent.KeyHeader)
	}))
	defer attacker.Close()
	tab := testbed.NewBrowser(t, "attacker.example").Tab()

	tab.Open(attacker.URL)
	shown := tab.Await("tries are over")
	if strings.Contains(shown, token) || strings.Contains(shown, "access_token") || strings.Contains(shown, " 200 ") {
		t.Errorf("a page of another origin shows %s, want no token", shown)
	}
	if n := strings.Count(shown, "Failed to fetch"); n != 3 {
		t.Errorf("a page of another origin shows %s, want that the browser keeps back what it may not read", shown)
	}

	// Its own name leads to the agent now (DNS rebinding).
	at, err := url.Parse(a.url)
	if err != nil {
		t.Fatal(err)
	}
	tab.Open("http://attacker.example:" + at.Port() + "/tokens/minut")
	if shown := tab.Await("access_denied"); !strings.Contains(shown, "the Host header") {
		t.Errorf("a page of a name that leads to the agent shows %s, want that its Host is refused", shown)
	}
}
