package bolt

import (
	"bytes"
	"compress/gzip"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"
	"time"

	"go.etcd.io/bbolt"

	"github.com/tokenvend/tokenvend/pkg/store"
	"github.com/tokenvend/tokenvend/pkg/token"
)

var update = flag.Bool("update", false, "write the golden file of today's format anew")

// forcedRows are in testdata/format-1-forced.db.gz: the fields for forced
// renewals and variants, which were added to format 1.
func forcedRows() []store.Row {
	return []store.Row{{Entry: store.Entry{
		Key: token.Key{Credential: "minut", Variant: token.NewVariant("", "", "read")}, Revision: 7, Generation: 3,
		ForcedCount: 2, ForcedAt: time.Date(2026, 11, 27, 7, 1, 0, 123_000_000, time.UTC),
		ClaimedBy: "9f86d081884c7d65",
	}}}
}

// goldenRows are in testdata/format-1.db.gz. A released golden file is never
// changed. Additions get a new file.
func goldenRows() []store.Row {
	at := func(minutes int) time.Time {
		return time.Date(2026, 11, 22, 7, minutes, 0, 123_000_000, time.UTC)
	}
	long := token.NewVariant("ann@example.com", "https://api.example.com/", strings.Repeat("scope-", 100))
	return []store.Row{
		{
			Entry: store.Entry{
				Key:           token.RecordKey("minut"),
				Revision:      1,
				Sealed:        []byte("terms"),
				CooldownUntil: at(9),
			},
			Committed: "COMMITTEDNONCE",
		},
		{
			Entry: store.Entry{
				Key: token.Key{Credential: "minut"}, Revision: 41, Generation: 12, State: store.Revoking,
				Sealed: []byte{0, 1, 254, 255}, RequestDigest: "digest",
				Type: "Bearer", Scope: "read write", Fingerprint: "9f86d081884c7d65", LifetimeFrom: "expires_in",
				IssuedAt: at(1), ExpiresAt: at(2), CacheUntil: at(3), AskedAt: at(4), NextAt: at(5), HoldUntil: at(6),
				RefreshUntil: at(7), ForgetAt: at(8), RenewAt: at(11), RefreshSpent: true,
				Failure: store.Failure{
					Code: "provider_unavailable", Detail: "503", Since: at(12), Count: 3, RetryAt: at(13),
					Version: "v-1",
				},
				LeasedUntil: at(14),
			},
			Holder: "HOLDERNONCE", Vanished: 2,
		},
		{
			Entry: store.Entry{
				Key:       token.Key{Credential: "minut", Variant: long},
				Revision:  3,
				NextAt:    at(2),
				ExpiresAt: at(1),
			},
		},
		{
			Entry:    store.Entry{Key: token.Key{Credential: "monta-eu"}, LeasedUntil: at(15)},
			Holder:   "HOLDERNONCE",
			Vanished: 1,
		},
	}
}

func TestFault57_FormatOneIsReadForEver(t *testing.T) {
	openGolden(t, "testdata/format-1-forced.db.gz", forcedRows())
	s := openGolden(t, "testdata/format-1.db.gz", goldenRows())
	due, err := s.Due(t.Context(), goldenRows()[1].Entry.NextAt, 10)
	if err != nil || len(due) != 2 || due[0].Key != goldenRows()[2].Entry.Key ||
		due[1].Key != goldenRows()[1].Entry.Key {
		t.Errorf("Due = %v, %v", due, err)
	}
}

// openGolden opens a golden file and compares it with rows.
func openGolden(t *testing.T, golden string, rows []store.Row) *Store {
	t.Helper()
	path := filepath.Join(t.TempDir(), "entries.db")
	if *update {
		writeGolden(t, golden, path, rows)
	}
	unpack(t, golden, path)
	s, err := Open(path)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = s.Close() })
	for _, want := range rows {
		sameRow(t, s, want)
	}
	return s
}

// sameRow also checks that this program writes the same bytes.
func sameRow(t *testing.T, s *Store, want store.Row) {
	t.Helper()
	err := s.view(t.Context(), func(tx *bbolt.Tx) error {
		got, err := read(tx, want.Entry.Key)
		if err != nil || !reflect.DeepEqual(got, want) {
			t.Errorf("%v:\n got %+v, %v\nwant %+v", want.Entry.Key, got, err, want)
		}
		today, err := encode(want)
		if stands := tx.Bucket(entriesBucket).Get(rowKey(want.Entry.Key)); err != nil || !bytes.Equal(stands, today) {
			t.Errorf("%v: the file has\n%s\nand today's program writes\n%s", want.Entry.Key, stands, today)
		}
		return nil
	})
	if err != nil {
		t.Error(err)
	}
}

