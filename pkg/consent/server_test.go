package consent_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"net"
	"net/http"
	"net/http/cookiejar"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"go.uber.org/goleak"

	"github.com/tokenvend/tokenvend/pkg/api"
	"github.com/tokenvend/tokenvend/pkg/consent"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// site is a landing that waits for an answer.
type site struct {
	*testing.T
	*consent.CallbackServer
	state   string
	kept    chan string   // the codes that were kept
	keeping chan struct{} // closed: what is kept is done at once
	fails   error         // what keeping ends in
	outcome chan error
	stop    context.CancelCauseFunc
}

func land(t *testing.T, redirect string) *site {
	t.Helper()
	l, err := consent.Listen(redirect)
	if err != nil {
		t.Fatal(err)
	}
	v, err := consent.New(api.Authorization{URL: authorizePage, PKCE: "S256"})
	if err != nil {
		t.Fatal(err)
	}
	page, _ := url.Parse(v.Page().Reveal())
	s := &site{
		T:              t,
		CallbackServer: l,
		state:          page.Query().Get("state"),
		kept:           make(chan string, 10),
		keeping:        make(chan struct{}),
		outcome:        make(chan error, 1),
	}
	ctx, stop := context.WithCancelCause(t.Context())
	s.stop = stop
	go func() {
		s.outcome <- l.Wait(ctx, consent.Handler{
			Request: v, Done: "It is <done>.", Explain: func(err error) string { return "because " + err.Error() },
			Keep: func(ctx context.Context, response consent.Response) error {
				code := response.Code
				if ctx.Done() != nil {
					t.Errorf("whoever closes the window calls it off, want ctx.Done() = nil")
				}
				s.kept <- code.Reveal()
				<-s.keeping
				return s.fails
			},
		})
	}()
	t.Cleanup(func() { stop(nil) })
	return s
}

// dialHere takes localhost for 127.0.0.1, as browsers do: a minimal system has
// no /etc/hosts.
func dialHere(ctx context.Context, network, address string) (net.Conn, error) {
	var d net.Dialer
	return d.DialContext(ctx, network, strings.Replace(address, "localhost:", "127.0.0.1:", 1))
}

// browser is one that keeps cookies and follows nothing.
func browser() *http.Client {
	jar, _ := cookiejar.New(nil)
	return &http.Client{
		Jar: jar, Transport: &http.Transport{DisableKeepAlives: true, DialContext: dialHere}, Timeout: 10 * time.Second,
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}
}

type shown struct {
	status int
	header http.Header
	body   string
}

func (s *site) open(b *http.Client, address string) shown {
	s.Helper()
	return s.send(b, http.MethodGet, address, "")
}

func (s *site) send(b *http.Client, method, address, host string) shown {
	s.Helper()
	r, err := http.NewRequestWithContext(s.Context(), method, address, nil)
	if err != nil {
		s.Fatal(err)
	}
	r.Host = host
	answer, err := b.Do(r)
	if err != nil {
		s.Fatal(err)
	}
	defer func() { _ = answer.Body.Close() }()
	body, err := io.ReadAll(answer.Body)
	if err != nil {
		s.Fatal(err)
	}
	h := answer.Header
	if h.Get("Cache-Control") != "no-store" || h.Get("Referrer-Policy") != "no-referrer" ||
		!strings.HasPrefix(h.Get("Content-Security-Policy"), "default-src 'none';") ||
		strings.Contains(string(body), "c0de") {
		s.Errorf("%s %s: %v\n%s", method, address, h, body)
	}
	return shown{answer.StatusCode, h, string(body)}
}

// back is the address that the provider sends the browser to.
func (s *site) back(more string) string {
	return s.RedirectURI() + "?state=" + s.state + "&" + more
}

func (s *site) want(got shown, status int, says string) {
	s.Helper()
	if got.status != status || !strings.Contains(got.body, says) {
		s.Errorf("%d %s, want %d and %q", got.status, got.body, status, says)
	}
}

func TestOneAnswerIsTaken(t *testing.T) {
	s, b := land(t, ""), browser()
	led := s.open(b, s.Link())
	if to := led.header.Get("Location"); led.status != http.StatusFound ||
		!strings.HasPrefix(to, "https://auth.example.com/oauth/authorize?") ||
		!strings.Contains(to, "state="+s.state) {
		t.Errorf(`the link leads to %s, want status http.StatusFound and to with the prefix "https://auth.example.com/oauth/authorize?" and strings.Contains(to, "state="+s.state)`, to)
	}
	if strings.Contains(s.Link(), s.state) || strings.Contains(led.header.Get("Set-Cookie"), s.state) {
		t.Errorf(`the state stands where others can read it, want not s.state in s.Link() and not strings.Contains(led.header.Get("Set-Cookie"), s.state)`)
	}
	if again := s.open(b, s.Link()); again.header.Get("Location") != led.header.Get("Location") {
		t.Errorf(`the same browser is not led there again, want again.header.Get("Location") = %v`,
			led.header.Get("Location"))
	}
	close(s.keeping)
	s.want(s.open(b, s.back("code=c0de")), http.StatusOK, "It is &lt;done&gt;.")
	if err := <-s.outcome; err != nil || <-s.kept != "c0de" {
		t.Errorf(`the outcome: %v, want no error and <-s.kept = "c0de"`, err)
	}
	if _, err := net.Dial("tcp", strings.TrimPrefix(strings.Split(s.Link(), "/connected")[0], "http://")); err == nil {
		t.Errorf("it listens still, want an error")
	}
}

