//go:build testall

package main

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/tokenvend/tokenvend/cmd/tokenvend/internal/clierror"
	"github.com/tokenvend/tokenvend/pkg/api"
)

// Each cure of docs/reference/errors.md that a command here can show: after it,
// the request that was refused with the code succeeds. Those of a lost or
// damaged store are shown by TestStoreBackupAndRestore.
func TestCuresOfErrors(t *testing.T) {
	for code, c := range map[api.Code]struct {
		provoke func(*testing.T, *served)
		get     []string // what is refused, and succeeds after the cure
		cure    func(*testing.T, *served)
	}{
		api.AccessDenied: {
			nil, []string{"trackmania", "--scope", "write"},
			run("", "set", "trackmania", "--allow-scope", "write", "--yes"),
		},
		api.UnknownCredential: {
			nil, []string{"mine"},
			run("demo-secret-monta\n", "add", "mine", "--provider", "monta", "--client-id", "demo-monta"),
		},
		api.TTLUnavailable: {
			nil, []string{"minut", "--min-ttl", "2h"}, func(t *testing.T, s *served) {
				tv(t, s.dir, "", "get", "minut", "--min-ttl", "10m").want(t, clierror.OK)
			},
		},
		api.ReauthorizationRequired: {
			nil, []string{"trackmania", "--account", "alice"}, func(t *testing.T, s *served) {
				c, link := s.connect(t, "trackmania", "--account", "alice")
				answer, err := c.browser.Get(link)
				_, _ = c.open(s.allowed(t, sentTo(t, answer, err), "alice"))
				c.ended().want(t, clierror.OK)
			},
		},
		api.TooManyVariants: {
			func(t *testing.T, s *served) {
				run("", "set", "trackmania", "--max-variants", "1", "--allow-scope", "a", "--allow-scope", "b",
					"--yes")(t, s)
				eventually(t, func() string { return tv(t, s.dir, "", "get", "trackmania", "--scope", "a").out })
			},
			[]string{"trackmania", "--scope", "b"}, run("", "set", "trackmania", "--max-variants", "20", "--yes"),
		},
		api.ProviderRejected: {
			func(t *testing.T, s *served) { // under a name of its own, which has no token yet
				secret, err := os.ReadFile(s.secretPath("movemint"))
				must(t, err)
				wrong := filepath.Join(t.TempDir(), "mine.json")
				must(t, os.WriteFile(wrong, secret, 0o600))
				rewrite(t, wrong, "client_secret", "wrong")
				must(t, os.Rename(wrong, s.secretPath("mine")))
			},
			[]string{"mine"}, run("demo-secret-movemint\n", "set", "mine", "--client-id", "demo-movemint"),
		},
		api.ProviderMalformed: {
			func(t *testing.T, s *served) { s.fault(t, "movemint", `{"html":true,"status":200}`) },
			[]string{"movemint"}, func(t *testing.T, s *served) {
				s.fault(t, "movemint", "")
				tv(t, s.dir, "", "renew", "movemint").want(t, clierror.OK)
			},
		},
		api.ProviderUnavailable: {
			func(t *testing.T, s *served) { s.fault(t, "movemint", `{"down":true}`) },
			[]string{"movemint"}, func(t *testing.T, s *served) {
				s.fault(t, "movemint", "")
				tv(t, s.dir, "", "renew", "movemint").want(t, clierror.OK)
			},
		},
		api.Misconfigured: {
			func(t *testing.T, s *served) {
				secret, err := os.ReadFile(s.secretPath("movemint"))
				must(t, err)
				must(t, os.WriteFile(s.secretPath("mine"), secret, 0o600))
				rewrite(t, s.secretPath("mine"), "lifetime", "soon")
			},
			[]string{"mine"}, run("", "set", "mine", "--lifetime", "1h"),
		},
	} {
		t.Run(string(code), func(t *testing.T) {
			t.Parallel()
			s := demo(t, t.TempDir())
			if c.provoke != nil {
				c.provoke(t, s)
			}
			args := append([]string{"get"}, c.get...)
			title := clierror.Uncapitalize(code.Title())
			eventually(t, func() string { // a changed file is noticed within a second
				if r := tv(t, s.dir, "", args...); r.code != clierror.OK && strings.Contains(r.err, title) {
					return r.err
				}
				return ""
			})
			c.cure(t, s)
			if code == api.TTLUnavailable {
				return // the cure is another request
			}
			eventually(t, func() string { return tv(t, s.dir, "", args...).out })
		})
	}
}

// secretPath returns the file of a credential.
func (s *served) secretPath(name string) string {
	return filepath.Join(s.dir, defaultData, "credentials", name+".json")
}

// run returns a cure by one command.
func run(stdin string, args ...string) func(*testing.T, *served) {
	return func(t *testing.T, s *served) {
		t.Helper()
		tv(t, s.dir, stdin, args...).want(t, clierror.OK)
	}
}
