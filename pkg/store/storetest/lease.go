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

func testAcquireNothing(h harness) {
	l := h.acquire(store.Entry{Key: key}, long)
	if l.ID == "" || l.Attempt != 1 || l.Until.IsZero() {
		h.Errorf("lease = %+v", l)
	}
	h.same("the lease's entry", l.Entry, store.Entry{Key: key, LeasedUntil: l.Until})
	h.stands(l.Entry)
	refused, err := h.store.Acquire(h.Context(), store.Entry{Key: key}, long)
	h.errorIs(err, store.ErrLeased)
	h.same("the refused lease's entry", refused.Entry, l.Entry)
}

func testAcquireSeen(h harness) {
	want := h.put(full(key))
	before := time.Now().Truncate(time.Millisecond)
	l := h.acquire(store.Entry{Key: key, Revision: want.Revision}, long)
	if l.Until.Before(before.Add(long)) || l.Until.After(time.Now().Add(long)) || l.Until.Location() != time.UTC {
		h.Errorf("Until = %v for a minute from %v", l.Until, before)
	}
	want.LeasedUntil = l.Until
	h.same("the lease's entry", l.Entry, want)
	h.stands(want)
}

func testAcquireChanged(h harness) {
	seen := h.put(full(key))
	stands := h.put(store.Entry{Key: key, Generation: 8})
	for _, revision := range []int64{0, seen.Revision, stands.Revision + 1} {
		l, err := h.store.Acquire(h.Context(), store.Entry{Key: key, Revision: revision}, long)
		h.errorIs(err, store.ErrChanged)
		h.holdsNothing(l, stands)
	}
	h.stands(stands)

	l, err := h.store.Acquire(h.Context(), store.Entry{Key: other("never"), Revision: 1}, long)
	h.errorIs(err, store.ErrChanged)
	h.holdsNothing(l, store.Entry{Key: other("never")})
}

func testAcquireLeased(h harness) {
	seen := h.put(full(key))
	first := h.acquire(seen, long)
	l, err := h.store.Acquire(h.Context(), seen, 2*long)
	h.errorIs(err, store.ErrLeased)
	h.holdsNothing(l, first.Entry)
	h.stands(first.Entry)
	h.commit(first, full(key))
}

func testAcquireChangedLeased(h harness) {
	seen := h.put(full(key))
	first := h.acquire(h.put(full(key)), long)
	l, err := h.store.Acquire(h.Context(), seen, long)
	h.errorIs(err, store.ErrChanged)
	h.holdsNothing(l, first.Entry)
	_, err = h.store.Replace(h.Context(), seen, full(key))
	h.errorIs(err, store.ErrChanged)
}

// holdsNothing checks the lease that comes with a refusal.
func (h harness) holdsNothing(l store.Lease, stands store.Entry) {
	h.Helper()
	if l.ID != "" || l.Attempt != 0 || !l.Until.IsZero() {
		h.Errorf("a refused lease = %+v", l)
	}
	h.same("a refused lease's entry", l.Entry, stands)
	h.errorIs(h.store.Commit(h.Context(), l, full(l.Entry.Key)), store.ErrLeaseLost)
}

func testTakeover(h harness) {
	for _, seen := range []store.Entry{{Key: key}, h.put(full(other("minut-2")))} {
		ids := map[string]bool{}
		for attempt := 1; attempt <= 3; attempt++ {
			l := h.acquire(seen, short)
			if l.Attempt != attempt || ids[l.ID] {
				h.Fatalf("holder %d: Attempt = %d, ID seen before: %v", attempt, l.Attempt, ids[l.ID])
			}
			ids[l.ID] = true
			runOut(l)
		}
		l := h.acquire(seen, long)
		want := seen
		want.LeasedUntil = l.Until
		h.same("the lease's entry", l.Entry, want)
	}
}

// A lease of a day can only be written by another program with access to the
// store.
func testEndlessLease(h harness) {
	for _, seen := range []store.Entry{{Key: key}, h.put(full(other("minut-2")))} {
		endless := h.acquire(seen, 24*time.Hour)
		l := h.acquire(seen, long)
		if l.Attempt != 2 || l.ID == endless.ID {
			h.Errorf("Acquire over a lease of a day: Attempt = %d, want 2", l.Attempt)
		}
		h.errorIs(h.store.Commit(h.Context(), endless, full(seen.Key)), store.ErrLeaseLost)
		h.commit(l, full(seen.Key))

		h.acquire(h.get(seen.Key), 24*time.Hour)
		want := h.put(full(seen.Key)) // by Replace
		h.stands(want)
	}
}

