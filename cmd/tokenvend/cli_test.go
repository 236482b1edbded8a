package main

import (
	"encoding/json"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"syscall"
	"testing"
	"time"
	"unicode/utf8"

	"github.com/tokenvend/tokenvend/cmd/tokenvend/internal/clierror"
	"github.com/tokenvend/tokenvend/pkg/api"
)

func TestUsage(t *testing.T) {
	dir := t.TempDir()
	tv(t, dir, "").want(t, clierror.BadUsage, "tokenvend get NAME", "Exit codes")
	tv(t, dir, "", "gte").want(t, clierror.BadUsage, "get?")
	tv(
		t,
		dir,
		"",
		"get",
		"minut",
		"--nope",
	).want(t, clierror.BadUsage, "there is no flag --nope (--scope?): see tokenvend help get")
	tv(t, dir, "", "get").want(t, clierror.BadUsage, "expected the name of one credential")
	tv(t, dir, "", "get", "a", "b").want(t, clierror.BadUsage)
	tv(t, dir, "", "get", "NOT A NAME").want(t, clierror.BadUsage, "expected a credential's name")
	tv(
		t,
		dir,
		"",
		"get",
		"minut",
		"--min-ttl",
		"60",
	).want(t, clierror.BadUsage, "--min-ttl: that value is not understood")
	tv(t, dir, "", "get", "minut", "--scope").want(t, clierror.BadUsage, "--scope needs a value")
	for _, name := range []string{"get", "status", "verify", "renew", "revoke", "connect", "accept"} {
		tv(t, dir, "", name, "minut", "--account", " ").
			want(t, clierror.BadUsage, "--account: expected an account; without the flag, it is the client's own grant")
	}
	tv(t, dir, "", "exec", "minut").want(t, clierror.BadUsage, "NAME -- COMMAND")
	tv(t, dir, "", "ls", "minut").want(t, clierror.BadUsage, "expected no argument")
}

// commands are all commands of the program that help lists.
var commands = []string{
	"get", "exec", "status", "watch", "verify", "renew", "revoke", "ls", "add", "set", "rm", "export", "import",
	"providers", "descriptor", "probe", "grant", "grants", "accounts", "connect", "accept", "recover",
	"serve", "ui", "agent", "doctor", "store", "version", "completion",
}

func TestHelp(t *testing.T) {
	dir := t.TempDir()
	all := tv(t, dir, "", "help").want(t, clierror.OK).out
	for _, name := range commands {
		if !strings.Contains(all, "tokenvend "+name) {
			t.Errorf("tokenvend help = %s, want it to have %s", all, name)
		}
		byHelp := tv(t, dir, "", "help", name).want(t, clierror.OK).out
		byFlag := tv(t, dir, "", name, "-h").want(t, clierror.OK).out
		if byFlag != byHelp || !strings.HasPrefix(byHelp, "tokenvend "+name) {
			t.Errorf("tokenvend help %s = %s, want the same as of -h:\n%s", name, byHelp, byFlag)
		}
		text, _, _ := strings.Cut(byHelp, "\nExamples:\n")
		for line := range strings.Lines(text) {
			if utf8.RuneCountInString(line) > len("\n")+100 {
				t.Errorf("tokenvend help %s has the line %s, want 100 columns at most", name, line)
			}
		}
	}
	add := tv(t, dir, "", "add", "-h").out
	if !strings.Contains(strings.Join(strings.Fields(add), " "), "tokenvend providers lists them") {
		t.Errorf("add -h = %s, want it to name the command that lists the providers", add)
	}
	listed := tv(t, dir, "", "providers").out
	if !strings.Contains(listed, "\nminut ") || !strings.Contains(listed, "\nmonta ") {
		t.Errorf("providers = %s, want it to list the providers", listed)
	}
	if v := tv(t, dir, "", "version").want(t, clierror.OK).out; !strings.Contains(v, "go1.") {
		t.Errorf("version = %s, want the version of Go", v)
	}
}

