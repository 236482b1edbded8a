package keyfile_test

import (
	"bytes"
	"encoding/base64"
	"encoding/hex"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"sync"
	"testing"

	"github.com/tokenvend/tokenvend/pkg/seal"
	"github.com/tokenvend/tokenvend/pkg/seal/keyfile"
	"github.com/tokenvend/tokenvend/pkg/seal/sealtest"
)

func open(t testing.TB, path string) *keyfile.Sealer {
	t.Helper()
	s, err := keyfile.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func TestFault54_Contract(t *testing.T) {
	sealtest.Run(t, func(t *testing.T) seal.Sealer { return open(t, filepath.Join(t.TempDir(), "key")) })
}

func TestTheKeyOutlastsTheProcess(t *testing.T) {
	path := filepath.Join(t.TempDir(), "data", "key")
	sealed, err := open(t, path).Seal(t.Context(), "minut", []byte("token"), nil)
	if err != nil {
		t.Fatal(err)
	}
	if got, err := open(t, path).Open(t.Context(), "minut", sealed, nil); err != nil || string(got) != "token" {
		t.Errorf("%q, %v", got, err)
	}
}

func TestAnotherKeyDoesNotOpen(t *testing.T) {
	dir := t.TempDir()
	sealed, _ := open(t, filepath.Join(dir, "a")).Seal(t.Context(), "minut", []byte("token"), nil)
	if _, err := open(t, filepath.Join(dir, "b")).Open(
		t.Context(), "minut", sealed, nil,
	); !errors.Is(err, seal.ErrIntegrity) {
		t.Error(err)
	}
}

func TestModes(t *testing.T) {
	onUnix(t)
	path := filepath.Join(t.TempDir(), "data", "key")
	open(t, path)
	for name, want := range map[string]fs.FileMode{path: 0o600, filepath.Dir(path): 0o700} {
		info, err := os.Stat(name)
		if err != nil || info.Mode().Perm() != want {
			t.Errorf("%s: %v, %v; want %#o", filepath.Base(name), info.Mode(), err, want)
		}
	}
	if left, _ := filepath.Glob(filepath.Join(filepath.Dir(path), ".key-*")); len(left) > 0 {
		t.Error("left behind:", left)
	}
}

func TestSeveralProcessesShareTheFirstKey(t *testing.T) {
	path := filepath.Join(t.TempDir(), "data", "key")
	sealers := make([]*keyfile.Sealer, 16)
	var wg sync.WaitGroup
	for i := range sealers {
		wg.Go(func() { sealers[i], _ = keyfile.Open(path) })
	}
	wg.Wait()
	sealed, err := open(t, path).Seal(t.Context(), "minut", []byte("token"), nil)
	if err != nil {
		t.Fatal(err)
	}
	for i, s := range sealers {
		if s == nil {
			t.Fatalf("%d: no sealer", i)
		}
		if _, err := s.Open(t.Context(), "minut", sealed, nil); err != nil {
			t.Errorf("%d: %v", i, err)
		}
	}
}

func TestRefusedFiles(t *testing.T) {
	good := base64.StdEncoding.EncodeToString(bytes.Repeat([]byte{7}, 32))
	for _, c := range []struct {
		name, text string
		mode       fs.FileMode
		says       string
	}{
		{"readable by the group", good, 0o640, "chmod 600 key"},
		{"readable by all", good, 0o644, "mode 0644"},
		{"empty", "", 0o600, "not a key"},
		{"too short", good[:40], 0o600, "not a key"},
		{"16 bytes", base64.StdEncoding.EncodeToString(make([]byte, 16)), 0o600, "not a key"},
		{"33 bytes", base64.StdEncoding.EncodeToString(make([]byte, 33)), 0o600, "not a key"},
		{"hex", hex.EncodeToString(make([]byte, 32)), 0o600, "not a key"},
		{"two keys", good + "\n" + good, 0o600, "not a key"},
		{"a page of text", strings.Repeat("all work and no play ", 1000), 0o600, "not a key"},
	} {
		t.Run(c.name, func(t *testing.T) {
			if c.mode != 0o600 {
				onUnix(t)
			}
			path := filepath.Join(t.TempDir(), "key")
			if err := os.WriteFile(path, []byte(c.text), 0o600); err != nil {
				t.Fatal(err)
			}
			if err := os.Chmod(path, c.mode); err != nil {
				t.Fatal(err)
			}
			_, err := keyfile.Open(path)
			if err == nil || !strings.Contains(err.Error(), c.says) || !strings.Contains(err.Error(), path) {
				t.Fatalf("%v, want it to name the file and to say %q", err, c.says)
			}
			if c.text != "" && strings.Contains(err.Error(), c.text[:8]) {
				t.Error("the error shows the key")
			}
			if after, _ := os.ReadFile(path); string(after) != c.text {
				t.Error("the file was changed")
			}
		})
	}
}

func TestRefusedPlaces(t *testing.T) {
	dir := t.TempDir()
	file := filepath.Join(dir, "file")
	if err := os.WriteFile(file, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	for _, path := range []string{dir, filepath.Join(file, "key")} {
		if _, err := keyfile.Open(path); err == nil || strings.Count(err.Error(), dir) != 1 {
			t.Errorf("%v, want an error that names the place once", err)
		}
	}
}

func TestFault50_TheKeyIsNotPrinted(t *testing.T) {
	key := []byte("0123456789abcdef0123456789abcdef")
	path := filepath.Join(t.TempDir(), "key")
	if err := os.WriteFile(path, []byte(base64.StdEncoding.EncodeToString(key)+"\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	s := open(t, path)
	for _, verb := range []string{"%v", "%+v", "%#v", "%x", "%s", "%d"} {
		for _, v := range []any{s, *s, struct{ s any }{s}} {
			out := fmt.Sprintf(verb, v)
			for _, leak := range []string{"0123456789", hex.EncodeToString(key[:8]), fmt.Sprint(key[:4])[1:10]} {
				if strings.Contains(out, leak) {
					t.Errorf("%s shows the key", verb)
				}
			}
		}
	}
}

// golden was sealed under a key of 32 bytes of 7, for the credential minut,
// with the additional data "additional".
const golden = "012ea520e2580513e772018ddbfc19df9abf16eacb9f37d91b68be2754be8c5df2a4c0916e86c42676159ada603e"

func goldenSealer(t testing.TB) *keyfile.Sealer {
	path := filepath.Join(t.TempDir(), "key")
	if err := os.WriteFile(
		path, []byte(base64.StdEncoding.EncodeToString(bytes.Repeat([]byte{7}, 32))), 0o600,
	); err != nil {
		t.Fatal(err)
	}
	return open(t, path)
}

func TestFault57_WhatAnOlderVersionSealed(t *testing.T) {
	sealed, err := hex.DecodeString(golden)
	if err != nil {
		t.Fatal(err)
	}
	got, err := goldenSealer(t).Open(t.Context(), "minut", sealed, []byte("additional"))
	if err != nil || string(got) != "token of format 1" {
		t.Errorf("%q, %v", got, err)
	}
}

func FuzzOpen(f *testing.F) {
	s := goldenSealer(f)
	sealed, _ := hex.DecodeString(golden)
	f.Add(sealed, "minut", []byte("other"))
	f.Add([]byte{}, "", []byte{})
	f.Add([]byte{1}, "minut", []byte("additional"))
	f.Fuzz(func(t *testing.T, data []byte, credential string, additional []byte) {
		if bytes.Equal(data, sealed) && credential == "minut" && string(additional) == "additional" {
			t.Skip("the one that opens")
		}
		if got, err := s.Open(t.Context(), credential, data, additional); !errors.Is(err, seal.ErrIntegrity) ||
			got != nil {
			t.Errorf("opened: %q, %v", got, err)
		}
	})
}

func onUnix(t *testing.T) {
	if runtime.GOOS == "windows" {
		t.Skip("no such modes here")
	}
}
