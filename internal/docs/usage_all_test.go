//go:build testall

package docs

import (
	"bytes"
	"log/slog"
	"os"
	"os/exec"
	"path/filepath"
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
		{Action: "vend", Caller: "a", Credential: "NAME"}, {Action: "vend", Caller: "b", Credential: "NAME"},
		{Action: "vend", Caller: "b", Credential: "NAME"}, {Action: "vend", Caller: "c", Credential: "NAMES"},
		{Action: "status", Caller: "d", Credential: "NAME"},
		{Action: "vend", Caller: "e", Credential: "NAME", Code: "access_denied"},
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
	for _, found := range fence.FindAllStringSubmatch(pages(t)["docs/guide/operate.md"], -1) {
		if !strings.Contains(found[2], t.Name()) {
			continue
		}
		cmd := exec.Command("sh", "-c", found[3])
		cmd.Env = append(os.Environ(), "PATH="+dir+string(os.PathListSeparator)+os.Getenv("PATH"))
		out, err := cmd.CombinedOutput()
		if got := strings.Join(strings.Fields(string(out)), " "); err != nil || got != "2 caller=b 1 caller=a" {
			t.Errorf("the command printed %q, %v, want 2 vends for b and 1 for a, of\n%s", out, err, log.Bytes())
		}
		return
	}
	t.Error("docs/guide/operate.md has no block for this test, want one")
}
