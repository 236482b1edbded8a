package store

import (
	"context"
	"time"
)

// Counter names a counter of a credential in a window of time. It is no entry:
// no list of entries has it.
type Counter struct {
	Credential string
	Window     string    // "hour 2026-11-27T21"; without NUL
	ForgetAt   time.Time // from then on the counter may be deleted
}

// Counting holds the methods of a store's counters, safe for concurrent use by
// many processes.
type Counting interface {
	// Count adds n, which is above 0, to a counter and returns the sum. After
	// an error, n may have been added or not. Where the SDK has repeated a
	// request whose response was lost, n may have been added twice.
	Count(ctx context.Context, c Counter, n int64) (sum int64, err error)

	// Counted returns the sum of a counter; 0 if there is none. It may miss
	// recent writes. A counter that this program has not written is an
	// [ErrUnreadable].
	Counted(ctx context.Context, c Counter) (int64, error)
}
