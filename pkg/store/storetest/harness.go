package storetest

import (
	"bytes"
	"errors"
	"fmt"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/tokenvend/tokenvend/pkg/store"
	"github.com/tokenvend/tokenvend/pkg/token"
)

const (
	long  = time.Minute           // a lease that lives through the test
	short = 50 * time.Millisecond // one that is left to run out
	bound = 5 * time.Second       // for what may come late
)

var (
	noon = time.Date(2031, 11, 22, 12, 0, 0, 123_000_000, time.UTC)
	key  = token.Key{Credential: "minut"}
)

// desk is a test with the store that it tests. Its methods end the test on any error that they are not asked for.
type desk struct {
	*testing.T
	store store.Store
}

func (d desk) get(key token.Key) store.Entry {
	d.Helper()
	return d.getAll(key)[0]
}

func (d desk) getAll(keys ...token.Key) []store.Entry {
	d.Helper()
	got, err := d.store.Get(d.Context(), store.Strong, keys...)
	if err != nil || len(got) != len(keys) {
		d.Fatalf("Get(%v) = %d entries, %v", keys, len(got), err)
	}
	return got
}

// put stores e whatever stood there.
func (d desk) put(e store.Entry) store.Entry {
	d.Helper()
	stored, err := d.store.Replace(d.Context(), d.get(e.Key), e)
	if err != nil {
		d.Fatalf("Replace(%v): %v", e.Key, err)
	}
	return stored
}

func (d desk) acquire(seen store.Entry, ttl time.Duration) store.Lease {
	d.Helper()
	l, err := d.store.Acquire(d.Context(), seen, ttl)
	if err != nil {
		d.Fatalf("Acquire(%v, revision %d): %v", seen.Key, seen.Revision, err)
	}
	return l
}

// vanish leaves behind a lease that has run out.
func (d desk) vanish(key token.Key) store.Lease {
	d.Helper()
	l := d.acquire(d.get(key), short)
	runOut(l)
	return l
}

func (d desk) commit(l store.Lease, next store.Entry) {
	d.Helper()
	if err := d.store.Commit(d.Context(), l, next); err != nil {
		d.Fatalf("Commit(%v): %v", l.Entry.Key, err)
	}
}

// stands checks what is stored, with its revision and its lease.
func (d desk) stands(want store.Entry) {
	d.Helper()
	d.same("what is stored", d.get(want.Key), want)
}

func (d desk) same(what string, got, want store.Entry) {
	d.Helper()
	if diff := differences(got, want); diff != "" {
		d.Fatalf("%s:\n%s", what, diff)
	}
}

func (d desk) errorIs(err, want error) {
	d.Helper()
	if !errors.Is(err, want) {
		d.Fatalf("error is %v, not %v", err, want)
	}
}

// comes waits until look has nothing to complain of.
func (d desk) comes(look func() string) {
	d.Helper()
	complaint := await(look)
	if complaint != "" {
		d.Fatal(complaint)
	}
}

func await(look func() string) (complaint string) {
	for end := time.Now().Add(bound); ; time.Sleep(20 * time.Millisecond) {
		if complaint = look(); complaint == "" || time.Now().After(end) {
			return complaint
		}
	}
}

// runOut sleeps until nobody's clock can think that l lives.
func runOut(l store.Lease) { time.Sleep(time.Until(l.Until) + 5*time.Millisecond) }

// full is an entry with a value in every field but Revision and LeasedUntil, each its own.
func full(key token.Key) store.Entry {
	e := store.Entry{Key: key}
	fill(reflect.ValueOf(&e).Elem(), 1)
	e.Format = 2 // the only one besides the first
	e.Key, e.Revision, e.LeasedUntil = key, 0, time.Time{}
	e.Failure.Detail = "ünïcode \"quoted\"\n"
	return e
}

func fill(v reflect.Value, n int) {
	switch x := v.Addr().Interface().(type) {
	case *token.Key:
	case *time.Time:
		*x = noon.Add(time.Duration(n) * time.Minute)
	case *[]byte:
		*x = everyByte()
	case *bool:
		*x = true
	default:
		switch {
		case v.Kind() == reflect.String:
			v.SetString(fmt.Sprintf("field %d", n))
		case v.CanInt():
			v.SetInt(int64(n))
		default:
			for i := range v.NumField() {
				fill(v.Field(i), 10*n+i)
			}
		}
	}
}

func everyByte() []byte {
	sealed := make([]byte, 256)
	for i := range sealed {
		sealed[i] = byte(i)
	}
	return sealed
}

// differences names each field in which two entries differ. Times are the same if they are the same instant, given in UTC.
func differences(got, want store.Entry) string {
	var lines []string
	compare("Entry", reflect.ValueOf(got), reflect.ValueOf(want), func(field string, got, want any) {
		lines = append(lines, fmt.Sprintf("%s = %v, not %v", field, got, want))
	})
	return strings.Join(lines, "\n")
}

func compare(name string, got, want reflect.Value, report func(field string, got, want any)) {
	same := false
	switch g := got.Interface().(type) {
	case time.Time:
		same = g.Equal(want.Interface().(time.Time)) && g.Location() == time.UTC
	case []byte:
		same = bytes.Equal(g, want.Bytes())
	case store.Entry, store.Failure:
		for i := range got.NumField() {
			compare(name+"."+got.Type().Field(i).Name, got.Field(i), want.Field(i), report)
		}
		return
	default:
		same = got.Interface() == want.Interface()
	}
	if !same {
		report(name, got.Interface(), want.Interface())
	}
}
