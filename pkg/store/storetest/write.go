package storetest

import (
	"time"

	"github.com/tokenvend/tokenvend/pkg/store"
)

var writing = []sentence{
	{"Replace on revision 0 creates", testReplaceCreates},
	{"Replace on the revision seen returns next as it was stored", testReplaceSeen},
	{"Replace looks at nothing of next's key, revision and lease", testReplaceOwnsRevision},
	{"Replace of a changed entry is refused with what stands", testReplaceChanged},
	{"Replace of a leased entry is refused with what stands", testReplaceLeased},
	{"Replace ends a dead lease but not the count of those who vanished", testReplaceDead},
	{"Touch changes AskedAt alone", testTouch},
	{"Touch disturbs no lease", testTouchLeased},
	{"Touch creates nothing", testTouchNothing},
	{"Delete drops an entry and its lease", testDelete},
	{"after Delete revisions begin again", testDeleteAnew},
}

func testReplaceCreates(h harness) {
	got, err := h.store.Replace(h.Context(), store.Entry{Key: key}, full(key))
	h.errorIs(err, nil)
	want := full(key)
	want.Revision = 1
	h.same("Replace's answer", got, want)
	h.stands(want)

	got, err = h.store.Replace(h.Context(), store.Entry{Key: key}, store.Entry{Key: key})
	h.errorIs(err, store.ErrChanged)
	h.same("Replace's answer", got, want)
	h.stands(want)
}

func testReplaceSeen(h harness) {
	seen := h.put(full(key))
	next := store.Entry{Key: key, Generation: 8, Sealed: []byte("next"), NextAt: noon.Add(123 * time.Nanosecond)}
	got, err := h.store.Replace(h.Context(), seen, next)
	h.errorIs(err, nil)
	want := store.Entry{Key: key, Revision: 2, Generation: 8, Sealed: []byte("next"), NextAt: noon}
	h.same("Replace's answer", got, want)
	h.stands(want)
}

func testReplaceOwnsRevision(h harness) {
	next := full(key)
	next.Revision, next.LeasedUntil = 99, time.Now().Add(time.Hour)
	want := full(key)
	want.Revision = 1
	h.same("Replace's answer", h.put(next), want)
	h.stands(want)
	h.acquire(want, long)
}

func testReplaceChanged(h harness) {
	seen := h.put(full(key))
	stands := h.put(store.Entry{Key: key, Generation: 8})
	for _, revision := range []int64{0, seen.Revision, stands.Revision + 1} {
		got, err := h.store.Replace(h.Context(), store.Entry{Key: key, Revision: revision}, full(key))
		h.errorIs(err, store.ErrChanged)
		h.same("Replace's answer", got, stands)
	}
	h.stands(stands)
}

func testReplaceLeased(h harness) {
	for _, seen := range []store.Entry{{Key: key}, h.put(full(other("minut-2")))} {
		l := h.acquire(seen, long)
		got, err := h.store.Replace(h.Context(), seen, store.Entry{Key: seen.Key})
		h.errorIs(err, store.ErrLeased)
		h.same("Replace's answer", got, l.Entry)
		h.stands(l.Entry)
		h.commit(l, full(seen.Key))
	}
}

func testReplaceDead(h harness) {
	h.put(full(key))
	dead := h.vanish(key)
	seen := h.get(key)
	h.put(seen)
	h.errorIs(h.store.Commit(h.Context(), dead, full(key)), store.ErrLeaseLost)
	seen.Revision, seen.LeasedUntil = 2, time.Time{}
	h.stands(seen)
	if l := h.acquire(seen, long); l.Attempt != 2 {
		h.Errorf("Attempt = %d after a holder who vanished before a Replace", l.Attempt)
	}
}

func testTouch(h harness) {
	want := h.put(full(key))
	want.AskedAt = noon.Add(48 * time.Hour)
	h.errorIs(h.store.Touch(h.Context(), key, want.AskedAt.Add(999*time.Microsecond).Local()), nil)
	h.stands(want)
	l, err := h.store.Acquire(h.Context(), want, long)
	if err != nil || l.Attempt != 1 {
		h.Errorf("Acquire after Touch: Attempt = %d, %v", l.Attempt, err)
	}
}

func testTouchLeased(h harness) {
	l := h.acquire(h.put(full(key)), long)
	want := l.Entry
	want.AskedAt = noon.Add(48 * time.Hour)
	h.errorIs(h.store.Touch(h.Context(), key, want.AskedAt), nil)
	h.stands(want)
	_, err := h.store.Acquire(h.Context(), l.Entry, long)
	h.errorIs(err, store.ErrLeased)
	h.commit(l, full(key))
}

func testTouchNothing(h harness) {
	h.errorIs(h.store.Touch(h.Context(), key, noon), nil)
	h.stands(store.Entry{Key: key})

	l := h.acquire(store.Entry{Key: key}, long)
	h.errorIs(h.store.Touch(h.Context(), key, noon), nil)
	h.stands(l.Entry)
	h.commit(l, full(key))
}

func testDelete(h harness) {
	h.errorIs(h.store.Delete(h.Context(), key), nil)
	l := h.acquire(h.put(full(key)), long)
	h.errorIs(h.store.Delete(h.Context(), key), nil)
	h.stands(store.Entry{Key: key})
	h.errorIs(h.store.Commit(h.Context(), l, full(key)), store.ErrLeaseLost)
	h.errorIs(h.store.Touch(h.Context(), key, noon), nil)
	h.stands(store.Entry{Key: key})

	stands, err := h.store.Acquire(h.Context(), l.Entry, long)
	h.errorIs(err, store.ErrChanged)
	h.same("Acquire's answer", stands.Entry, store.Entry{Key: key})
	h.comes(func() string {
		due, err := h.store.Due(h.Context(), noon.Add(time.Hour), 10)
		if len(due) > 0 {
			return "what was deleted is still due"
		}
		return text(err)
	})
}

func testDeleteAnew(h harness) {
	h.put(full(key))
	first := h.vanish(key)
	h.errorIs(h.store.Delete(h.Context(), key), nil)
	l := h.acquire(store.Entry{Key: key}, long)
	if l.Attempt != 1 {
		h.Errorf("Attempt = %d", l.Attempt)
	}
	h.commit(l, full(key))
	h.errorIs(h.store.Commit(h.Context(), first, store.Entry{Key: key}), store.ErrLeaseLost)
	want := full(key)
	want.Revision = 1
	h.stands(want)
}
