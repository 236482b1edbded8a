package storetest

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"reflect"
	"slices"
	"strings"
	"time"

	"github.com/tokenvend/tokenvend/pkg/store"
	"github.com/tokenvend/tokenvend/pkg/token"
)

var reading = []sentence{
	{"every field comes back as it was stored", testEveryField},
	{"zero fields stay zero", testZeroFields},
	{"times are kept to the millisecond, in UTC", testTimes},
	{"credential records, default, plain and hashed variants are rows apart", testKeys},
	{"64 KiB of sealed terms fit", testLarge},
	{"Get answers in the order of keys, missing and repeated ones too", testGetOrder},
	{"an eventual Get catches up", testEventual},
	{"Get of what was never stored has its key and revision 0", testMissing},
	{"what is returned or was given does not alias what is stored", testAlias},
	{"a context that is over ends every call and writes nothing", testContext},
}

func testEveryField(h harness) {
	want := full(key)
	want.Revision = 1
	h.same("Replace's answer", h.put(full(key)), want)
	h.stands(want)

	l := h.acquire(want, long)
	want.LeasedUntil = l.Until
	h.same("the lease's entry", l.Entry, want)
	h.commit(l, full(key))
	want.Revision, want.LeasedUntil = 2, time.Time{}
	h.stands(want)
}

func testZeroFields(h harness) {
	h.put(full(key))
	want := store.Entry{Key: key, Revision: 2}
	h.same("Replace's answer", h.put(store.Entry{Key: key}), want)
	h.stands(want)
	h.put(store.Entry{Key: key, Sealed: []byte{}})
	if got := h.get(key).Sealed; got != nil {
		h.Errorf("an empty Sealed comes back as %v, not nil", got)
	}
}

func testTimes(h harness) {
	given, want := full(key), full(key)
	want.Revision = 1
	blur(reflect.ValueOf(&given).Elem())
	h.same("Replace's answer", h.put(given), want)
	h.stands(want)
	l := h.acquire(want, long)
	h.commit(l, given)
	want.Revision = 2
	h.stands(want)

	now := time.Now() // with a monotonic reading
	got := h.put(store.Entry{Key: key, NextAt: now, IssuedAt: time.Unix(0, 0)})
	if !got.NextAt.Equal(now.Truncate(time.Millisecond)) || got.IssuedAt.IsZero() || got.IssuedAt.UnixMilli() != 0 {
		h.Errorf("now is kept as %v, 1970 as %v", got.NextAt, got.IssuedAt)
	}
	h.stands(got)
}

// blur moves every time by less than a millisecond and into another time zone.
func blur(v reflect.Value) {
	for _, field := range v.Fields() {
		switch x := field.Addr().Interface().(type) {
		case *time.Time:
			if !x.IsZero() {
				*x = x.Add(999_999).In(time.FixedZone("east", 5*3600))
			}
		case *store.Failure:
			blur(field)
		}
	}
}

func testKeys(h harness) {
	var keys []token.Key
	for _, credential := range []string{"minut", "minut-2", "a"} {
		keys = append(keys, token.RecordKey(credential), token.Key{Credential: credential},
			token.Key{
				Credential: credential,
				Variant:    token.NewVariant("søren@example.com", "https://api.example.com/?a=b&c", "write read"),
			},
			token.Key{Credential: credential, Variant: token.NewVariant("", "", strings.Repeat("scope-", 100))},
			token.Key{Credential: credential, Variant: token.NewVariant("", "", strings.Repeat("scope-", 101))})
	}
	for i, key := range keys {
		h.put(store.Entry{Key: key, Generation: int64(i), NextAt: noon})
	}
	for i, got := range h.getAll(keys...) {
		h.same("Get", got, store.Entry{Key: keys[i], Revision: 1, Generation: int64(i), NextAt: noon})
	}
	h.comes(func() string {
		due, err := h.store.Due(h.Context(), noon, 100)
		for _, key := range keys {
			if err == nil && !slices.ContainsFunc(due, func(x store.Due) bool { return x.Key == key }) {
				return fmt.Sprintf("Due has no %v", key)
			}
		}
		return text(err)
	})
}

