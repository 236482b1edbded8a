package torture_test

import (
	"fmt"
	"io"
	"net/http"
	"slices"
	"sync"
	"time"

	"github.com/tokenvend/tokenvend/internal/testworld"
)

// row is one fault.
type row struct {
	what       string // what the endpoint does
	says       answer
	ours       string        // what callers of tokenvend should get
	drill      drill         // nil: three calls in sequence
	timeout    time.Duration // of a request; 0: the default
	basic      bool          // client_secret_basic; false: client_secret_post
	careful    bool          // x/oauth2's http.Client does not follow redirects
	redirects  bool          // the endpoint redirects
	descriptor string        // tokenvend's, if the catalogue's is not suitable
}

// canary is text in bodies that no error may quote.
const canary = "CANARY-in-the-body"

// The tokens are named by their origin.
const (
	rightToken   = "token-of-the-login"
	foreignToken = "token-of-another-host"
)

const malformed = "error `provider_malformed`"

// rows returns all faults in the order of the table.
func rows() []row {
	return slices.Concat(lifetimes(), bodies(), refusals(), redirects(), crowds())
}

func lifetimes() []row {
	expiry := func(what, field, ours string) row {
		return row{what: what, says: text(http.StatusOK, granted(field)), ours: ours}
	}
	return []row{
		expiry("nothing is wrong", `,"expires_in":3600`, "a token for 1 h"),
		expiry("no `expires_in`", ``, "a token for 10 min"),
		expiry("`expires_in` null", `,"expires_in":null`, "a token for 10 min"),
		expiry("`expires_in` 0", `,"expires_in":0`, malformed),
		expiry("`expires_in` -60", `,"expires_in":-60`, malformed),
		expiry("`expires_in` \"3600\"", `,"expires_in":"3600"`, "a token for 1 h"),
		expiry("`expires_in` \"3600s\"", `,"expires_in":"3600s"`, "a token for 1 h"),
		expiry("`expires_in` 3600.5", `,"expires_in":3600.5`, "a token for 1 h"),
		expiry("`expires_in` true", `,"expires_in":true`, "a token for 10 min"),
		expiry("`expires_in` 2^70", `,"expires_in":1180591620717411303424`, "a token for 24 h"),
		expiry("`expires_in` a hundred years", `,"expires_in":3153600000`, "a token for 24 h"),
	}
}

// granted returns the JSON of a token response with one more field.
func granted(field string) string {
	return fmt.Sprintf(`{"access_token":%q,"token_type":"Bearer"%s,"note":%q}`, rightToken, field, canary)
}

const hour = `,"expires_in":3600`

func bodies() []row {
	crlf := fmt.Sprintf(`{"access_token":"%s\r\nX-Evil: 1","expires_in":3600}`, rightToken)
	mac := fmt.Sprintf(`{"access_token":%q,"token_type":"mac","expires_in":3600}`, rightToken)
	return []row{
		{what: "200 with HTML", says: html(http.StatusOK), ours: malformed},
		{what: "200 with no body", says: text(http.StatusOK, ""), ours: malformed},
		{what: "204", says: func(_ int, w http.ResponseWriter, _ *http.Request) {
			w.WriteHeader(http.StatusNoContent)
		}, ours: malformed},
		{what: "200 with `{}`", says: text(http.StatusOK, "{}"), ours: malformed},
		{what: "200 cut short in the middle of the JSON", says: cutShort, ours: malformed},
		{
			what: "200 with an OAuth error, `invalid_client`", says: text(http.StatusOK, oauthError("no such client")),
			ours: "error `provider_rejected`",
		},
		{
			what: "a byte order mark before the JSON", says: text(http.StatusOK, "\ufeff"+granted(hour)),
			ours: "a token for 1 h",
		},
		{
			what: "the JSON labelled text/plain", says: typed(http.StatusOK, "text/plain", granted(hour)),
			ours: "a token for 1 h",
		},
		{what: "CR LF in the token", says: text(http.StatusOK, crlf), ours: malformed},
		{what: "`token_type` mac", says: text(http.StatusOK, mac), ours: malformed},
	}
}

