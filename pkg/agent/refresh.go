package agent

import (
	"context"
	"time"

	"github.com/tokenvend/tokenvend/pkg/client"
)

// refreshEvery is how often the agent looks for tokens to obtain ahead.
const refreshEvery = time.Second

// Run obtains tokens ahead until ctx ends.
func (a *Agent) Run(ctx context.Context) {
	ticker := time.NewTicker(refreshEvery)
	defer ticker.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-ticker.C:
			a.Refresh()
		}
	}
}

// Refresh starts a request for each token in use that has reached its
// cache_until. It does not wait. A token that no caller has had since it was
// obtained is not replaced.
func (a *Agent) Refresh() {
	now := time.Now()
	for source, u := range a.due(now) {
		t, err := source.Token(noWait)
		a.mu.Lock()
		switch {
		case err != nil:
			delete(a.inUse, source)
		case t.Fingerprint != u.Fingerprint:
			if known := a.inUse[source]; known != nil && known.last.Fingerprint == u.Fingerprint {
				known.last, known.asked = t, false
			}
		}
		a.mu.Unlock()
	}
}

// due returns the sources whose tokens are to be replaced, each with its last
// token, and forgets those that are no longer in use. Times are compared by the
// wall clock: those of a token have no monotonic reading.
func (a *Agent) due(now time.Time) map[*client.Source]client.Token {
	a.mu.Lock()
	defer a.mu.Unlock()
	found := map[*client.Source]client.Token{}
	for source, u := range a.inUse {
		switch {
		case now.Before(u.last.CacheUntil):
		case u.asked && now.Before(u.last.ExpiresAt):
			found[source] = u.last
		default:
			delete(a.inUse, source)
		}
	}
	return found
}
