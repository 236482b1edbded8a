package local

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

func TestServerInfo(t *testing.T) {
	data := t.TempDir()
	folder := Folder{Path: data, Named: true}
	if _, err := folder.ServerInfo(); !errors.Is(err, fs.ErrNotExist) || !strings.Contains(err.Error(), data) {
		t.Errorf("ServerInfo of %s = %v, want fs.ErrNotExist and the folder's name", data, err)
	}
	info := ServerInfo{URL: "http://127.0.0.1:3000", Region: "us-east-1", KeyID: "a",
		Secret: newKey("a", "Xk2", "").Secret}
	if err := info.write(data); err != nil {
		t.Fatal(err)
	}
	got, err := folder.ServerInfo()
	if err != nil || got.URL != info.URL || got.Region != info.Region || got.KeyID != info.KeyID ||
		!got.Secret.Equal(info.Secret) {
		t.Errorf("ServerInfo of %s = %+v, %v, want %+v", data, got, err, info)
	}
	if s := fmt.Sprintf("%+v", info); strings.Contains(s, "Xk2") {
		t.Errorf("Sprintf(%%+v) = %s, want it without the secret", s)
	}
	path := filepath.Join(data, serverInfoFile)
	if err := os.Chmod(path, 0o644); err != nil {
		t.Fatal(err)
	}
	if _, err := folder.ServerInfo(); err == nil {
		t.Error("ServerInfo of a file that others may read = nil, want an error")
	}
	write(t, path, `{"url":"http://127.0.0.1:3000"}`, 0o600)
	if err := os.Chmod(path, 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := folder.ServerInfo(); err == nil {
		t.Error("ServerInfo of a file without a key = nil, want an error")
	}
}

func TestShellWord(t *testing.T) {
	for s, want := range map[string]string{
		".tokenvend/key": ".tokenvend/key", "a b/key": "'a b/key'", "it's": `'it'\''s'`, "": "''", "$HOME": "'$HOME'",
	} {
		if got := shellWord(s); got != want {
			t.Errorf("shellWord(%q) = %s, want %s", s, got, want)
		}
	}
}

func TestPassTime(t *testing.T) {
	for every, want := range map[time.Duration]time.Duration{
		time.Second: time.Minute, time.Minute: 4 * time.Minute, time.Hour: 5 * time.Minute,
	} {
		if got := passTime(every); got != want {
			t.Errorf("passTime(%v) = %v, want %v", every, got, want)
		}
	}
}
