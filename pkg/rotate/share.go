package rotate

import (
	"hash/fnv"
	"time"

	"github.com/tokenvend/tokenvend/pkg/store"
)

// Share is the part of what is due that one of several workers renews. The zero
// value is all of it.
//
// The part of a worker changes each minute. So what a worker leaves that was
// not invoked is another's in the next minute. Two workers with the same part
// do each renewal once, by its lease.
type Share struct {
	Worker int // from 1 to Of
	Of     int // the number of workers
}

// maxWorkers is the largest number of workers.
const maxWorkers = 8

// IsValid reports whether the share is one that a schedule may name: the number
// of workers is 1, 2, 4 or 8.
func (s Share) IsValid() bool {
	return s.Of >= 1 && s.Of <= maxWorkers && s.Of&(s.Of-1) == 0 && s.Worker >= 1 && s.Worker <= s.Of
}

// isFirst reports whether the worker does what one worker does for all.
func (s Share) isFirst() bool { return s.Worker <= 1 }

// has reports whether a due entry is in the share of the minute at. A provider
// that takes fewer renewals at once than there are workers is one worker's.
func (s Share) has(d store.Due, at time.Time) bool {
	if s.Of <= 1 {
		return true
	}
	text := d.Key.String()
	if d.ProviderHost != "" && d.ProviderLimit < s.Of {
		text = d.ProviderHost
	}
	h := fnv.New32a()
	_, _ = h.Write([]byte(text)) // never fails
	minute := at.Unix() / int64(time.Minute/time.Second)
	return (int64(h.Sum32())+minute)%int64(s.Of) == int64(s.Worker-1)
}

// concurrencyOf returns the share of a provider's concurrency: 1 at least.
func (s Share) concurrencyOf(concurrency int) int { return max(1, concurrency/max(1, s.Of)) }