func testLarge(h harness) {
	sealed := bytes.Repeat(everyByte(), 300) // more than 64 KiB, the maximum of a secret
	h.put(store.Entry{Key: token.RecordKey("minut"), Sealed: sealed})
	h.stands(store.Entry{Key: token.RecordKey("minut"), Revision: 1, Sealed: sealed})
}

func testGetOrder(h harness) {
	var keys []token.Key
	for i := range 5 {
		key := token.Key{Credential: fmt.Sprintf("c%d", 9-i)}
		keys = append(keys, key)
		if i%2 == 0 {
			h.put(store.Entry{Key: key, Generation: int64(i + 1)})
		}
	}
	keys = append(keys, keys[0], keys[1], keys[0])
	for i, got := range h.getAll(keys...) {
		want := store.Entry{Key: keys[i]}
		if j := slices.Index(keys, keys[i]); j%2 == 0 {
			want.Revision, want.Generation = 1, int64(j+1)
		}
		h.same(fmt.Sprintf("Get's answer %d", i), got, want)
	}
	if got := h.getAll(); len(got) != 0 {
		h.Errorf("Get of no keys = %v", got)
	}
}

func testEventual(h harness) {
	want := h.put(full(key))
	h.comes(func() string {
		got, err := h.store.Get(h.Context(), store.Eventual, key, token.RecordKey("minut"))
		if err != nil || len(got) != 2 {
			return fmt.Sprintf("%d entries, %v", len(got), err)
		}
		return differences(got[0], want)
	})
}

func testMissing(h harness) {
	h.stands(store.Entry{Key: key})
	h.stands(store.Entry{Key: token.RecordKey("minut")})
}

func testAlias(h harness) {
	given, want := full(key), full(key)
	want.Revision = 1
	spoil := func(how string, e store.Entry) {
		clear(e.Sealed)
		h.same("after spoiling "+how, h.get(key), want)
	}
	answer := h.put(given)
	spoil("what Replace was given", given)
	spoil("what Replace returned", answer)
	spoil("what Get returned", h.get(key))
	h.comes(func() string {
		listed, err := h.store.List(h.Context(), key.Credential, "", 1)
		if err != nil || len(listed) != 1 {
			return fmt.Sprintf("List = %d entries, %v", len(listed), err)
		}
		spoil("what List returned", listed[0])
		return ""
	})

	l := h.acquire(want, long)
	want.LeasedUntil = l.Until
	spoil("what Acquire returned", l.Entry)
	refused, err := h.store.Acquire(h.Context(), want, long)
	h.errorIs(err, store.ErrLeased)
	spoil("what Acquire returned with a refusal", refused.Entry)
	given = full(key)
	h.commit(l, given)
	want.Revision, want.LeasedUntil = 2, time.Time{}
	spoil("what Commit was given", given)
	refusal, err := h.store.Replace(h.Context(), store.Entry{Key: key}, full(key))
	h.errorIs(err, store.ErrChanged)
	spoil("what Replace returned with a refusal", refusal)
}

func testContext(h harness) {
	want := h.put(full(key))
	l := h.acquire(want, long)
	over, cancel := context.WithCancel(h.Context())
	cancel()
	next := store.Entry{Key: key}
	other := token.Key{Credential: "other"}
	for name, call := range map[string]func() error{
		"Get":     func() error { _, err := h.store.Get(over, store.Strong, key); return err },
		"Due":     func() error { _, err := h.store.Due(over, noon.Add(time.Hour), 1); return err },
		"List":    func() error { _, err := h.store.List(over, "minut", "", 1); return err },
		"Acquire": func() error { _, err := h.store.Acquire(over, store.Entry{Key: other}, long); return err },
		"Commit":  func() error { return h.store.Commit(over, l, next) },
		"Replace": func() error { _, err := h.store.Replace(over, store.Entry{Key: other}, next); return err },
		"Touch":   func() error { return h.store.Touch(over, key, noon.Add(24*time.Hour)) },
		"Delete":  func() error { return h.store.Delete(over, key) },
	} {
		if err := call(); !errors.Is(err, context.Canceled) {
			h.Errorf("%s: %v", name, err)
		}
	}
	want.LeasedUntil = l.Until
	h.stands(want)
	h.stands(store.Entry{Key: other})
}

// text returns err's text, or "" for nil.
func text(err error) string {
	if err == nil {
		return ""
	}
	return err.Error()
}
