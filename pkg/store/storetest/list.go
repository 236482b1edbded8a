package storetest

import (
	"fmt"
	"strings"
	"time"

	"github.com/tokenvend/tokenvend/pkg/store"
	"github.com/tokenvend/tokenvend/pkg/token"
)

var listing = []sentence{
	{"Due returns what is due, the first to expire first, without a token at the head", testDueOrder},
	{"Due returns no more than limit", testDueLimit},
	{"Due leaves out what is not due, or never", testDueNot},
	{"Due follows every change of NextAt", testDueFollows},
	{"Due names what is leased or over too", testDueLeased},
	{"Due names what is overdue and waits for its next attempt", testDueOverdue},
	{"List returns a partition in the order of its sort keys", testListOrder},
	{"List begins after a sort key, stored or not", testListAfter},
	{"List of credential records walks all credentials in pages", testListOwn},
	{"List leaves out what was never written", testListUnwritten},
}

// dueEntry returns an entry that is due at noon plus next minutes and expires
// at noon plus expires minutes; 0 means no token.
func dueEntry(credential string, next, expires int) store.Entry {
	e := store.Entry{Key: other(credential), NextAt: noon.Add(time.Duration(next) * time.Minute)}
	if expires != 0 {
		e.ExpiresAt = noon.Add(time.Duration(expires) * time.Minute)
	}
	return e
}

// dues waits until exactly these entries are due at noon plus minutes, in this
// order.
func (h harness) dues(minutes int, want ...store.Entry) {
	h.Helper()
	h.comes(func() string {
		got, err := h.store.Due(h.Context(), noon.Add(time.Duration(minutes)*time.Minute), 100)
		if err != nil || len(got) != len(want) {
			return fmt.Sprintf("Due = %v, %v; %d are due", got, err, len(want))
		}
		for i, e := range want {
			if w, g := e.Due(), got[i]; g.Key != w.Key || !g.NextAt.Equal(w.NextAt) ||
				!g.ExpiresAt.Equal(w.ExpiresAt) || !g.AlarmAt.Equal(w.AlarmAt) ||
				g.ProviderHost != w.ProviderHost || g.ProviderLimit != w.ProviderLimit {
				return fmt.Sprintf("Due's answer %d = %v, not %v", i, g, w)
			}
			if loc := got[i].NextAt.Location(); loc != time.UTC || got[i].ExpiresAt.IsZero() != e.ExpiresAt.IsZero() {
				return fmt.Sprintf("Due's answer %d = %v", i, got[i])
			}
		}
		return ""
	})
}

func testDueOrder(h harness) {
	soon, late := dueEntry("c1", -3, 10), dueEntry("c2", -9, 20)
	none, over := dueEntry("c3", -1, 0), dueEntry("c4", -2, -1)
	hashed := dueEntry("c5", -4, 15)
	hashed.Key.Variant = token.NewVariant("", "", strings.Repeat("scope-", 101))
	own := dueEntry("", -5, 12)
	own.Key = token.RecordKey("c6")
	for _, e := range []store.Entry{late, soon, own, none, hashed, over} {
		h.put(e)
	}
	h.dues(0, none, over, soon, own, hashed, late)
}

func testDueLimit(h harness) {
	for i := range 30 {
		h.put(dueEntry(fmt.Sprintf("c%d", i), -i-1, 1+i*7%30))
	}
	h.comes(func() string {
		got, err := h.store.Due(h.Context(), noon, 10)
		if err != nil || len(got) != 10 {
			return fmt.Sprintf("Due = %d entries, %v", len(got), err)
		}
		for i, due := range got {
			if due.NextAt.After(noon) || i > 0 && due.ExpiresAt.Before(got[i-1].ExpiresAt) {
				return fmt.Sprintf("Due = %v", got)
			}
		}
		return ""
	})
}

func testDueNot(h harness) {
	at, before := dueEntry("c1", 0, 10), dueEntry("c2", -1, 20)
	after, never := dueEntry("c3", 1, 5), store.Entry{Key: other("c4"), ExpiresAt: noon}
	after.NextAt = noon.Add(time.Millisecond)
	for _, e := range []store.Entry{at, before, after, never} {
		h.put(e)
	}
	h.dues(0, at, before)
	h.dues(1, after, at, before)
	h.dues(-2)
}

