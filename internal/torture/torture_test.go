// Package torture_test runs tokenvend and golang.org/x/oauth2 against the same
// faulty token endpoints and compares the results. Broken promises of tokenvend
// fail the test. The other's results are only reported.
package torture_test

import (
	"flag"
	"fmt"
	"os"
	"regexp"
	"strings"
	"testing"

	"github.com/tokenvend/tokenvend/internal/testworld"
)

var table = flag.String("table", "", "the file that the table is written to")

func TestMain(m *testing.M) {
	// Callers mostly wait. A command line may still set another number.
	if err := flag.Set("test.parallel", "16"); err != nil {
		fmt.Println(err)
		os.Exit(1)
	}
	os.Exit(m.Run())
}

func TestTorture(t *testing.T) {
	all := rows()
	theirs, ours := make([]finding, len(all)), make([]finding, len(all))
	trust := newAuthority(t)
	t.Run("rows", func(t *testing.T) {
		for i, r := range all {
			t.Run(r.what, func(t *testing.T) {
				t.Parallel()
				t.Run("oauth2", func(t *testing.T) {
					t.Parallel()
					theirs[i] = reported(t, newScene(t, trust, r))
				})
				t.Run("tokenvend", func(t *testing.T) {
					t.Parallel()
					ours[i] = checked(t, newScene(t, trust, r))
				})
			})
		}
	})
	if *table == "" || t.Failed() {
		return
	}
	testworld.Must(t, os.WriteFile(*table, []byte(page(t, all, theirs, ours)), 0o644))
}

// reported returns the result of golang.org/x/oauth2.
func reported(t *testing.T, s *scene) finding {
	t.Helper()
	f := find(s, s.run(s.oauth2()))
	if f.calls == 0 {
		t.Errorf("%d calls of golang.org/x/oauth2, want some", f.calls)
	}
	return f
}

// checked returns the result of tokenvend and checks it against its promises.
func checked(t *testing.T, s *scene) finding {
	t.Helper()
	f := find(s, s.run(s.tokenvend()))
	broken := f.broken(s.row)
	log := s.log.String()
	for what, secret := range map[string]bool{
		"a token": strings.Contains(log, rightToken), "a part of a body": strings.Contains(log, canary),
		"the client secret": showsSecret(log),
	} {
		if secret {
			broken = append(broken, "the log does not hold "+what)
		}
	}
	for _, promise := range broken {
		t.Errorf("tokenvend with %q = %s, want: %s", s.row.what, f, promise)
	}
	return f
}

func (s *scene) run(start func() instance) []call {
	if s.row.drill != nil {
		return s.row.drill(s, start)
	}
	return threeTimes(s, start)
}

const heading = `# Faulty token endpoints

What ` + "`golang.org/x/oauth2`" + ` %s and tokenvend make of token endpoints that misbehave, side by side. This page is written by

` + "```sh test=TestTorture" + `
make torture
` + "```" + `

Every row starts HTTPS servers on loopback, fresh ones for each column, and every cell is measured: what the callers got, and how long they were told that it lives; how many requests reached the endpoint; where it sends clients away, how many bytes arrived there, without TLS's own; and where many callers come at once, when the last had an answer.
Where nothing else is said, there are three calls, one after the other, and the client secret goes in the request's body.

The two are not meant for the same work. x/oauth2 is a small client library that gets one process its tokens from a sound endpoint, and leaves redirects, time-outs, back-off and sharing to its user. Here it is set up as its documentation says: ` + "`clientcredentials.Config`" + ` with a fixed ` + "`AuthStyle`" + `, the token source of that, which reuses tokens,
and an ` + "`http.Client`" + ` with a time-out of 10 s (of itself it has none). Its user may also give it a ` +
	"`CheckRedirect`" + `, which keeps the secret at home, as one row shows, and another margin than 10 s before a token's end. tokenvend is a service that many processes share, and such endpoints are its business; here it is the whole path from store to endpoint,
with the same time-out. What it promises is tested in every run: nothing goes to another host, no token lives for ever, one request is made however many ask, and no error and no log shows a body or a secret.

| the endpoint | golang.org/x/oauth2 | tokenvend |
|---|---|---|
`

// page returns the whole file.
func page(t *testing.T, all []row, theirs, ours []finding) string {
	t.Helper()
	var b strings.Builder
	fmt.Fprintf(&b, heading, versionOf(t, "golang.org/x/oauth2"))
	for i, r := range all {
		fmt.Fprintf(&b, "| %s | %s | %s |\n", r.what, theirs[i], ours[i])
	}
	return b.String()
}

// versionOf returns a module's version in go.mod.
func versionOf(t *testing.T, module string) string {
	t.Helper()
	data, err := os.ReadFile("../../go.mod")
	testworld.Must(t, err)
	found := regexp.MustCompile(`(?m)^\s*(?:require )?` + regexp.QuoteMeta(module) + ` (v\S+)`).FindSubmatch(data)
	if found == nil {
		t.Fatalf("go.mod does not name %s", module)
	}
	return string(found[1])
}
