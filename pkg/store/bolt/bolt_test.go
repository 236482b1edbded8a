package bolt_test

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"go.etcd.io/bbolt"

	"github.com/tokenvend/tokenvend/pkg/store"
	"github.com/tokenvend/tokenvend/pkg/store/bolt"
	"github.com/tokenvend/tokenvend/pkg/store/storetest"
	"github.com/tokenvend/tokenvend/pkg/token"
)

var (
	noon = time.Date(2031, 11, 22, 12, 0, 0, 0, time.UTC)
	key  = token.Key{Credential: "minut"}
)

func open(t *testing.T, path string) *bolt.Store {
	t.Helper()
	s, err := bolt.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = s.Close() })
	return s
}

func file(t *testing.T) string { return filepath.Join(t.TempDir(), "entries.db") }

func put(t *testing.T, s store.Store, e store.Entry) store.Entry {
	t.Helper()
	stored, err := s.Replace(t.Context(), get(t, s, e.Key), e)
	if err != nil {
		t.Fatal(err)
	}
	return stored
}

func get(t *testing.T, s store.Store, key token.Key) store.Entry {
	t.Helper()
	got, err := s.Get(t.Context(), store.Strong, key)
	if err != nil {
		t.Fatal(err)
	}
	return got[0]
}

func TestContract(t *testing.T) {
	storetest.Run(t, func(t *testing.T) store.Store {
		return open(t, file(t))
	}, storetest.Checks(10), storetest.Rounds(5))
}

func TestWhatIsStoredOutlivesTheStore(t *testing.T) {
	path := file(t)
	s := open(t, path)
	put(t, s, store.Entry{Key: key, Generation: 7, NextAt: noon, Sealed: []byte("sealed")})
	l, err := s.Acquire(t.Context(), get(t, s, key), time.Minute)
	if err != nil {
		t.Fatal(err)
	}
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}

	s = open(t, path)
	if got := get(t, s, key); got.Generation != 7 || string(got.Sealed) != "sealed" || !got.LeasedUntil.Equal(l.Until) {
		t.Errorf("after opening again: %+v", got)
	}
	if due, err := s.Due(t.Context(), noon, 10); err != nil || len(due) != 1 || due[0].Key != key {
		t.Errorf("Due = %v, %v", due, err)
	}
	if err := s.Commit(t.Context(), l, store.Entry{Generation: 8}); err != nil {
		t.Errorf("Commit of a lease from before: %v", err)
	}
}

func TestModesKeepOthersOut(t *testing.T) {
	folder := filepath.Join(t.TempDir(), "new", "data")
	open(t, filepath.Join(folder, "entries.db"))
	for path, want := range map[string]os.FileMode{folder: 0o700, filepath.Join(folder, "entries.db"): 0o600} {
		info, err := os.Stat(path)
		if err != nil || info.Mode().Perm() != want {
			t.Errorf("%s: %v, %v", filepath.Base(path), info.Mode(), err)
		}
	}
}

func TestDueTakesTheFirstToExpireOfAllThatAreDue(t *testing.T) {
	s := open(t, file(t))
	for i := range 40 {
		e := store.Entry{
			Key: token.RecordKey(fmt.Sprintf("c%d", i)), NextAt: noon.Add(-time.Duration(i) * time.Minute),
			ExpiresAt: noon.Add(time.Duration(i+1) * time.Minute),
		}
		put(t, s, e)
	}
	due, err := s.Due(t.Context(), noon, 3)
	if err != nil || len(due) != 3 {
		t.Fatalf("Due = %v, %v", due, err)
	}
	for i, d := range due {
		if want := token.RecordKey(fmt.Sprintf("c%d", i)); d.Key != want {
			t.Errorf("Due's answer %d = %v, not %v", i, d.Key, want)
		}
	}
}

func TestForget(t *testing.T) {
	s := open(t, file(t))
	own := token.RecordKey
	put(t, s, store.Entry{Key: own("over"), NextAt: noon, ForgetAt: noon})
	put(t, s, store.Entry{Key: own("not-yet"), ForgetAt: noon.Add(time.Millisecond)})
	put(t, s, store.Entry{Key: own("never")})
	leased := put(t, s, store.Entry{Key: own("leased"), ForgetAt: noon})
	for _, seen := range []store.Entry{leased, {Key: own("unwritten")}} {
		if _, err := s.Acquire(t.Context(), seen, time.Until(noon.Add(time.Minute))); err != nil {
			t.Fatal(err)
		}
	}
	steps := []struct {
		at      time.Time
		dropped int
		kept    string
	}{
		{noon.Add(-time.Minute), 0, "leased never not-yet over"},
		{noon, 1, "leased never not-yet"},
		{noon.Add(time.Hour), 2, "never"},
		{noon.Add(25 * time.Hour), 1, "never"},
		{noon.Add(25 * time.Hour), 0, "never"},
	}
	for _, step := range steps {
		if n, err := s.Forget(t.Context(), step.at); err != nil || n != step.dropped {
			t.Errorf("Forget at %v = %d, %v", step.at, n, err)
		}
		if got := names(t, s); got != step.kept {
			t.Errorf("after Forget at %v: %s", step.at, got)
		}
	}
	if due, err := s.Due(t.Context(), noon, 10); err != nil || len(due) != 0 {
		t.Errorf("Due = %v, %v", due, err)
	}
}