func TestTheSecondAnswerChangesNothing(t *testing.T) {
	s, b := land(t, ""), browser()
	s.open(b, s.Link())
	first := make(chan shown)
	go func() { first <- s.open(b, s.back("code=c0de")) }()
	<-s.kept
	s.want(s.open(b, s.back("code=other")), http.StatusConflict, "done already")
	s.want(s.open(b, s.back("error=access_denied")), http.StatusConflict, "done already")
	close(s.keeping)
	s.want(<-first, http.StatusOK, "Connected")
	if err := <-s.outcome; err != nil || len(s.kept) != 0 {
		t.Errorf("%v; %d more were kept, want no error and len(s.kept) = 0", err, len(s.kept))
	}
}

// A stranger's answer is refused, and does not end the waiting for the right
// one: any page could send it.
func TestStrangersAreNotHeard(t *testing.T) {
	s, b := land(t, ""), browser()
	const refused = "not the answer that was waited for"
	// nobody was led anywhere yet
	s.want(s.open(browser(), s.back("code=c0de")), http.StatusBadRequest, refused)
	s.open(b, s.Link())
	for _, query := range []string{"?code=c0de&state=wrong", "?code=c0de", "?error=access_denied&state=wrong", ""} {
		s.want(s.open(b, s.RedirectURI()+query), http.StatusBadRequest, refused)
	}
	// the right state, from another browser
	s.want(s.open(browser(), s.back("code=c0de")), http.StatusBadRequest, refused)
	s.want(s.send(b, http.MethodPost, s.back("code=c0de"), ""), http.StatusMethodNotAllowed, "")
	s.want(s.send(b, http.MethodHead, s.back("code=c0de"), ""), http.StatusMethodNotAllowed, "")
	s.want(
		s.send(b, http.MethodGet, s.back("code=c0de"), "rebound.example.com"),
		http.StatusMisdirectedRequest,
		"its own address only",
	)
	s.want(s.send(b, http.MethodGet, s.Link(), "localhost"), http.StatusMisdirectedRequest, "its own address only")
	s.want(s.open(b, strings.TrimSuffix(s.RedirectURI(), "connected")), http.StatusNotFound, "Nothing is here")
	s.want(s.open(b, s.RedirectURI()+"/favicon.ico"), http.StatusNotFound, "Nothing is here")
	if len(s.kept) != 0 || len(s.outcome) != 0 {
		t.Fatalf("a stranger was heard, want len(s.kept) = 0 and len(s.outcome) = 0")
	}
	close(s.keeping)
	s.want(s.open(b, s.back("code=c0de")), http.StatusOK, "Connected")
	if err := <-s.outcome; err != nil {
		t.Error(err)
	}
}

func TestASecondBrowserEndsIt(t *testing.T) {
	s, b := land(t, ""), browser()
	s.open(b, s.Link())
	s.want(s.open(browser(), s.Link()), http.StatusConflict, "another browser")
	if err := <-s.outcome; !errors.Is(err, consent.ErrTwoBrowsers) || len(s.kept) != 0 {
		t.Errorf("%v, want errors.Is(err, consent.ErrTwoBrowsers) and len(s.kept) = 0", err)
	}
}

func TestWhatFailsIsToldToThePerson(t *testing.T) {
	for query, says := range map[string]string{
		"error=access_denied&error_description=%3Cscript%3E": "because the provider sent the person back with access_denied: &lt;script&gt;",
		"x=y":       "because the provider sent the person back with neither",
		"code=c0de": "because the store is on &lt;fire&gt;",
	} {
		s, b := land(t, ""), browser()
		s.fails = errors.New("the store is on <fire>")
		close(s.keeping)
		s.open(b, s.Link())
		s.want(s.open(b, s.back(query)), http.StatusBadGateway, says)
		if err := <-s.outcome; err == nil || (len(s.kept) != 0) != (query == "code=c0de") {
			t.Errorf("%s: %v", query, err)
		}
	}
}

func TestNobodyComes(t *testing.T) {
	s := land(t, "")
	late := errors.New("too late")
	s.stop(late)
	if err := <-s.outcome; !errors.Is(err, late) {
		t.Errorf("%v, want errors.Is(err, late)", err)
	}
}

