package datafolder

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/tokenvend/tokenvend/pkg/redact"
)

func TestServerInfo(t *testing.T) {
	data := t.TempDir()
	folder := Folder{Path: data, Named: true}
	if _, err := folder.ServerInfo(); !errors.Is(err, fs.ErrNotExist) || !strings.Contains(err.Error(), data) {
		t.Errorf("ServerInfo of %s = %v, want fs.ErrNotExist and the folder's name", data, err)
	}
	info := ServerInfo{URL: "http://127.0.0.1:3000", Region: "us-east-1", KeyID: "a",
		Secret: redact.New("Xk2")}
	if err := folder.WriteServerInfo(info); err != nil {
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
	path := filepath.Join(data, serverInfoName)
	if err := os.Chmod(path, 0o644); err != nil {
		t.Fatal(err)
	}
	if _, err := folder.ServerInfo(); err == nil {
		t.Error("ServerInfo of a file that others may read = nil, want an error")
	}
	keyless := []byte(`{"url":"http://127.0.0.1:3000"}`)
	if err := errors.Join(os.WriteFile(path, keyless, 0o600), os.Chmod(path, 0o600)); err != nil {
		t.Fatal(err)
	}
	if _, err := folder.ServerInfo(); err == nil {
		t.Error("ServerInfo of a file without a key = nil, want an error")
	}
}
