package bolt

import (
	"path/filepath"
	"slices"
	"testing"
	"time"

	"go.etcd.io/bbolt"

	"github.com/tokenvend/tokenvend/pkg/store"
	"github.com/tokenvend/tokenvend/pkg/token"
)

// overdueEntry is overdue since a minute, and waits an hour for its next
// attempt.
func overdueEntry(now time.Time) store.Entry {
	return store.Entry{
		Key: token.Key{Credential: "minut"}, Revision: 1, ExpiresAt: now.Add(time.Minute),
		NextAt: now.Add(time.Hour), AlarmAt: now.Add(-time.Minute),
	}
}

func reopened(t *testing.T, s *Store, change func(*bbolt.Tx) error) *Store {
	t.Helper()
	if err := s.db.Update(change); err != nil {
		t.Fatal(err)
	}
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	again, err := Open(s.path)
	if err != nil {
		t.Fatalf("Open(%s) = %v, want nil", s.path, err)
	}
	t.Cleanup(func() { _ = again.Close() })
	return again
}

func checkDue(t *testing.T, s *Store, before time.Time, want ...token.Key) {
	t.Helper()
	due, err := s.Due(t.Context(), before, 10)
	var got []token.Key
	for _, d := range due {
		got = append(got, d.Key)
	}
	if err != nil || !slices.Equal(got, want) {
		t.Errorf("Due(%v) = %v, %v, want %v", before, got, err, want)
	}
}

func TestDueFindsWhatAnOlderProgramWroteAsOverdue(t *testing.T) {
	s, err := Open(filepath.Join(t.TempDir(), "entries.db"))
	if err != nil {
		t.Fatal(err)
	}
	now := time.Now()
	e := overdueEntry(now)
	s = reopened(t, s, func(tx *bbolt.Tx) error {
		if err := write(tx, store.Row{}, store.Row{Entry: e}); err != nil {
			return err
		}
		if err := tx.Bucket(dueBucket).Put(dueKey(e), append(millis(e.ExpiresAt), millis(e.AlarmAt)...)); err != nil {
			return err
		}
		return tx.DeleteBucket(waitingBucket)
	})
	checkDue(t, s, now, e.Key)
	checkDue(t, s, now.Add(-2*time.Minute))
	checkDue(t, s, now.Add(2*time.Hour), e.Key)
}

func TestDuePassesOverWhatAnOlderProgramLeftInTheIndex(t *testing.T) {
	s, err := Open(filepath.Join(t.TempDir(), "entries.db"))
	if err != nil {
		t.Fatal(err)
	}
	now := time.Now()
	gone, renewed := overdueEntry(now), overdueEntry(now)
	renewed.Key.Credential = "monta"
	s = reopened(t, s, func(tx *bbolt.Tx) error {
		for _, e := range []store.Entry{gone, renewed} {
			if err := tx.Bucket(waitingBucket).Put(waitingKey(e), waitingValue(e)); err != nil {
				return err
			}
		}
		renewed.AlarmAt = now.Add(2 * time.Hour)
		return write(tx, store.Row{}, store.Row{Entry: renewed})
	})
	checkDue(t, s, now)
	checkDue(t, s, now.Add(time.Hour), renewed.Key)
}
