package torture_test

import (
	"fmt"
	"net/http"
	"sync"
	"time"

	"github.com/tokenvend/tokenvend/internal/testworld"
)

// row is one fault.
type row struct {
	group      string // the heading of the table that it begins
	what       string // what the endpoint does
	says       answer
	ours       string        // what callers of tokenvend should get
	drill      drill         // nil: three calls in sequence
	timeout    time.Duration // of a request; 0: the default
	basic      bool          // client_secret_basic; false: client_secret_post
	redirect   *redirect     // in place of says
	careful    bool          // x/oauth2's http.Client does not follow redirects
	descriptor string        // tokenvend's, if the catalogue's is not suitable
}

// canary is text in bodies that no error may quote.
const canary = "CANARY-in-the-body"

// The tokens are named by their origin.
const (
	rightToken   = "token-of-the-login"
	foreignToken = "token-of-another-host"
)

const malformed = "`provider_malformed`"

// rows returns all faults in the order of the page.
func rows() (all []row) {
	for _, group := range []struct {
		name string
		rows []row
	}{
		{"Lifetimes", lifetimes()}, {"Bodies", bodies()}, {"Refusals", refusals()}, {"Redirects", redirects()},
		{"Many callers, and outages", crowds()},
	} {
		group.rows[0].group = group.name
		all = append(all, group.rows...)
	}
	return all
}

func lifetimes() []row {
	expiry := func(what, field, ours string) row {
		return row{what: what, says: text(http.StatusOK, granted(field)), ours: ours}
	}
	return []row{
		expiry("nothing is wrong", `,"expires_in":3600`, "1 h"),
		expiry("no `expires_in`", ``, "10 min"),
		expiry("`expires_in` null", `,"expires_in":null`, "10 min"),
		expiry("`expires_in` 0", `,"expires_in":0`, malformed),
		expiry("`expires_in` -60", `,"expires_in":-60`, malformed),
		expiry("`expires_in` \"3600\"", `,"expires_in":"3600"`, "1 h"),
		expiry("`expires_in` \"3600s\"", `,"expires_in":"3600s"`, "1 h"),
		expiry("`expires_in` 3600.5", `,"expires_in":3600.5`, "1 h"),
		expiry("`expires_in` true", `,"expires_in":true`, "10 min"),
		expiry("`expires_in` 2^70", `,"expires_in":1180591620717411303424`, "24 h"),
		expiry("`expires_in` a hundred years", `,"expires_in":3153600000`, "24 h"),
	}
}

// granted returns the JSON of a token response with one more field.
func granted(field string) string {
	return fmt.Sprintf(`{"access_token":%q,"token_type":"Bearer"%s,"note":%q}`, rightToken, field, canary)
}

const hour = `,"expires_in":3600`

func bodies() []row {
	crlf := fmt.Sprintf(`{"access_token":"%s\r\nX-Evil: 1","token_type":"Bearer","expires_in":3600}`, rightToken)
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
			ours: "`provider_rejected`",
		},
		{
			what: "a byte order mark before the JSON", says: text(http.StatusOK, "\ufeff"+granted(hour)),
			ours: "1 h",
		},
		{
			what: "the JSON labelled text/plain", says: typed(http.StatusOK, "text/plain", granted(hour)),
			ours: "1 h",
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
			ours: "`provider_rejected`",
		},
		{what: "400 whose `error_description` repeats the request", says: echo(func(said string) string {
			return oauthError("refused: " + said)
		}, "application/json"), ours: "`provider_rejected`"},
		{what: "400 with an HTML page that repeats the request", says: echo(func(said string) string {
			return "<p>" + canary + " " + said
		}, "text/html"), ours: "`provider_rejected`"},
		{what: "503 with HTML", says: html(http.StatusServiceUnavailable), ours: "`provider_unavailable`"},
		{
			what: "429 with `Retry-After: 120`; 3 calls, and one 2.5 s later", says: busy,
			ours: "`provider_unavailable`", drill: andLater,
		},
	}
}

// redirect is a response that sends clients to another host, or to the same
// host without TLS.
type redirect struct {
	status int
	clear  bool
}

// redirects returns rows that redirect.
func redirects() []row {
	var all []row
	add := func(status int, clear, basic bool) {
		what := fmt.Sprintf("%d to another host", status)
		if clear {
			what = fmt.Sprintf("%d to http", status)
		}
		if basic {
			what += ", secret in Basic"
		}
		all = append(all, row{
			what: what, redirect: &redirect{status, clear}, ours: "`provider_unavailable`", basic: basic,
		})
	}
	for _, clear := range []bool{false, true} {
		for _, status := range []int{301, 302, 303, 307, 308} {
			add(status, clear, false)
		}
		for _, status := range []int{302, 307} {
			add(status, clear, true)
		}
	}
	careful := all[3]
	careful.what += ", client told to follow none"
	careful.careful = true
	return append(all, careful)
}

func crowds() []row {
	const shortLived = `{"token":{"url":"` + tokenURL + `","auth":"post"},"renew":{"latest":"10s"},"overlap":{"client_credentials":"revokes"}}`
	return []row{
		{
			what: "nothing is wrong; 200 callers at once, one cold instance",
			says: slowly(text(http.StatusOK, granted(hour))), ours: "1 h", drill: together(200, 1),
		},
		{
			what: "nothing is wrong; 200 callers at once, 8 cold instances",
			says: slowly(text(http.StatusOK, granted(hour))), ours: "1 h", drill: together(200, 8),
		},
		{
			what: "503 after 50 ms; 200 callers at once", says: slowly(html(http.StatusServiceUnavailable)),
			ours: "`provider_unavailable`", drill: together(200, 1),
		},
		{
			what: "no answer, time-out 1 s; 5 callers at once", says: hang, ours: "`provider_unavailable`",
			drill: together(5, 1), timeout: time.Second,
		},
		// tokenvend renews a token of an hour before it expires. With this
		// descriptor it does so for a token of 20 s too: 10 s before its
		// expiry, when a caller requests it.
		{
			what: "503 after 50 ms while the token has 9 s left; 20 callers at once", says: once(20),
			ours: "< 10 s", drill: nineSecondsLeft, descriptor: shortLived,
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
