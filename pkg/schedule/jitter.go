package schedule

import (
	"encoding/binary"
	"hash/fnv"
	"time"

	"github.com/tokenvend/tokenvend/pkg/token"
)

// The bounds of the jitter, in thousandths of a life.
const (
	jitter      = 50  // 0–5 %
	firstJitter = 400 // 0–40 %: credentials added in one minute are not renewed together for ever
)

// Jitter spreads renewals. A hash of key and generation selects it, so that it
// is stable and differs from key to key.
type Jitter struct {
	Key        token.Key
	Generation int64
	First      bool // the key had no token before
}

// of returns the jitter for a life: a share of it, or of renewEarliest if that
// is shorter.
func (j Jitter) of(life time.Duration) time.Duration {
	share := uint64(jitter)
	if j.First {
		share = firstJitter
	}
	base := min(life, renewEarliest)
	if base <= 0 {
		return 0
	}
	parts := hash(j.Key, j.Generation) % (share + 1)
	return time.Duration(uint64(base) / 1000 * parts) // #nosec G115 -- never negative, never large
}

// hash distributes keys and numbers evenly. It is not cryptographic.
func hash(key token.Key, n int64) uint64 {
	h := fnv.New64a()
	_, _ = h.Write([]byte(key.String()))
	_, _ = h.Write(binary.BigEndian.AppendUint64(nil, uint64(n))) // #nosec G115 -- the same bits
	x := h.Sum64()
	x ^= x >> 33 // FNV's low bits alone are too regular for a remainder
	x *= 0xff51afd7ed558ccd
	return x ^ x>>33
}
