package dynamo_test

import (
	"context"
	"encoding/json"
	"errors"
	"net/http"
	"testing"
	"time"

	"github.com/tokenvend/tokenvend/internal/testbed"
	"github.com/tokenvend/tokenvend/pkg/store"
	"github.com/tokenvend/tokenvend/pkg/token"
)

// eachRefusal runs test on each DynamoDB with a store whose responses pass
// through f: with the item in a failed condition's response, as AWS sends it,
// and without.
func eachRefusal(t *testing.T, test func(t *testing.T, s store.Store, f *faults)) {
	onEach(t, func(t *testing.T, endpoint testbed.Endpoint) {
		for name, wrap := range refusals {
			t.Run(name, func(t *testing.T) {
				var f faults
				test(t, open(t, endpoint, func(next http.RoundTripper) http.RoundTripper {
					return f.wrap(wrap(next))
				}), &f)
			})
		}
	})
}

func TestFault52_AcquireKnowsItsOwnWriteWhenTheAnswerIsLost(t *testing.T) {
	eachRefusal(t, func(t *testing.T, s store.Store, f *faults) {
		record := put(t, s, store.Entry{Key: token.RecordKey("minut"), Generation: 7})
		for _, seen := range []store.Entry{{Key: key}, record} {
			f.then(lost, lost)
			l := acquire(t, s, seen)
			if l.Attempt != 1 || l.ID == "" || !l.Until.Equal(l.Entry.LeasedUntil) ||
				l.Entry.Generation != seen.Generation {
				t.Errorf("lease = %+v", l)
			}
			if err := s.Commit(t.Context(), l, store.Entry{Generation: 8}); err != nil {
				t.Errorf("Commit with it: %v", err)
			}
		}
	})
}

func TestFault52_CommitKnowsItsOwnWriteWhenTheAnswerIsLost(t *testing.T) {
	eachRefusal(t, func(t *testing.T, s store.Store, f *faults) {
		l := acquire(t, s, store.Entry{Key: key})
		f.then(lost, lost)
		if err := s.Commit(t.Context(), l, store.Entry{Generation: 8}); err != nil {
			t.Error(err)
		}
		if got := get(t, s, key); got.Revision != 1 || got.Generation != 8 || !got.LeasedUntil.IsZero() {
			t.Errorf("stands: %+v", got)
		}
	})
}

func TestFault52_ReplaceKnowsItsOwnWriteWhenTheAnswerIsLost(t *testing.T) {
	eachRefusal(t, func(t *testing.T, s store.Store, f *faults) {
		var seen store.Entry
		for want := range int64(3) {
			f.then(lost, lost)
			got, err := s.Replace(t.Context(), store.Entry{Key: key, Revision: want}, store.Entry{Generation: want})
			if err != nil || got.Revision != want+1 || got.Generation != want {
				t.Errorf("%+v, %v", got, err)
			}
			seen = got
		}
		if got := get(t, s, key); got.Revision != 3 || got.Generation != seen.Generation {
			t.Errorf("stands: %+v", got)
		}
	})
}

func TestFault52_AnothersWriteIsNotTakenForOurOwn(t *testing.T) {
	eachRefusal(t, func(t *testing.T, s store.Store, f *faults) {
		other := func(send func() (*http.Response, error)) (*http.Response, error) {
			if _, err := s.Replace(t.Context(), store.Entry{Key: key}, store.Entry{Generation: 99}); err != nil {
				t.Error(err)
			}
			return nil, errors.New("connection reset by peer")
		}
		f.then(other)
		if _, err := s.Replace(
			t.Context(), store.Entry{Key: key}, store.Entry{Generation: 1},
		); !errors.Is(err, store.ErrChanged) {
			t.Errorf("Replace: %v", err)
		}
		late := acquire(t, s, get(t, s, key))
		if err := s.Delete(t.Context(), key); err != nil {
			t.Fatal(err)
		}
		f.then(other)
		if err := s.Commit(t.Context(), late, store.Entry{}); !errors.Is(err, store.ErrLeaseLost) {
			t.Errorf("Commit: %v", err)
		}
		if got := get(t, s, key); got.Generation != 99 {
			t.Errorf("stands: %+v", got)
		}
	})
}

func TestFault52_ACommitWhoseAnswersWereAllLostCanBeRepeated(t *testing.T) {
	eachRefusal(t, func(t *testing.T, s store.Store, f *faults) {
		l := acquire(t, s, store.Entry{Key: key})
		f.then(repeat(5, lost)...)
		err := s.Commit(t.Context(), l, store.Entry{Generation: 8})
		if err == nil || errors.Is(err, store.ErrLeaseLost) {
			t.Errorf("with every answer lost: %v", err)
		}
		next := acquire(t, s, store.Entry{Key: key, Revision: 1})
		if err := s.Commit(t.Context(), l, store.Entry{Generation: 8}); err != nil {
			t.Errorf("once more: %v", err)
		}
		if err := s.Commit(t.Context(), next, store.Entry{Generation: 9}); err != nil {
			t.Errorf("the next holder's: %v", err)
		}
	})
}

