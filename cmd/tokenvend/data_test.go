package main

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/tokenvend/tokenvend/cmd/tokenvend/internal/clierror"
)

// add are the arguments that add a credential without a server.
var addX = []string{"add", "x", "--provider", "minut", "--client-id", "i"}

func TestDataFolderIsTheUsersOwn(t *testing.T) {
	home, dir := t.TempDir(), t.TempDir()
	env := []string{"HOME=" + home}
	tvEnv(t, dir, "s\n", env, addX...).want(t, clierror.OK)
	if !exists(home, "x") || exists(dir, "x") {
		t.Errorf("add without --data writes to the home directory: %t, here: %t, want the home directory",
			exists(home, "x"), exists(dir, "x"))
	}
	other := filepath.Join(t.TempDir(), "other")
	tvEnv(t, dir, "s\n", append(env, "TOKENVEND_DATA="+other), addX...).want(t, clierror.OK)
	if _, err := os.Stat(filepath.Join(other, "credentials", "x.json")); err != nil {
		t.Errorf("add with TOKENVEND_DATA writes nothing to %s: %v, want the credential", other, err)
	}
	third := filepath.Join(t.TempDir(), "third")
	tvEnv(t, dir, "s\n", append(env, "TOKENVEND_DATA="+other), append(addX, "--data", third)...).want(t, clierror.OK)
	if _, err := os.Stat(filepath.Join(third, "credentials", "x.json")); err != nil {
		t.Errorf("add with --data beside TOKENVEND_DATA writes nothing to %s: %v, want the credential", third, err)
	}
	tvEnv(
		t,
		dir,
		"s\n",
		[]string{"HOME="},
		addX...).want(t, clierror.BadUsage, "--data is needed, or TOKENVEND_DATA")
}

// Data in the current folder, where earlier versions kept it, is neither used
// nor passed over without a word.
func TestDataInTheCurrentFolderIsNamed(t *testing.T) {
	home, dir := t.TempDir(), t.TempDir()
	env := []string{"HOME=" + home}
	must(t, os.Mkdir(filepath.Join(dir, defaultData), 0o700))
	tvEnv(
		t,
		dir,
		"",
		env,
		"ls",
	).want(t, clierror.Failed, "no server runs on the data folder "+filepath.Join(home, defaultData))
	tv(t, dir, "s\n", append(addX, "--data", defaultData)...).want(t, clierror.OK)
	for _, args := range append(looking, []string{"add", "y", "--provider", "minut", "--client-id", "i"}) {
		r := tvEnv(t, dir, "s\n", env, args...).want(t, clierror.BadUsage, "holds data, and no data folder is named",
			"\n  --data .tokenvend\n", "\n  --data "+filepath.Join(home, defaultData))
		if strings.Contains(r.err, "no server runs") {
			t.Errorf("%q looks for a server, want a refusal: %s", args, r.err)
		}
	}
	if left, _ := os.ReadDir(home); len(left) != 0 {
		t.Errorf("refused commands leave %v in the home directory, want nothing", left)
	}
	// Each printed flag is taken.
	tvEnv(t, dir, "s\n", env, "set", "x", "--data", ".tokenvend").want(t, clierror.OK)
	tvEnv(t, dir, "s\n", env, append(addX, "--data", filepath.Join(home, defaultData))...).want(t, clierror.OK)
	// A stack that is named needs no data folder.
	aws := append(env, "AWS_ACCESS_KEY_ID=A", "AWS_SECRET_ACCESS_KEY=S", "AWS_REGION=eu-north-1")
	tvEnv(
		t,
		dir,
		"",
		aws,
		"ls",
		"--url",
		"https://127.0.0.1:1",
	).want(t, clierror.Failed, "no answer from 127.0.0.1:1")
}

// A demo keeps .tokenvend, also where the environment names the folder of a
// server with real credentials, and its hints name that folder.
func TestDemoKeepsItsFolder(t *testing.T) {
	dir, real := t.TempDir(), filepath.Join(t.TempDir(), "real")
	s := demoEnv(t, dir, []string{"TOKENVEND_DATA=" + real, "HOME=" + t.TempDir()})
	if _, err := os.Stat(real); err == nil || !exists(dir, "minut") {
		t.Errorf(
			"serve --demo with TOKENVEND_DATA writes there: %v, and here: %t, want here",
			err,
			exists(dir, "minut"),
		)
	}
	if want := "  tokenvend get trackmania --account alice --data .tokenvend\n"; !strings.Contains(
		s.out.String(),
		want,
	) {
		t.Errorf("serve --demo prints %s, want %s", s.out.String(), want)
	}
	tv(t, dir, "", "get", "minut", "--data", defaultData).want(t, clierror.OK)
}

