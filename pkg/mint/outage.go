package mint

import (
	"cmp"
	"context"
	"errors"
	"net/url"
	"sync"
	"time"

	"github.com/tokenvend/tokenvend/pkg/api"
	"github.com/tokenvend/tokenvend/pkg/store"
	"github.com/tokenvend/tokenvend/pkg/token"
)

// This file makes recovery from a provider's outage prompt and gentle. While a
// provider's host does not answer, one grant at a time probes it, at most once
// in probeEvery across all processes. The others wait for its success and then
// follow, a bounded number at once.
//
// What all processes share is one record per host in the store, written when
// an outage begins, before each probe and when it ends. Only grants are held
// back: a client that gets tokens by client credentials has its own back-off.

const (
	probeEvery    = 15 * time.Second // between two probes of one host
	firstTurn     = 5 * time.Second  // how long only grants may probe that have not failed
	mostFollowers = 32               // grants of one process that are renewed at once after an outage
	followFor     = 5 * time.Minute  // how long after an outage that is bounded
	forgetOutage  = 20 * time.Minute // how long after the last probe an outage says nothing any more
	trustWell     = 15 * time.Second // how long a host is believed to be well
	trustDown     = time.Second      // how long it is believed to be down
)

// outages is what this process knows of the providers' hosts.
type outages struct {
	mu    sync.Mutex
	hosts map[string]*hostHealth
}

// hostHealth is the health of one host. Its record's Failure is the outage:
// Version names the only key that has failed so far, or is several; RetryAt is
// the time of the next probe. IssuedAt is when the last outage ended.
type hostHealth struct {
	mu     sync.Mutex // held while the store is asked, so that one process asks once
	record store.Entry
	seen   time.Time
	slots  chan struct{}
}

const several = "*"

func (o *outages) of(host string) *hostHealth {
	o.mu.Lock()
	defer o.mu.Unlock()
	if o.hosts == nil {
		o.hosts = map[string]*hostHealth{}
	}
	h := o.hosts[host]
	if h == nil {
		h = &hostHealth{record: store.Entry{Key: token.HostKey(host)}, slots: make(chan struct{}, mostFollowers)}
		o.hosts[host] = h
	}
	return h
}

// hostOf returns the host of a credential's token endpoint; "": unknown.
func hostOf(k *known) string {
	if k == nil || k.descriptor == nil {
		return ""
	}
	at, err := url.Parse(cmp.Or(k.terms.TokenURL, k.descriptor.Token.URL))
	if err != nil {
		return ""
	}
	return at.Host
}

// isOutage reports whether a failure may be one of the provider's host.
func isOutage(f store.Failure) bool {
	return f.Code == string(api.ProviderUnavailable) || f.Code == string(api.ProviderMalformed)
}

// waitsForHost reports whether the health of the provider's host, and not the
// entry's own back-off, says when a grant is tried again.
func (v view) waitsForHost(now time.Time) bool {
	e := v.entry.entry
	held := e.RefreshSpent && v.holdsRefresh(reuseOf(v.own.descriptor), now)
	return v.granted() && isOutage(e.Failure) && v.own.entry.Failure.IsZero() && !held
}

// hostAllows returns nil where a grant may be renewed now, and else the time to
// come back. done must be called when the renewal is over.
func (m *Mint) hostAllows(ctx context.Context, v view, w Want) (done func(), refused error) {
	done = func() {}
	host := hostOf(v.own)
	if !v.granted() || w.IgnoreBackoff || host == "" {
		return done, nil
	}
	h := m.outages.of(host)
	h.mu.Lock()
	defer h.mu.Unlock()
	if err := m.readHealth(ctx, h); err != nil {
		return done, storeUnavailable(err)
	}
	now := wall()
	own := v.entry.entry.Failure
	backingOff := v.waitsForHost(now) && now.Before(own.RetryAt)
	switch {
	case h.concerns(v.entry.entry.Key, now) && h.record.Failure.Version == several:
		turn := h.turnOf(own)
		return done, m.claimProbe(ctx, h, turn, turn)
	case h.concerns(v.entry.entry.Key, now) && backingOff:
		return done, m.claimProbe(ctx, h, h.record.Failure.RetryAt, earlier(h.record.Failure.RetryAt, own.RetryAt))
	case backingOff && !h.record.IssuedAt.After(lastFailedAt(v.entry.entry)):
		return done, refusal(api.Code(own.Code), own.Detail, own.RetryAt, now)
	case now.Sub(h.record.IssuedAt) < followFor:
		return m.follow(ctx, h)
	}
	return done, nil
}

// follow takes one of the places of those who renew at once after an outage.
func (m *Mint) follow(ctx context.Context, h *hostHealth) (done func(), refused error) {
	h.mu.Unlock()
	defer h.mu.Lock()
	select {
	case h.slots <- struct{}{}:
		return func() { <-h.slots }, nil
	case <-ctx.Done():
		now := wall()
		const detail = "many grants are renewed at this provider just now"
		return func() {}, refusal(api.ProviderUnavailable, detail, now.Add(shortestWait), now)
	}
}

// lastFailedAt is when an entry's last attempt failed, as far as its back-off
// tells; later where the provider asked for a pause.
func lastFailedAt(e store.Entry) time.Time {
	return e.Failure.RetryAt.Add(-backoff(e.Key, e.Generation, e.Failure.Count))
}

