package mint

import (
	"bytes"
	"sync"
	"sync/atomic"
	"time"

	"github.com/tokenvend/tokenvend/pkg/credential"
	"github.com/tokenvend/tokenvend/pkg/descriptor"
	"github.com/tokenvend/tokenvend/pkg/redact"
	"github.com/tokenvend/tokenvend/pkg/store"
	"github.com/tokenvend/tokenvend/pkg/token"
	"github.com/tokenvend/tokenvend/pkg/watermark"
)

const (
	trust       = time.Minute     // how long what was read is believed; so long a revocation may take to be known everywhere
	trustAbsent = 5 * time.Second // the same for "there is no such credential"
	mostRows    = 20000           // rows kept in memory

	absentForCallers = 30 * time.Second // the same for callers who are no operators
	mostBlanks       = 128              // keys of which nothing is stored: callers make them up
	mostAbsent       = 1000
)

// row is one row of the store as it was last seen, opened. It is never changed.
type row struct {
	entry    store.Entry
	broken   bool        // what stands there does not open, or is older than what was seen
	outdated bool        // it is of a format that is not read any more, see [RowFormat2]
	digests  digests     // of an entry: what it was obtained for; of a record: its destination
	token    token.Token // of an entry; zero: none, or none that opens
	refresh  redact.String

	issuedWithin time.Duration // how much later than its IssuedAt the token was issued at most; 0: unknown

	seed string // fingerprint of the refresh token out of the secret that was last sent; "": none was

	terms      credential.Terms       // of a credential's own row
	history    history                // of the same: what was before these terms
	descriptor *descriptor.Descriptor // of the terms' provider; nil: not known to this build
}

// with is the row with its entry as it is seen now: of other times or another lease, and sealing the same.
func (r *row) with(e store.Entry) *row {
	now := *r
	now.entry = e
	return &now
}

// known is a row in memory. Its row may be confirmed again and again.
type known struct {
	*row
	origin Origin // how the row came into this process; from the second use on it is Memory
	seen   time.Time
	used   atomic.Bool
	judged atomic.Pointer[judgement] // of an entry: the last one, for it is asked for again and again
}

// judgement is what a credential's own row says of an entry.
type judgement struct {
	own    *row
	speaks rules // what the terms and the descriptor say about time
	standing
}

// memory is what this process knows.
type memory struct {
	seen   watermark.Marks[token.Key] // the highest generations seen, also of rows that are not kept
	mu     sync.Mutex
	rows   map[token.Key]*known
	blanks map[token.Key]*known // keys of which nothing is stored, for a mint that follows at once
	absent map[string]time.Time // names of which there is no credential, and when that was found
}

func (m *memory) get(key token.Key) *known {
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

// put remembers a row as seen now. Of two that arrive out of order the one of the higher revision stays, and no generation comes back that is older than one that was seen.
func (m *memory) put(r *row, origin Origin, seen time.Time) *known {
	m.mu.Lock()
	defer m.mu.Unlock()
	if r.entry.Revision == 0 && r.entry.LeasedUntil.IsZero() {
		return m.putBlank(r, origin, seen)
	}
	if m.rows == nil {
		m.rows = map[token.Key]*known{}
	}
	delete(m.blanks, r.entry.Key)
	if old := m.rows[r.entry.Key]; old != nil && r.entry.Revision > 0 && !r.broken {
		if old.entry.Revision > r.entry.Revision || !old.broken && old.entry.Generation > r.entry.Generation {
			return old
		}
	}
	if len(r.entry.Sealed) > 0 && !r.broken && !r.outdated {
		m.seen.Raise(r.entry.Key, r.entry.Generation) // it was opened, or sealed here: its generation is true
	}
	m.makeRoom()
	k := &known{row: r, origin: origin, seen: seen}
	m.rows[r.entry.Key] = k
	return k
}

// putBlank remembers that nothing is stored under a key, apart from the rows:
// keys that callers make up must not drive out what is known.
func (m *memory) putBlank(r *row, origin Origin, seen time.Time) *known {
	if m.blanks == nil || len(m.blanks) >= mostBlanks {
		m.blanks = map[token.Key]*known{}
	}
	k := &known{row: r, origin: origin, seen: seen}
	m.blanks[r.entry.Key] = k
	delete(m.rows, r.entry.Key)
	return k
}

// makeRoom drops any one row where there are too many: it will be read again.
func (m *memory) makeRoom() {
	if len(m.rows) < mostRows {
		return
	}
	for key := range m.rows {
		delete(m.rows, key)
		return
	}
}

func (m *memory) markAbsent(name string, at time.Time) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.absent == nil || len(m.absent) >= mostAbsent {
		m.absent = map[string]time.Time{}
	}
	m.absent[name] = at
}

// isAbsent reports whether a credential was found absent after since.
func (m *memory) isAbsent(name string, since time.Time) bool {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.absent[name].After(since)
}

func (m *memory) forgetAbsent(name string) {
	m.mu.Lock()
	defer m.mu.Unlock()
	delete(m.absent, name)
}

// trusted says whether what is known may be answered from without asking the store.
func (k *known) trusted(now time.Time) bool {
	return k != nil && now.Sub(k.seen) < trust && !now.Before(k.seen)
}

// same says whether e is the very row that is known, all that it is bound to included, so that it need not be opened again.
func (k *known) same(e store.Entry) bool {
	return k != nil && !k.broken && !k.outdated && k.entry.Revision == e.Revision && k.entry.RequestDigest == e.RequestDigest &&
		k.entry.Format == e.Format && bytes.Equal(k.entry.Sealed, e.Sealed) && bytes.Equal(additional(k.entry), additional(e))
}

// from is the origin to report: the first use names where the row came from, later ones the memory.
func (k *known) from() Origin {
	if k.used.Swap(true) {
		return Memory
	}
	return k.origin
}