func TestFault51_APassingFaultIsHiddenAndALastingOneIsAnErrorSoon(t *testing.T) {
	var f faults
	s := open(t, testbed.DynamoDB(t), f.wrap)
	own := token.RecordKey("minut")
	l := acquire(t, s, store.Entry{Key: own})
	calls := map[string]func(context.Context) error{
		"Get":     func(ctx context.Context) error { _, err := s.Get(ctx, store.Strong, key); return err },
		"Get two": func(ctx context.Context) error { _, err := s.Get(ctx, store.Strong, key, own); return err },
		"List":    func(ctx context.Context) error { _, err := s.List(ctx, "minut", "", 1); return err },
		"Acquire": func(ctx context.Context) error { _, err := s.Acquire(ctx, store.Entry{Key: key}, 0); return err },
		"Commit":  func(ctx context.Context) error { return s.Commit(ctx, l, store.Entry{}) },
		"Replace": func(ctx context.Context) error {
			_, err := s.Replace(ctx, store.Entry{Key: token.RecordKey("other")}, store.Entry{})
			return err
		},
		"Due":    func(ctx context.Context) error { _, err := s.Due(ctx, noon, 1); return err },
		"Touch":  func(ctx context.Context) error { return s.Touch(ctx, key, noon) },
		"Delete": func(ctx context.Context) error { return s.Delete(ctx, key) },
	}
	for name, call := range calls {
		f.then(throttled, down)
		if err := call(t.Context()); err != nil {
			t.Errorf("%s after a passing fault: %v", name, err)
		}
	}
	for name, call := range calls {
		for _, fault := range []fault{throttled, down} {
			f.then(repeat(200, fault)...)
			start := time.Now()
			err := call(t.Context())
			if err == nil || errors.Is(err, store.ErrChanged) || errors.Is(err, store.ErrLeased) ||
				errors.Is(err, store.ErrLeaseLost) {
				t.Errorf("%s in an outage: %v", name, err)
			}
			if took := time.Since(start); took > 5*time.Second {
				t.Errorf("%s in an outage took %v", name, took)
			}
		}
	}
}

// unread changes the response of a batch so that the first n keys are not read.
func unread(n int) fault {
	return func(send func() (*http.Response, error)) (*http.Response, error) {
		answer, err := send()
		if err != nil {
			return nil, err
		}
		defer func() { _ = answer.Body.Close() }()
		var got map[string]any
		if err := json.NewDecoder(answer.Body).Decode(&got); err != nil {
			return nil, err
		}
		unprocessed := map[string]any{}
		for table, items := range got["Responses"].(map[string]any) {
			all := items.([]any)
			var keys []any
			for _, it := range all[:min(n, len(all))] {
				it := it.(map[string]any)
				keys = append(keys, map[string]any{"credential": it["credential"], "variant": it["variant"]})
			}
			unprocessed[table] = map[string]any{"Keys": keys, "ConsistentRead": true}
			got["Responses"].(map[string]any)[table] = all[len(keys):]
		}
		got["UnprocessedKeys"] = unprocessed
		body, err := json.Marshal(got)
		return reply(http.StatusOK, string(body)), err
	}
}

func TestFault51_KeysThatABatchLeftOutAreReadAgain(t *testing.T) {
	var f faults
	s := open(t, testbed.DynamoDB(t), f.wrap)
	var keys []token.Key
	for _, name := range []string{"a", "b", "c"} {
		keys = append(keys, token.RecordKey(name))
		put(t, s, store.Entry{Key: token.RecordKey(name), Generation: 7})
	}
	f.then(unread(2), unread(1))
	got, err := s.Get(t.Context(), store.Strong, keys...)
	if err != nil {
		t.Fatal(err)
	}
	for i, e := range got {
		if e.Key != keys[i] || e.Generation != 7 {
			t.Errorf("answer %d = %+v", i, e)
		}
	}
	f.then(repeat(100, unread(1))...)
	if got, err := s.Get(t.Context(), store.Strong, keys...); err == nil {
		t.Errorf("a batch that is never read whole = %v", got)
	}
	f.then(repeat(100, unread(1))...)
	ctx, cancel := context.WithTimeout(t.Context(), 30*time.Millisecond)
	defer cancel()
	if _, err := s.Get(ctx, store.Strong, keys...); !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("with a deadline: %v", err)
	}
}

func TestGetOfManyKeys(t *testing.T) {
	var j journal
	s := open(t, testbed.DynamoDB(t), j.wrap)
	var keys []token.Key
	for i := range 230 {
		keys = append(keys, token.Key{Credential: "minut", Variant: token.NewVariant("", "", string(rune('a'+i)))})
	}
	put(t, s, store.Entry{Key: keys[229], Generation: 7})
	requests := j.during(func() {
		got, err := s.Get(t.Context(), store.Eventual, keys...)
		if err != nil || len(got) != 230 || got[229].Generation != 7 {
			t.Errorf("%d entries, %v", len(got), err)
		}
	})
	if len(requests) != 3 {
		t.Errorf("%d requests", len(requests))
	}
}