// A hint repeats the flags that name where requests go.
func TestHintsWorkAsPrinted(t *testing.T) {
	dir := t.TempDir()
	data := filepath.Join(dir, "my data")
	quoted := "'" + data + "'"
	tv(t, dir, "", "ls", "--data", data).want(t, clierror.Failed, "tokenvend serve --data "+quoted+" starts one")
	tv(
		t,
		dir,
		"",
		"set",
		"x",
		"--data",
		data,
	).want(t, clierror.NotFound, "tokenvend add x --data "+quoted+" makes one")
	r := tv(t, dir, "s\n", append(addX, "--data", data)...).want(t, clierror.OK, "tokenvend get x --data "+quoted)
	if !strings.Contains(r.err, "tokenvend serve --data "+quoted+" starts one") {
		t.Errorf("add without a server prints %s, want the command that starts one", r.err)
	}
	tv(t, dir, "s\n", append(addX, "--data", data)...).want(t, clierror.Failed, "tokenvend set x --data "+quoted)
	tv(
		t,
		dir,
		"",
		"set",
		"x",
		"--data",
		data,
		"--keep-warm",
	).want(t, clierror.OK, "tokenvend renew x --data "+quoted)
	out := tv(t, dir, "", "doctor", "--data", data)
	out.wantOut(t, clierror.OK, "tokenvend serve --data "+quoted+" starts one")

	s := demo(t, t.TempDir(), "--data", "d")
	tv(t, s.dir, "", "get", "nosuch", "--data", "d").want(t, clierror.NotFound, "tokenvend ls --data d names")
	tv(
		t,
		s.dir,
		"",
		"get",
		"trackmania",
		"--account",
		"alice",
		"--data",
		"d",
	).want(t, clierror.Refused, "tokenvend connect trackmania --account alice --data d connects it")
	status := squeezed(
		tv(t, s.dir, "", "status", "trackmania", "--account", "alice", "--data", "d").want(t, clierror.OK).out,
	)
	if want := "what to do tokenvend connect trackmania --account alice --data d\n"; !strings.Contains(
		status,
		want,
	) {
		t.Errorf("status prints %s, want %s", status, want)
	}
	if !strings.Contains(s.out.String(), "tokenvend connect trackmania --account alice --data d\n") {
		t.Errorf("serve prints %s, want --data in its hints", s.out.String())
	}
}

// The name in hints is one that a shell finds.
func TestHintsNameTheProgram(t *testing.T) {
	dir := t.TempDir()
	must(t, os.Symlink(program, filepath.Join(dir, "tv")))
	r := shellEnv(t, dir, []string{"PATH=/usr/bin:/bin", "HOME=" + dir}, "./tv ls")
	if want := "./tv serve starts one"; !strings.Contains(r.err, want) {
		t.Errorf("./tv ls prints %s, want %s", r.err, want)
	}
}

// A refused command leaves nothing behind.
func TestRefusedCommandsLeaveNothing(t *testing.T) {
	for name, c := range map[string]struct{ stdin, line string }{
		"add without a provider":  {"s", "add x --client-id i"},
		"add of a wrong secret":   {"s", "add x --provider miden --client-id a:b --token-url http://example.com"},
		"add without a secret":    {"", "add x --provider minut --client-id i"},
		"add of no JSON":          {"hunter2", "add x --json"},
		"set of none":             {"s", "set x"},
		"rm of none":              {"", "rm x"},
		"doctor":                  {"", "doctor"},
		"serve, wrong key":        {"", "serve --key x --listen 127.0.0.1:0"},
		"serve, wrong duration":   {"", "serve --every 1ms --listen 127.0.0.1:0"},
		"serve, wrong address":    {"", "serve --listen nowhere"},
		"serve, wrong CA":         {"", "serve --ca none.pem --listen 127.0.0.1:0"},
		"a demo, wrong address":   {"", "serve --demo --demo-listen 0.0.0.0:0 --listen 127.0.0.1:0"},
		"serve, deep data folder": {"", "serve --data a/b/c --every 1ms --listen 127.0.0.1:0"},
	} {
		t.Run(name, func(t *testing.T) {
			dir := t.TempDir()
			r := tv(t, dir, c.stdin, strings.Fields(c.line)...)
			if left, _ := os.ReadDir(dir); r.code == clierror.OK || len(left) != 0 {
				t.Errorf(
					"%s exits with %d and leaves %v, want an error and nothing left: %s",
					c.line,
					r.code,
					left,
					r.err,
				)
			}
		})
	}
}