// The time is the person's: once a code has come, what becomes of it is waited
// for.
func TestTimeRunsOutWhileACodeIsExchanged(t *testing.T) {
	s, b := land(t, ""), browser()
	s.open(b, s.Link())
	first := make(chan shown)
	go func() { first <- s.open(b, s.back("code=c0de")) }()
	<-s.kept
	s.stop(errors.New("too late"))
	close(s.keeping)
	s.want(<-first, http.StatusOK, "Connected")
	if err := <-s.outcome; err != nil {
		t.Errorf("%v", err)
	}
}

// freePort is one that the system gives nobody by itself, so that nobody takes
// it before it is used.
func freePort(t *testing.T) string {
	t.Helper()
	for range 100 {
		port := strconv.Itoa(10240 + rand.IntN(20000))
		if l, err := net.Listen("tcp", "127.0.0.1:"+port); err == nil {
			_ = l.Close()
			return port
		}
	}
	t.Fatal("no port is free")
	return ""
}

func TestARegisteredRedirectURI(t *testing.T) {
	for _, form := range []string{"http://localhost:%/oauth/callback", "http://127.0.0.1:%", "http://127.0.0.1:%/"} {
		redirect := strings.Replace(form, "%", freePort(t), 1)
		s, b := land(t, redirect), browser()
		close(s.keeping)
		if s.RedirectURI() != redirect {
			t.Errorf("%s has become %s, want s.RedirectURI() = %v", redirect, s.RedirectURI(), redirect)
		}
		s.open(b, s.Link())
		s.want(s.open(b, s.back("code=c0de")), http.StatusOK, "Connected")
		if err := <-s.outcome; err != nil {
			t.Errorf("%s: %v", redirect, err)
		}
	}
	for _, redirect := range []string{"https://127.0.0.1:1/x", "https://app.example.com/x",
		"http://app.example.com/x", "http://0.0.0.0:1/x", "http://127.0.0.1:1/x#y", "http://127.0.0.1:0/x",
		"http://localhost:0/x", "http://u@127.0.0.1:1/", "urn:ietf:wg:oauth:2.0:oob", "%"} {
		if l, err := consent.Listen(redirect); err == nil {
			l.Close()
			t.Errorf("%s was taken", redirect)
		}
	}
}

// A browser may try ::1 first for localhost. Another user who listened there
// received the person's code.
func TestAttack12_NobodyElseListensOnLocalhost(t *testing.T) {
	for _, theirs := range []string{"127.0.0.1", "::1"} {
		t.Run(theirs, func(t *testing.T) {
			other, err := net.Listen("tcp", net.JoinHostPort(theirs, "0"))
			if err != nil {
				t.Skipf("this machine has no %s: %v", theirs, err)
			}
			defer func() { _ = other.Close() }()
			_, port, _ := net.SplitHostPort(other.Addr().String())
			l, err := consent.Listen("http://localhost:" + port + "/callback")
			if err == nil {
				l.Close()
				t.Fatalf("Listen on localhost:%s, of which another program has %s: no error", port, other.Addr())
			}
			if !strings.Contains(err.Error(), other.Addr().String()) || !strings.Contains(err.Error(), "another port") {
				t.Errorf("Listen = %v, want the address that is taken and what to do", err)
			}
			if again, err := net.Listen("tcp",
				net.JoinHostPort(map[string]string{"127.0.0.1": "::1", "::1": "127.0.0.1"}[theirs], port)); err == nil {
				_ = again.Close()
			} else if theirs == "::1" {
				t.Errorf(`the other address is not given back: %v, want theirs other than "::1"`, err)
			}
		})
	}
}

// Every address that a browser may try for localhost answers; a literal address
// is taken alone.
func TestAttack12_EachLoopbackAddressAnswers(t *testing.T) {
	own, err := net.InterfaceAddrs()
	if err != nil {
		t.Fatal(err)
	}
	for form, hosts := range map[string][]string{"localhost": {"127.0.0.1", "[::1]"}, "127.0.0.1": {"127.0.0.1"},
		"[::1]": {"[::1]"}} {
		port := freePort(t)
		if !strings.Contains(fmt.Sprint(own), "::1/") {
			if hosts = slices.DeleteFunc(hosts, func(h string) bool { return h == "[::1]" }); len(hosts) == 0 {
				continue
			}
		}
		s := land(t, "http://"+form+":"+port+"/callback")
		for _, host := range hosts {
			if got := s.send(browser(), http.MethodGet, "http://"+host+":"+port+"/nowhere",
				form+":"+port); got.status != http.StatusNotFound {
				t.Errorf("%s at %s: %d, want 404", form, host, got.status)
			}
		}
		if len(hosts) == 1 {
			for _, host := range []string{"127.0.0.1", "[::1]"} {
				if c, err := net.Dial("tcp", host+":"+port); err == nil && host != hosts[0] {
					_ = c.Close()
					t.Errorf("%s listens at %s too", form, host)
				}
			}
		}
		s.stop(errors.New("done"))
		<-s.outcome
	}
}
