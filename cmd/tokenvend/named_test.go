package main

import (
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/tokenvend/tokenvend/cmd/tokenvend/internal/clierror"
)

// A provider's variables and named secrets come from flags, and what is missing
// is named where there is no terminal.
func TestAddWithVariablesAndNamedSecrets(t *testing.T) {
	dir := t.TempDir()
	write := func(name, content string) string {
		path := filepath.Join(dir, name)
		must(t, os.WriteFile(path, []byte(content), 0o600))
		return path
	}
	descriptor := write("descriptor", `{"grants":["login"],"variables":{"tenant":{}},
		"token":{"url":"https://{variables.tenant}.id.example/login","headers":{"X-Key":"{secrets.key}"}}}`)
	add := []string{"add", "x", "--descriptor-file", descriptor}
	for _, c := range []struct {
		flags []string
		want  string
	}{
		{nil, "--variable tenant=VALUE is needed"},
		{[]string{"--variable", "tenant=acme"}, "--secret-file key=FILE is needed"},
		{[]string{"--variable", "tenant=a.b", "--secret-file", "key=" + write("key", "HUSH-1\n")}, "variables.tenant"},
		{[]string{"--variable", "tenant"}, "expected NAME=VALUE"},
		{[]string{"--secret-file", "key=" + filepath.Join(dir, "none")}, "--secret-file"},
	} {
		r := tv(t, dir, "", append(add, c.flags...)...)
		if r.code == clierror.OK || !strings.Contains(r.err, c.want) || strings.Contains(r.err, "HUSH-1") {
			t.Errorf("add %q = %d, %s, want %q", c.flags, r.code, r.err, c.want)
		}
	}
	tv(t, dir, "", append(add, "--variable", "tenant=acme", "--secret-file", "key="+write("key", "HUSH-1\n"))...).
		want(t, clierror.OK)
	got := secretOf(t, dir, "x")
	delete(got, "descriptor")
	text, _ := json.Marshal(got)
	const want = `{"secrets":{"key":"HUSH-1"},"variables":{"tenant":"acme"}}`
	if string(text) != want {
		t.Errorf("add writes %s, want %s", text, want)
	}
}
