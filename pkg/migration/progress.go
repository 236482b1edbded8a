package migration

import (
	"sync"
	"time"
)

// doneFor is how long a table is not read again of which no row was left.
const doneFor = time.Hour

// progress is how far the migration has come, and when no row of another format
// was left.
type progress struct {
	mu    sync.Mutex
	at    time.Time
	after string // the last name of which all rows were looked at; "": none
	done  Result
}

func (p *progress) isDue(now time.Time) bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	age := now.Sub(p.at)
	return age < 0 || age >= doneFor
}

// get returns how far the migration has come.
func (p *progress) get() (after string, done Result) {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.after, p.done
}

// note notes how far the migration has come.
func (p *progress) note(after string, done Result) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.after, p.done = after, done
}

// end notes that the migration has come to its end. The next one begins anew:
// at once if rows were left.
func (p *progress) end(done Result, now time.Time) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.after, p.done = "", Result{}
	if done.Left == 0 {
		p.at = now
	}
}