func TestSecretsAreNotTakenFromTheCommandLineNorShown(t *testing.T) {
	dir := t.TempDir()
	for _, args := range [][]string{
		{"add", "x", "--client-secret=hunter2"}, {"add", "x", "--secret", "hunter2"}, {"serve", "--key",
			"hunter2"}, {"serve", "--key", "id:hunter2 with spaces"}, {"serve", "--admin-key", "hunter2"},
		{"serve", "--every", "hunter2"}, {"get", "hunter2!"}, {"hunter2"}, {"add", "x", "hunter2"},
	} {
		if r := tv(t, dir, "", args...).want(t, clierror.BadUsage); strings.Contains(r.err, "hunter2") {
			t.Errorf("%q = %s, want an error without the argument", args, r.err)
		}
	}
}

func TestNoServer(t *testing.T) {
	dir := t.TempDir()
	for _, args := range [][]string{{"get", "minut"}, {"ls"}, {"status", "minut"}, {"renew", "minut"},
		{"revoke", "minut"}, {"exec", "minut", "--", "true"}} {
		tv(t, dir, "", args...).want(t, clierror.Failed, "no server runs", "tokenvend serve starts one")
	}
	tv(
		t,
		dir,
		"",
		"ls",
		"--url",
		"https://127.0.0.1:1",
		"--region",
		"eu-north-1",
	).want(t, clierror.Failed, "AWS_ACCESS_KEY_ID")
	aws := []string{
		"AWS_ACCESS_KEY_ID=A",
		"AWS_SECRET_ACCESS_KEY=S",
		"TOKENVEND_URL=https://127.0.0.1:1",
		"AWS_REGION=eu-north-1",
	}
	tvEnv(t, dir, "", aws, "ls").want(t, clierror.Failed, "no answer from 127.0.0.1:1", "--url names another")
	tvEnv(t, dir, "", aws, "ls", "--data", "here").want(t, clierror.Failed, "no server runs on the data folder here")
	if entries, _ := os.ReadDir(dir); len(entries) != 0 {
		t.Errorf("commands without a server leave %v, want nothing", entries)
	}
}

func TestReading(t *testing.T) {
	s := demo(t, t.TempDir())
	token := tv(t, s.dir, "", "get", "minut").want(t, clierror.OK)
	if !strings.HasPrefix(token.out, "ey") || strings.Count(token.out, "\n") != 1 || token.err != "" {
		t.Errorf("get = %q and %q on stderr, want the token alone", token.out, token.err)
	}
	var whole api.Token
	before := tv(t, s.dir, "", "get", "--json", "minut").want(t, clierror.OK).out
	if json.Unmarshal([]byte(before), &whole) != nil || whole.AccessToken+"\n" != token.out ||
		whole.ExpiresIn == 0 {
		t.Errorf("get --json = %s, want the response with the same token", before)
	}
	if list := tv(t, s.dir, "", "ls").want(t, clierror.OK).out; !strings.HasPrefix(list, "NAME") ||
		!strings.Contains(list, "monta       monta       fresh") {
		t.Errorf("ls = %s, want a header and monta", list)
	}
	var page api.Page
	if json.Unmarshal([]byte(tv(t, s.dir, "", "ls", "--json").out), &page) != nil || len(page.Credentials) != 5 {
		t.Errorf("ls --json = %v, want five credentials", page)
	}
	tv(t, s.dir, "", "get", "nosuch").want(t, clierror.NotFound, "tokenvend ls names", "request id")
	tv(t, s.dir, "", "status", "nosuch").want(t, clierror.NotFound)
	tv(t, s.dir, "", "get", "minut", "--scope", "not-allowed").want(t, clierror.Refused, "scope", `"allow"`)
	tv(t, s.dir, "", "get", "minut", "--min-ttl", "5h").want(t, clierror.Failed, "--min-ttl")
	ran := tv(t, s.dir, "", "exec", "minut", "--", "sh", "-c", `printf %s "$MINUT_TOKEN"; exit 7`)
	if ran.code != 7 || ran.out+"\n" != token.out {
		t.Errorf("exec exits with %d and prints %q, want 7 and the token", ran.code, ran.out)
	}
	tv(t, s.dir, "", "exec", "minut", "--", "no-such-command").want(t, clierror.Failed, "can't be run")
	wrong := []string{"AWS_ACCESS_KEY_ID=local", "AWS_SECRET_ACCESS_KEY=wrong"}
	tvEnv(
		t,
		s.dir,
		"",
		wrong,
		"get",
		"minut",
		"--url",
		s.url,
		"--region",
		"us-east-1",
	).want(t, clierror.Refused, "the signature or the IAM policy was refused", "request id")
	right := []string{
		"AWS_ACCESS_KEY_ID=local",
		"AWS_SECRET_ACCESS_KEY=local",
		"AWS_REGION=us-east-1",
		"TOKENVEND_URL=" + s.url,
	}
	if r := tvEnv(t, t.TempDir(), "", right, "get", "minut").want(t, clierror.OK); r.out != token.out {
		t.Errorf("get with TOKENVEND_URL = %q, want the same token", r.out)
	}
}

