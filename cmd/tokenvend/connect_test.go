package main

import (
	"encoding/base64"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"testing"

	"github.com/tokenvend/tokenvend/cmd/tokenvend/internal/clierror"
	"github.com/tokenvend/tokenvend/cmd/tokenvend/internal/commands/accounts"
	"github.com/tokenvend/tokenvend/cmd/tokenvend/internal/hint"
	"github.com/tokenvend/tokenvend/pkg/api"
	"github.com/tokenvend/tokenvend/pkg/provider/simulator"
)

// begun is tokenvend connect on a stack, up to the authorize page that it leads
// to.
func (s *stack) begun(args ...string) (c *connecting, page url.Values) {
	s.Helper()
	c = begin(s.T, s.dir, s.env, append([]string{"--no-browser"}, args...)...)
	answer, err := c.browser.Get(c.address(links))
	u, err := url.Parse(sentTo(s.T, answer, err))
	if err != nil {
		s.Fatal(err)
	}
	return c, u.Query()
}

// grant has a person allow it, and returns the code.
func (s *stack) grant(provider, name string, page url.Values) string {
	s.Helper()
	code, err := s.providers.IssueCode(
		provider,
		page.Get("client_id"),
		name,
		page.Get("scope"),
		page.Get("redirect_uri"),
		page.Get("code_challenge"),
	)
	if err != nil {
		s.Fatal(err)
	}
	return code
}

// returned is where the provider sends the browser.
func returned(page url.Values, more string) string {
	return page.Get("redirect_uri") + "?state=" + page.Get("state") + "&" + more
}

// open has the browser open an address, and returns what it shows.
func (c *connecting) open(address string) (status int, text string) {
	c.Helper()
	answer, err := c.browser.Get(address)
	if err != nil {
		c.Fatal(err)
	}
	defer func() { _ = answer.Body.Close() }()
	body, err := io.ReadAll(answer.Body)
	if err != nil {
		c.Fatal(err)
	}
	return answer.StatusCode, string(body)
}

// shows checks that a run has shown none of these.
func (r ran) showsNone(t *testing.T, secrets ...string) {
	t.Helper()
	for _, secret := range secrets {
		if secret == "" || strings.Contains(r.out+r.err, secret) {
			t.Errorf("the command prints %q, or it is empty; want it not printed", secret)
		}
	}
}

func TestConnect(t *testing.T) {
	s := newStack(t)
	s.put("trackmania", "trackmania", `allow={"accounts":["*"]}`)
	_, secret := s.client("trackmania")
	for account, where := range map[string][]string{"alice": {"--function", stackFunction}, "bob o'hara": {"--url",
		s.url}} {
		c, page := s.begun(append(where, "trackmania", "--account", account)...)
		code := s.grant("trackmania", account, page)
		if status, text := c.open(returned(page, "code="+code)); status != http.StatusOK ||
			!strings.Contains(text, "is connected") {
			t.Errorf("the redirect of %s = %d %s, want that the account is connected", account, status, text)
		}
		r := c.ended().
			want(t, clierror.OK, "is connected", "tokenvend get trackmania --account "+hint.Quote(account))
		r.showsNone(t, code, page.Get("state"), page.Get("code_challenge"), secret)
		if out := squeezed(r.out); !strings.Contains(out, "account "+account+"\n") ||
			!strings.Contains(out, "state fresh") {
			t.Errorf("connect prints %s, want the account and a fresh state", out)
		}
		token := s.tv("", slices.Concat([]string{"get", "trackmania", "--account", account}, where)...).
			want(t, clierror.OK).
			out
		if !s.providers.Accepts("trackmania", strings.TrimSpace(token)) || subject(t, token) != account {
			t.Errorf("the provider refuses the token of %s, want it taken", account)
		}
		var report api.StatusReport
		if out := s.tv("", slices.Concat([]string{"status", "trackmania", "--json", "--account", account},
			where)...).out; json.Unmarshal(
			[]byte(out),
			&report,
		) != nil ||
			report.Account != account ||
			report.Generation != 1 {
			t.Errorf("status = %s, want the account with generation 1", out)
		}
	}
	for _, where := range [][]string{{"--function", stackFunction}, {"--url", s.url}} {
		var list struct{ Accounts []api.StatusReport }
		out := s.tv("", append(where, "accounts", "trackmania", "--json")...).want(t, clierror.OK).out
		must(t, json.Unmarshal([]byte(out), &list))
		if len(list.Accounts) != 2 || list.Accounts[0].Account != "alice" || list.Accounts[1].State != api.Fresh {
			t.Errorf("accounts %s = %s, want alice and bob o'hara with fresh tokens", where[0], out)
		}
		out = s.tv("", append(where, "accounts", "trackmania")...).want(t, clierror.OK).out
		if !strings.Contains(out, "bob o'hara") || strings.Contains(out, "connect ") {
			t.Errorf("accounts %s = %s, want both accounts, and nothing to do", where[0], out)
		}
	}
	if n := s.providers.Stats().Providers["trackmania"]; n.CodeRequests != 2 {
		t.Errorf("the provider gets %d codes, want one for each connect", n.CodeRequests)
	}
}

