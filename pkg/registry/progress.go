package registry

import (
	"context"
	"sync"

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
