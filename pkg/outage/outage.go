// Package outage makes the recovery from a provider's outage prompt and gentle.
// While a provider's host does not answer, one grant at a time probes it, at
// most once in [schedule.ProbeInterval] across all processes, and less often in
// an outage of more than an hour. The others wait for its success and then
// follow, a bounded number at once.
//
// All processes share one record per host in the store, written when an outage
// begins, before each probe and when it ends. Only grants are held back: a
// client that obtains tokens by client credentials has its own back-off.
package outage

import (
	"context"
	"errors"
	"sync"
	"time"

	"github.com/tokenvend/tokenvend/pkg/api"
	"github.com/tokenvend/tokenvend/pkg/clock"
	"github.com/tokenvend/tokenvend/pkg/failure"
	"github.com/tokenvend/tokenvend/pkg/grant"
	"github.com/tokenvend/tokenvend/pkg/records"
	"github.com/tokenvend/tokenvend/pkg/schedule"
	"github.com/tokenvend/tokenvend/pkg/store"
	"github.com/tokenvend/tokenvend/pkg/token"
)

const (
	maxFollowers    = 32               // grants of one process that are renewed at once after an outage
	trustWorking    = 15 * time.Second // how long a host is believed to work
	trustNotWorking = time.Second      // how long it is believed not to work
)

// Hosts is what this process knows of the providers' hosts. All its methods are
// safe for concurrent use.
type Hosts struct {
	Store store.Store

	mu    sync.Mutex
	hosts map[string]*host
}

// host is the health of one host. The Failure of its record is the outage:
// Version names the only key that has failed so far, or is several; RetryAt is
// the time of the next probe. IssuedAt is when the last outage ended.
type host struct {
	mu        sync.Mutex // held while the store is read, so that one process reads once
	record    store.Entry
	seen      time.Time
	followers chan struct{}
}

// several is the Version of an outage that more than one key has seen.
const several = "*"

func (o *Hosts) get(name string) *host {
	o.mu.Lock()
	defer o.mu.Unlock()
	if o.hosts == nil {
		o.hosts = map[string]*host{}
	}
	h := o.hosts[name]
	if h == nil {
		h = &host{record: store.Entry{Key: token.HostKey(name)}, followers: make(chan struct{}, maxFollowers)}
		o.hosts[name] = h
	}
	return h
}

// Decides reports whether the health of the provider's host, and not the
// entry's own back-off, decides when a grant is tried again.
func Decides(s records.Snapshot, now time.Time) bool {
	held := s.Row.RefreshSpent && s.HoldsRefresh(grant.ReuseOf(s.Record.Descriptor), now)
	return s.Granted() && failure.MayBeOutage(s.Row.Failure) && s.Record.Failure.IsZero() && !held
}

// Allow returns nil if a grant may be renewed now, and else the time to come
// back. done must be called when the renewal is over.
func (o *Hosts) Allow(ctx context.Context, s records.Snapshot) (done func(), refused error) {
	done = func() {}
	name := s.Record.Host()
	if !s.Granted() || name == "" {
		return done, nil
	}
	h := o.get(name)
	h.mu.Lock()
	defer h.mu.Unlock()
	if err := o.read(ctx, h); err != nil {
		return done, failure.StoreUnavailable(err)
	}
	now := clock.Now()
	own := s.Row.Failure
	backingOff := Decides(s, now) && now.Before(own.RetryAt)
	next := h.record.Failure.RetryAt
	switch {
	case h.concerns(s.Row.Key, now) && h.record.Failure.Version == several:
		turn := schedule.TurnToProbe(h.record.Failure, failure.MayBeOutage(own))
		return done, o.claimProbe(ctx, h, turn, turn)
	case h.concerns(s.Row.Key, now) && backingOff:
		return done, o.claimProbe(ctx, h, next, clock.Earlier(next, own.RetryAt))
	case backingOff && !schedule.WorkedSince(h.record.IssuedAt, s.Row.Entry):
		return done, failure.Until(api.Code(own.Code), own.Detail, own.RetryAt, now)
	case schedule.IsRecent(h.record.IssuedAt, now):
		return h.follow(ctx)
	}
	return done, nil
}

// follow takes one of the places of those who renew at once after an outage. It
// is called with h.mu held, and lets go of it while it waits.
func (h *host) follow(ctx context.Context) (done func(), refused error) {
	h.mu.Unlock()
	defer h.mu.Lock()
	select {
	case h.followers <- struct{}{}:
		return func() { <-h.followers }, nil
	case <-ctx.Done():
		const detail = "many grants are renewed at this provider just now"
		return func() {}, failure.Soon(api.ProviderUnavailable, detail)
	}
}

