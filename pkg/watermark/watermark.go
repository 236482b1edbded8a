// Package watermark remembers the highest generation seen of each key, so that
// a process refuses what is older. It is exact for the [Keys] keys that were
// seen last and takes at most 8 MiB.
package watermark

import (
	"hash/maphash"
	"math"
	"sync"
)

// Keys is how many keys are remembered. Of more, those seen longest ago are
// forgotten.
const Keys = 1 << 18

const (
	chunkSize = 1 << 12 // marks allocated at once
	chunks    = Keys / chunkSize
)

// Marks holds the highest generation seen of each key. The zero value is empty
// and ready to use. All methods are safe for concurrent use.
//
// A key is kept as a 64-bit hash under a random seed. Two keys of one process
// share a hash with a probability below 2^-28; then the lower of their
// generations counts as too old.
type Marks[K comparable] struct {
	mu      sync.Mutex
	seed    maphash.Seed
	buckets []index // by hash: the first mark of a chain
	chunk   [chunks][]mark
	used    index
	newest  index
	oldest  index
}

// index names a mark; 0 names none.
type index uint32

// mark is one key. Marks of one bucket are chained by next; all marks are in
// the order in which they were seen, by newer and older.
type mark struct {
	hash               uint64
	generation         uint32
	next, newer, older index
}

// Highest returns the highest generation that was seen of a key. 0: none was,
// or the key was forgotten.
func (m *Marks[K]) Highest(key K) int64 {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.buckets == nil {
		return 0
	}
	if i := m.find(maphash.Comparable(m.seed, key)); i != 0 {
		return int64(m.at(i).generation)
	}
	return 0
}

// Raise notes that a generation of a key was seen. A lower generation than the
// highest changes only when the key was seen last. Generations above the
// largest uint32 count as that.
func (m *Marks[K]) Raise(key K, generation int64) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.buckets == nil {
		m.seed, m.buckets = maphash.MakeSeed(), make([]index, Keys)
	}
	seen := uint32(min(max(generation, 0), math.MaxUint32)) // #nosec G115 -- within bounds
	hash := maphash.Comparable(m.seed, key)
	i := m.find(hash)
	if i == 0 {
		i = m.add(hash)
	} else {
		m.unlink(i)
	}
	m.at(i).generation = max(m.at(i).generation, seen)
	m.linkNewest(i)
}

func (m *Marks[K]) at(i index) *mark { return &m.chunk[(i-1)/chunkSize][(i-1)%chunkSize] }

func (m *Marks[K]) bucket(hash uint64) *index { return &m.buckets[hash%Keys] }

func (m *Marks[K]) find(hash uint64) index {
	for i := *m.bucket(hash); i != 0; i = m.at(i).next {
		if m.at(i).hash == hash {
			return i
		}
	}
	return 0
}

// add returns a mark for a hash that has none: a fresh one, or the oldest.
func (m *Marks[K]) add(hash uint64) index {
	i := m.used + 1
	if m.used == Keys {
		i = m.oldest
		m.unlink(i)
		m.unchain(i)
	} else {
		m.used = i
		if c := (i - 1) / chunkSize; m.chunk[c] == nil {
			m.chunk[c] = make([]mark, chunkSize)
		}
	}
	*m.at(i) = mark{hash: hash, next: *m.bucket(hash)}
	*m.bucket(hash) = i
	return i
}

// unchain takes a mark out of its bucket.
func (m *Marks[K]) unchain(i index) {
	at := m.bucket(m.at(i).hash)
	for *at != i {
		at = &m.at(*at).next
	}
	*at = m.at(i).next
}

// unlink takes a mark out of the order.
func (m *Marks[K]) unlink(i index) {
	newer, older := m.at(i).newer, m.at(i).older
	if newer == 0 {
		m.newest = older
	} else {
		m.at(newer).older = older
	}
	if older == 0 {
		m.oldest = newer
	} else {
		m.at(older).newer = newer
	}
}

func (m *Marks[K]) linkNewest(i index) {
	m.at(i).newer, m.at(i).older = 0, m.newest
	if m.newest != 0 {
		m.at(m.newest).newer = i
	} else {
		m.oldest = i
	}
	m.newest = i
}