func TestConnectThatIsRefused(t *testing.T) {
	s := newStack(t)
	s.put("trackmania", "trackmania", `allow={"accounts":["alice"]}`)
	s.put("minut", "minut", `allow={"accounts":["alice"]}`)
	s.direct("", "connect", "nosuch", "--account", "alice").
		want(t, clierror.NotFound, "tokenvend ls --function "+stackFunction+" names")
	s.direct("", "connect", "trackmania", "--account", "mallory").want(t, clierror.Refused, "account", `"allow"`)
	s.direct("", "connect", "minut", "--account", "alice").want(t, clierror.BadUsage, "connects no accounts")
	s.direct("", "connect", "trackmania").want(t, clierror.BadUsage, "account: expected one")
	for more, says := range map[string]string{
		"error=access_denied&error_description=no%1b%5b2J": "access was not allowed, and nothing was stored: the provider sent the person back with access_denied: no?[2J",
		"error=invalid_scope":                              "nothing was stored: check what is registered",
		"code=def502" + canary + "0000":                    "the provider refused",
	} {
		c, page := s.begun("--function", stackFunction, "trackmania", "--account", "alice")
		if status, text := c.open(returned(page, more)); status != http.StatusBadGateway ||
			!strings.Contains(text, "This did not work") {
			t.Errorf("the redirect with %s = %d %s, want 502 and an explanation", more, status, text)
		}
		c.ended().want(t, clierror.Refused, says).showsNone(t, canary)
	}
	c, page := s.begun("--function", stackFunction, "trackmania", "--account", "alice")
	c.open(returned(page, "error=temporarily_unavailable"))
	c.ended().want(t, clierror.Failed, "temporarily_unavailable; nothing was stored: try again")
	var report api.StatusReport
	if out := s.direct("", "status", "trackmania", "--account", "alice", "--json").want(t,
		clierror.OK).out; json.Unmarshal(
		[]byte(out),
		&report,
	) != nil ||
		report.Generation != 0 {
		t.Errorf("status after refused connects = %s, want nothing stored", out)
	}
}

// A code is of one use, and its second coming may cost the grant: what the SDK
// would try again is not.
func TestACodeIsSentOnce(t *testing.T) {
	s := newStack(t)
	s.put("trackmania", "trackmania", `allow={"accounts":["*"]}`)
	s.lost.Store(api.Connect)
	c, page := s.begun("--function", stackFunction, "trackmania", "--account", "alice")
	code := s.grant("trackmania", "alice", page)
	if status, text := c.open(returned(page, "code="+code)); status != http.StatusBadGateway ||
		!strings.Contains(text, "is not known") {
		t.Errorf("the redirect whose response is lost = %d %s, want 502 and that the outcome is not known", status, text)
	}
	c.ended().
		want(t, clierror.Failed,
			"whether the grant was kept is not known: tokenvend status trackmania --account alice --function "+stackFunction+" tells").
		showsNone(t, code)
	if n := s.providers.Stats().Providers["trackmania"]; n.CodeRequests != 1 {
		t.Errorf("the provider gets %d codes, want one for each connect", n.CodeRequests)
	}
	s.direct("", "get", "trackmania", "--account", "alice").want(t, clierror.OK) // it was kept
}

// unusedRedirect is the redirect URI of --paste where none is given.
const unusedRedirect = "http://127.0.0.1/connected"

