package torture_test

import (
	"fmt"
	"net/http"
	"slices"
	"testing"
)

// contender is what a column of the tables measures.
type contender struct {
	name   string
	routes bool // it sends requests for the names of the endpoints to loopback
	// start returns what makes an instance in a scene.
	start func(*scene) func() instance
	// lacks reports whether a row has no meaning for it. nil: none.
	lacks func(row) bool
	// few reports whether only the rows that are marked are measured in a test,
	// and all for the page.
	few bool
}

const (
	oauth2Name    = "x/oauth2"
	tokenvendName = "tokenvend"
)

// contenders returns all that this build measures, in the order of the columns.
func contenders(t *testing.T, trust authority) []contender {
	t.Helper()
	all := []contender{{name: oauth2Name, routes: true, start: (*scene).oauth2}}
	all = append(all, peers(t, trust)...)
	return append(all, contender{name: tokenvendName, routes: true, start: (*scene).tokenvend})
}

// peerError is an error of a contender in another language.
type peerError struct {
	text    string // as that language prints it in a log
	code    string // of the OAuth error, if the library names it
	status  int    // of HTTP, if the library names it
	timeout bool
}

func (e *peerError) Error() string { return e.text }

func (e *peerError) words() string {
	switch {
	case e.timeout:
		return "timed out"
	case e.code != "":
		return fmt.Sprintf("`%s`", e.code)
	case e.status >= http.StatusMultipleChoices:
		return fmt.Sprintf("HTTP %d", e.status)
	}
	return "error"
}

// sampled are the rows that are measured with these libraries in each run of
// the tests.
func sampled(r row) bool {
	return slices.Contains([]string{
		"nothing is wrong", "no `expires_in`", "401 `invalid_client`",
		"400 with an HTML page that repeats the request", "307 to another host",
	}, r.what)
}