func oauthError(description string) string {
	return fmt.Sprintf(`{"error":"invalid_client","error_description":%q,"note":%q}`, description, canary)
}

func refusals() []row {
	return []row{
		{
			what: "401 `invalid_client`", says: text(http.StatusUnauthorized, oauthError("no such client")),
			ours: "error `provider_rejected`",
		},
		{what: "400 whose `error_description` repeats the request", says: echo(func(said string) string {
			return oauthError("refused: " + said)
		}, "application/json"), ours: "error `provider_rejected`"},
		{what: "400 with an HTML page that repeats the request", says: echo(func(said string) string {
			return "<p>" + canary + " " + said
		}, "text/html"), ours: "error `provider_rejected`"},
		{what: "503 with HTML", says: html(http.StatusServiceUnavailable), ours: "error `provider_unavailable`"},
		{
			what: "429 with `Retry-After: 120`; 3 calls, and one 2.5 s later", says: busy,
			ours: "error `provider_unavailable`", drill: andLater,
		},
	}
}

// redirects returns rows that redirect to another host, and to the same host
// without TLS.
func redirects() []row {
	var all []row
	add := func(status int, where, location string, basic bool) {
		what := fmt.Sprintf("%d to %s", status, where)
		if basic {
			what += ", secret in Basic"
		}
		ours := "error `provider_unavailable`"
		all = append(all, row{what: what, says: to(status, location), ours: ours, basic: basic, redirects: true})
	}
	for _, status := range []int{301, 302, 303, 307, 308} {
		add(status, "another host", "https://"+elsewhere+"/token", false)
	}
	for _, status := range []int{302, 307} {
		add(status, "another host", "https://"+elsewhere+"/token", true)
	}
	for _, status := range []int{301, 302, 303, 307, 308} {
		add(status, "http", "http://"+login+"/token", false)
	}
	for _, status := range []int{302, 307} {
		add(status, "http", "http://"+login+"/token", true)
	}
	careful := all[3]
	careful.what += "; the `http.Client` of x/oauth2 told to follow none"
	careful.careful = true
	return append(all, careful)
}

func crowds() []row {
	const shortLived = `{"token":{"url":"` + tokenURL + `","auth":"post"},"renew":{"latest":"10s"},"overlap":{"client_credentials":"revokes"}}`
	return []row{
		{
			what: "nothing is wrong; 200 callers at once, one cold instance",
			says: slowly(text(http.StatusOK, granted(hour))), ours: "a token for 1 h", drill: together(200, 1),
		},
		{
			what: "nothing is wrong; 200 callers at once, 8 cold instances",
			says: slowly(text(http.StatusOK, granted(hour))), ours: "a token for 1 h", drill: together(200, 8),
		},
		{
			what: "503 after 50 ms; 200 callers at once", says: slowly(html(http.StatusServiceUnavailable)),
			ours: "error `provider_unavailable`", drill: together(200, 1),
		},
		{
			what: "no answer, time-out 1 s; 5 callers at once", says: hang, ours: "error `provider_unavailable`",
			drill: together(5, 1), timeout: time.Second,
		},
		// tokenvend renews a token of an hour before it expires. With this
		// descriptor it does so for a token of 20 s too: 10 s before its
		// expiry, when a caller requests it.
		{
			what: "503 after 50 ms while the token has 9 s left; 20 callers at once", says: once(20),
			ours: "a token for less than 10 s", drill: nineSecondsLeft, descriptor: shortLived,
		},
	}
}

// drill is what the callers do.
type drill func(s *scene, start func() instance) []call

// call is the result of one caller, with its times.
type call struct {
	vended
	err             error
	began, answered time.Time
}

func (ask instance) call() call {
	c := call{began: time.Now()}
	c.vended, c.err = ask()
	c.answered = time.Now()
	return c
}

func threeTimes(_ *scene, start func() instance) []call {
	ask := start()
	return []call{ask.call(), ask.call(), ask.call()}
}

