package registry

import (
	"sync"
	"time"
)

const maxAbsent = 1000

// absent holds names of which there is no credential.
type absent struct {
	mu    sync.Mutex
	names map[string]time.Time // when that was found
}

func (a *absent) mark(name string, at time.Time) {
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.names == nil || len(a.names) >= maxAbsent {
		a.names = map[string]time.Time{}
	}
	a.names[name] = at
}

// isAbsent reports whether a credential was found absent after since.
func (a *absent) isAbsent(name string, since time.Time) bool {
	a.mu.Lock()
	defer a.mu.Unlock()
	return a.names[name].After(since)
}

func (a *absent) forget(name string) {
	a.mu.Lock()
	defer a.mu.Unlock()
	delete(a.names, name)
}
