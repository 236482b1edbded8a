package mint

import (
	"errors"
	"time"

	"github.com/tokenvend/tokenvend/pkg/api"
	"github.com/tokenvend/tokenvend/pkg/token"
)

// Bounds of Config.StaleMax.
const (
	DefaultStaleMax  = 15 * time.Minute
	ShortestStaleMax = trust          // so long memory is believed while the store answers
	LongestStaleMax  = 24 * time.Hour // longer than any token lives
)

// unreachable reports whether err means that the store could not be read.
func unreachable(err error) bool { return hasCode(err, api.StoreUnavailable) }

// cutOff reports whether err means that what is stored could not be read, or
// could not be opened, so that what memory holds may be out of date.
func cutOff(err error) bool { return unreachable(err) || hasCode(err, api.SealUnavailable) }

func hasCode(err error, code api.Code) bool {
	var known *api.Error
	return errors.As(err, &known) && known.Code == code
}

// standsAlone reports whether the view's token may be vended though the store
// cannot be read now: both rows were confirmed within the last minute, or
// within StaleMax if callers may still keep the token.
func (m *Mint) standsAlone(v view, now time.Time) bool {
	if v.own.trusted(now) && v.entry.trusted(now) {
		return true
	}
	return now.Before(v.entry.token.CacheUntil) && m.confirmed(v.own, now) && m.confirmed(v.entry, now)
}

// confirmed reports whether the store has shown the row within StaleMax.
func (m *Mint) confirmed(k *known, now time.Time) bool {
	return k != nil && !now.Before(k.seen) && now.Sub(k.seen) < m.StaleMax
}

// forget drops a row from memory: nothing is answered from it any more.
func (m *memory) forget(key token.Key) {
	m.mu.Lock()
	defer m.mu.Unlock()
	delete(m.rows, key)
}