func TestPaste(t *testing.T) {
	s := newStack(t)
	s.put("movemint", "movemint", `allow={"accounts":["*"]}`)
	id, secret := s.client("movemint")
	const callback = "https://app.example.com/callback?tenant=1"
	err := s.providers.SetClient("movemint", simulator.Client{ID: id, Secret: secret,
		RedirectURIs: []string{callback}})
	if err != nil {
		t.Fatal(err)
	}
	for redirect, where := range map[string][]string{callback: {"--redirect", callback, "--function", stackFunction},
		unusedRedirect: {"--url", s.url}} {
		c := begin(t, s.dir, s.env, append(where, "movemint", "--account", "alice", "--paste")...)
		u, err := url.Parse(c.address(pages))
		if err != nil {
			t.Fatal(err)
		}
		page := u.Query()
		if page.Get("redirect_uri") != redirect || u.Host != "www.movemint.cc" {
			t.Errorf("connect --paste prints %s, want the provider's page with the redirect URI", u)
		}
		code := s.grant("movemint", "alice", page)
		c.enter(strings.Replace(returned(page, "code="+code), "?tenant=1?", "?tenant=1&", 1) + "\n")
		c.ended().want(t, clierror.OK, "movemint: the account alice is connected", redirect).showsNone(t, code)
	}
	s.direct("", "get", "movemint", "--account", "alice").want(t, clierror.OK)
	for _, line := range []string{"", canary + "\n", "https://app.example.com/callback?code=" + canary + "\n",
		"https://app.example.com/callback?code=" + canary + "&state=x\n"} {
		s.direct(line, "connect", "movemint", "--account", "bob", "--paste").
			want(t, clierror.Failed, "not the address that was waited for", "nothing was stored").
			showsNone(t, canary)
	}
}

func TestConnectGivesUp(t *testing.T) {
	s := newStack(t)
	s.put("trackmania", "trackmania", `allow={"accounts":["*"]}`)
	const late = "nobody came back from the provider within 50ms, and nothing was stored"
	s.direct("", "connect", "trackmania", "--account", "alice", "--no-browser", "--timeout", "50ms").
		want(t, clierror.Failed, late)
	c := begin(
		t,
		s.dir,
		s.env,
		"trackmania",
		"--account",
		"alice",
		"--paste",
		"--timeout",
		"50ms",
		"--function",
		stackFunction,
	) // whose standard input stays open
	c.ended().want(t, clierror.Failed, late)
}

// The command line of a browser's opener can be read by everybody on the
// machine.
func TestTheBrowserIsOpened(t *testing.T) {
	s := newStack(t)
	s.put("trackmania", "trackmania", `allow={"accounts":["*"]}`)
	bin, seen := t.TempDir(), filepath.Join(t.TempDir(), "seen")
	name := "xdg-open"
	if runtime.GOOS == "darwin" {
		name = "open"
	}
	script := "#!/bin/sh\nprintf '%s\\n' \"$@\" >'" + seen + "'.part && mv '" + seen + "'.part '" + seen + "'\n"
	if err := os.WriteFile(filepath.Join(bin, name), []byte(script), 0o700); err != nil {
		t.Fatal(err)
	}
	env := append(s.env, "PATH="+bin+":"+os.Getenv("PATH"))
	c := begin(t, s.dir, env, "trackmania", "--account", "alice", "--function", stackFunction)
	link := c.address(links)
	opened := eventually(t, func() string {
		text, _ := os.ReadFile(seen)
		return string(text)
	})
	if opened != link+"\n" || !strings.Contains(c.err.String(), "A browser opens.") {
		t.Errorf("connect opens %q, want %q:\n%s", opened, link, c.err.String())
	}
	answer, err := c.browser.Get(link)
	if page, _ := url.Parse(sentTo(t, answer, err)); page == nil || page.Query().Get("state") == "" ||
		strings.Contains(opened, page.Query().Get("state")) {
		t.Errorf("connect opens %s, want an address without the state", opened)
	}
	c.kill()
}

func TestConnectUsage(t *testing.T) {
	dir := demo(t, t.TempDir()).dir
	for _, redirect := range []string{"https://app.example.com/callback", "http://app.example.com/",
		"http://0.0.0.0:1/", "nonsense"} {
		tv(
			t,
			dir,
			"",
			"connect",
			"trackmania",
			"--account",
			"a",
			"--redirect",
			redirect,
		).want(t, clierror.BadUsage, "--redirect: the redirect URI: expected http", "needs --paste")
	}
	tv(
		t,
		dir,
		"",
		"connect",
		"trackmania",
		"--account",
		"a",
		"--timeout",
		"0s",
	).want(t, clierror.BadUsage, "--timeout")
	tv(t, dir, "", "connect").want(t, clierror.BadUsage, "expected the name of one credential")
	tv(
		t,
		dir,
		"",
		"connect",
		"trackmania",
		"--account",
		"a",
		"--paste",
		"--redirect",
		"http://app.example.com/",
	).want(t, clierror.BadUsage, "redirect_uri: expected an https URL")
	tv(
		t,
		dir,
		"",
		"connect",
		"trackmania",
		"--account",
		"a",
		"--code",
		canary,
	).want(t, clierror.BadUsage, "there is no flag --code").
		showsNone(t, canary)
	tv(t, dir, "", "recover", "trackmania", canary).want(t, clierror.BadUsage).showsNone(t, canary)
}

