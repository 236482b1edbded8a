// Package records is what this process knows of the store's rows: it reads
// them, opens and seals them, keeps them in memory and refuses older
// generations. A [Snapshot] is an entry and its credential's record.
package records

import (
	"cmp"
	"time"

	"github.com/tokenvend/tokenvend/pkg/journal"
	"github.com/tokenvend/tokenvend/pkg/row"
	"github.com/tokenvend/tokenvend/pkg/seal"
	"github.com/tokenvend/tokenvend/pkg/store"
	"github.com/tokenvend/tokenvend/pkg/token"
)

// Bounds of Config.StaleMax.
const (
	DefaultStaleMax  = 15 * time.Minute
	ShortestStaleMax = Fresh          // memory is used for so long while the store works
	LongestStaleMax  = 24 * time.Hour // longer than any token lives
)

// Config is what a Records works with. Store and Sealer are required.
type Config struct {
	Store   store.Store
	Sealer  seal.Sealer
	Journal journal.Journal // zero: silent

	// RowFormat is the format of the store's rows. Zero: [row.Format2].
	RowFormat row.Format
	// StaleMax is how long a token is vended from memory while the store cannot
	// be read, counted from the last time the store showed it; never past the
	// token's cache_until. 0: DefaultStaleMax; less than ShortestStaleMax is
	// that.
	StaleMax time.Duration
}

// Records holds the rows that this process knows. All its methods are safe for
// concurrent use.
type Records struct {
	Config // its Store clamps what it returns, see [schedule.Clamp]
	memory memory
	mover  store.Mover
}

// New returns a Records that knows no row yet.
func New(c Config) *Records {
	c.StaleMax = max(cmp.Or(c.StaleMax, DefaultStaleMax), ShortestStaleMax)
	mover, _ := c.Store.(store.Mover)
	c.Store = clamping{Store: c.Store, journal: c.Journal}
	return &Records{Config: c, mover: mover}
}

// Mover returns what moves credential records; nil: the store has one place.
func (r *Records) Mover() store.Mover { return r.mover }

// Get returns a row that memory holds; nil: it holds none.
func (r *Records) Get(key token.Key) *Known { return r.memory.get(key) }

// Recall returns the snapshot of a key that memory holds.
func (r *Records) Recall(key token.Key) Snapshot {
	return NewSnapshot(r.memory.get(token.RecordKey(key.Credential)), r.memory.get(key))
}

// Forget drops a row from memory: no request is answered from it any more.
func (r *Records) Forget(key token.Key) { r.memory.forget(key) }

// IsConfirmed reports whether the store has shown a row within StaleMax.
func (r *Records) IsConfirmed(k *Known, now time.Time) bool {
	return k != nil && !now.Before(k.seen) && now.Sub(k.seen) < r.StaleMax
}

// StandsAlone reports whether a snapshot's token may be vended though the store
// cannot be read now: both rows were confirmed within the last minute, or
// within StaleMax if callers may still keep the token.
func (r *Records) StandsAlone(s Snapshot, now time.Time) bool {
	if s.IsFresh(now) {
		return true
	}
	return now.Before(s.Row.Token.CacheUntil) && r.IsConfirmed(s.Record, now) && r.IsConfirmed(s.Row, now)
}