// andLater calls again after a back-off of a second or two, but before the time
// that the endpoint asked for.
func andLater(s *scene, start func() instance) []call {
	ask := start()
	calls := []call{ask.call(), ask.call(), ask.call()}
	time.Sleep(2500 * time.Millisecond)
	return append(calls, ask.call())
}

// together returns a drill of n concurrent callers, spread over some instances.
func together(n, instances int) drill {
	return func(_ *scene, start func() instance) []call {
		var all []instance
		for range instances {
			all = append(all, start())
		}
		return herd(n, all)
	}
}

func herd(n int, instances []instance) []call {
	calls := make([]call, n)
	var all sync.WaitGroup
	began := time.Now()
	for i := range calls {
		all.Go(func() {
			calls[i] = instances[i%len(instances)].call()
			calls[i].began = began // they started at once
		})
	}
	all.Wait()
	return calls
}

// nineSecondsLeft obtains a token of 20 seconds and has 20 callers request it
// when it has 9 seconds left.
func nineSecondsLeft(s *scene, start func() instance) []call {
	ask := start()
	first := ask.call()
	testworld.Must(s.t, first.err)
	time.Sleep(time.Until(first.began.Add(11 * time.Second)))
	s.login.forget()
	return herd(20, []instance{ask})
}

// text returns an answer with this body.
func text(status int, body string) answer { return typed(status, "application/json", body) }

func html(status int) answer {
	return typed(status, "text/html", "<html><title>Maintenance</title>"+canary+"</html>")
}

func typed(status int, kind, body string) answer {
	return func(_ int, w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", kind)
		w.WriteHeader(status)
		_, _ = io.WriteString(w, body)
	}
}

// foreign is the answer of the host to which clients are redirected: a token
// for every request.
func foreign(n int, w http.ResponseWriter, r *http.Request) {
	text(
		http.StatusOK, fmt.Sprintf(`{"access_token":%q,"token_type":"Bearer","expires_in":3600}`, foreignToken),
	)(n, w, r)
}

func to(status int, location string) answer {
	return func(_ int, w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Location", location)
		w.WriteHeader(status)
	}
}

// cutShort sends less than its Content-Length.
func cutShort(_ int, w http.ResponseWriter, _ *http.Request) {
	body := granted(hour)
	w.Header().Set("Content-Type", "application/json")
	w.Header().Set("Content-Length", fmt.Sprint(len(body)))
	_, _ = io.WriteString(w, body[:len(body)-10])
	_ = http.NewResponseController(w).Flush()
	panic(http.ErrAbortHandler) // closes the connection
}

// echo returns an answer that contains the request.
func echo(of func(said string) string, kind string) answer {
	return func(n int, w http.ResponseWriter, r *http.Request) {
		said, _ := io.ReadAll(r.Body)
		typed(http.StatusBadRequest, kind, of(string(said)))(n, w, r)
	}
}

func busy(n int, w http.ResponseWriter, r *http.Request) {
	w.Header().Set("Retry-After", "120")
	html(http.StatusTooManyRequests)(n, w, r)
}

func slowly(says answer) answer {
	return func(n int, w http.ResponseWriter, r *http.Request) {
		time.Sleep(50 * time.Millisecond)
		says(n, w, r)
	}
}

// hang reads the request and does not respond, even when the client
// disconnects.
func hang(_ int, _ http.ResponseWriter, r *http.Request) {
	_, _ = io.Copy(io.Discard, r.Body)
	<-r.Context().Done()
	panic(http.ErrAbortHandler)
}

// once answers the first request with a token of some seconds and later ones
// with 503.
func once(seconds int) answer {
	return func(n int, w http.ResponseWriter, r *http.Request) {
		if n == 1 {
			text(http.StatusOK, granted(fmt.Sprintf(`,"expires_in":%d`, seconds)))(n, w, r)
			return
		}
		slowly(html(http.StatusServiceUnavailable))(n, w, r)
	}
}
