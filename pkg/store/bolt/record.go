package bolt

import (
	"bytes"
	"encoding/binary"
	"encoding/json"
	"fmt"
	"slices"
	"time"

	"go.etcd.io/bbolt"

	"github.com/tokenvend/tokenvend/pkg/store"
	"github.com/tokenvend/tokenvend/pkg/token"
)

// The buckets. root holds the file's type and format; entries holds rows by
// key, see rowKey; due is an index of them by time, see dueKey; waiting is an
// index of those that are overdue before their next attempt, see waitingKey.
var (
	rootBucket    = []byte("tokenvend")
	entriesBucket = []byte("entries")
	dueBucket     = []byte("due")
	waitingBucket = []byte("waiting")
	formatKey     = []byte("format")
)

// fileFormat is the version of the buckets and their keys. firstFormat and
// recordFormat are the oldest and the newest format of a record. A new format
// gets a golden file in testdata, and the old ones are still read.
const (
	fileFormat   = "1"
	firstFormat  = 1
	recordFormat = 3
)

// record is a row as stored in the file, in JSON. Zero fields are omitted.
type record struct {
	Format  int    `json:"format"`
	Variant string `json:"variant,omitempty"` // in full: the row's key may hold its hash
	entry
	Failure   failure `json:"failure,omitzero"`
	Holder    string  `json:"holder,omitempty"`
	Vanished  int     `json:"vanished,omitempty"`
	Committed string  `json:"committed,omitempty"`
}

// entry has the fields of store.Entry and is converted from it, so a new field
// there does not compile until it has a JSON name here.
type entry struct {
	Key           token.Key     `json:"-"`
	Revision      int64         `json:"revision,omitempty"`
	Generation    int64         `json:"generation,omitempty"`
	State         store.State   `json:"state,omitempty"`
	Sealed        []byte        `json:"sealed,omitempty"`
	Format        int           `json:"-"` // record.Format
	RequestDigest string        `json:"made,omitempty"`
	Type          string        `json:"type,omitempty"`
	Scope         string        `json:"scope,omitempty"`
	Fingerprint   string        `json:"fingerprint,omitempty"`
	LifetimeFrom  string        `json:"lifetime_from,omitempty"`
	Warnings      string        `json:"warnings,omitempty"`
	IssuedAt      time.Time     `json:"issued_at,omitzero"`
	ExpiresAt     time.Time     `json:"expires_at,omitzero"`
	CacheUntil    time.Time     `json:"cache_until,omitzero"`
	RenewAt       time.Time     `json:"renew_at,omitzero"`
	AskedAt       time.Time     `json:"asked_at,omitzero"`
	NextAt        time.Time     `json:"next_at,omitzero"`
	HoldUntil     time.Time     `json:"hold_until,omitzero"`
	CooldownUntil time.Time     `json:"cooldown_until,omitzero"`
	RefreshUntil  time.Time     `json:"refresh_until,omitzero"`
	ForgetAt      time.Time     `json:"forget_at,omitzero"`
	RefreshSpent  bool          `json:"refresh_spent,omitempty"`
	Failure       store.Failure `json:"-"`
	ForcedCount   int           `json:"forced,omitempty"`
	ForcedAt      time.Time     `json:"forced_at,omitzero"`
	ClaimedBy     string        `json:"claimed_by,omitempty"`
	ProviderHost  string        `json:"provider_host,omitempty"`
	ProviderLimit int           `json:"provider_limit,omitempty"`
	AlarmAt       time.Time     `json:"alarm_at,omitzero"`
	LeasedUntil   time.Time     `json:"leased_until,omitzero"`
}

type failure struct {
	Code    string    `json:"code,omitempty"`
	Detail  string    `json:"detail,omitempty"`
	Since   time.Time `json:"since,omitzero"`
	Count   int       `json:"count,omitempty"`
	RetryAt time.Time `json:"retry_at,omitzero"`
	Version string    `json:"version,omitempty"`
}