func TestStatus(t *testing.T) {
	s := demo(t, t.TempDir())
	tv(t, s.dir, "", "get", "minut").want(t, clierror.OK)
	var report api.StatusReport
	if out := tv(t, s.dir, "", "status", "--json", "minut").out; json.Unmarshal([]byte(out), &report) != nil ||
		report.State != api.Fresh ||
		report.Generation != 1 {
		t.Errorf("status --json = %s, want a fresh token of generation 1", out)
	}
	out := squeezed(tv(t, s.dir, "", "status", "minut").want(t, clierror.OK).out)
	for _, says := range []string{"state fresh (a living token)", "fingerprint " + report.Fingerprint,
		"expires in 59m", "renews in "} {
		if !strings.Contains(out, says) {
			t.Errorf("status = %s, want it to have %q", out, says)
		}
	}
	s.fault(t, "movemint", `{"down":true}`)
	tv(t, s.dir, "", "get", "movemint").want(t, clierror.Failed, "can't be asked now", "try again, in")
	out = squeezed(tv(t, s.dir, "", "status", "movemint").wrong(t, "movemint").out)
	for _, says := range []string{"state failing", "failure the provider can't be asked now", "next attempt",
		"what to do try again"} {
		if !strings.Contains(out, says) {
			t.Errorf("status = %s, want it to have %q", out, says)
		}
	}
}

// squeezed is a table without the space that lines up its columns.
func squeezed(table string) string {
	return regexp.MustCompile(` {2,}`).ReplaceAllString(table, " ")
}

func TestRenewAndRevoke(t *testing.T) {
	s := demo(t, t.TempDir())
	first := tv(t, s.dir, "", "renew", "trackmania").want(t, clierror.OK).out
	if !strings.HasPrefix(first, "old none\nnew ") {
		t.Errorf("renew without a token = %s, want old none", first)
	}
	tv(t, s.dir, "", "renew", "trackmania").want(t, clierror.Failed, "younger than 30 seconds", "try again in")
	tv(t, s.dir, "", "renew", "nosuch").want(t, clierror.NotFound)
	var forgotten api.Forgotten
	if out := tv(t, s.dir, "", "revoke", "trackmania", "--json").want(t, clierror.OK).out; json.Unmarshal(
		[]byte(out),
		&forgotten,
	) != nil ||
		forgotten.MemoryUntil.IsZero() {
		t.Errorf("revoke --json = %s, want memory_until", out)
	}
	second := tv(t, s.dir, "", "renew", "trackmania", "--json").want(t, clierror.OK).out
	if !strings.Contains(second, `"new"`) ||
		strings.Contains(second, strings.TrimSpace(first[len("old none\nnew "):])) {
		t.Errorf("renew after a revocation = %s, want another fingerprint", second)
	}
}

func TestServerEnds(t *testing.T) {
	dir := t.TempDir()
	for _, sig := range []os.Signal{os.Interrupt, syscall.SIGTERM} {
		s := demo(t, dir)
		if code := s.end(t, sig); code != clierror.OK {
			t.Errorf("serve exits after %v with %d, want 0:\n%s", sig, code, s.log.String())
		}
		tv(t, dir, "", "get", "minut").want(t, clierror.Failed, "no server runs")
	}
}

func TestSecondServer(t *testing.T) {
	s := demo(t, t.TempDir())
	tv(t, s.dir, "", "serve", "--listen", "127.0.0.1:0").want(t, clierror.Failed, "in use by another")
	tv(
		t,
		t.TempDir(),
		"",
		"serve",
		"--listen",
		strings.TrimPrefix(s.url, "http://"),
	).want(t, clierror.Failed, "--listen")
}

