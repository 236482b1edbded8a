package storetest

import (
	"time"

	"github.com/tokenvend/tokenvend/pkg/store"
	"github.com/tokenvend/tokenvend/pkg/token"
)

var leasing = []sentence{
	{"Acquire on revision 0 claims a key of which nothing is stored", testAcquireNothing},
	{"Acquire on the revision seen gives the entry and the time with the lease", testAcquireSeen},
	{"Acquire of a changed entry is refused with what stands", testAcquireChanged},
	{"Acquire of a leased entry is refused with what stands", testAcquireLeased},
	{"Acquire of a changed and leased entry says that it changed", testAcquireChangedLeased},
	{"Fault07 a dead holder's lease runs out and Attempt counts those who vanished", testTakeover},
	{"Attempt is 1 again after a Commit", testAttemptAnew},
	{"Attack17 a lease longer than any program takes counts as over", testEndlessLease},
	{"Commit replaces everything, gives the lease back and adds one to the revision", testCommit},
	{"Commit on revision 0 creates", testCommitCreates},
	{"Fault08 a late holder whose lease was taken is refused and changes nothing", testLateHolder},
	{"Commit after its time is taken if nobody came since", testLateAlone},
	{"Fault10 nobody commits with another's lease or none", testForeignLease},
	{"Fault52 a repeated Commit recognises its own write", testRepeatedCommit},
	{"Fault52 a repeated Commit leaves the next holder alone", testRepeatedWhileLeased},
	{"a repeated Commit that can no longer be recognised is refused", testRepeatedTooLate},
}

func other(credential string) token.Key { return token.Key{Credential: credential} }

func testAcquireNothing(d desk) {
	l := d.acquire(store.Entry{Key: key}, long)
	if l.ID == "" || l.Attempt != 1 || l.Until.IsZero() {
		d.Errorf("lease = %+v", l)
	}
	d.same("the lease's entry", l.Entry, store.Entry{Key: key, LeasedUntil: l.Until})
	d.stands(l.Entry)
	refused, err := d.store.Acquire(d.Context(), store.Entry{Key: key}, long)
	d.errorIs(err, store.ErrLeased)
	d.same("the refused lease's entry", refused.Entry, l.Entry)
}

func testAcquireSeen(d desk) {
	want := d.put(full(key))
	before := time.Now().Truncate(time.Millisecond)
	l := d.acquire(store.Entry{Key: key, Revision: want.Revision}, long)
	if l.Until.Before(before.Add(long)) || l.Until.After(time.Now().Add(long)) || l.Until.Location() != time.UTC {
		d.Errorf("Until = %v for a minute from %v", l.Until, before)
	}
	want.LeasedUntil = l.Until
	d.same("the lease's entry", l.Entry, want)
	d.stands(want)
}

func testAcquireChanged(d desk) {
	seen := d.put(full(key))
	stands := d.put(store.Entry{Key: key, Generation: 8})
	for _, revision := range []int64{0, seen.Revision, stands.Revision + 1} {
		l, err := d.store.Acquire(d.Context(), store.Entry{Key: key, Revision: revision}, long)
		d.errorIs(err, store.ErrChanged)
		d.holdsNothing(l, stands)
	}
	d.stands(stands)

	l, err := d.store.Acquire(d.Context(), store.Entry{Key: other("never"), Revision: 1}, long)
	d.errorIs(err, store.ErrChanged)
	d.holdsNothing(l, store.Entry{Key: other("never")})
}

func testAcquireLeased(d desk) {
	seen := d.put(full(key))
	first := d.acquire(seen, long)
	l, err := d.store.Acquire(d.Context(), seen, 2*long)
	d.errorIs(err, store.ErrLeased)
	d.holdsNothing(l, first.Entry)
	d.stands(first.Entry)
	d.commit(first, full(key))
}

func testAcquireChangedLeased(d desk) {
	seen := d.put(full(key))
	first := d.acquire(d.put(full(key)), long)
	l, err := d.store.Acquire(d.Context(), seen, long)
	d.errorIs(err, store.ErrChanged)
	d.holdsNothing(l, first.Entry)
	_, err = d.store.Replace(d.Context(), seen, full(key))
	d.errorIs(err, store.ErrChanged)
}

// holdsNothing checks the lease that comes with a refusal.
func (d desk) holdsNothing(l store.Lease, stands store.Entry) {
	d.Helper()
	if l.ID != "" || l.Attempt != 0 || !l.Until.IsZero() {
		d.Errorf("a refused lease = %+v", l)
	}
	d.same("a refused lease's entry", l.Entry, stands)
	d.errorIs(d.store.Commit(d.Context(), l, full(l.Entry.Key)), store.ErrLeaseLost)
}

func testTakeover(d desk) {
	for _, seen := range []store.Entry{{Key: key}, d.put(full(other("minut-2")))} {
		ids := map[string]bool{}
		for attempt := 1; attempt <= 3; attempt++ {
			l := d.acquire(seen, short)
			if l.Attempt != attempt || ids[l.ID] {
				d.Fatalf("holder %d: Attempt = %d, ID seen before: %v", attempt, l.Attempt, ids[l.ID])
			}
			ids[l.ID] = true
			runOut(l)
		}
		l := d.acquire(seen, long)
		want := seen
		want.LeasedUntil = l.Until
		d.same("the lease's entry", l.Entry, want)
	}
}

