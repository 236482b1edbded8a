package records

import (
	"bytes"
	"sync"
	"sync/atomic"
	"time"

	"github.com/tokenvend/tokenvend/pkg/row"
	"github.com/tokenvend/tokenvend/pkg/store"
	"github.com/tokenvend/tokenvend/pkg/token"
	"github.com/tokenvend/tokenvend/pkg/watermark"
)

const (
	// Fresh is how long a row that was read is used without another read: a
	// revocation is known everywhere after it.
	Fresh = time.Minute

	maxRows   = 20000 // rows kept in memory
	maxBlanks = 128   // keys for which nothing is stored: callers may make them up
)

// Origin says where a token came from.
type Origin string

// The origins.
const (
	Memory   Origin = "memory"
	Store    Origin = "store"
	Provider Origin = "provider"
)

// Known is a row in memory. Its row may be confirmed again and again.
type Known struct {
	*row.Row
	origin   Origin // how the row came into this process; from its second use on it is Memory
	seen     time.Time
	used     atomic.Bool
	relation atomic.Pointer[relation] // of an entry: the last one, because it is needed at each request
}

// IsFresh reports whether the row may be used without reading the store.
func (k *Known) IsFresh(now time.Time) bool {
	return k != nil && now.Sub(k.seen) < Fresh && !now.Before(k.seen)
}

// IsLive reports whether a record is one of a credential that exists.
func (k *Known) IsLive() bool {
	return k != nil && k.Revision > 0 && k.State != store.Gone && !k.Broken && !k.Outdated
}

// Origin returns the origin to report: the first use names where the row came
// from, later ones the memory.
func (k *Known) Origin() Origin {
	if k.used.Swap(true) {
		return Memory
	}
	return k.origin
}

// same reports whether e is the row that is known, with all that it is bound
// to, so that it need not be opened again.
func (k *Known) same(e store.Entry) bool {
	return k != nil && !k.Broken && !k.Outdated && k.Revision == e.Revision && k.RequestDigest == e.RequestDigest &&
		k.Format == e.Format && bytes.Equal(k.Sealed, e.Sealed) &&
		bytes.Equal(row.AdditionalData(k.Entry), row.AdditionalData(e))
}

// memory holds the rows that this process knows.
type memory struct {
	seen   watermark.Marks[token.Key] // the highest generations seen, also of rows that are not kept
	mu     sync.Mutex
	rows   map[token.Key]*Known
	blanks map[token.Key]*Known // keys for which nothing is stored, for a mint that follows at once
}

func (m *memory) get(key token.Key) *Known {
	m.mu.Lock()
	defer m.mu.Unlock()
	if k := m.rows[key]; k != nil {
		return k
	}
	return m.blanks[key]
}

// highest returns the highest generations that were seen of keys.
func (m *memory) highest(keys []token.Key) []int64 {
	all := make([]int64, len(keys))
	for i, key := range keys {
		all[i] = m.seen.Highest(key)
	}
	return all
}

// put remembers a row as seen now. Of two that arrive out of order, the one of
// the higher revision stays. No generation replaces a newer one that was seen.
func (m *memory) put(r *row.Row, origin Origin, seen time.Time) *Known {
	m.mu.Lock()
	defer m.mu.Unlock()
	if r.Revision == 0 && r.LeasedUntil.IsZero() {
		return m.putBlank(r, origin, seen)
	}
	if m.rows == nil {
		m.rows = map[token.Key]*Known{}
	}
	delete(m.blanks, r.Key)
	if old := m.rows[r.Key]; old != nil && r.Revision > 0 && !r.Broken {
		if old.Revision > r.Revision || !old.Broken && old.Generation > r.Generation {
			return old
		}
	}
	if len(r.Sealed) > 0 && !r.Broken && !r.Outdated {
		m.seen.Raise(r.Key, r.Generation) // it was opened, or sealed here: its generation is true
	}
	m.makeRoom()
	k := &Known{Row: r, origin: origin, seen: seen}
	m.rows[r.Key] = k
	return k
}

// putBlank remembers that nothing is stored under a key, apart from the rows:
// keys that callers make up must not displace rows.
func (m *memory) putBlank(r *row.Row, origin Origin, seen time.Time) *Known {
	if m.blanks == nil || len(m.blanks) >= maxBlanks {
		m.blanks = map[token.Key]*Known{}
	}
	k := &Known{Row: r, origin: origin, seen: seen}
	m.blanks[r.Key] = k
	delete(m.rows, r.Key)
	return k
}

// makeRoom drops any one row if there are too many. It will be read again.
func (m *memory) makeRoom() {
	if len(m.rows) < maxRows {
		return
	}
	for key := range m.rows {
		delete(m.rows, key)
		return
	}
}

// forget drops a row.
func (m *memory) forget(key token.Key) {
	m.mu.Lock()
	defer m.mu.Unlock()
	delete(m.rows, key)
}
