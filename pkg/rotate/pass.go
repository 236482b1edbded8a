package rotate

import (
	"context"
	"sync"
	"time"

	"github.com/tokenvend/tokenvend/pkg/mint"
	"github.com/tokenvend/tokenvend/pkg/store"
	"github.com/tokenvend/tokenvend/pkg/token"
)

// pass is the state of one pass. Each provider has a queue of its own, so that
// one that hangs delays no other.
type pass struct {
	rotator *Rotator
	begin   context.Context // when done, no further renewal starts
	work    context.Context // when done, running renewals are cancelled

	workers sync.WaitGroup
	mu      sync.Mutex
	seen    map[token.Key]bool
	queues  map[string]*queue
	busy    int           // workers with work
	idle    chan struct{} // receives when a worker runs out of work
	report  *Report
}

// queue holds the due entries of one provider, ordered by expiry.
type queue struct {
	due     []store.Due
	workers int
}

// renewDue renews due entries, and those that become due meanwhile, until none
// is left or begin ends. An entry that failed or is being renewed elsewhere may
// be read again; it is not started twice.
func (rt *Rotator) renewDue(begin, work context.Context, r *Report) error {
	p := &pass{
		rotator: rt,
		begin:   begin,
		work:    work,
		report:  r,
		seen:    map[token.Key]bool{},
		queues:  map[string]*queue{},
		idle:    make(chan struct{}, 1),
	}
	defer p.workers.Wait()
	limit := orDefault(rt.Batch, defaultBatch)
	for {
		due, err := rt.Store.Due(work, time.Now(), limit)
		if err != nil {
			return err
		}
		fresh := 0
		for _, d := range due {
			if p.add(d) {
				fresh++
			}
		}
		if p.over(fresh > 0 && len(due) == limit) {
			p.leave(len(due) == limit)
			return nil
		}
	}
}

// add queues a key that this pass has not seen.
func (p *pass) add(d store.Due) bool {
	key := d.Key
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.seen[key] {
		return false
	}
	p.seen[key] = true
	at, known := p.rotator.Mint.Registry.Host(key.Credential)
	if !known {
		at = unread
	}
	p.queue(at, d)
	return true
}

// unread is the queue of credentials whose terms, and so whose provider, this
// process has not read yet. It is no valid host name.
const unread = "?"

// queue appends an entry to a queue and starts a worker if there are too few.
// p.mu must be held.
func (p *pass) queue(at string, d store.Due) {
	q := p.queues[at]
	if q == nil {
		q = &queue{}
		p.queues[at] = q
	}
	q.due = append(q.due, d)
	if q.workers < orDefault(p.rotator.Workers, defaultWorkers) {
		q.workers++
		p.busy++
		p.workers.Go(func() { p.run(at, q) })
	}
}

// sort reads a credential's terms and moves the entry to the queue of its
// provider. It reports false if that fails; the entry is then renewed at once,
// which reports the error.
func (p *pass) sort(d store.Due) bool {
	if _, err := p.rotator.Mint.Registry.Terms(p.work, d.Key.Credential, d.Key); err != nil {
		return false
	}
	at, known := p.rotator.Mint.Registry.Host(d.Key.Credential)
	if !known {
		return false
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	p.queue(at, d)
	return true
}

// over reports whether the pass is over. Otherwise it returns when it is time
// to read more due entries. more is set if the last read was incomplete.
func (p *pass) over(more bool) bool {
	look := time.NewTimer(orDefault(p.rotator.Look, defaultLook))
	defer look.Stop()
	for {
		p.mu.Lock()
		busy := p.busy
		p.mu.Unlock()
		if p.begin.Err() != nil {
			return true
		}
		if busy == 0 {
			return !more
		}
		select {
		case <-p.idle:
		case <-look.C:
			return false
		case <-p.begin.Done():
		}
	}
}

// run renews the entries of a queue until it is empty.
func (p *pass) run(at string, q *queue) {
	for {
		d, ok := p.take(q)
		if !ok {
			return
		}
		if at == unread && p.sort(d) {
			continue
		}
		became, _ := p.rotator.Renew(p.work, d.Key) // the error is in the journal
		p.mu.Lock()
		p.report.count(became)
		if became == Failed && time.Until(d.ExpiresAt) < nearlyOver {
			p.report.Overdue++
		}
		p.mu.Unlock()
	}
}

// take returns the next entry. The worker ends if there is none, or if no
// renewal may start.
func (p *pass) take(q *queue) (store.Due, bool) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if len(q.due) == 0 || p.begin.Err() != nil {
		q.workers--
		p.busy--
		select {
		case p.idle <- struct{}{}:
		default:
		}
		return store.Due{}, false
	}
	d := q.due[0]
	q.due = q.due[1:]
	return d, true
}

// leave counts the entries that were not started.
func (p *pass) leave(more bool) {
	p.mu.Lock()
	defer p.mu.Unlock()
	for _, q := range p.queues {
		p.report.Left += len(q.due)
	}
	p.report.More = more && p.report.Left > 0
}

// beginBefore is how long before the end of a pass the last renewal may start.
// A whole mint fits into it.
const beginBefore = mint.Timeout
