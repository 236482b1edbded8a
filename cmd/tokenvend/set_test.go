package main

import (
	"encoding/json"
	"os"
	"strings"
	"testing"

	"github.com/tokenvend/tokenvend/cmd/tokenvend/internal/clierror"
)

const narrow = `{
  "provider": "minut", "client_id": "me", "client_secret": "s", "scope": "read", "lifetime": "1h", "params": {"tenant": "a<b>"},
  "allow": {"principals": ["arn:aws:iam::123456789012:role/billing"], "aliases": ["billing"], "scopes": ["write"], "accounts": ["team-*"]}
}`

// written replaces a credential's file on this machine, and returns where.
func written(t *testing.T, text string) (dir string) {
	t.Helper()
	dir = t.TempDir()
	tv(t, dir, `{"provider":"minut","client_id":"c","client_secret":"d"}`, "add", "x", "--json").want(t, clierror.OK)
	if err := os.WriteFile(filePath(dir, "x"), []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	return dir
}

func allowOf(t *testing.T, dir string) string {
	t.Helper()
	text, _ := json.Marshal(secretOf(t, dir, "x")["allow"])
	return string(text)
}

// set --allow-scope once replaced the whole of allow: who may have the
// credential was forgotten, and everybody had it.
func TestAttack06_SetKeepsWhoMayHaveIt(t *testing.T) {
	dir := written(t, narrow)
	for _, c := range []struct {
		args  []string
		allow string
	}{
		{[]string{"--client-id", "you"},
			`{"accounts":["team-*"],"aliases":["billing"],"principals":["arn:aws:iam::123456789012:role/billing"],"scopes":["write"]}`},
		{[]string{"--allow-account", "team-a"},
			`{"accounts":["team-*","team-a"],"aliases":["billing"],"principals":["arn:aws:iam::123456789012:role/billing"],"scopes":["write"]}`},
		{[]string{"--allow-scope", "admin", "--yes"},
			`{"accounts":["team-*","team-a"],"aliases":["billing"],"principals":["arn:aws:iam::123456789012:role/billing"],"scopes":["write","admin"]}`},
		{[]string{"--clear", "allow.accounts", "--clear", "allow.scopes", "--allow-scope", "write"},
			`{"aliases":["billing"],"principals":["arn:aws:iam::123456789012:role/billing"],"scopes":["write"]}`},
	} {
		r := tv(
			t,
			dir,
			"",
			append(
				[]string{"set", "x"},
				c.args...)...).want(t, clierror.OK, "Who may have x, and what:", "role/billing")
		if got := allowOf(t, dir); got != c.allow {
			t.Errorf("after set %q allow is %s, want %s\n%s", c.args, got, c.allow, r.err)
		}
	}
	fields := secretOf(t, dir, "x")
	if params, _ := json.Marshal(fields["params"]); string(params) != `{"tenant":"a\u003cb\u003e"}` ||
		fields["lifetime"] != "1h" ||
		fields["scope"] != "read" {
		t.Errorf("set writes %v, want what was not named as it was", fields)
	}
}

func TestAttack06_WhatGivesMoreTakesYes(t *testing.T) {
	whole := func(change string) string {
		return strings.Replace(narrow, `"principals": ["arn:aws:iam::123456789012:role/billing"], `, change, 1)
	}
	for _, c := range []struct {
		name, before, stdin string
		args                []string
		says                string
	}{
		{"another scope", narrow, "", []string{"--allow-scope", "admin"}, "allow.scopes: admin was not allowed before"},
		{"another default scope", narrow, "", []string{"--scope", "read admin"}, "allow.scopes: admin"},
		{"another principal", narrow, "", []string{"--allow-principal", "arn:aws:iam::123456789012:role/*"},
			"role/* was not admitted before"},
		{"another alias", narrow, "", []string{"--allow-alias", "ops"}, "allow.aliases: ops"},
		{"another audience", narrow, "", []string{"--allow-audience", "api"}, "allow.audiences: api"},
		{"every account", narrow, "", []string{"--allow-account", "*"}, "allow.accounts: *"},
		{"no principal", narrow, "", []string{"--clear", "allow.principals"}, "whoever IAM lets reach the API"},
		{"no rule", narrow, "", []string{"--clear", "allow"}, "the bare function"},
		{"no default scope", narrow, "", []string{"--clear", "scope"}, "scope: none is asked for"},
		{"the whole without its principals", narrow, whole(""), []string{"--json"}, "whoever IAM lets reach the API"},
		{"a file that is empty", "", "s", []string{"--provider", "minut", "--client-id", "me"}, "can't be read"},
		{"a secret that can't be read", "{broken", "s", []string{"--provider", "minut", "--client-id", "me"},
			"can't be read"},
		{"a rule that can't be read", whole(`"principals": "x", `), "", []string{"--clear", "allow.principals"},
			"can't be read"},
		{"a rule with a path", whole(`"principals": ["arn:aws:iam::1:role/a/b"], `), "", []string{"--clear",
			"allow.principals", "--allow-principal", "arn:aws:iam::1:role/b"}, "can't be read"},
	} {
		t.Run(c.name, func(t *testing.T) {
			dir := written(t, c.before)
			args := append([]string{"set", "x"}, c.args...)
			tv(t, dir, c.stdin, args...).want(t, clierror.BadUsage, c.says, "--yes is needed", "nothing was written")
			if text, _ := os.ReadFile(filePath(dir, "x")); string(text) != c.before {
				t.Errorf("set %q without --yes writes %s, want nothing written", c.args, text)
			}
			tv(t, dir, c.stdin, append(args, "--yes")...).want(t, clierror.OK, "x is written")
		})
	}
}

func TestSetTakesAFieldAway(t *testing.T) {
	dir := written(t, narrow)
	tv(t, dir, "", "set", "x", "--clear", "params.tenant", "--clear", "lifetime").want(t, clierror.OK)
	if fields := secretOf(t, dir, "x"); fields["params"] != nil || fields["lifetime"] != nil {
		t.Errorf("set --clear leaves %v, want neither params nor lifetime", fields)
	}
	for _, field := range []string{"nonsense", "params", "allow.nonsense", "provider.x", "hunter2"} {
		if r := tv(t, dir, "", "set", "x", "--clear", field).want(t, clierror.BadUsage,
			"--clear: expected a field that the secret has"); strings.Contains(
			r.err,
			"hunter2",
		) {
			t.Errorf("set --clear = %s, want an error without the argument", r.err)
		}
	}
	err := os.WriteFile(filePath(dir, "x"), []byte(strings.Replace(narrow, `["write"]`, `"write"`, 1)), 0o600)
	if err != nil {
		t.Fatal(err)
	}
	tv(t, dir, "", "set", "x", "--allow-scope", "y").want(t, clierror.BadUsage, "--clear allow.scopes takes it away")
	tv(t, dir, "", "set", "x", "--keep-warm=maybe").want(t, clierror.BadUsage)
	tv(
		t,
		dir,
		`{"provider":"minut","client_id":"c","client_secret":"d"}`,
		"set",
		"x",
		"--json",
		"--clear",
		"scope",
	).want(t, clierror.BadUsage, "no flag adds to it")
}

// A program that should have written the new secret to the pipe has failed: set
// does not report that the secret is written.
func TestSetOfNothingIsRefused(t *testing.T) {
	dir := written(t, narrow)
	for _, stdin := range []string{"", "\n"} {
		tv(t, dir, stdin, "set", "x").want(t, clierror.BadUsage, "nothing to change", "one line of standard input")
	}
	tv(t, dir, "", "set", "x", "--client-id", "you").want(t, clierror.OK, "x is written")
}
