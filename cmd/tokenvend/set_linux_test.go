package main

import (
	"bytes"
	"os/exec"
	"strings"
	"testing"

	"github.com/tokenvend/tokenvend/cmd/tokenvend/internal/clierror"
)

// typed runs the program with a terminal as its standard input, at which a
// person types these lines.
func typed(t *testing.T, dir, lines string, args ...string) ran {
	t.Helper()
	person, terminal := newTerminal(t)
	_, err := person.WriteString(lines)
	must(t, err)
	var out, errs bytes.Buffer
	cmd := exec.CommandContext(t.Context(), program, args...)
	cmd.Dir, cmd.Env, cmd.Stdin, cmd.Stdout, cmd.Stderr = dir, clean(dir), terminal, &out, &errs
	if err := cmd.Run(); err != nil && cmd.ProcessState == nil {
		t.Fatal(err)
	}
	return ran{out.String(), errs.String(), clierror.Code(cmd.ProcessState.ExitCode())}
}

func TestAttack06_OnATerminalItIsAsked(t *testing.T) {
	for answer, code := range map[string]clierror.Code{"y": clierror.OK, "yes": clierror.OK, "n": clierror.Failed,
		"": clierror.Failed, "Y!": clierror.Failed} {
		t.Run(answer, func(t *testing.T) {
			dir := written(t, narrow)
			r := typed(t, dir, "\n"+answer+"\n", "set", "x", "--allow-scope", "admin")
			r.want(t, code, "new client secret", "allow.scopes: admin was not allowed before", "Write it? [y/N] ")
			if got := strings.Contains(allowOf(t, dir), "admin"); got != (code == clierror.OK) {
				t.Errorf("set answered with %q leaves allow %s, want admin in it after a yes alone", answer, allowOf(t, dir))
			}
		})
	}
	dir := written(t, narrow)
	if r := typed(t, dir, "\n", "set", "x", "--client-id", "you").want(t, clierror.OK); strings.Contains(
		r.err,
		"Write it?",
	) {
		t.Errorf("set of what gives no more = %s, want no question", r.err)
	}
}

func TestRmAsksOnATerminal(t *testing.T) {
	for answer, code := range map[string]clierror.Code{"y": clierror.OK, "n": clierror.Failed, "": clierror.Failed} {
		dir := written(t, narrow)
		r := typed(
			t,
			dir,
			answer+"\n",
			"rm",
			"x",
		).want(t, code, "Remove "+filePath(dir, "x")+", and revoke the token of x? [y/N] ")
		if exists(dir, "x") != (code != clierror.OK) {
			t.Errorf(
				"rm answered with %q leaves the file: %t, want %t: %s",
				answer,
				exists(dir, "x"),
				code != clierror.OK,
				r.err,
			)
		}
	}
}
