package records

import (
	"sync"
	"time"
)

// migratedFor is how long a table is not read again of which no row was left.
const migratedFor = time.Hour

// migrated is how far the migration has come, and when no row of another format
// was left.
type migrated struct {
	mu    sync.Mutex
	at    time.Time
	after string // the last name of which all rows were looked at; "": none
	done  Migration
}

func (m *migrated) isDue(now time.Time) bool {
	m.mu.Lock()
	defer m.mu.Unlock()
	age := now.Sub(m.at)
	return age < 0 || age >= migratedFor
}

// progress returns how far the migration has come.
func (m *migrated) progress() (after string, done Migration) {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.after, m.done
}

// note notes how far the migration has come.
func (m *migrated) note(after string, done Migration) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.after, m.done = after, done
}

// end notes that the migration has come to its end. The next one begins anew:
// at once if rows were left.
func (m *migrated) end(done Migration, now time.Time) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.after, m.done = "", Migration{}
	if done.Left == 0 {
		m.at = now
	}
}
