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
	{"own rows, default, plain and hashed variants are rows apart", testKeys},
	{"64 KiB of sealed terms fit", testLarge},
	{"Get answers in the order of keys, missing and repeated ones too", testGetOrder},
	{"an eventual Get catches up", testEventual},
	{"Get of what was never stored has its key and revision 0", testMissing},
	{"what is returned or was given does not alias what is stored", testAlias},
	{"a context that is over ends every call and writes nothing", testContext},
}

func testEveryField(d desk) {
	want := full(key)
	want.Revision = 1
	d.same("Replace's answer", d.put(full(key)), want)
	d.stands(want)

	l := d.acquire(want, long)
	want.LeasedUntil = l.Until
	d.same("the lease's entry", l.Entry, want)
	d.commit(l, full(key))
	want.Revision, want.LeasedUntil = 2, time.Time{}
	d.stands(want)
}

func testZeroFields(d desk) {
	d.put(full(key))
	want := store.Entry{Key: key, Revision: 2}
	d.same("Replace's answer", d.put(store.Entry{Key: key}), want)
	d.stands(want)
	d.put(store.Entry{Key: key, Sealed: []byte{}})
	if got := d.get(key).Sealed; got != nil {
		d.Errorf("an empty Sealed comes back as %v, not nil", got)
	}
}

func testTimes(d desk) {
	given, want := full(key), full(key)
	want.Revision = 1
	blur(reflect.ValueOf(&given).Elem())
	d.same("Replace's answer", d.put(given), want)
	d.stands(want)
	l := d.acquire(want, long)
	d.commit(l, given)
	want.Revision = 2
	d.stands(want)

	now := time.Now() // with its monotonic reading
	got := d.put(store.Entry{Key: key, NextAt: now, IssuedAt: time.Unix(0, 0)})
	if !got.NextAt.Equal(now.Truncate(time.Millisecond)) || got.IssuedAt.IsZero() || got.IssuedAt.UnixMilli() != 0 {
		d.Errorf("now is kept as %v, 1970 as %v", got.NextAt, got.IssuedAt)
	}
	d.stands(got)
}

// blur moves every time by less than a millisecond, and into another zone.
func blur(v reflect.Value) {
	for i := range v.NumField() {
		switch x := v.Field(i).Addr().Interface().(type) {
		case *time.Time:
			if !x.IsZero() {
				*x = x.Add(999_999).In(time.FixedZone("east", 5*3600))
			}
		case *store.Failure:
			blur(v.Field(i))
		}
	}
}

func testKeys(d desk) {
	var keys []token.Key
	for _, credential := range []string{"minut", "minut-2", "a"} {
		keys = append(keys, token.Own(credential), token.Key{Credential: credential},
			token.Key{Credential: credential, Variant: token.NewVariant("søren@example.com", "https://api.example.com/?a=b&c", "write read")},
			token.Key{Credential: credential, Variant: token.NewVariant("", "", strings.Repeat("scope-", 100))},
			token.Key{Credential: credential, Variant: token.NewVariant("", "", strings.Repeat("scope-", 101))})
	}
	for i, key := range keys {
		d.put(store.Entry{Key: key, Generation: int64(i), NextAt: noon})
	}
	for i, got := range d.getAll(keys...) {
		d.same("Get", got, store.Entry{Key: keys[i], Revision: 1, Generation: int64(i), NextAt: noon})
	}
	d.comes(func() string {
		due, err := d.store.Due(d.Context(), noon, 100)
		for _, key := range keys {
			if err == nil && !slices.ContainsFunc(due, func(x store.Due) bool { return x.Key == key }) {
				return fmt.Sprintf("Due has no %v", key)
			}
		}
		return complain(err)
	})
}

func testLarge(d desk) {
	sealed := bytes.Repeat(everyByte(), 300) // 64 KiB of secret, sealed, and then some
	d.put(store.Entry{Key: token.Own("minut"), Sealed: sealed})
	d.stands(store.Entry{Key: token.Own("minut"), Revision: 1, Sealed: sealed})
}

