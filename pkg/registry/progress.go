package registry

import (
	"context"
	"slices"
	"sync"
	"time"

	"github.com/tokenvend/tokenvend/pkg/credential"
	"github.com/tokenvend/tokenvend/pkg/store"
)

// Progress keeps how far discoveries have come, for all processes of a stack.
type Progress interface {
	// Discovery returns what was saved last; the zero value if nothing was. It
	// may miss a recent save.
	Discovery(ctx context.Context) (store.Discovery, error)
	SaveDiscovery(ctx context.Context, d store.Discovery) error
}

// ownProgress is the Progress of a single process.
type ownProgress struct {
	mu   sync.Mutex
	last store.Discovery
}

// Discovery implements Progress.
func (o *ownProgress) Discovery(context.Context) (store.Discovery, error) {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.last, nil
}

// SaveDiscovery implements Progress.
func (o *ownProgress) SaveDiscovery(_ context.Context, d store.Discovery) error {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.last = d
	return nil
}

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
