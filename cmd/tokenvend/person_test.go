package main

import (
	"encoding/base64"
	"encoding/json"
	"io"
	"net/http"
	"net/http/cookiejar"
	"net/url"
	"os/exec"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/tokenvend/tokenvend/cmd/tokenvend/internal/clierror"
	"github.com/tokenvend/tokenvend/pkg/api"
	"github.com/tokenvend/tokenvend/pkg/provider/simulator"
)

// connecting is one tokenvend connect under way.
type connecting struct {
	*testing.T
	cmd      *exec.Cmd
	in       io.WriteCloser
	out, err lockedBuffer
	browser  *http.Client
}

// begin starts tokenvend connect, whose standard input stays open.
func begin(t *testing.T, dir string, env []string, args ...string) *connecting {
	t.Helper()
	c := &connecting{T: t, cmd: exec.Command(program, append([]string{"connect"}, args...)...), browser: person()}
	c.cmd.Dir, c.cmd.Env, c.cmd.Stdout, c.cmd.Stderr = dir, append(clean(dir), env...), &c.out, &c.err
	var err error
	if c.in, err = c.cmd.StdinPipe(); err != nil {
		t.Fatal(err)
	}
	if err := c.cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(c.kill)
	return c
}

// connect begins tokenvend connect at a demo, and waits until it waits for a
// browser.
func (s *served) connect(t *testing.T, args ...string) (c *connecting, link string) {
	t.Helper()
	c = begin(t, s.dir, nil, append([]string{"--no-browser"}, args...)...)
	return c, c.address(links)
}

// What it has people open: an address of its own, or with --paste the
// provider's.
var (
	links = regexp.MustCompile(`(?m)^  (http://127\.0\.0\.1:\S+)$`)
	pages = regexp.MustCompile(`(?m)^  (https://\S+)$`)
)

// address is what it has people open, once it says so.
func (c *connecting) address(form *regexp.Regexp) string {
	c.Helper()
	return eventually(c.T, func() string {
		if found := form.FindStringSubmatch(c.err.String()); found != nil {
			return found[1]
		}
		return ""
	})
}

// eventually is what get returns once that is not empty.
func eventually(t *testing.T, get func() string) string {
	t.Helper()
	for range 3000 {
		if got := get(); got != "" {
			return got
		}
		time.Sleep(20 * time.Millisecond)
	}
	t.Fatal("get() = an empty text for a minute, want another")
	return ""
}

func (c *connecting) enter(line string) {
	c.Helper()
	if _, err := io.WriteString(c.in, line); err != nil {
		c.Fatal(err)
	}
}

// ended waits for its end.
func (c *connecting) ended() ran {
	_ = c.cmd.Wait()
	return ran{c.out.String(), c.err.String(), clierror.Code(c.cmd.ProcessState.ExitCode())}
}

// kill ends it, if it has not ended.
func (c *connecting) kill() {
	if c.cmd.ProcessState == nil {
		_ = c.cmd.Process.Kill()
		_ = c.cmd.Wait()
	}
}

// person is a browser without a window, which keeps cookies and goes nowhere by
// itself.
func person() *http.Client {
	jar, _ := cookiejar.New(nil) // never fails
	return &http.Client{
		Jar: jar, Transport: &http.Transport{DisableKeepAlives: true}, Timeout: 10 * time.Second,
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}
}

// sentTo is where an answer sends the browser.
func sentTo(t *testing.T, answer *http.Response, err error) string {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
	_ = answer.Body.Close()
	if answer.StatusCode != http.StatusFound {
		t.Fatalf("GET %s = %s, want a redirect", answer.Request.URL.Path, answer.Status)
	}
	return answer.Header.Get("Location")
}

// allowed has a person allow it at a simulated authorize page, and returns
// where that sends the browser.
func (s *served) allowed(t *testing.T, page, name string) string {
	t.Helper()
	answer, err := person().PostForm(page, url.Values{"person": {name}, "decision": {"allow"}})
	return sentTo(t, answer, err)
}

func withState(t *testing.T, address, state string) string {
	t.Helper()
	u, err := url.Parse(address)
	if err != nil {
		t.Fatal(err)
	}
	q := u.Query()
	q.Set("state", state)
	u.RawQuery = q.Encode()
	return u.String()
}

// stats is what a simulated provider was asked.
func (s *served) stats(t *testing.T, provider string) simulator.Counts {
	t.Helper()
	answer, err := http.Get(s.control + "/stats")
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = answer.Body.Close() }()
	var all simulator.Stats
	if err := json.NewDecoder(answer.Body).Decode(&all); err != nil {
		t.Fatal(err)
	}
	return all.Providers[provider]
}

// unconnected checks that nothing is stored of alice at trackmania, and that no
// code has reached it.
func (s *served) unconnected(t *testing.T) {
	t.Helper()
	var report api.StatusReport
	if out := tv(t, s.dir, "", "status", "trackmania", "--account", "alice", "--json").want(t,
		clierror.OK).out; json.Unmarshal(
		[]byte(out),
		&report,
	) != nil ||
		report.State != api.None ||
		report.Generation != 0 {
		t.Errorf("status = %s, want no grant", out)
	}
	if n := s.stats(t, "trackmania"); n.CodeRequests != 0 {
		t.Errorf("the provider gets %d codes, want 0", n.CodeRequests)
	}
}

// subject is whose a token is, as it says itself.
func subject(t *testing.T, token string) string {
	t.Helper()
	parts := strings.Split(token, ".")
	if len(parts) != 3 {
		t.Fatal("get prints no JWT, want one")
	}
	payload, err := base64.RawURLEncoding.DecodeString(parts[1])
	var claims struct{ Sub string }
	if err != nil || json.Unmarshal(payload, &claims) != nil {
		t.Fatal("get prints no JWT, want one")
	}
	return claims.Sub
}