func testGetOrder(d desk) {
	var keys []token.Key
	for i := range 5 {
		key := token.Key{Credential: fmt.Sprintf("c%d", 9-i)}
		keys = append(keys, key)
		if i%2 == 0 {
			d.put(store.Entry{Key: key, Generation: int64(i + 1)})
		}
	}
	keys = append(keys, keys[0], keys[1], keys[0])
	for i, got := range d.getAll(keys...) {
		want := store.Entry{Key: keys[i]}
		if j := slices.Index(keys, keys[i]); j%2 == 0 {
			want.Revision, want.Generation = 1, int64(j+1)
		}
		d.same(fmt.Sprintf("Get's answer %d", i), got, want)
	}
	if got := d.getAll(); len(got) != 0 {
		d.Errorf("Get of no keys = %v", got)
	}
}

func testEventual(d desk) {
	want := d.put(full(key))
	d.comes(func() string {
		got, err := d.store.Get(d.Context(), store.Eventual, key, token.Own("minut"))
		if err != nil || len(got) != 2 {
			return fmt.Sprintf("%d entries, %v", len(got), err)
		}
		return differences(got[0], want)
	})
}

func testMissing(d desk) {
	d.stands(store.Entry{Key: key})
	d.stands(store.Entry{Key: token.Own("minut")})
}

func testAlias(d desk) {
	given, want := full(key), full(key)
	want.Revision = 1
	spoil := func(how string, e store.Entry) {
		clear(e.Sealed)
		d.same("after spoiling "+how, d.get(key), want)
	}
	answer := d.put(given)
	spoil("what Replace was given", given)
	spoil("what Replace returned", answer)
	spoil("what Get returned", d.get(key))
	d.comes(func() string {
		listed, err := d.store.List(d.Context(), key.Credential, "", 1)
		if err != nil || len(listed) != 1 {
			return fmt.Sprintf("List = %d entries, %v", len(listed), err)
		}
		spoil("what List returned", listed[0])
		return ""
	})

	l := d.acquire(want, long)
	want.LeasedUntil = l.Until
	spoil("what Acquire returned", l.Entry)
	refused, err := d.store.Acquire(d.Context(), want, long)
	d.errorIs(err, store.ErrLeased)
	spoil("what Acquire returned with a refusal", refused.Entry)
	given = full(key)
	d.commit(l, given)
	want.Revision, want.LeasedUntil = 2, time.Time{}
	spoil("what Commit was given", given)
	refusal, err := d.store.Replace(d.Context(), store.Entry{Key: key}, full(key))
	d.errorIs(err, store.ErrChanged)
	spoil("what Replace returned with a refusal", refusal)
}

func testContext(d desk) {
	want := d.put(full(key))
	l := d.acquire(want, long)
	over, cancel := context.WithCancel(d.Context())
	cancel()
	next := store.Entry{Key: key}
	other := token.Key{Credential: "other"}
	for name, call := range map[string]func() error{
		"Get":     func() error { _, err := d.store.Get(over, store.Strong, key); return err },
		"Due":     func() error { _, err := d.store.Due(over, noon.Add(time.Hour), 1); return err },
		"List":    func() error { _, err := d.store.List(over, "minut", "", 1); return err },
		"Acquire": func() error { _, err := d.store.Acquire(over, store.Entry{Key: other}, long); return err },
		"Commit":  func() error { return d.store.Commit(over, l, next) },
		"Replace": func() error { _, err := d.store.Replace(over, store.Entry{Key: other}, next); return err },
		"Touch":   func() error { return d.store.Touch(over, key, noon.Add(24*time.Hour)) },
		"Delete":  func() error { return d.store.Delete(over, key) },
	} {
		if err := call(); !errors.Is(err, context.Canceled) {
			d.Errorf("%s: %v", name, err)
		}
	}
	want.LeasedUntil = l.Until
	d.stands(want)
	d.stands(store.Entry{Key: other})
}

// complain is err's text; "" for nil.
func complain(err error) string {
	if err == nil {
		return ""
	}
	return err.Error()
}
