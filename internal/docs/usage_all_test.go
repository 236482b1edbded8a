//go:build testall

package docs

import (
	"bytes"
	"log/slog"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/tokenvend/tokenvend/pkg/journal"
)

// The command of docs/guide/operate.md counts the vends of a credential by
// their callers, on the log of a server on one machine.
func TestCallersAreCountedFromTheLog(t *testing.T) {
	var log bytes.Buffer
	j := journal.Journal{Log: slog.New(slog.NewTextHandler(&log, nil))}
	for _, v := range []journal.Vend{
		{Action: "vend", Caller: "a", Credential: "name"}, {Action: "vend", Caller: "b", Credential: "name"},
		{Action: "vend", Caller: "b", Credential: "name"}, {Action: "vend", Caller: "c", Credential: "names"},
		{Action: "status", Caller: "d", Credential: "name"},
		{Action: "vend", Caller: "e", Credential: "name", Code: "access_denied"},
	} {
		v.Variant, v.Fingerprint, v.Source = "-", "9f86d081884c7d65", "memory"
		j.Vend(t.Context(), v)
	}
	dir := t.TempDir()
	lines := filepath.Join(dir, "lines")
	if err := os.WriteFile(lines, log.Bytes(), 0o600); err != nil {
		t.Fatal(err)
	}
	script := "#!/bin/sh\ncat '" + lines + "'\n"
	if err := os.WriteFile(filepath.Join(dir, "journalctl"), []byte(script), 0o700); err != nil {
		t.Fatal(err)
	}
	build := exec.Command("go", "build", "-o", filepath.Join(dir, "tokenvend"), "./cmd/tokenvend")
	build.Dir = root
	if out, err := build.CombinedOutput(); err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	for _, found := range fence.FindAllStringSubmatch(pages(t)["docs/guide/operate.md"], -1) {
		if !strings.Contains(found[2], t.Name()) {
			continue
		}
		cmd := exec.Command("sh", "-c", strings.ReplaceAll(found[3], "NAME", "name"))
		cmd.Env = append(os.Environ(), "PATH="+dir+string(os.PathListSeparator)+os.Getenv("PATH"))
		out, err := cmd.CombinedOutput()
		got := times.ReplaceAllString(strings.Join(strings.Fields(string(out)), " "), "")
		if want := "CALLER TOKENS REFUSALS LAST b 2 0 a 1 0 e 0 1"; err != nil || got != want {
			t.Errorf("the command printed %q, %v, want %q, of\n%s", out, err, want, log.Bytes())
		}
		return
	}
	t.Error("docs/guide/operate.md has no block for this test, want one")
}

// times matches the times of last requests.
var times = regexp.MustCompile(` 20\S+Z`)
