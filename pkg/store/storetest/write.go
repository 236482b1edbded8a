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

func testReplaceCreates(d desk) {
	got, err := d.store.Replace(d.Context(), store.Entry{Key: key}, full(key))
	d.errorIs(err, nil)
	want := full(key)
	want.Revision = 1
	d.same("Replace's answer", got, want)
	d.stands(want)

	got, err = d.store.Replace(d.Context(), store.Entry{Key: key}, store.Entry{Key: key})
	d.errorIs(err, store.ErrChanged)
	d.same("Replace's answer", got, want)
	d.stands(want)
}

func testReplaceSeen(d desk) {
	seen := d.put(full(key))
	next := store.Entry{Key: key, Generation: 8, Sealed: []byte("next"), NextAt: noon.Add(123 * time.Nanosecond)}
	got, err := d.store.Replace(d.Context(), seen, next)
	d.errorIs(err, nil)
	want := store.Entry{Key: key, Revision: 2, Generation: 8, Sealed: []byte("next"), NextAt: noon}
	d.same("Replace's answer", got, want)
	d.stands(want)
}

func testReplaceOwnsRevision(d desk) {
	next := full(key)
	next.Revision, next.LeasedUntil = 99, time.Now().Add(time.Hour)
	want := full(key)
	want.Revision = 1
	d.same("Replace's answer", d.put(next), want)
	d.stands(want)
	d.acquire(want, long)
}

func testReplaceChanged(d desk) {
	seen := d.put(full(key))
	stands := d.put(store.Entry{Key: key, Generation: 8})
	for _, revision := range []int64{0, seen.Revision, stands.Revision + 1} {
		got, err := d.store.Replace(d.Context(), store.Entry{Key: key, Revision: revision}, full(key))
		d.errorIs(err, store.ErrChanged)
		d.same("Replace's answer", got, stands)
	}
	d.stands(stands)
}

func testReplaceLeased(d desk) {
	for _, seen := range []store.Entry{{Key: key}, d.put(full(other("minut-2")))} {
		l := d.acquire(seen, long)
		got, err := d.store.Replace(d.Context(), seen, store.Entry{Key: seen.Key})
		d.errorIs(err, store.ErrLeased)
		d.same("Replace's answer", got, l.Entry)
		d.stands(l.Entry)
		d.commit(l, full(seen.Key))
	}
}

func testReplaceDead(d desk) {
	d.put(full(key))
	dead := d.vanish(key)
	seen := d.get(key)
	d.put(seen)
	d.errorIs(d.store.Commit(d.Context(), dead, full(key)), store.ErrLeaseLost)
	seen.Revision, seen.LeasedUntil = 2, time.Time{}
	d.stands(seen)
	if l := d.acquire(seen, long); l.Attempt != 2 {
		d.Errorf("Attempt = %d after a holder who vanished before a Replace", l.Attempt)
	}
}

func testTouch(d desk) {
	want := d.put(full(key))
	want.AskedAt = noon.Add(48 * time.Hour)
	d.errorIs(d.store.Touch(d.Context(), key, want.AskedAt.Add(999*time.Microsecond).Local()), nil)
	d.stands(want)
	l, err := d.store.Acquire(d.Context(), want, long)
	if err != nil || l.Attempt != 1 {
		d.Errorf("Acquire after Touch: Attempt = %d, %v", l.Attempt, err)
	}
}

func testTouchLeased(d desk) {
	l := d.acquire(d.put(full(key)), long)
	want := l.Entry
	want.AskedAt = noon.Add(48 * time.Hour)
	d.errorIs(d.store.Touch(d.Context(), key, want.AskedAt), nil)
	d.stands(want)
	_, err := d.store.Acquire(d.Context(), l.Entry, long)
	d.errorIs(err, store.ErrLeased)
	d.commit(l, full(key))
}

func testTouchNothing(d desk) {
	d.errorIs(d.store.Touch(d.Context(), key, noon), nil)
	d.stands(store.Entry{Key: key})

	l := d.acquire(store.Entry{Key: key}, long)
	d.errorIs(d.store.Touch(d.Context(), key, noon), nil)
	d.stands(l.Entry)
	d.commit(l, full(key))
}

func testDelete(d desk) {
	d.errorIs(d.store.Delete(d.Context(), key), nil)
	l := d.acquire(d.put(full(key)), long)
	d.errorIs(d.store.Delete(d.Context(), key), nil)
	d.stands(store.Entry{Key: key})
	d.errorIs(d.store.Commit(d.Context(), l, full(key)), store.ErrLeaseLost)
	d.errorIs(d.store.Touch(d.Context(), key, noon), nil)
	d.stands(store.Entry{Key: key})

	stands, err := d.store.Acquire(d.Context(), l.Entry, long)
	d.errorIs(err, store.ErrChanged)
	d.same("Acquire's answer", stands.Entry, store.Entry{Key: key})
	d.comes(func() string {
		due, err := d.store.Due(d.Context(), noon.Add(time.Hour), 10)
		if len(due) > 0 {
			return "what was deleted is still due"
		}
		return complain(err)
	})
}

func testDeleteAnew(d desk) {
	d.put(full(key))
	first := d.vanish(key)
	d.errorIs(d.store.Delete(d.Context(), key), nil)
	l := d.acquire(store.Entry{Key: key}, long)
	if l.Attempt != 1 {
		d.Errorf("Attempt = %d", l.Attempt)
	}
	d.commit(l, full(key))
	d.errorIs(d.store.Commit(d.Context(), first, store.Entry{Key: key}), store.ErrLeaseLost)
	want := full(key)
	want.Revision = 1
	d.stands(want)
}