func testAttemptAnew(h harness) {
	h.vanish(key)
	l := h.acquire(h.get(key), long)
	if l.Attempt != 2 {
		h.Fatalf("Attempt = %d", l.Attempt)
	}
	failed := l.Entry
	failed.Failure = store.Failure{Code: "provider_unavailable", Count: 1}
	h.commit(l, failed)
	if l := h.acquire(h.get(key), long); l.Attempt != 1 {
		h.Errorf("Attempt = %d after a Commit", l.Attempt)
	}
}

func testCommit(h harness) {
	l := h.acquire(h.put(full(key)), long)
	next := store.Entry{Key: key, Revision: 41, Generation: 8, Sealed: []byte("next"), LeasedUntil: l.Until}
	h.commit(l, next)
	want := store.Entry{Key: key, Revision: 2, Generation: 8, Sealed: []byte("next")}
	h.stands(want)
	if l := h.acquire(want, long); l.Attempt != 1 {
		h.Errorf("Attempt = %d", l.Attempt)
	}
}

func testCommitCreates(h harness) {
	h.commit(h.acquire(store.Entry{Key: key}, long), full(key))
	want := full(key)
	want.Revision = 1
	h.stands(want)
}

func testLateHolder(h harness) {
	h.put(full(key))
	late := h.vanish(key)
	l := h.acquire(late.Entry, long)
	h.errorIs(h.store.Commit(h.Context(), late, store.Entry{Key: key}), store.ErrLeaseLost)
	h.stands(l.Entry)

	h.commit(l, full(key))
	h.errorIs(h.store.Commit(h.Context(), late, store.Entry{Key: key}), store.ErrLeaseLost)
	want := full(key)
	want.Revision = 2
	h.stands(want)
}

func testLateAlone(h harness) {
	h.put(full(key))
	late := h.vanish(key)
	h.commit(late, store.Entry{Key: key, Generation: 8})
	h.stands(store.Entry{Key: key, Revision: 2, Generation: 8})
}

func testForeignLease(h harness) {
	want := h.put(full(key))
	h.errorIs(h.store.Commit(h.Context(), store.Lease{Entry: want}, store.Entry{Key: key}), store.ErrLeaseLost)
	h.stands(want)

	foreign := h.acquire(store.Entry{Key: other("minut-2")}, long)
	l := h.acquire(want, long)
	foreign.Entry = l.Entry
	h.errorIs(h.store.Commit(h.Context(), foreign, store.Entry{Key: key}), store.ErrLeaseLost)
	h.errorIs(h.store.Commit(h.Context(), store.Lease{Entry: l.Entry}, store.Entry{Key: key}), store.ErrLeaseLost)
	h.stands(l.Entry)
	h.commit(l, full(key))
}

func testRepeatedCommit(h harness) {
	l := h.acquire(h.put(full(key)), long)
	h.commit(l, full(key))
	want := h.get(key)
	h.commit(l, full(key))
	h.commit(l, store.Entry{Key: key, Generation: 99})
	h.stands(want)
	h.errorIs(h.store.Touch(h.Context(), key, noon), nil)
	h.commit(l, full(key))
	want.AskedAt = noon
	h.stands(want)
}

func testRepeatedWhileLeased(h harness) {
	first := h.acquire(h.put(full(key)), long)
	h.commit(first, full(key))
	dead := h.vanish(key)
	h.commit(first, full(key))
	h.stands(dead.Entry)

	second := h.acquire(dead.Entry, long)
	h.commit(first, store.Entry{Key: key})
	h.stands(second.Entry)
	if second.Attempt != 2 {
		h.Errorf("Attempt = %d", second.Attempt)
	}
	h.commit(second, full(key))
}

func testRepeatedTooLate(h harness) {
	first := h.acquire(store.Entry{Key: key}, long)
	h.commit(first, full(key))
	second := h.acquire(h.get(key), long)
	h.commit(second, full(key))
	stands := h.get(key)
	h.errorIs(h.store.Commit(h.Context(), first, store.Entry{Key: key}), store.ErrLeaseLost)
	h.stands(stands)

	stands = h.put(full(key))
	h.errorIs(h.store.Commit(h.Context(), second, store.Entry{Key: key}), store.ErrLeaseLost)
	h.stands(stands)
}
