package mint

import (
	"bytes"
	"sync"
	"sync/atomic"
	"time"

	"github.com/tokenvend/tokenvend/pkg/credential"
	"github.com/tokenvend/tokenvend/pkg/provider"
	"github.com/tokenvend/tokenvend/pkg/redact"
	"github.com/tokenvend/tokenvend/pkg/store"
	"github.com/tokenvend/tokenvend/pkg/token"
)

const (
	trust       = time.Minute     // how long what was read is believed; so long a revocation may take to be known everywhere
	trustAbsent = 5 * time.Second // the same for "there is no such credential"
	mostRows    = 20000           // rows kept in memory
)

// row is one row of the store as it was last seen, opened. It is never changed.
type row struct {
	entry        store.Entry
	broken       bool        // what stands there does not open, or was put back
	newest       int64       // the highest generation that this process has seen of it
	token        token.Token // of an entry; zero: none, or none that opens
	refresh      redact.String
	issuedWithin time.Duration // how much later than its IssuedAt the token was issued at most; 0: unknown
	seed         string        // fingerprint of the refresh token out of the secret that was last sent; "": none was

	terms      credential.Terms     // of a credential's own row
	descriptor *provider.Descriptor // how those terms' provider speaks; nil: not known to this build
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
	speaks rules  // what the terms and the descriptor say about time
	made   string // what the entry's token must have been minted for
}

// memory is what this process knows.
type memory struct {
	mu     sync.Mutex
	rows   map[token.Key]*known
	absent map[string]time.Time // names of which there is no credential, and until when that is believed
}

func (m *memory) get(key token.Key) *known {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.rows[key]
}

// newest returns the highest generations that were seen of keys, as long as their rows were there.
func (m *memory) newest(keys []token.Key) []int64 {
	m.mu.Lock()
	defer m.mu.Unlock()
	all := make([]int64, len(keys))
	for i, key := range keys {
		if k := m.rows[key]; k != nil {
			all[i] = k.newest
		}
	}
	return all
}

// put remembers a row as seen now. Of two that arrive out of order the one of the higher revision stays, and no generation comes back that is older than one that was seen.
func (m *memory) put(r *row, origin Origin, seen time.Time) *known {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.rows == nil {
		m.rows = map[token.Key]*known{}
	}
	r.newest = r.entry.Generation
	if old := m.rows[r.entry.Key]; old != nil && r.entry.Revision > 0 {
		if (old.entry.Revision > r.entry.Revision || old.newest > r.newest) && !r.broken {
			return old
		}
		r.newest = max(r.newest, old.newest)
	}
	m.makeRoom()
	k := &known{row: r, origin: origin, seen: seen}
	m.rows[r.entry.Key] = k
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

func (m *memory) markAbsent(name string, until time.Time) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.absent == nil || len(m.absent) >= mostRows {
		m.absent = map[string]time.Time{}
	}
	m.absent[name] = until
}

func (m *memory) isAbsent(name string, now time.Time) bool {
	m.mu.Lock()
	defer m.mu.Unlock()
	return now.Before(m.absent[name])
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
	return k != nil && !k.broken && k.entry.Revision == e.Revision && k.entry.Made == e.Made &&
		bytes.Equal(k.entry.Sealed, e.Sealed) && bytes.Equal(additional(k.entry), additional(e))
}

// from is the origin to report: the first use names where the row came from, later ones the memory.
func (k *known) from() Origin {
	if k.used.Swap(true) {
		return Memory
	}
	return k.origin
}
