package bolt_test

import (
	"errors"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/tokenvend/tokenvend/pkg/store"
	"github.com/tokenvend/tokenvend/pkg/store/bolt"
	"github.com/tokenvend/tokenvend/pkg/token"
)

// filled returns a file with rows of these credentials.
func filled(t *testing.T, names ...string) string {
	t.Helper()
	path := file(t)
	s := open(t, path)
	for _, name := range names {
		put(t, s, store.Entry{Key: token.Key{Credential: name}, Fingerprint: "f", NextAt: time.Now().UTC()})
	}
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	return path
}

func all(store.Entry) bool { return true }

func TestInspect(t *testing.T) {
	path := filled(t, "minut", "monta")
	before, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	got, err := bolt.Inspect(path)
	if err != nil || len(got.Entries) != 2 || len(got.Problems) != 0 {
		t.Errorf("Inspect() = %+v, %v, want two entries and no problem", got, err)
	}
	if after, err := os.ReadFile(path); err != nil || string(after) != string(before) {
		t.Errorf("Inspect() changed the file, %v, want it unchanged", err)
	}
}

func TestInspectRefusesWhatIsNoStore(t *testing.T) {
	empty := filepath.Join(t.TempDir(), "empty")
	if err := os.WriteFile(empty, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	other := filepath.Join(t.TempDir(), "other")
	if err := os.WriteFile(other, make([]byte, 64<<10), 0o600); err != nil {
		t.Fatal(err)
	}
	for path, want := range map[string]error{
		empty: store.ErrUnreadable, other: store.ErrUnreadable, other + "x": os.ErrNotExist,
	} {
		if _, err := bolt.Inspect(path); !errors.Is(err, want) {
			t.Errorf("Inspect(%s) = %v, want %v", filepath.Base(path), err, want)
		}
	}
	used := filled(t, "minut")
	s := open(t, used)
	if _, err := bolt.Inspect(used); !errors.Is(err, bolt.ErrInUse) {
		t.Errorf("Inspect(a store in use) = %v, want ErrInUse", err)
	}
	if has, err := s.HasRows(t.Context()); err != nil || !has {
		t.Errorf("HasRows() = %t, %v, want true", has, err)
	}
}

// Whatever 4 KiB of a file are overwritten, Inspect and Salvage return, and the
// rows that are kept can be read.
func TestSalvageOfDamagedFile(t *testing.T) {
	whole, err := os.ReadFile(filled(t, "minut", "monta"))
	if err != nil {
		t.Fatal(err)
	}
	for at := 0; at+4096 <= len(whole); at += 4096 {
		damaged := append([]byte{}, whole...)
		for i := range 4096 {
			damaged[at+i] ^= 0x5a
		}
		dir := t.TempDir()
		from, to := filepath.Join(dir, "from"), filepath.Join(dir, "to")
		if err := os.WriteFile(from, damaged, 0o600); err != nil {
			t.Fatal(err)
		}
		_, _ = bolt.Inspect(from)
		kept, err := bolt.Salvage(from, to, all)
		if err != nil {
			continue
		}
		got, err := bolt.Inspect(to)
		if err != nil || len(got.Problems) > 0 || len(got.Entries) != kept {
			t.Errorf("page %d: Inspect(what was salvaged) = %+v, %v, want %d entries", at/4096, got, err, kept)
		}
	}
}

func TestSalvageKeepsRowsAndOverwritesNothing(t *testing.T) {
	from := filled(t, "minut", "monta")
	to := filepath.Join(t.TempDir(), "to")
	if kept, err := bolt.Salvage(from, to, all); err != nil || kept != 2 {
		t.Fatalf("Salvage() = %d, %v, want 2", kept, err)
	}
	s := open(t, to)
	if e := get(t, s, token.Key{Credential: "monta"}); e.Fingerprint != "f" || e.Revision != 1 {
		t.Errorf("Get(a row that was salvaged) = %+v, want it as it was", e)
	}
	if _, err := bolt.Salvage(from, to, all); !errors.Is(err, os.ErrExist) {
		t.Errorf("Salvage(to a file that exists) = %v, want ErrExist", err)
	}
}
