package private

import (
	"bytes"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"sync"
	"testing"
)

// checkOnly checks that a folder holds this file with these bytes, mode 0600,
// and nothing else: no temporary file was left.
func checkOnly(t *testing.T, path, want string) {
	t.Helper()
	got, err := os.ReadFile(path)
	if err != nil || string(got) != want {
		t.Errorf("%s holds %q, %v, want %q", path, got, err, want)
	}
	if info, err := os.Stat(path); err != nil || hasModes && info.Mode().Perm() != 0o600 {
		t.Errorf("Stat(%s) = %v, %v, want mode 0600", path, info, err)
	}
	if all, err := os.ReadDir(filepath.Dir(path)); err != nil || len(all) != 1 {
		t.Errorf("the folder holds %v, %v, want the file alone", all, err)
	}
}

func TestReplaceFile(t *testing.T) {
	path := filepath.Join(t.TempDir(), "secret")
	var last fs.FileInfo
	for i := range 5 {
		text := fmt.Sprint("version ", i)
		if err := ReplaceFile(path, []byte(text)); err != nil {
			t.Fatalf("ReplaceFile() = %v", err)
		}
		checkOnly(t, path, text)
		info, err := os.Stat(path)
		if err != nil || last != nil && info.ModTime().Equal(last.ModTime()) {
			t.Errorf("version %d has the time of the one before: %v, %v", i, info, err)
		}
		last = info
	}
}

func TestReplaceFileWholeForReaders(t *testing.T) {
	path := filepath.Join(t.TempDir(), "secret")
	versions := [2][]byte{bytes.Repeat([]byte("a"), 1<<16), bytes.Repeat([]byte("b"), 1<<16)}
	if err := ReplaceFile(path, versions[0]); err != nil {
		t.Fatal(err)
	}
	var writer sync.WaitGroup
	writer.Go(func() {
		for i := range 20 {
			if err := ReplaceFile(path, versions[i%2]); err != nil {
				t.Errorf("ReplaceFile() = %v", err)
			}
		}
	})
	for range 200 {
		got, err := os.ReadFile(path)
		if err != nil || !bytes.Equal(got, versions[0]) && !bytes.Equal(got, versions[1]) {
			t.Fatalf("a reader found %d bytes, %v, want one version, whole", len(got), err)
		}
	}
	writer.Wait()
}

func TestCreateFileReplacesNone(t *testing.T) {
	path := filepath.Join(t.TempDir(), "secret")
	if err := CreateFile(path, []byte("first")); err != nil {
		t.Fatalf("CreateFile() = %v", err)
	}
	if err := CreateFile(path, []byte("second")); !errors.Is(err, fs.ErrExist) {
		t.Errorf("CreateFile() of a file that exists = %v, want fs.ErrExist", err)
	}
	checkOnly(t, path, "first")
}

func TestWriteFileLeavesNothingBehind(t *testing.T) {
	dir := t.TempDir()
	target := filepath.Join(dir, "folder")
	if err := os.Mkdir(target, 0o700); err != nil {
		t.Fatal(err)
	}
	if err := ReplaceFile(target, []byte("x")); err == nil {
		t.Error("ReplaceFile() of a folder = nil, want an error")
	}
	if all, err := os.ReadDir(dir); err != nil || len(all) != 1 {
		t.Errorf("the folder holds %v, %v, want no temporary file", all, err)
	}
}

// A file system without hard links answers as if that were not allowed, or says
// that it has none.
func TestCreateFileWithoutHardLinks(t *testing.T) {
	for _, answer := range []error{fs.ErrPermission, errors.ErrUnsupported} {
		create := newName(func(from, to string) error {
			return &os.LinkError{Op: "link", Old: from, New: to, Err: answer}
		})
		path := filepath.Join(t.TempDir(), "secret")
		if err := (Owners{}).writeFile(path, []byte("first"), create); err != nil {
			t.Errorf("writeFile() where link answers %v = %v, want none", answer, err)
		}
		checkOnly(t, path, "first")
		if err := (Owners{}).writeFile(path, []byte("second"), create); !errors.Is(err, fs.ErrExist) {
			t.Errorf("writeFile() of a file that exists, where link answers %v = %v, want %v", answer, err, fs.ErrExist)
		}
		checkOnly(t, path, "first")
	}
}