// concerns reports whether an outage of the host holds a key back. A single
// grant that fails says nothing about the others.
func (h *hostHealth) concerns(key token.Key, now time.Time) bool {
	by := h.record.Failure.Version
	return h.down(now) && (by == several || by == key.String())
}

// down reports whether the record tells of an outage, and not one so long ago
// that nobody has probed the host since.
func (h *hostHealth) down(now time.Time) bool {
	return !h.record.Failure.IsZero() && now.Sub(h.record.Failure.RetryAt) < forgetOutage
}

// readHealth reads a host's record, unless that was done a moment ago. Times
// that no process can have written count as now: the record is not sealed, and
// whoever can write the table must not hold grants back for long by one write.
func (m *Mint) readHealth(ctx context.Context, h *hostHealth) error {
	now := wall()
	trust := trustWell
	if !h.record.Failure.IsZero() {
		trust = trustDown
	}
	if age := now.Sub(h.seen); age >= 0 && age < trust {
		return nil
	}
	entries, err := m.Store.Get(ctx, store.Eventual, h.record.Key)
	if err != nil {
		return err
	}
	if entries[0].Revision >= h.record.Revision {
		h.record = entries[0]
	}
	if h.record.Failure.RetryAt.After(now.Add(2 * probeEvery)) { // clocks may differ a little
		h.record.Failure.RetryAt = now
	}
	h.record.IssuedAt = earlier(h.record.IssuedAt, now)
	h.seen = now
	return nil
}

// turnOf returns when a grant whose last failure is own may probe the host. One
// that has failed lets those go first that have not: what fails may be that
// grant, or its credential, and not the host.
func (h *hostHealth) turnOf(own store.Failure) time.Time {
	if isOutage(own) {
		return h.record.Failure.RetryAt.Add(firstTurn)
	}
	return h.record.Failure.RetryAt
}

// claimProbe makes the caller the one that probes the host from a time on, or
// says when to come back.
func (m *Mint) claimProbe(ctx context.Context, h *hostHealth, from, until time.Time) error {
	now := wall()
	if now.Before(from) {
		return refusal(api.ProviderUnavailable, outageDetail, until, now)
	}
	next := h.record
	next.Failure.RetryAt = now.Add(probeEvery)
	next.Failure.Count++
	if err := m.writeHealth(ctx, h, next); err != nil {
		return refusal(api.ProviderUnavailable, outageDetail, now.Add(probeEvery), now)
	}
	return nil
}

const outageDetail = "the provider does not answer as it should; one grant tries it from time to time"

// writeHealth replaces a host's record. Where another process has written it
// meanwhile, what stands there is taken over, and the error says so.
func (m *Mint) writeHealth(ctx context.Context, h *hostHealth, next store.Entry) error {
	next.ForgetAt = wall().Add(forgetAfter)
	stands, err := m.Store.Replace(ctx, h.record, next)
	if err == nil || errors.Is(err, store.ErrChanged) {
		h.record, h.seen = stands, wall()
	}
	return err
}

// reportHealth notes what an attempt of a grant says of the provider's host.
// That it could not be noted costs no more than a probe.
func (m *Mint) reportHealth(ctx context.Context, v view, out *outcome) {
	host := hostOf(out.own)
	if !v.granted() || host == "" || out.grant == "" {
		return
	}
	h := m.outages.of(host)
	h.mu.Lock()
	defer h.mu.Unlock()
	down := out.failed != nil && out.failed.outage
	if down && h.workedSince(v.entry.entry) {
		return
	}
	record, key, now := h.record, v.entry.entry.Key.String(), wall()
	switch {
	case down && !h.down(now):
		record.Failure = store.Failure{
			Code: string(api.ProviderUnavailable), Since: now, Count: 1, RetryAt: now.Add(probeEvery), Version: key,
		}
	case down && record.Failure.Version == key && !now.Before(record.Failure.RetryAt):
		record.Failure.RetryAt = now.Add(probeEvery)
	case down && record.Failure.Version != several && record.Failure.Version != key:
		record.Failure.Version = several
	case !down && !record.Failure.IsZero() && out.answeredAtAll():
		record.Failure, record.IssuedAt = store.Failure{}, now
	default:
		return
	}
	_ = m.writeHealth(ctx, h, record)
}

// workedSince reports whether the host has worked after an entry's last failure
// there. If it fails again, that says more of the entry than of the host.
func (h *hostHealth) workedSince(e store.Entry) bool {
	return isOutage(e.Failure) && h.record.IssuedAt.After(lastFailedAt(e))
}

// answeredAtAll reports whether the provider's host has answered in a way that
// shows that it works.
func (o *outcome) answeredAtAll() bool {
	return o.failed == nil || o.failed.answered
}

// outageUntil is when rotate tries a grant again that an outage held back: the
// later, the longer the outage is. Who asks for the token is served as soon as
// the host is well.
func (m *Mint) outageUntil(v view, now time.Time) time.Time {
	host := hostOf(v.own)
	if !v.granted() || host == "" {
		return time.Time{}
	}
	h := m.outages.of(host)
	h.mu.Lock()
	defer h.mu.Unlock()
	if !h.concerns(v.entry.entry.Key, now) {
		return time.Time{}
	}
	e := v.entry.entry
	spread := time.Duration(hash(e.Key, now.Unix()) % uint64(probeEvery)) // #nosec G115 -- never negative, never large
	patient := now.Add(min(longestWait, now.Sub(h.record.Failure.Since)/4))
	return later(h.record.Failure.RetryAt, patient).Add(spread).Truncate(time.Millisecond)
}
