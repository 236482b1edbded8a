package rotate

import (
	"context"
	"sync"
	"time"

	"github.com/tokenvend/tokenvend/pkg/mint"
	"github.com/tokenvend/tokenvend/pkg/store"
	"github.com/tokenvend/tokenvend/pkg/token"
)

// pass is the work of one pass: a queue for each provider, so that one that hangs holds up nobody else's renewals.
type pass struct {
	sweep *Sweep
	begin context.Context // ended: nothing more is begun
	work  context.Context // ended: what was begun is given up

	workers sync.WaitGroup
	mu      sync.Mutex
	seen    map[token.Key]bool
	queues  map[string]*queue
	busy    int           // workers that have not run out of work
	idle    chan struct{} // told each time one has
	report  *Report
}

// queue holds what is due at one provider, the one that expires first at the head.
type queue struct {
	due     []store.Due
	workers int
}

// renewDue renews what is due, and what becomes due while that takes its time, until nothing is left or begin ends. What failed or is being renewed elsewhere may be shown again, and is not begun twice.
func (s *Sweep) renewDue(begin, work context.Context, r *Report) error {
	p := &pass{sweep: s, begin: begin, work: work, report: r, seen: map[token.Key]bool{}, queues: map[string]*queue{}, idle: make(chan struct{}, 1)}
	defer p.workers.Wait()
	limit := orDefault(s.Batch, defaultBatch)
	for {
		due, err := s.Store.Due(work, time.Now(), limit)
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
	at, known := p.sweep.Mint.Bulkhead(key.Credential)
	if !known {
		at = unread
	}
	p.queue(at, d)
	return true
}

// unread is the queue of credentials whose terms, and so whose provider, this process has not read yet. No host is called so.
const unread = "?"

// queue puts an entry behind the others that wait for the same, with a worker where there are not enough. p.mu is held.
func (p *pass) queue(at string, d store.Due) {
	q := p.queues[at]
	if q == nil {
		q = &queue{}
		p.queues[at] = q
	}
	q.due = append(q.due, d)
	if q.workers < orDefault(p.sweep.Workers, defaultWorkers) {
		q.workers++
		p.busy++
		p.workers.Go(func() { p.run(at, q) })
	}
}

// sort reads a credential's terms and puts the entry into the queue that it belongs to. What can't be read is renewed at once, and says why it can't be.
func (p *pass) sort(d store.Due) bool {
	if _, err := p.sweep.Mint.Terms(p.work, d.Key.Credential, d.Key); err != nil {
		return false
	}
	at, known := p.sweep.Mint.Bulkhead(d.Key.Credential)
	if !known {
		return false
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	p.queue(at, d)
	return true
}

// over says whether the pass is over; else it returns when it is worth looking for more. more: what was read last was not all.
func (p *pass) over(more bool) bool {
	look := time.NewTimer(orDefault(p.sweep.Look, defaultLook))
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

// run renews what a queue holds until it is empty.
func (p *pass) run(at string, q *queue) {
	for {
		d, ok := p.take(q)
		if !ok {
			return
		}
		if at == unread && p.sort(d) {
			continue
		}
		became, _ := p.sweep.Mint.Renew(p.work, d.Key) // the journal has the error
		p.mu.Lock()
		p.report.count(became)
		if became == mint.Failed && time.Until(d.ExpiresAt) < nearlyOver {
			p.report.Overdue++
		}
		p.mu.Unlock()
	}
}

// take hands out the next entry. With none left, or no time to begin, the worker is done.
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

// leave counts what was not begun.
func (p *pass) leave(more bool) {
	p.mu.Lock()
	defer p.mu.Unlock()
	for _, q := range p.queues {
		p.report.Left += len(q.due)
	}
	p.report.More = more && p.report.Left > 0
}

// beginBefore is how long before the end of a pass nothing is begun any more: a whole mint must fit.
const beginBefore = mint.Timeout
