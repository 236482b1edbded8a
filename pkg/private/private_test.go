//go:build unix

package private

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// place is a folder of this user's, below one that is its alone.
func place(t *testing.T) string {
	t.Helper()
	dir := filepath.Join(t.TempDir(), "it's data")
	if err := os.Mkdir(dir, 0o700); err != nil {
		t.Fatal(err)
	}
	return dir
}

func chmod(t *testing.T, path string, mode fs.FileMode) {
	t.Helper()
	if err := os.Chmod(path, mode); err != nil {
		t.Fatal(err)
	}
}

func TestCheckFolder(t *testing.T) {
	for _, c := range []struct {
		name         string
		mode, parent fs.FileMode
		says         string // "": it is taken
	}{
		{"this user's alone", 0o700, 0o700, ""},
		{"others may read it", 0o755, 0o755, ""},
		{"the group may write it", 0o770, 0o755, "mode 0770, and others may put files there: chmod 700 '"},
		{"everybody may write it", 0o707, 0o755, "chmod 700 '"},
		{"in one that everybody may write", 0o700, 0o777, "where everybody may replace it: chmod o-w "},
		{"in one like /tmp", 0o700, 0o777 | fs.ModeSticky, ""},
		{"in one that the group may write", 0o700, 0o775, ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			dir := place(t)
			chmod(t, dir, c.mode)
			chmod(t, filepath.Dir(dir), c.parent)
			err := Owners{}.CheckFolder(dir)
			if c.says == "" && err != nil || c.says != "" && (err == nil || !strings.Contains(err.Error(), c.says)) {
				t.Errorf("CheckFolder = %v, want %q", err, c.says)
			}
		})
	}
}

func TestReadSecret(t *testing.T) {
	dir := place(t)
	path := filepath.Join(dir, "key")
	if _, err := (Owners{}).ReadSecretIn(dir, "key"); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("ReadSecretIn of no file = %v, want fs.ErrNotExist", err)
	}
	if _, err := (Owners{}).ReadSecretIn(filepath.Join(dir, "none"), "key"); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("ReadSecretIn of no folder = %v, want fs.ErrNotExist", err)
	}
	if err := os.WriteFile(path, []byte("Xk2secret"), 0o600); err != nil {
		t.Fatal(err)
	}
	for mode, says := range map[fs.FileMode]string{
		0o600: "", 0o400: "", 0o640: "others may read it: chmod 600 '", 0o602: "others may change it: chmod 600 '",
	} {
		chmod(t, path, mode)
		_, err := Owners{}.ReadSecret(path)
		text, inErr := Owners{}.ReadSecretIn(dir, "key")
		for _, err := range []error{err, inErr, Owners{}.CheckSecret(path)} {
			if says == "" && err != nil ||
				says != "" &&
					(err == nil || !strings.Contains(err.Error(), says) || strings.Contains(err.Error(), "Xk2")) {
				t.Errorf("a secret of mode %#o: %v, want %q", mode, err, says)
			}
		}
		if says == "" && string(text) != "Xk2secret" {
			t.Errorf("ReadSecretIn = %q", text)
		}
	}
}

// A link of this user's own, and what it leads to, are as good as a folder.
func TestOwnLink(t *testing.T) {
	dir := place(t)
	link := filepath.Join(t.TempDir(), "link")
	if err := os.Symlink(dir, link); err != nil {
		t.Fatal(err)
	}
	if err := (Owners{}).CheckFolder(link); err != nil {
		t.Errorf("CheckFolder of a link = %v", err)
	}
	chmod(t, dir, 0o777)
	if err := (Owners{}).CheckFolder(link); err == nil {
		t.Error("CheckFolder of a link to a folder that everybody may write = nil")
	}
}

func TestOwners(t *testing.T) {
	me, other := owner{uint32(os.Geteuid()), true}, owner{54321, true}
	for _, c := range []struct {
		name   string
		owners Owners
		who    owner
		want   bool
	}{
		{"this user", Owners{}, me, true},
		{"root", Owners{}, owner{0, true}, true},
		{"another user", Owners{}, other, false},
		{"nobody", Owners{}, owner{}, false},
		{"the owner of the folder that was named", Owners{named: other}, other, true},
		{"a third user", Owners{named: other}, owner{54322, true}, false},
	} {
		t.Run(c.name, func(t *testing.T) {
			err := c.owners.checkOwner(c.who, "/a b")
			if (err == nil) != c.want {
				t.Errorf("admit(%v) = %v, want admitted %t", c.who, err, c.want)
			}
			if err != nil &&
				(!strings.Contains(err.Error(), "--data") || !strings.Contains(err.Error(), "chown -R ") ||
					!strings.Contains(err.Error(), "'/a b'")) {
				t.Errorf("admit(%v) = %v, want what to do", c.who, err)
			}
		})
	}
}