func encode(row store.Row) ([]byte, error) {
	rec := record{
		Format: max(firstFormat, row.Entry.Format), entry: entry(row.Entry), Failure: failure(row.Entry.Failure),
		Holder: row.Holder, Vanished: row.Vanished, Committed: row.Committed,
	}
	if key := row.Entry.Key; !key.IsRecord() {
		rec.Variant = key.Variant.Long()
	}
	return json.Marshal(rec)
}

// decode reads one row. Its errors are of type [*store.RowError], name the key
// and quote nothing of the record.
func decode(key, data []byte) (store.Row, error) {
	partition, sort, _ := bytes.Cut(key, []byte{0})
	row, err := decodeRow(partition, sort, data)
	if err != nil {
		err = &store.RowError{Sort: string(sort), Err: err}
	}
	return row, err
}

func decodeRow(partition, sort, data []byte) (store.Row, error) {
	var rec record
	err := json.Unmarshal(data, &rec)
	switch {
	case rec.Format > recordFormat:
		return store.Row{}, fmt.Errorf(
			"%w: %s/%s has format %d, this program reads %d", store.ErrNewer, partition, sort, rec.Format,
			recordFormat,
		)
	case err != nil || rec.Format < 1:
		return store.Row{}, fmt.Errorf("%w: %s/%s is no entry", store.ErrUnreadable, partition, sort)
	}
	e := store.Entry(rec.entry)
	if rec.Format > firstFormat {
		e.Format = rec.Format
	}
	e.Failure = store.Failure(rec.Failure)
	if e.Key, err = token.ParseKey(string(partition), string(sort), rec.Variant); err != nil {
		return store.Row{}, fmt.Errorf("%w: %w", store.ErrUnreadable, err)
	}
	return store.Row{Entry: e.Stored(), Holder: rec.Holder, Vanished: rec.Vanished, Committed: rec.Committed}, nil
}

// rowKey is partition, NUL, sort key. Neither holds a NUL, so rows are in the
// order that List promises.
func rowKey(key token.Key) []byte { return listKey(key.PartitionKey(), key.SortKey()) }

func listKey(partition, sort string) []byte { return []byte(partition + "\x00" + sort) }

// dueKey is NextAt in milliseconds, big-endian, and the row's key.
func dueKey(e store.Entry) []byte { return append(millis(e.NextAt), rowKey(e.Key)...) }

// dueValue is ExpiresAt in the same form, so that Due can sort rows without
// reading them. Older programs write AlarmAt after it.
func dueValue(e store.Entry) []byte { return millis(e.ExpiresAt) }

// waits reports whether the entry is overdue before its next attempt.
func waits(e store.Entry) bool { return e.DueSince().Before(e.NextAt) }

// waitingKey is AlarmAt in milliseconds, big-endian, and the row's key.
func waitingKey(e store.Entry) []byte { return append(millis(e.AlarmAt), rowKey(e.Key)...) }

// waitingValue is ExpiresAt and NextAt in the same form.
func waitingValue(e store.Entry) []byte { return append(millis(e.ExpiresAt), millis(e.NextAt)...) }

func millis(t time.Time) []byte {
	// before 1970, and for the zero time: 0
	return binary.BigEndian.AppendUint64(nil, uint64(max(0, t.UnixMilli())))
}

// fillWaiting makes the index waiting in a file of a program that had none.
func fillWaiting(tx *bbolt.Tx) error {
	waiting, err := tx.CreateBucket(waitingBucket)
	if err != nil {
		return err
	}
	return tx.Bucket(dueBucket).ForEach(func(key, value []byte) error {
		if len(key) <= dueTime || len(value) < 2*dueTime {
			return nil
		}
		next, alarm := key[:dueTime], value[dueTime:2*dueTime]
		if bytes.Equal(alarm, never) || bytes.Compare(alarm, next) >= 0 {
			return nil
		}
		return waiting.Put(slices.Concat(alarm, key[dueTime:]), slices.Concat(value[:dueTime], next))
	})
}

// never is the zero time in an index.
var never = millis(time.Time{})

// dueTime is the length of the time at the start of a key of the index.
const dueTime = 8
