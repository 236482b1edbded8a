package local

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/tokenvend/tokenvend/pkg/local/datafolder"
)

// used returns a data folder with the data of a server that has ended.
func used(t *testing.T) string {
	t.Helper()
	data := t.TempDir()
	s := start(t, Config{Demo: true, Data: data})
	s.token(t, "movemint")
	if err := s.stop(); err != nil {
		t.Fatal(err)
	}
	return data
}

// contents returns what the files of a folder hold.
func contents(t *testing.T, folder string) map[string]string {
	t.Helper()
	entries, err := os.ReadDir(folder)
	if err != nil {
		t.Fatal(err)
	}
	all := map[string]string{}
	for _, e := range entries {
		if !e.IsDir() {
			text, err := os.ReadFile(filepath.Join(folder, e.Name()))
			if err != nil {
				t.Fatal(err)
			}
			all[e.Name()] = string(text)
		}
	}
	return all
}

// Where a part of the data is lost or damaged, the start is refused with what
// to do, and nothing in the folder is created, changed or removed.
func TestStartRefusesLostData(t *testing.T) {
	for name, c := range map[string]struct {
		damage func(store, seal string) error
		want   []string
	}{
		"the store is gone": {
			func(store, _ string) error { return os.Remove(store) },
			[]string{"entries.db is gone", "store restore FILE", "store repair"},
		},
		"the store is empty": {
			func(store, _ string) error { return os.Truncate(store, 0) },
			[]string{"entries.db is empty", "store restore FILE", "store repair"},
		},
		"the store is cut short": {
			func(store, _ string) error { return os.Truncate(store, 3*4096) },
			[]string{"damaged", "store check"},
		},
		"the store is something else": {
			func(store, _ string) error { return os.WriteFile(store, make([]byte, 1<<16), 0o600) },
			[]string{"store check"},
		},
		"the key is gone": {
			func(_, seal string) error { return os.Remove(seal) },
			[]string{"seal.key is gone", "store restore FILE", "store repair"},
		},
		"the key is empty": {
			func(_, seal string) error { return os.Truncate(seal, 0) },
			[]string{"seal.key", "not a key"},
		},
	} {
		t.Run(name, func(t *testing.T) {
			data := used(t)
			folder := datafolder.Folder{Path: data}
			if err := c.damage(folder.StoreFile(), folder.SealFile()); err != nil {
				t.Fatal(err)
			}
			before := contents(t, data)
			err := Serve(t.Context(), Config{Demo: true, Data: data, Listen: "127.0.0.1:0", DemoListen: "127.0.0.1:0"})
			if err == nil {
				t.Fatal("Serve() = nil, want an error")
			}
			checkText(t, "Serve()", err.Error(), c.want...)
			after := contents(t, data)
			if len(after) != len(before) {
				t.Errorf("the folder holds %d files after a refused start, want %d", len(after), len(before))
			}
			for file, text := range before {
				if after[file] != text {
					t.Errorf("%s was changed by a refused start, want it as it was", file)
				}
			}
			if strings.Contains(err.Error(), "panic") {
				t.Errorf("Serve() = %v, want an error in plain words", err)
			}
		})
	}
}

// A start that was ended before its first row may be repeated without its key.
func TestStartMakesKeyForStoreWithoutRows(t *testing.T) {
	data := t.TempDir()
	if err := start(t, Config{Data: data}).stop(); err != nil {
		t.Fatal(err)
	}
	if err := os.Remove(filepath.Join(data, datafolder.SealName)); err != nil {
		t.Fatal(err)
	}
	if err := start(t, Config{Data: data}).stop(); err != nil {
		t.Fatal(err)
	}
}