func names(t *testing.T, s store.Store) string {
	t.Helper()
	entries, err := s.List(t.Context(), token.RecordPartition, "", 100)
	if err != nil {
		t.Fatal(err)
	}
	var names []string
	for _, e := range entries {
		names = append(names, e.Key.Credential)
	}
	return strings.Join(names, " ")
}

func TestOpenOfSomethingElse(t *testing.T) {
	folder := t.TempDir()
	foreign := filepath.Join(folder, "foreign.db")
	db, err := bbolt.Open(foreign, 0o600, nil)
	if err != nil {
		t.Fatal(err)
	}
	if err := db.Update(func(tx *bbolt.Tx) error {
		_, err := tx.CreateBucket([]byte("other"))
		return err
	}); err != nil {
		t.Fatal(err)
	}
	if err := db.Close(); err != nil {
		t.Fatal(err)
	}
	text := filepath.Join(folder, "notes.txt")
	if err := os.WriteFile(text, []byte(strings.Repeat("no store\n", 4000)), 0o600); err != nil {
		t.Fatal(err)
	}
	for _, path := range []string{foreign, text} {
		if _, err := bolt.Open(path); !errors.Is(err, store.ErrUnreadable) || !strings.Contains(err.Error(), path) {
			t.Errorf("%s: %v", filepath.Base(path), err)
		}
	}
	if _, err := bolt.Open(folder); err == nil {
		t.Error("a folder was opened")
	}
	if _, err := bolt.Open(filepath.Join(text, "entries.db")); err == nil {
		t.Error("a file in a file was opened")
	}
}

// A damaged file may fail to open or lose entries. It must not end the process.
func TestDamageIsAnErrorAndNoPanic(t *testing.T) {
	whole := wholeFile(t)
	random := rand.New(rand.NewPCG(1, 2))
	for i := range 60 {
		data := append([]byte(nil), whole...)
		switch i % 3 {
		case 0:
			data = data[:len(data)*i/60]
		case 1:
			page := random.IntN(len(data) / 4096)
			clear(data[page*4096 : (page+1)*4096])
		case 2:
			for range 40 {
				data[random.IntN(len(data))] = byte(random.Uint32())
			}
		}
		path := file(t)
		if err := os.WriteFile(path, data, 0o600); err != nil {
			t.Fatal(err)
		}
		useAll(t, path)
	}
}

func wholeFile(t *testing.T) []byte {
	t.Helper()
	path := file(t)
	s := open(t, path)
	for i := range 60 {
		put(t, s, store.Entry{Key: token.RecordKey(fmt.Sprintf("c%d", i)), NextAt: noon, Sealed: make([]byte, 500)})
	}
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	data, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return data
}

func useAll(t *testing.T, path string) {
	t.Helper()
	s, err := bolt.Open(path)
	if err != nil {
		return
	}
	_, _ = s.List(t.Context(), token.RecordPartition, "", 100)
	_, _ = s.Due(t.Context(), noon, 100)
	_, _ = s.Replace(t.Context(), store.Entry{Key: key}, store.Entry{})
	_ = s.Delete(t.Context(), token.RecordKey("c30"))
	_ = s.Close()
}

func TestCutShortIsNamed(t *testing.T) {
	path, whole := file(t), wholeFile(t)
	if err := os.WriteFile(path, whole[:3*4096], 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := bolt.Open(path); !errors.Is(err, store.ErrUnreadable) || !strings.Contains(err.Error(), path) {
		t.Errorf("Open: %v", err)
	}
}

func TestClosedStoreAnswersWithAnError(t *testing.T) {
	s := open(t, file(t))
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	if _, err := s.Get(t.Context(), store.Strong, key); err == nil {
		t.Error("Get after Close")
	}
	if _, err := s.Replace(t.Context(), store.Entry{Key: key}, store.Entry{}); err == nil {
		t.Error("Replace after Close")
	}
}