func unpack(t *testing.T, golden, path string) {
	t.Helper()
	packed, err := os.Open(golden)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = packed.Close() }()
	plain, err := gzip.NewReader(packed)
	if err != nil {
		t.Fatal(err)
	}
	data, err := io.ReadAll(plain)
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, data, 0o600); err != nil {
		t.Fatal(err)
	}
}

func writeGolden(t *testing.T, golden, path string, rows []store.Row) {
	t.Helper()
	s := writeRows(t, path, rows...)
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	data, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	var packed bytes.Buffer
	w := gzip.NewWriter(&packed)
	if _, err := w.Write(data); err != nil {
		t.Fatal(err)
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(golden, packed.Bytes(), 0o644); err != nil {
		t.Fatal(err)
	}
}

func writeRows(t *testing.T, path string, rows ...store.Row) *Store {
	t.Helper()
	s, err := Open(path)
	if err != nil {
		t.Fatal(err)
	}
	err = s.update(t.Context(), func(tx *bbolt.Tx) error {
		for _, row := range rows {
			if err := write(tx, store.Row{Entry: store.Entry{Key: row.Entry.Key}}, row); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func TestFault57_ANewerFormatIsNamed(t *testing.T) {
	path := filepath.Join(t.TempDir(), "entries.db")
	key := token.Key{Credential: "minut"}
	s := writeRows(t, path)
	for data, want := range map[string]error{
		`{"format":4,"revision":{"new":"shape"}}`: store.ErrNewer,
		`{"revision":1}`:              store.ErrUnreadable,
		`{"format":1,"revision":"9"}`: store.ErrUnreadable,
		`{"format":1,`:                store.ErrUnreadable,
		``:                            store.ErrUnreadable,
	} {
		set(t, s, entriesBucket, rowKey(key), data)
		_, err := s.Get(t.Context(), store.Strong, key)
		if !errors.Is(err, want) || !strings.Contains(err.Error(), path) ||
			!strings.Contains(err.Error(), key.String()) {
			t.Errorf("%s: %v", data, err)
		}
		_, err = s.List(t.Context(), "minut", "", 1)
		if bad, ok := errors.AsType[*store.RowError](err); !ok || bad.Sort != key.SortKey() {
			t.Errorf("%s: List: %v, want the error of the row %s", data, err, key.SortKey())
		}
		if all, err := s.List(t.Context(), "minut", key.SortKey(), 1); err != nil || len(all) != 0 {
			t.Errorf("%s: List after the row: %v, %v, want none", data, all, err)
		}
		if err := s.Touch(t.Context(), key, time.Now()); !errors.Is(err, want) {
			t.Errorf("%s: Touch: %v", data, err)
		}
	}
	set(t, s, rootBucket, formatKey, "2")
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	if _, err := Open(path); !errors.Is(err, store.ErrNewer) || !strings.Contains(err.Error(), path) {
		t.Errorf("Open: %v", err)
	}
}

// Records of the formats differ only by their number.
func TestFault57_LaterFormatsAreReadForEver(t *testing.T) {
	for _, format := range []int{2, 3} {
		t.Run(fmt.Sprint("format ", format), func(t *testing.T) { formatIsRead(t, format) })
	}
}

func formatIsRead(t *testing.T, format int) {
	golden := fmt.Sprintf(
		`{"format":%d,"variant":"-","revision":3,"generation":2,"sealed":"AAH+/w==","made":"digest"}`, format,
	)
	want := store.Row{Entry: store.Entry{
		Key: token.Key{Credential: "minut"}, Revision: 3, Generation: 2, Sealed: []byte{0, 1, 254, 255},
		Format: format, RequestDigest: "digest",
	}}
	got, err := decode(rowKey(want.Entry.Key), []byte(golden))
	if err != nil || !reflect.DeepEqual(got, want) {
		t.Errorf("decode(%s) = %+v, %v, want %+v", golden, got, err, want)
	}
	if today, err := encode(want); err != nil || string(today) != golden {
		t.Errorf("encode(%+v) = %s, %v, want %s", want, today, err, golden)
	}
}

func set(t *testing.T, s *Store, bucket, key []byte, data string) {
	t.Helper()
	if err := s.update(t.Context(), func(tx *bbolt.Tx) error {
		return tx.Bucket(bucket).Put(key, []byte(data))
	}); err != nil {
		t.Fatal(err)
	}
}