// A lease of a day stands for what somebody wrote who may write to the store.
func testEndlessLease(d desk) {
	for _, seen := range []store.Entry{{Key: key}, d.put(full(other("minut-2")))} {
		endless := d.acquire(seen, 24*time.Hour)
		l := d.acquire(seen, long)
		if l.Attempt != 2 || l.ID == endless.ID {
			d.Errorf("Acquire over a lease of a day: Attempt = %d, want 2", l.Attempt)
		}
		d.errorIs(d.store.Commit(d.Context(), endless, full(seen.Key)), store.ErrLeaseLost)
		d.commit(l, full(seen.Key))

		d.acquire(d.get(seen.Key), 24*time.Hour)
		want := d.put(full(seen.Key)) // by Replace
		d.stands(want)
	}
}

func testAttemptAnew(d desk) {
	d.vanish(key)
	l := d.acquire(d.get(key), long)
	if l.Attempt != 2 {
		d.Fatalf("Attempt = %d", l.Attempt)
	}
	failed := l.Entry
	failed.Failure = store.Failure{Code: "provider_unavailable", Count: 1}
	d.commit(l, failed)
	if l := d.acquire(d.get(key), long); l.Attempt != 1 {
		d.Errorf("Attempt = %d after a Commit", l.Attempt)
	}
}

func testCommit(d desk) {
	l := d.acquire(d.put(full(key)), long)
	next := store.Entry{Key: key, Revision: 41, Generation: 8, Sealed: []byte("next"), LeasedUntil: l.Until}
	d.commit(l, next)
	want := store.Entry{Key: key, Revision: 2, Generation: 8, Sealed: []byte("next")}
	d.stands(want)
	if l := d.acquire(want, long); l.Attempt != 1 {
		d.Errorf("Attempt = %d", l.Attempt)
	}
}

func testCommitCreates(d desk) {
	d.commit(d.acquire(store.Entry{Key: key}, long), full(key))
	want := full(key)
	want.Revision = 1
	d.stands(want)
}

func testLateHolder(d desk) {
	d.put(full(key))
	late := d.vanish(key)
	l := d.acquire(late.Entry, long)
	d.errorIs(d.store.Commit(d.Context(), late, store.Entry{Key: key}), store.ErrLeaseLost)
	d.stands(l.Entry)

	d.commit(l, full(key))
	d.errorIs(d.store.Commit(d.Context(), late, store.Entry{Key: key}), store.ErrLeaseLost)
	want := full(key)
	want.Revision = 2
	d.stands(want)
}

func testLateAlone(d desk) {
	d.put(full(key))
	late := d.vanish(key)
	d.commit(late, store.Entry{Key: key, Generation: 8})
	d.stands(store.Entry{Key: key, Revision: 2, Generation: 8})
}

func testForeignLease(d desk) {
	want := d.put(full(key))
	d.errorIs(d.store.Commit(d.Context(), store.Lease{Entry: want}, store.Entry{Key: key}), store.ErrLeaseLost)
	d.stands(want)

	foreign := d.acquire(store.Entry{Key: other("minut-2")}, long)
	l := d.acquire(want, long)
	foreign.Entry = l.Entry
	d.errorIs(d.store.Commit(d.Context(), foreign, store.Entry{Key: key}), store.ErrLeaseLost)
	d.errorIs(d.store.Commit(d.Context(), store.Lease{Entry: l.Entry}, store.Entry{Key: key}), store.ErrLeaseLost)
	d.stands(l.Entry)
	d.commit(l, full(key))
}

func testRepeatedCommit(d desk) {
	l := d.acquire(d.put(full(key)), long)
	d.commit(l, full(key))
	want := d.get(key)
	d.commit(l, full(key))
	d.commit(l, store.Entry{Key: key, Generation: 99})
	d.stands(want)
	d.errorIs(d.store.Touch(d.Context(), key, noon), nil)
	d.commit(l, full(key))
	want.AskedAt = noon
	d.stands(want)
}

func testRepeatedWhileLeased(d desk) {
	first := d.acquire(d.put(full(key)), long)
	d.commit(first, full(key))
	dead := d.vanish(key)
	d.commit(first, full(key))
	d.stands(dead.Entry)

	second := d.acquire(dead.Entry, long)
	d.commit(first, store.Entry{Key: key})
	d.stands(second.Entry)
	if second.Attempt != 2 {
		d.Errorf("Attempt = %d", second.Attempt)
	}
	d.commit(second, full(key))
}

func testRepeatedTooLate(d desk) {
	first := d.acquire(store.Entry{Key: key}, long)
	d.commit(first, full(key))
	second := d.acquire(d.get(key), long)
	d.commit(second, full(key))
	stands := d.get(key)
	d.errorIs(d.store.Commit(d.Context(), first, store.Entry{Key: key}), store.ErrLeaseLost)
	d.stands(stands)

	stands = d.put(full(key))
	d.errorIs(d.store.Commit(d.Context(), second, store.Entry{Key: key}), store.ErrLeaseLost)
	d.stands(stands)
}
