package records

import (
	"sync"
	"time"
)

// migratedFor is how long a table is not read again of which no row was left.
const migratedFor = time.Hour

// migrated is when no row of another format was left.
type migrated struct {
	mu sync.Mutex
	at time.Time
}

func (m *migrated) isDue(now time.Time) bool {
	m.mu.Lock()
	defer m.mu.Unlock()
	age := now.Sub(m.at)
	return age < 0 || age >= migratedFor
}

func (m *migrated) set(now time.Time) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.at = now
}