func TestTokensOutliveACrash(t *testing.T) {
	dir := t.TempDir()
	s := demo(t, dir)
	before := tv(t, dir, "", "get", "minut").want(t, clierror.OK).out
	s.end(t, syscall.SIGKILL)
	tv(
		t,
		dir,
		"",
		"get",
		"minut",
	).want(t, clierror.Failed, "no answer from 127.0.0.1", "tokenvend serve starts a server")
	demo(t, dir)
	if after := tv(t, dir, "", "get", "minut").want(t, clierror.OK).out; after != before {
		t.Error("get after a crash prints another token, want the same")
	}
}

func TestNothingSecretInTheLog(t *testing.T) {
	s := demo(t, t.TempDir(), "--verbose")
	token := tv(t, s.dir, "", "get", "monta").want(t, clierror.OK).out
	s.end(t, os.Interrupt)
	if log := s.log.String(); strings.Contains(log, strings.TrimSpace(token)) ||
		strings.Contains(log, text(secretOf(t, s.dir, "monta")["client_secret"])) ||
		!strings.Contains(log, "msg=vend") {
		t.Errorf("serve --verbose logs %s, want lines without a secret", log)
	}
}

func TestDataFolderIsPrivate(t *testing.T) {
	dir := t.TempDir()
	tv(t, dir, "s\n", "add", "x", "--provider", "minut", "--client-id", "i").want(t, clierror.OK)
	for _, path := range []string{defaultData, filepath.Join(defaultData, "credentials", "x.json")} {
		info, err := os.Stat(filepath.Join(dir, path))
		if err != nil || info.Mode().Perm()&0o077 != 0 {
			t.Errorf("Stat(%s) = %v, %v, want a mode for the owner alone", path, info.Mode(), err)
		}
	}
}

func TestACallersKeyIsToldWhatItMayNot(t *testing.T) {
	s := demo(t, t.TempDir(), "--key", "billing:s=arn:aws:iam::123456789012:role/billing")
	keys := []string{
		"AWS_ACCESS_KEY_ID=billing",
		"AWS_SECRET_ACCESS_KEY=s",
		"AWS_REGION=us-east-1",
		"TOKENVEND_URL=" + s.url,
	}
	tvEnv(t, s.dir, "", keys, "get", "minut").want(t, clierror.OK)
	for _, args := range [][]string{{"ls"}, {"status", "minut"}, {"revoke", "minut"}} {
		if r := tvEnv(t, s.dir, "", keys, args...).want(t, clierror.Refused,
			"takes an operator's key"); strings.Contains(
			r.err,
			`"allow"`,
		) {
			t.Errorf("%q with a caller's key = %s, want no advice to change the secret", args, r.err)
		}
	}
	tv(t, s.dir, "", "ls").want(t, clierror.OK)
}

// An operator does not wait for a back-off, on one machine either.
func TestRenewInsists(t *testing.T) {
	s := demo(t, t.TempDir())
	s.fault(t, "trackmania", `{"status":503}`)
	for range 4 { // longer and longer back-offs
		tv(t, s.dir, "", "renew", "trackmania").want(t, clierror.Failed)
	}
	tv(t, s.dir, "", "get", "trackmania").want(t, clierror.Failed)
	s.fault(t, "trackmania", "")
	if out := tv(t, s.dir, "", "renew", "trackmania").want(t, clierror.OK).out; !strings.HasPrefix(
		out,
		"old none\nnew ",
	) {
		t.Errorf("renew = %q, want a new token's fingerprint", out)
	}
}

// A clean end loses no line of the log, and a crash only those of the last
// 100 ms.
func TestLogOutlivesTheServer(t *testing.T) {
	s := demo(t, t.TempDir())
	tv(t, s.dir, "", "get", "monta").want(t, clierror.OK)
	for range 500 {
		if strings.Contains(s.log.String(), "msg=vend") {
			break
		}
		time.Sleep(10 * time.Millisecond)
	}
	if s.end(t, syscall.SIGKILL); strings.Count(s.log.String(), "msg=vend") != 1 {
		t.Errorf("a server that was killed has logged %s, want the line of its vend", s.log.String())
	}
	s = demo(t, s.dir)
	for range 5 {
		tv(t, s.dir, "", "get", "monta").want(t, clierror.OK)
	}
	if s.end(t, os.Interrupt); strings.Count(s.log.String(), "msg=vend") != 5 {
		t.Errorf("a server that ended has logged %s, want the lines of 5 vends", s.log.String())
	}
}
