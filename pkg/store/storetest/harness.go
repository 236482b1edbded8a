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
	long  = time.Minute           // a lease that lasts through the test
	short = 50 * time.Millisecond // a lease that is left to end
	bound = 5 * time.Second       // the limit for eventually consistent results
)

var (
	noon = time.Date(2031, 11, 22, 12, 0, 0, 123_000_000, time.UTC)
	key  = token.Key{Credential: "minut"}
)

// harness is a test and the store under test. Its methods end the test on any
// unexpected error.
type harness struct {
	*testing.T
	store store.Store
}

func (h harness) get(key token.Key) store.Entry {
	h.Helper()
	return h.getAll(key)[0]
}

func (h harness) getAll(keys ...token.Key) []store.Entry {
	h.Helper()
	got, err := h.store.Get(h.Context(), store.Strong, keys...)
	if err != nil || len(got) != len(keys) {
		h.Fatalf("Get(%v) = %d entries, %v", keys, len(got), err)
	}
	return got
}

// put stores e over any entry.
func (h harness) put(e store.Entry) store.Entry {
	h.Helper()
	stored, err := h.store.Replace(h.Context(), h.get(e.Key), e)
	if err != nil {
		h.Fatalf("Replace(%v): %v", e.Key, err)
	}
	return stored
}

func (h harness) acquire(seen store.Entry, ttl time.Duration) store.Lease {
	h.Helper()
	l, err := h.store.Acquire(h.Context(), seen, ttl)
	if err != nil {
		h.Fatalf("Acquire(%v, revision %d): %v", seen.Key, seen.Revision, err)
	}
	return l
}

// vanish takes a lease and lets it end without a commit.
func (h harness) vanish(key token.Key) store.Lease {
	h.Helper()
	l := h.acquire(h.get(key), short)
	runOut(l)
	return l
}

func (h harness) commit(l store.Lease, next store.Entry) {
	h.Helper()
	if err := h.store.Commit(h.Context(), l, next); err != nil {
		h.Fatalf("Commit(%v): %v", l.Entry.Key, err)
	}
}

// stands checks the stored entry with its revision and its lease.
func (h harness) stands(want store.Entry) {
	h.Helper()
	h.same("what is stored", h.get(want.Key), want)
}

func (h harness) same(what string, got, want store.Entry) {
	h.Helper()
	if diff := differences(got, want); diff != "" {
		h.Fatalf("%s:\n%s", what, diff)
	}
}

func (h harness) errorIs(err, want error) {
	h.Helper()
	if !errors.Is(err, want) {
		h.Fatalf("error is %v, not %v", err, want)
	}
}

// comes waits until look reports no problem.
func (h harness) comes(look func() string) {
	h.Helper()
	problem := await(look)
	if problem != "" {
		h.Fatal(problem)
	}
}

func await(look func() string) (problem string) {
	for end := time.Now().Add(bound); ; time.Sleep(20 * time.Millisecond) {
		if problem = look(); problem == "" || time.Now().After(end) {
			return problem
		}
	}
}

// runOut sleeps until l has ended by any clock of the test.
func runOut(l store.Lease) { time.Sleep(time.Until(l.Until) + 5*time.Millisecond) }

// full returns an entry with a distinct value in every field but Revision and
// LeasedUntil.
func full(key token.Key) store.Entry {
	e := store.Entry{Key: key}
	fill(reflect.ValueOf(&e).Elem(), 1)
	e.Format = 3 // the newest
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

// differences returns a line per differing field. Times are equal if they are
// the same instant in UTC.
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
