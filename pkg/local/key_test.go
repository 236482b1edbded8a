package local

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

func textLog(w io.Writer) *slog.Logger { return slog.New(slog.NewTextHandler(w, nil)) }

func TestParseKey(t *testing.T) {
	const user = "arn:aws:iam::123456789012:user/ann"
	for _, tt := range []struct{ text, id, secret, arn string }{
		{"local:local", "local", "local", ""},
		{"AKIAX:wJalr/K7+x", "AKIAX", "wJalr/K7+x", ""},
		{"a:b=" + user, "a", "b", user},
		{"a:b==" + user, "a", "b=", user},
		{"a:YWI=", "a", "YWI=", ""},
		{"a:b:c", "a", "b:c", ""},
	} {
		if k, err := ParseKey(tt.text); err != nil || k.ID != tt.id || k.Secret.Reveal() != tt.secret || k.ARN != tt.arn {
			t.Errorf("%s: %+v, %v", tt.text, k, err)
		}
	}
	for _, text := range []string{
		"", "Xk2", ":Xk2", "a:", "a b:Xk2", "a/b:Xk2", "a:Xk 2", "a:Xk2\n", "a:Xk2=user/ann", "a:Xk2=arn:aws:s3:::bucket", "a:=" + user, "a:Xk2=arn:", "a:Xké2", strings.Repeat("a", 129) + ":Xk2",
	} {
		if _, err := ParseKey(text); err == nil || strings.Contains(err.Error(), "Xk") || strings.Contains(err.Error(), "ann") || !strings.Contains(err.Error(), "expected") {
			t.Errorf("%q: %v", text, err)
		}
	}
}

func TestReadDoor(t *testing.T) {
	data := t.TempDir()
	if _, err := (Folder{Path: data, Named: true}).ServerInfo(); !errors.Is(err, fs.ErrNotExist) || !strings.Contains(err.Error(), data) {
		t.Error(err)
	}
	d := ServerInfo{URL: "http://127.0.0.1:3000", Region: "us-east-1", KeyID: "a", Secret: local("a", "Xk2", "").Secret}
	if err := d.write(data); err != nil {
		t.Fatal(err)
	}
	if back, err := (Folder{Path: data, Named: true}).ServerInfo(); err != nil || back.URL != d.URL || back.Region != d.Region || back.KeyID != d.KeyID || !back.Secret.Equal(d.Secret) {
		t.Errorf("%+v, %v", back, err)
	}
	if s := fmt.Sprintf("%+v", d); strings.Contains(s, "Xk2") {
		t.Error(s)
	}
	path := filepath.Join(data, serverInfoFile)
	if err := os.Chmod(path, 0o644); err != nil {
		t.Fatal(err)
	}
	if _, err := (Folder{Path: data, Named: true}).ServerInfo(); err == nil {
		t.Error("a file that others may read")
	}
	write(t, path, `{"url":"http://127.0.0.1:3000"}`, 0o600)
	if err := os.Chmod(path, 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := (Folder{Path: data, Named: true}).ServerInfo(); err == nil {
		t.Error("a file without a key")
	}
}

func TestShellWord(t *testing.T) {
	for s, want := range map[string]string{".tokenvend/key": ".tokenvend/key", "a b/key": "'a b/key'", "it's": `'it'\''s'`, "": "''", "$HOME": "'$HOME'"} {
		if got := shellWord(s); got != want {
			t.Errorf("%q: %s", s, got)
		}
	}
}

func TestPassTime(t *testing.T) {
	for every, want := range map[time.Duration]time.Duration{time.Second: time.Minute, time.Minute: 4 * time.Minute, time.Hour: 5 * time.Minute} {
		if got := passTime(every); got != want {
			t.Errorf("%v: %v", every, got)
		}
	}
}
