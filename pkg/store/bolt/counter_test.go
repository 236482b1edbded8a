package bolt_test

import (
	"errors"
	"path/filepath"
	"testing"
	"time"

	"go.etcd.io/bbolt"

	"github.com/tokenvend/tokenvend/pkg/store"
	"github.com/tokenvend/tokenvend/pkg/store/bolt"
)

func counter(window string, forget time.Time) store.Counter {
	return store.Counter{Credential: "minut", Window: window, ForgetAt: forget}
}

// counts adds one to a counter.
func counts(t *testing.T, s *bolt.Store, c store.Counter) {
	t.Helper()
	if _, err := s.Count(t.Context(), c, 1); err != nil {
		t.Fatal(err)
	}
}

// counted checks the sum of a counter.
func counted(t *testing.T, s *bolt.Store, window string, want int64) {
	t.Helper()
	got, err := s.Counted(t.Context(), counter(window, time.Time{}))
	if err != nil || got != want {
		t.Errorf("Counted(%s) = %d, %v, want %d", window, got, err, want)
	}
}

func TestCountersAreForgotten(t *testing.T) {
	s, now := open(t, file(t)), time.Now()
	counts(t, s, counter("hour 1", now.Add(-time.Hour)))
	counts(t, s, store.Counter{Credential: "removed", Window: "hour 1", ForgetAt: now.Add(-time.Hour)})
	counts(t, s, counter("hour 2", now.Add(time.Hour)))
	counts(t, s, counter("hour 3", now.Add(2*time.Hour)))
	counted(t, s, "hour 1", 0)
	removed := store.Counter{Credential: "removed", Window: "hour 1"}
	if got, err := s.Counted(t.Context(), removed); err != nil || got != 0 {
		t.Errorf("Counted() of a removed credential = %d, %v, want 0", got, err)
	}
	counted(t, s, "hour 2", 1)
	counted(t, s, "hour 3", 1)
}

// Counters stand in a file that was made without them, which stays sound, and
// are in what is salvaged. One that is damaged is reported, and begins anew.
func TestCountersInInspectionAndSalvage(t *testing.T) {
	path, soon := filled(t, "minut"), time.Now().Add(time.Hour)
	s := open(t, path)
	counts(t, s, counter("hour 1", soon))
	counts(t, s, counter("hour 2", soon))
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	got, err := bolt.Inspect(path)
	if err != nil || len(got.Entries) != 1 || len(got.Problems) != 0 {
		t.Errorf("Inspect() = %+v, %v, want one entry and no problem", got, err)
	}
	db, err := bbolt.Open(path, 0o600, nil)
	if err != nil {
		t.Fatal(err)
	}
	err = db.Update(func(tx *bbolt.Tx) error {
		return tx.Bucket([]byte("counters")).Put([]byte("minut\x00hour 2"), []byte("odd"))
	})
	if err = errors.Join(err, db.Close()); err != nil {
		t.Fatal(err)
	}
	got, err = bolt.Inspect(path)
	if err != nil || len(got.Problems) != 1 || !errors.Is(got.Problems[0], store.ErrUnreadable) {
		t.Errorf("Inspect() = %+v, %v, want one problem", got, err)
	}
	s = open(t, path)
	if _, err := s.Count(t.Context(), counter("hour 2", soon), 1); !errors.Is(err, store.ErrUnreadable) {
		t.Errorf("Count() of a damaged counter = %v, want ErrUnreadable", err)
	}
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	to := filepath.Join(t.TempDir(), "salvaged.db")
	if kept, err := bolt.Salvage(path, to, all); err != nil || kept != 1 {
		t.Errorf("Salvage() = %d, %v, want 1 row", kept, err)
	}
	s = open(t, to)
	counted(t, s, "hour 1", 1)
	counted(t, s, "hour 2", 0)
	counts(t, s, counter("hour 2", soon))
	counted(t, s, "hour 2", 1)
}