// concerns reports whether an outage of the host holds a key back. A single
// grant that fails says nothing about the others.
func (h *host) concerns(key token.Key, now time.Time) bool {
	by := h.record.Failure.Version
	return schedule.IsDown(h.record.Failure, now) && (by == several || by == key.String())
}

// read reads a host's record, unless that was done a moment ago.
func (o *Hosts) read(ctx context.Context, h *host) error {
	now := clock.Now()
	trust := trustWorking
	if !h.record.Failure.IsZero() {
		trust = trustNotWorking
	}
	if age := now.Sub(h.seen); age >= 0 && age < trust {
		return nil
	}
	entries, err := o.Store.Get(ctx, store.Eventual, h.record.Key)
	if err != nil {
		return err
	}
	if entries[0].Revision >= h.record.Revision {
		h.record = entries[0]
	}
	h.record.Failure = schedule.BelievedProbe(h.record.Failure, now)
	h.record.IssuedAt = clock.Earlier(h.record.IssuedAt, now)
	h.seen = now
	return nil
}

const outageDetail = "the provider does not answer as it should; one grant tries it from time to time"

// claimProbe makes the caller the one that probes the host from a time on, or
// returns the time to come back.
func (o *Hosts) claimProbe(ctx context.Context, h *host, from, until time.Time) error {
	now := clock.Now()
	if now.Before(from) {
		return failure.Until(api.ProviderUnavailable, outageDetail, until, now)
	}
	next := h.record
	next.Failure = schedule.Probed(next.Failure, now)
	next.Failure.Count++
	if err := o.write(ctx, h, next); err != nil {
		return failure.Until(api.ProviderUnavailable, outageDetail, now.Add(schedule.ProbeInterval), now)
	}
	return nil
}

// write replaces a host's record. If another process has written it meanwhile,
// the stored one is taken over, with an error.
func (o *Hosts) write(ctx context.Context, h *host, next store.Entry) error {
	next.ForgetAt = clock.Now().Add(schedule.RowLifetime)
	stored, err := o.Store.Replace(ctx, h.record, next)
	if err == nil || errors.Is(err, store.ErrChanged) {
		h.record, h.seen = stored, clock.Now()
	}
	return err
}

// Report notes what an attempt of a grant says of its provider's host, which
// the record of the attempt's end names; failed is nil for a new token. That it
// could not be noted costs no more than a probe.
func (o *Hosts) Report(ctx context.Context, s records.Snapshot, record *records.Known, failed *failure.Cause) {
	name := record.Host()
	if !s.Granted() || name == "" {
		return
	}
	h := o.get(name)
	h.mu.Lock()
	defer h.mu.Unlock()
	down := failed != nil && failed.Outage
	if down && failure.MayBeOutage(s.Row.Failure) && schedule.WorkedSince(h.record.IssuedAt, s.Row.Entry) {
		return // the host has worked since this entry failed: its failure says more of the entry
	}
	next, changed := h.after(s.Row.Key.String(), failed, clock.Now())
	if changed {
		_ = o.write(ctx, h, next)
	}
}

// after returns the host's record after an attempt of a key.
func (h *host) after(key string, failed *failure.Cause, now time.Time) (next store.Entry, changed bool) {
	next = h.record
	f := &next.Failure
	down := failed != nil && failed.Outage
	answered := failed == nil || failed.Answered
	switch {
	case down && !schedule.IsDown(*f, now):
		*f = schedule.OutageBegins(string(api.ProviderUnavailable), key, now)
	case down && f.Version == key && !now.Before(f.RetryAt):
		*f = schedule.Probed(*f, now)
	case down && f.Version != several && f.Version != key:
		f.Version = several
	case !down && !f.IsZero() && answered:
		*f, next.IssuedAt = store.Failure{}, now
	default:
		return next, false
	}
	return next, true
}

// Until returns when rotate tries a grant again that an outage holds back;
// zero: none does.
func (o *Hosts) Until(s records.Snapshot, now time.Time) time.Time {
	name := s.Record.Host()
	if !s.Granted() || name == "" {
		return time.Time{}
	}
	h := o.get(name)
	h.mu.Lock()
	defer h.mu.Unlock()
	if !h.concerns(s.Row.Key, now) {
		return time.Time{}
	}
	return schedule.AfterOutage(h.record.Failure, s.Row.Key, now)
}
