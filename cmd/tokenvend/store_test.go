package main

import (
	"bytes"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/tokenvend/tokenvend/cmd/tokenvend/internal/clierror"
)

// ended returns the folder of a demo that has ended, with a token of movemint
// in its store, and that token.
func ended(t *testing.T) (dir, token string) {
	t.Helper()
	dir = t.TempDir()
	s := demo(t, dir)
	token = tv(t, dir, "", "get", "movemint").want(t, clierror.OK).out
	if code := s.end(t, os.Interrupt); code != clierror.OK {
		t.Fatalf("serve, interrupted, = %d, want 0", code)
	}
	return dir, token
}

// refused checks that serve refuses the folder with these words.
func refused(t *testing.T, dir string, says ...string) {
	t.Helper()
	tv(t, dir, "", "serve", "--demo", "--listen", "127.0.0.1:0", "--demo-listen", "127.0.0.1:0").
		want(t, clierror.Failed, says...)
}

func TestStoreBackupAndRestore(t *testing.T) {
	dir, token := ended(t)
	data := filepath.Join(dir, defaultData)
	if out := tv(t, dir, "", "store", "check").want(t, clierror.OK).out; !strings.Contains(out, "is sound") {
		t.Errorf("store check = %s, want that the store is sound", out)
	}
	tv(t, dir, "", "store", "backup", "b.tar").want(t, clierror.OK)
	info, err := os.Stat(filepath.Join(dir, "b.tar"))
	if err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("the backup has mode %v, %v, want 0600", info.Mode(), err)
	}
	tv(t, dir, "", "store", "backup", "b.tar").want(t, clierror.Failed, "b.tar is there already: name a new file")
	for name, damage := range map[string]func() error{
		"the store is gone":      func() error { return os.Remove(filepath.Join(data, "entries.db")) },
		"the store is empty":     func() error { return os.Truncate(filepath.Join(data, "entries.db"), 0) },
		"the store is cut short": func() error { return os.Truncate(filepath.Join(data, "entries.db"), 3*4096) },
		"the key is gone":        func() error { return os.Remove(filepath.Join(data, "seal.key")) },
		"all is gone":            func() error { return os.RemoveAll(data) },
	} {
		t.Run(name, func(t *testing.T) {
			must(t, damage())
			if name != "all is gone" {
				refused(t, dir, "nothing was changed")
				tv(t, dir, "", "store", "check").want(t, clierror.Failed, "is not sound", "store restore FILE")
			}
			tv(t, dir, "", "store", "restore", "b.tar", "--data", defaultData).want(t, clierror.OK)
			tv(t, dir, "", "store", "check").want(t, clierror.OK)
			if err := os.Remove(filepath.Join(data, "demo.sealed")); err != nil && !os.IsNotExist(err) {
				t.Fatal(err)
			}
			s := demo(t, dir)
			if got := tv(t, dir, "", "get", "movemint").want(t, clierror.OK).out; got != token {
				t.Errorf("get after a restore = another token, want that of the backup")
			}
			tv(t, dir, "", "store", "check").want(t, clierror.Failed, "end tokenvend serve first")
			tv(t, dir, "", "store", "restore", "b.tar").want(t, clierror.Failed, "end tokenvend serve first")
			s.end(t, os.Interrupt)
		})
	}
}

func TestStoreRepair(t *testing.T) {
	for name, c := range map[string]struct {
		damage func(data string) error
		kept   bool // the token
	}{
		"nothing is wrong":  {func(string) error { return nil }, true},
		"the store is gone": {func(data string) error { return os.Remove(filepath.Join(data, "entries.db")) }, false},
		"the key is gone":   {func(data string) error { return os.Remove(filepath.Join(data, "seal.key")) }, false},
		"the key is damaged": {
			func(data string) error { return os.WriteFile(filepath.Join(data, "seal.key"), []byte("x"), 0o600) }, false,
		},
		"one row is damaged": {func(data string) error {
			damageRowOfMinut(t, data)
			return nil
		}, true},
	} {
		t.Run(name, func(t *testing.T) {
			dir, token := ended(t)
			data := filepath.Join(dir, defaultData)
			must(t, os.Remove(filepath.Join(data, "demo.sealed")))
			must(t, c.damage(data))
			tv(t, dir, "", "store", "repair").want(t, clierror.OK)
			if c.kept {
				tv(t, dir, "", "store", "check").want(t, clierror.OK)
			}
			demo(t, dir)
			got := tv(t, dir, "", "get", "movemint").want(t, clierror.OK).out
			if (got == token) != c.kept {
				t.Errorf("get after a repair returns the token of before: %t, want %t", got == token, c.kept)
			}
		})
	}
}

