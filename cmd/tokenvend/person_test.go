package main

import (
	"encoding/base64"
	"encoding/json"
	"net/http"
	"net/http/cookiejar"
	"net/url"
	"os/exec"
	"regexp"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/tokenvend/tokenvend/pkg/api"
	"github.com/tokenvend/tokenvend/pkg/provider/simulator"
)

// connecting is one tokenvend connect under way.
type connecting struct {
	*testing.T
	cmd      *exec.Cmd
	out, err lockedBuffer
	link     string // what it has a browser open
}

var links = regexp.MustCompile(`(?m)^  (http://127\.0\.0\.1:\S+)$`)

// connect begins tokenvend connect, and waits until it waits for a browser.
func (s *served) connect(t *testing.T, args ...string) *connecting {
	t.Helper()
	c := &connecting{T: t, cmd: exec.CommandContext(t.Context(), program, append([]string{"connect", "--no-browser", "--timeout", "2m"}, args...)...)}
	c.cmd.Dir, c.cmd.Env, c.cmd.Stdout, c.cmd.Stderr = s.dir, clean(), &c.out, &c.err
	if err := c.cmd.Start(); err != nil {
		t.Fatal(err)
	}
	for range 500 {
		if found := links.FindStringSubmatch(c.err.String()); found != nil {
			c.link = found[1]
			return c
		}
		time.Sleep(20 * time.Millisecond)
	}
	t.Fatalf("it prints no address: %s", c.err.String())
	return nil
}

// ended waits for its end.
func (c *connecting) ended() ran {
	_ = c.cmd.Wait()
	return ran{c.out.String(), c.err.String(), c.cmd.ProcessState.ExitCode()}
}

// person is a browser without a window, which keeps cookies and goes nowhere by itself.
func person() *http.Client {
	jar, _ := cookiejar.New(nil) // never fails
	return &http.Client{
		Jar: jar, Transport: &http.Transport{DisableKeepAlives: true},
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
		t.Fatalf("%s leads nowhere: %s", answer.Request.URL.Path, answer.Status)
	}
	return answer.Header.Get("Location")
}

// allowed has a person allow it at a simulated authorize page, and returns where that sends the browser.
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

func (s *served) signal(t *testing.T, sig syscall.Signal) {
	t.Helper()
	if err := s.cmd.Process.Signal(sig); err != nil {
		t.Fatal(err)
	}
}

// unconnected checks that nothing is stored of alice at trackmania, and that no code has reached it.
func (s *served) unconnected(t *testing.T) {
	t.Helper()
	var report api.StatusReport
	if out := tv(t, s.dir, "", "status", "trackmania", "--account", "alice", "--json").want(t, exitOK).out; json.Unmarshal([]byte(out), &report) != nil || report.State != api.None || report.Generation != 0 {
		t.Errorf("status: %s", out)
	}
	if n := s.stats(t, "trackmania"); n.CodeRequests != 0 {
		t.Errorf("%d codes reached the provider", n.CodeRequests)
	}
}

// subject is whose a token is, as it says itself.
func subject(t *testing.T, token string) string {
	t.Helper()
	parts := strings.Split(token, ".")
	if len(parts) != 3 {
		t.Fatal("the token is no JWT")
	}
	payload, err := base64.RawURLEncoding.DecodeString(parts[1])
	var claims struct{ Sub string }
	if err != nil || json.Unmarshal(payload, &claims) != nil {
		t.Fatal("the token is no JWT")
	}
	return claims.Sub
}
