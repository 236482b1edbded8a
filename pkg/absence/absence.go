// Package absence remembers names of which nothing was found.
package absence

import (
	"sync"
	"time"
)

// most is how many names are remembered. All are forgotten at the next one.
const most = 1000

// Names are names of which nothing was found. The zero value holds none. All
// methods are safe for concurrent use.
type Names struct {
	mu    sync.Mutex
	since map[string]time.Time // when that was found
}

// Mark remembers that nothing of a name was found at a time.
func (n *Names) Mark(name string, at time.Time) {
	n.mu.Lock()
	defer n.mu.Unlock()
	if n.since == nil || len(n.since) >= most {
		n.since = map[string]time.Time{}
	}
	n.since[name] = at
}

// IsAbsent reports whether a name was marked after a time.
func (n *Names) IsAbsent(name string, after time.Time) bool {
	n.mu.Lock()
	defer n.mu.Unlock()
	return n.since[name].After(after)
}

// Forget forgets a name: there is something of it now.
func (n *Names) Forget(name string) {
	n.mu.Lock()
	defer n.mu.Unlock()
	delete(n.since, name)
}
