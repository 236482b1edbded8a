package mask

import (
	"hash/maphash"
	"math/bits"
)

// table is a hash table of the pieces of a text. A piece is its own key, since
// 8 bytes fit in a word.
type table struct {
	keys  []uint64 // 0: free
	found []bool   // the piece is a secret's too
	shift int
	seed  uint64          // random, so that no text can be made to fill one place
	seen  [1 << 10]uint64 // a bit for each hash: most pieces of a secret end here
}

// newTable puts every piece of every reading in a table.
func newTable(all []reading) *table {
	pieces := 0
	for _, r := range all {
		pieces += max(len(r.data)-piece+1, 0)
	}
	size := bits.Len(uint(2*pieces + 1)) // at least half of the table stays free
	t := &table{keys: make([]uint64, 1<<size), found: make([]bool, 1<<size), shift: 64 - size}
	t.seed = new(maphash.Hash).Sum64() | 1
	for _, r := range all {
		var window uint64
		for i, c := range r.data {
			window = window<<8 | uint64(c)
			if i >= piece-1 {
				h := t.hash(window)
				t.keys[t.slot(h, window)] = window
				t.seen[h>>54] |= 1 << (h >> 48 & 63)
			}
		}
	}
	return t
}

// pass marks the pieces that a secret has in common with the text. Of a value
// that was not declared a secret, those with a digit or a capital letter count.
func (t *table) pass(secret string, declared bool) {
	if t.passAsIs(secret, declared) {
		t.passAsIs(plain(secret), declared)
	}
}

// passAsIs reports whether Line would show the secret in other characters.
func (t *table) passAsIs(secret string, declared bool) (changes bool) {
	var window uint64
	telling := -piece // where the last digit or capital letter stood
	for i := range len(secret) {
		c := secret[i]
		window = window<<8 | uint64(folded[c])
		changes = changes || c <= ' ' || c > '~'
		if declared || '0' <= c && c <= '9' || 'A' <= c && c <= 'Z' {
			telling = i
		}
		if i < piece-1 || i-telling >= piece {
			continue
		}
		h := t.hash(window)
		if t.seen[h>>54]&(1<<(h>>48&63)) == 0 {
			continue
		}
		if at := t.slot(h, window); t.keys[at] == window {
			t.found[at] = true
		}
	}
	return changes
}

// slot returns where a piece stands, or the free place where it would.
func (t *table) slot(hash, window uint64) int {
	at := int(hash >> t.shift) // #nosec G115 -- masked to the size of the table
	for t.keys[at] != 0 && t.keys[at] != window {
		at = (at + 1) & (len(t.keys) - 1)
	}
	return at
}

func (t *table) hash(window uint64) uint64 { return (window ^ window>>29) * t.seed }
