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
	share   Share
	began   time.Time
	begin   context.Context // when done, no further renewal starts
	work    context.Context // when done, running renewals are cancelled

	workers sync.WaitGroup
	mu      sync.Mutex
	seen    map[token.Key]bool
	queues  map[string]*queue
	busy    int           // workers with work
	idle    chan struct{} // receives when a worker runs out of work
	report  *Report
	metrics *measured
}

// queue holds the due entries of one provider, ordered by expiry.
type queue struct {
	due     []store.Due
	workers int
	limit   int // of workers
}

// renewDue renews due entries, and those that become due meanwhile, until none
// is left or begin ends. An entry that failed or is being renewed elsewhere may
// be read again; it is not started twice.
//
// All that is due is read at once: what waits for a provider that is slow must
// not hide what is due elsewhere.
func (p *pass) renewDue() error {
	defer p.workers.Wait()
	limit := orDefault(p.rotator.Batch, defaultBatch)
	for first := true; ; first = false {
		reading := time.Now()
		due, err := p.rotator.Store.Due(p.work, reading, limit)
		if err != nil {
			return err
		}
		if first {
			p.countOverdue(due)
		}
		fresh := 0
		for _, d := range due {
			if !d.NextAt.After(reading) && p.add(d) {
				fresh++
			}
		}
		if p.over(fresh > 0 && len(due) == limit, time.Since(reading)) {
			p.leave(len(due) == limit)
			return nil
		}
	}
}

// countOverdue counts the entries that are overdue when the pass begins.
func (p *pass) countOverdue(due []store.Due) {
	for _, d := range due {
		if !d.AlarmAt.IsZero() && !d.AlarmAt.After(p.began) {
			p.report.Overdue++
		}
	}
}

// add queues a key that this pass has not seen and that is in its share. What
// memory knows of the provider is newer than what the index says.
func (p *pass) add(d store.Due) bool {
	host, concurrency, known := p.rotator.Mint.Registry.Provider(d.Key.Credential)
	if known {
		d.ProviderHost, d.ProviderLimit = host, concurrency
	}
	if !p.share.has(d, p.began) {
		return false
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.seen[d.Key] {
		return false
	}
	p.seen[d.Key] = true
	if !known && d.ProviderHost == "" {
		p.queue(unread, d)
	} else {
		p.queue(d.ProviderHost, d)
	}
	return true
}

// unread is the queue of entries whose provider neither the index nor this
// process knows: an older program has written them. It is no valid host name.
const unread = "?"

// queue appends an entry to a queue and starts a worker if there are too few.
// p.mu must be held.
func (p *pass) queue(at string, d store.Due) {
	q := p.queues[at]
	if q == nil {
		q = &queue{}
		p.queues[at] = q
	}
	limit := p.share.concurrencyOf(orDefault(d.ProviderLimit, defaultWorkers))
	if q.limit == 0 || limit < q.limit {
		q.limit = limit
	}
	q.due = append(q.due, d)
	if q.workers < q.limit {
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
	host, concurrency, known := p.rotator.Mint.Registry.Provider(d.Key.Credential)
	if !known {
		return false
	}
	d.ProviderHost, d.ProviderLimit = host, concurrency
	p.mu.Lock()
	defer p.mu.Unlock()
	p.queue(host, d)
	return true
}

// over reports whether the pass is over. Otherwise it returns when it is time
// to read more due entries. more is set if the last read was incomplete, and
// read is how long it took.
func (p *pass) over(more bool, read time.Duration) bool {
	look := time.NewTimer(max(orDefault(p.rotator.Look, defaultLook), readShare*read))
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
		became, err := p.rotator.Renew(p.work, d.Key) // the error is in the journal
		p.mu.Lock()
		p.report.count(became)
		p.metrics.note(err)
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

// readShare bounds the part of a pass in which it reads what is due.
const readShare = 10

// beginBefore is how long before the end of a pass the last renewal may start.
// A whole mint fits into it, and what is read before.
const beginBefore = mint.Timeout + time.Second