// damageRowOfMinut makes a row of a store unreadable.
func damageRowOfMinut(t *testing.T, data string) {
	t.Helper()
	path := filepath.Join(data, "entries.db")
	text, err := os.ReadFile(path)
	must(t, err)
	damaged := bytes.ReplaceAll(text, []byte("minut\x00-{"), []byte("minut\x00-["))
	if bytes.Equal(damaged, text) {
		t.Fatal("the store has no row of minut")
	}
	must(t, os.WriteFile(path, damaged, 0o600))
}

func TestStoreCommandsRefuseOtherFiles(t *testing.T) {
	dir, _ := ended(t)
	must(t, os.WriteFile(filepath.Join(dir, "x.tar"), []byte("no tar"), 0o600))
	tv(t, dir, "", "store", "restore", "x.tar").want(t, clierror.Failed, "no backup")
	tv(t, dir, "", "store", "restore", "nosuch.tar").want(t, clierror.Failed)
	tv(t, dir, "", "store", "restore").want(t, clierror.BadUsage, "one file")
	tv(t, dir, "", "store", "backup", "-").want(t, clierror.BadUsage, "one file")
	tv(t, dir, "", "store").want(t, clierror.BadUsage, "check, backup, restore or repair")
	tv(t, dir, "", "store", "check").want(t, clierror.OK)
	tv(t, t.TempDir(), "", "store", "check", "--data", "none").want(t, clierror.Failed)
}

// occupy takes the names that end like those that a command would give to files
// in the next seconds, so that it fails where a full disk would have it fail.
func occupy(t *testing.T, path, end string) {
	t.Helper()
	for second := range 30 {
		suffix := time.Now().UTC().Add(time.Duration(second) * time.Second).Format(".aside-20060102T150405")
		must(t, os.Mkdir(path+suffix+end, 0o700))
	}
}

// A restore that cannot write, or cannot rename, leaves a folder that serves.
func TestStoreRestoreChangesAllOrNothing(t *testing.T) {
	for name, end := range map[string]string{"it cannot write": ".new", "it cannot rename": ""} {
		t.Run(name, func(t *testing.T) {
			dir, _ := ended(t)
			data := filepath.Join(dir, defaultData)
			tv(t, dir, "", "store", "backup", "b.tar").want(t, clierror.OK)
			for _, file := range []string{"entries.db", "credentials/minut.json"} {
				must(t, os.WriteFile(filepath.Join(data, file), []byte("{}"), 0o600))
			}
			occupy(t, filepath.Join(data, "entries.db"), end)
			tv(t, dir, "", "store", "restore", "b.tar").want(t, clierror.Failed, "nothing was changed")
			for _, file := range []string{"entries.db", "credentials/minut.json"} {
				if text, err := os.ReadFile(filepath.Join(data, file)); string(text) != "{}" {
					t.Errorf("ReadFile(%s) after a failed restore = %.20q, %v, want what was there before", file, text, err)
				}
			}
			if left, _ := filepath.Glob(filepath.Join(data, "credentials", "*.aside-*")); len(left) > 0 {
				t.Errorf("a failed restore leaves %v, want nothing", left)
			}
		})
	}
}

// A repair that cannot write the rows that it keeps sets nothing aside.
func TestStoreRepairKeepsWhatItCannotWrite(t *testing.T) {
	dir, _ := ended(t)
	data := filepath.Join(dir, defaultData)
	damageRowOfMinut(t, data)
	occupy(t, filepath.Join(data, "entries.db"), ".new")
	tv(t, dir, "", "store", "repair").want(t, clierror.Failed, "nothing was changed")
	for _, file := range []string{"entries.db", "seal.key"} {
		if info, err := os.Stat(filepath.Join(data, file)); err != nil || info.Size() == 0 {
			t.Errorf("Stat(%s) after a failed repair = %v, want the file", file, err)
		}
	}
}
