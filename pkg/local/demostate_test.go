package local

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/tokenvend/tokenvend/pkg/local/datafolder"
)

// After a restart of a demo, its providers still accept the tokens that are
// stored.
func TestDemoStateOutlivesRestart(t *testing.T) {
	config := Config{Demo: true, Data: t.TempDir()}
	first := start(t, config)
	token := first.token(t, "movemint")
	if err := first.stop(); err != nil {
		t.Fatal(err)
	}
	second := start(t, config)
	if again := second.token(t, "movemint"); again.AccessToken != token.AccessToken {
		t.Errorf("the token after a restart has fingerprint %s, want %s", again.Fingerprint, token.Fingerprint)
	}
	got := second.get(t, "/tokens/movemint/status?verify=true")
	checkText(t, "status after a restart", got.Body, `"verified":{"works":true`)
}

func TestDemoStateDamaged(t *testing.T) {
	data := t.TempDir()
	write(t, filepath.Join(data, datafolder.DemoStateName), "{", 0o600)
	err := Serve(t.Context(), Config{Demo: true, Data: data, Listen: "127.0.0.1:0", DemoListen: "127.0.0.1:0"})
	if err == nil || !strings.Contains(err.Error(), "remove it") {
		t.Errorf("Serve() = %v, want an error that says what to remove", err)
	}
	if text, err := os.ReadFile(filepath.Join(data, datafolder.DemoStateName)); err != nil || string(text) != "{" {
		t.Errorf("the file holds %q, %v after a refused start, want it unchanged", text, err)
	}
}