// blob is what the log would hold of a refresh token at that generation, with
// sealing off.
func blob(account, refresh string, generation int) string {
	return base64.StdEncoding.EncodeToString(
		fmt.Appendf(
			[]byte{0},
			`{"account":%q,"generation":%d,"made":"","refresh_token":%q}`,
			account,
			generation,
			refresh,
		),
	)
}

func TestRecover(t *testing.T) {
	s := newStack(t)
	s.put("movemint", "movemint", `allow={"accounts":["*"]}`)
	file := filepath.Join(s.dir, "blob.txt")
	for i, where := range [][]string{{"--function", stackFunction}, {"--url", s.url}} {
		account := fmt.Sprintf("person-%d", i)
		text := blob(account, canary, 0)
		if err := os.WriteFile(file, []byte(text[:20]+"\n  "+text[20:]+"\n"), 0o600); err != nil {
			t.Fatal(err)
		}
		r := s.tv("", slices.Concat([]string{"recover", "movemint", "--file", file}, where)...).
			want(t, clierror.OK, "the refresh token is back in its place")
		if r.showsNone(t, canary); !strings.Contains(squeezed(r.out), "account "+account+"\n") {
			t.Errorf("recover prints %s, want the account", r.out)
		}
		s.tv(text, slices.Concat([]string{"recover", "movemint", "--json"}, where)...).want(t, clierror.OK)
		s.tv(blob(account, canary, 7), slices.Concat([]string{"recover", "movemint"}, where)...).
			want(t, clierror.BadUsage, "it is for generation 7, and the entry has gone on to 0").
			showsNone(t, canary)
		s.tv("AAAA", slices.Concat([]string{"recover", "movemint"}, where)...).
			want(t, clierror.BadUsage, "not a blob of this credential")
		s.tv("no base64!", slices.Concat([]string{"recover", "movemint"}, where)...).
			want(t, clierror.BadUsage, "recovery: expected")
		s.tv("", slices.Concat([]string{"recover", "movemint"}, where)...).
			want(t, clierror.Failed, "expected the blob")
		s.tv(strings.Repeat("A", accounts.MaxBlob+1), slices.Concat([]string{"recover", "movemint"}, where)...).
			want(t, clierror.Failed, "expected the blob")
		s.tv("", slices.Concat([]string{"recover", "movemint", "--file", file + "-none"}, where)...).
			want(t, clierror.Failed, "--file")
	}
}

func TestVerify(t *testing.T) {
	s := newStack(t)
	s.put("movemint", "movemint")
	s.put("trackmania", "trackmania")
	verified := func() string {
		s.Helper()
		return squeezed(s.direct("", "status", "movemint", "--verify").want(t, clierror.OK).out)
	}
	if out := verified(); strings.Contains(out, "verified") {
		t.Errorf("status --verify without a token = %s, want nothing verified", out)
	}
	s.direct("", "get", "movemint").want(t, clierror.OK)
	if _, err := s.providers.RevokeTokens("movemint", true); err != nil {
		t.Fatal(err)
	}
	if out := verified(); !strings.Contains(out, "verified the provider does not take the token\n") ||
		!strings.Contains(out, "what to do tokenvend renew movemint --function "+stackFunction+"\n") {
		t.Errorf("status --verify of a token that was revoked elsewhere = %s, want that it is refused, and renew", out)
	}
	s.direct("", "revoke", "movemint").want(t, clierror.OK)
	s.direct("", "get", "movemint").want(t, clierror.OK)
	if out := verified(); !strings.Contains(out, "verified the provider takes the token\n") {
		t.Errorf("status --verify of a good token = %s, want that the provider takes it", out)
	}
	var report api.StatusReport
	if out := s.tv("", "status", "movemint", "--verify", "--json", "--url", s.url).out; json.Unmarshal(
		[]byte(out),
		&report,
	) != nil ||
		report.Verified == nil ||
		!report.Verified.Works {
		t.Errorf("status --verify --json over the API = %s, want that the provider takes it", out)
	}
	s.direct("", "status", "trackmania", "--verify").want(t, clierror.Unsupported, "no request that proves a token")
}
