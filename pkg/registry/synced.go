package registry

import (
	"slices"
	"sync"
	"time"

	"github.com/tokenvend/tokenvend/pkg/credential"
)

// syncedFor is how long a listing for which nothing was left to do is believed,
// as long as it stays the same. A comparison reads every credential record:
// each minute, that would cost as much as all other reads of rotate.
const syncedFor = 5 * time.Minute

// synced is the last listing for which nothing was left to do.
type synced struct {
	mu     sync.Mutex
	listed []credential.Listed
	at     time.Time
}

func (s *synced) set(listed []credential.Listed, now time.Time) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.listed, s.at = listed, now
}

func (s *synced) holds(listed []credential.Listed, now time.Time) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	age := now.Sub(s.at)
	return age >= 0 && age < syncedFor && slices.Equal(s.listed, listed)
}
