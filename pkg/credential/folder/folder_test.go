package folder_test

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/tokenvend/tokenvend/pkg/credential"
	"github.com/tokenvend/tokenvend/pkg/credential/credentialtest"
	"github.com/tokenvend/tokenvend/pkg/credential/folder"
)

func fresh(t *testing.T) (*folder.Source, string) {
	t.Helper()
	dir := filepath.Join(t.TempDir(), "data", "credentials")
	s, err := folder.New(dir)
	if err != nil {
		t.Fatal(err)
	}
	return s, dir
}

func mustWrite(t *testing.T, s *folder.Source, name string, data []byte) {
	t.Helper()
	if err := s.Write(name, data); err != nil {
		t.Fatal(err)
	}
}

func TestContract(t *testing.T) {
	credentialtest.Run(t, func(t *testing.T) (credential.Source, func(string, []byte), func(string)) {
		s, dir := fresh(t)
		put := func(name string, data []byte) {
			if credential.ValidName(name) {
				mustWrite(t, s, name, data)
				return
			}
			if err := os.WriteFile(filepath.Join(dir, name+".json"), data, 0o600); err != nil {
				t.Fatal(err)
			}
		}
		remove := func(name string) {
			if err := s.Remove(name); err != nil {
				t.Fatal(err)
			}
		}
		return s, put, remove
	})
}

func TestModes(t *testing.T) {
	onUnix(t)
	s, dir := fresh(t)
	mustWrite(t, s, "minut", credentialtest.Secret("id"))
	for path, want := range map[string]fs.FileMode{dir: 0o700, filepath.Join(dir, "minut.json"): 0o600} {
		if info, err := os.Stat(path); err != nil || info.Mode().Perm() != want {
			t.Errorf("%s: %v, %v; want %#o", filepath.Base(path), info.Mode(), err, want)
		}
	}
}

func TestAFileThatOthersMayReadIsMalformed(t *testing.T) {
	onUnix(t)
	s, dir := fresh(t)
	mustWrite(t, s, "minut", credentialtest.Secret("id"))
	if err := os.Chmod(filepath.Join(dir, "minut.json"), 0o640); err != nil {
		t.Fatal(err)
	}
	_, err := s.Read(t.Context(), "minut", credential.Current)
	if _, ok := errors.AsType[*credential.Malformed](err); !ok ||
		!strings.Contains(err.Error(), "0640: chmod 600 minut.json") || strings.Contains(err.Error(), dir) {
		t.Error(err)
	}
}

func TestAFolderThatOthersMayWriteIsRefused(t *testing.T) {
	onUnix(t)
	_, dir := fresh(t)
	if err := os.Chmod(dir, 0o770); err != nil {
		t.Fatal(err)
	}
	if _, err := folder.New(dir); err == nil || !strings.Contains(err.Error(), "chmod 700 "+dir) {
		t.Error(err)
	}
}

func TestWhatIsNoFileIsNoCredential(t *testing.T) {
	s, dir := fresh(t)
	elsewhere := filepath.Join(t.TempDir(), "elsewhere.json")
	if err := os.WriteFile(elsewhere, credentialtest.Secret("id"), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := errors.Join(
		os.Symlink(elsewhere, filepath.Join(dir, "link.json")),
		os.Mkdir(filepath.Join(dir, "folder.json"), 0o700),
		os.WriteFile(filepath.Join(dir, "notes.txt"), nil, 0o600)); err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{"link", "folder", "notes"} {
		if _, err := s.Read(t.Context(), name, credential.Current); !errors.Is(err, credential.ErrUnknown) {
			t.Errorf("%s: %v", name, err)
		}
		if err := s.Remove(name); !errors.Is(err, credential.ErrUnknown) {
			t.Errorf("%s: removed, %v", name, err)
		}
	}
	if all, err := s.List(t.Context()); err != nil || len(all) != 0 {
		t.Error(all, err)
	}
}

func TestFault61_AFolderThatIsGoneRemovesNothing(t *testing.T) {
	s, dir := fresh(t)
	mustWrite(t, s, "minut", credentialtest.Secret("id"))
	if err := os.Rename(dir, dir+"-moved"); err != nil {
		t.Fatal(err)
	}
	_, errRead := s.Read(t.Context(), "minut", credential.Current)
	_, errList := s.List(t.Context())
	absent, errAbsent := s.Absent(t.Context(), "minut")
	for _, err := range []error{errRead, errList, errAbsent} {
		if !errors.Is(err, credential.ErrUnavailable) || strings.Contains(err.Error(), dir) {
			t.Errorf("%v, want ErrUnavailable", err)
		}
	}
	if absent {
		t.Error("absent")
	}
}

func TestTooLong(t *testing.T) {
	s, dir := fresh(t)
	long := []byte(`{"client_id":"` + strings.Repeat("x", credential.MaxSize) + `"}`)
	if err := s.Write("minut", long); err == nil {
		t.Error("written")
	}
	if err := os.WriteFile(filepath.Join(dir, "minut.json"), long, 0o600); err != nil {
		t.Fatal(err)
	}
	_, err := s.Read(t.Context(), "minut", credential.Current)
	if _, ok := errors.AsType[*credential.Malformed](err); !ok || !strings.Contains(err.Error(), "65536 bytes") {
		t.Error(err)
	}
}

func TestWriteRefusesNames(t *testing.T) {
	s, _ := fresh(t)
	for _, name := range []string{"", "../minut", "a/b", "UP", ".new"} {
		if err := s.Write(name, nil); err == nil {
			t.Errorf("%q written", name)
		}
	}
}

func TestAnEditInPlaceIsAnotherVersion(t *testing.T) {
	s, dir := fresh(t)
	mustWrite(t, s, "minut", credentialtest.Secret("id"))
	before, err := s.Read(t.Context(), "minut", credential.Current)
	if err != nil {
		t.Fatal(err)
	}
	later := time.Now().Add(time.Second)
	if err := os.Chtimes(filepath.Join(dir, "minut.json"), later, later); err != nil {
		t.Fatal(err)
	}
	if after, err := s.Read(t.Context(), "minut", credential.Current); err != nil || after.Version == before.Version {
		t.Error("the same version:", err)
	}
}

func TestReadersFindTheOldOrTheNew(t *testing.T) {
	s, dir := fresh(t)
	mustWrite(t, s, "minut", credentialtest.Secret("id"))
	var wg sync.WaitGroup
	for range 4 {
		wg.Go(func() {
			for range 100 {
				if _, err := s.Read(t.Context(), "minut", credential.Current); err != nil {
					t.Error(err)
				}
			}
		})
	}
	for _, id := range []string{"a", "a longer id", "b"} {
		mustWrite(t, s, "minut", credentialtest.Secret(id))
	}
	wg.Wait()
	if left, _ := filepath.Glob(filepath.Join(dir, ".new-*")); len(left) > 0 {
		t.Error("left behind:", left)
	}
}

func onUnix(t *testing.T) {
	if runtime.GOOS == "windows" {
		t.Skip("no such modes here")
	}
}
