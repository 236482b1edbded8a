package store

import (
	"crypto/rand"
	"math"
	"time"
)

// Stored returns e as every store keeps it: times in UTC and whole
// milliseconds, Sealed a copy, or nil if it is empty.
func (e Entry) Stored() Entry {
	e.Sealed = append([]byte(nil), e.Sealed...)
	for _, t := range e.times() {
		if !t.IsZero() {
			*t = time.UnixMilli(t.UnixMilli()).UTC()
		}
	}
	return e
}

func (e *Entry) times() []*time.Time {
	return []*time.Time{
		&e.IssuedAt, &e.ExpiresAt, &e.CacheUntil, &e.RenewAt, &e.AskedAt, &e.NextAt, &e.HoldUntil, &e.CooldownUntil,
		&e.RefreshUntil, &e.ForgetAt,
		&e.Failure.Since, &e.Failure.RetryAt, &e.ForcedAt, &e.AlarmAt, &e.LeasedUntil,
	}
}

// Row is an entry with its lease, and the contract's rules about both. A
// backend with its own locking reads a Row, calls one of its methods and writes
// the Row that it returns, with no other write in between. A Row of which only
// Entry.Key is set stands for a key with nothing stored. A method that refuses
// returns the Row unchanged.
type Row struct {
	Entry     Entry
	Holder    string // the nonce of the lease; "" if there is none
	Vanished  int    // holders in a row that did not commit, including Holder
	Committed string // the nonce of the last Commit, to recognise its repetition; "" after a Replace
}

// Acquire implements the rule of [Store]'s Acquire at the time now.
func (r Row) Acquire(seen Entry, now time.Time, ttl time.Duration) (Row, Lease, error) {
	if err := r.refusal(seen, now); err != nil {
		return r, Lease{Entry: r.Entry.Stored()}, err
	}
	r.Entry.LeasedUntil = now.Add(ttl)
	r.Entry = r.Entry.Stored()
	r.Holder = rand.Text()
	r.Vanished++
	return r, Lease{Entry: r.Entry.Stored(), ID: r.Holder, Until: r.Entry.LeasedUntil, Attempt: r.Vanished}, nil
}

// Commit implements the rule of [Store]'s Commit.
func (r Row) Commit(l Lease, next Entry) (Row, error) {
	switch {
	case l.ID == "":
		return r, ErrLeaseLost
	case r.Holder == l.ID:
		return Row{Entry: r.follow(next), Committed: l.ID}, nil
	case r.Committed == l.ID:
		return r, nil
	}
	return r, ErrLeaseLost
}

// Replace implements the rule of [Store]'s Replace at the time now.
func (r Row) Replace(seen, next Entry, now time.Time) (Row, error) {
	if err := r.refusal(seen, now); err != nil {
		return r, err
	}
	return Row{Entry: r.follow(next), Vanished: r.Vanished}, nil
}

// Touch implements the rule of [Store]'s Touch.
func (r Row) Touch(asked time.Time) Row {
	if r.Entry.Revision == 0 {
		return r
	}
	r.Entry.AskedAt = asked
	r.Entry = r.Entry.Stored()
	return r
}

// refusal reports ErrChanged before ErrLeased: the stored entry may already be
// what the caller wants.
func (r Row) refusal(seen Entry, now time.Time) error {
	switch {
	case r.Entry.Revision != seen.Revision:
		return ErrChanged
	case r.Holder != "" && r.Entry.Leased(now):
		return ErrLeased
	}
	return nil
}

// follow returns next as the successor of r's entry.
func (r Row) follow(next Entry) Entry {
	next.Key, next.Revision, next.LeasedUntil = r.Entry.Key, after(r.Entry.Revision), time.Time{}
	return next.Stored()
}

// after returns the next revision. After the largest it starts again at 1,
// because a negative revision would count as nothing stored.
func after(revision int64) int64 {
	if revision < 0 || revision == math.MaxInt64 {
		return 1
	}
	return revision + 1
}