func testDueFollows(h harness) {
	e := dueEntry("c1", -5, 10)
	h.put(e)
	h.dues(0, e)
	e = dueEntry("c1", -4, 9)
	h.put(e)
	h.dues(0, e)
	h.commit(h.acquire(h.get(e.Key), long), dueEntry("c1", 5, 10))
	h.dues(0)
	h.dues(5, dueEntry("c1", 5, 10))
	h.put(store.Entry{Key: e.Key})
	h.dues(60)
	h.put(e)
	h.dues(0, e)
	h.errorIs(h.store.Delete(h.Context(), e.Key), nil)
	h.dues(60)
}

func testDueLeased(h harness) {
	leased, gone := dueEntry("c1", -5, 10), dueEntry("c2", -5, 20)
	gone.State = store.Gone
	h.acquire(h.put(leased), long)
	h.put(gone)
	h.errorIs(h.store.Touch(h.Context(), gone.Key, noon), nil)
	h.dues(0, leased, gone)
}

func testDueOverdue(h harness) {
	fresh, waiting := dueEntry("c1", -5, 10), dueEntry("c2", 30, 5)
	fresh.AlarmAt, fresh.ProviderHost, fresh.ProviderLimit = noon.Add(time.Minute), "id.example", 3
	waiting.AlarmAt = noon.Add(-time.Minute)
	h.put(fresh)
	h.put(waiting)
	h.dues(-2, fresh)
	h.dues(0, waiting, fresh)
	renewed := dueEntry("c2", 40, 50)
	renewed.AlarmAt = noon.Add(45 * time.Minute)
	h.put(renewed)
	h.dues(0, fresh)
	renewed.NextAt = time.Time{} // an AlarmAt alone makes nothing due
	h.put(renewed)
	h.dues(60, fresh)
}

// lists waits until List returns exactly these entries.
func (h harness) lists(partition, after string, limit int, want ...store.Entry) {
	h.Helper()
	h.comes(func() string {
		got, err := h.store.List(h.Context(), partition, after, limit)
		if err != nil || len(got) != len(want) {
			return fmt.Sprintf("List = %d entries, %v; want %d", len(got), err, len(want))
		}
		for i := range got {
			if diff := differences(got[i], want[i]); diff != "" {
				return fmt.Sprintf("List's answer %d: %s", i, diff)
			}
		}
		return ""
	})
}

// variants returns keys of one credential in the order of their sort keys.
func variants(credential string) []token.Key {
	keys := []token.Key{{Credential: credential}}
	for _, v := range []token.Variant{
		token.NewVariant("ann", "", ""), token.NewVariant("ann", "", "read"), token.NewVariant("bob", "", ""),
		token.NewVariant("", "", "read"), token.NewVariant("", "", "read write"),
		token.NewVariant("", "", strings.Repeat("scope-", 101)),
	} {
		keys = append(keys, token.Key{Credential: credential, Variant: v})
	}
	return keys
}

func testListOrder(h harness) {
	h.put(full(other("minu")))
	h.put(full(other("minut-2")))
	h.put(full(token.RecordKey("minut")))
	keys := variants("minut")
	want := make([]store.Entry, len(keys))
	for i := range keys {
		i = len(keys) - 1 - i
		want[i] = h.put(full(keys[i]))
	}
	h.lists("minut", "", 100, want...)
	h.lists("minut", "", 3, want[:3]...)
	h.lists("never", "", 100)
}

func testListAfter(h harness) {
	var want []store.Entry
	for _, key := range variants("minut") {
		want = append(want, h.put(full(key)))
	}
	h.lists("minut", "-", 2, want[1:3]...)
	h.lists("minut", "account=ann&", 2, want[2:4]...)
	h.lists("minut", "account=b", 100, want[3:]...)
	h.lists("minut", want[len(want)-1].Key.SortKey(), 100)
	h.lists("minut", "~", 100)
}

func testListOwn(h harness) {
	var want []store.Entry
	for i := range 25 {
		want = append(want, h.put(store.Entry{Key: token.RecordKey(fmt.Sprintf("c%02d", i)), Sealed: everyByte()}))
		h.put(full(other(fmt.Sprintf("c%02d", i))))
	}
	for from := 0; from < len(want); from += 10 {
		after := ""
		if from > 0 {
			after = want[from-1].Key.SortKey()
		}
		h.lists(token.RecordPartition, after, 10, want[from:min(from+10, len(want))]...)
	}
}

func testListUnwritten(h harness) {
	h.acquire(store.Entry{Key: token.RecordKey("c1")}, long)
	want := []store.Entry{h.put(full(token.RecordKey("c2"))), h.acquire(h.put(full(token.RecordKey("c3"))), long).Entry}
	h.lists(token.RecordPartition, "", 100, want...)
	h.lists(token.RecordPartition, "", 1, want[0])
}
