package migration

import (
	"sync"
	"time"
)

// Result is the result of a [Migrator.Migrate], and of those before that it
// continued.
type Result struct {
	Rewritten int // rows of another format that are of the one that is written now, and records that were moved
	Left      int // rows that could not be rewritten or moved
	// Looked: the whole table was read. false: nothing was left an hour ago, or
	// rows are not rewritten, see [row.Format.Migrates].
	Looked bool
}

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
