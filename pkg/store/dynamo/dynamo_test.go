package dynamo_test

import (
	"errors"
	"fmt"
	"net/http"
	"os"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/tokenvend/tokenvend/internal/testbed"
	"github.com/tokenvend/tokenvend/internal/testworld/dynamotable"
	"github.com/tokenvend/tokenvend/pkg/store"
	"github.com/tokenvend/tokenvend/pkg/store/dynamo"
	"github.com/tokenvend/tokenvend/pkg/store/storetest"
	"github.com/tokenvend/tokenvend/pkg/token"
)

func TestMain(m *testing.M) {
	_ = os.Setenv("AWS_EC2_METADATA_DISABLED", "true")
	os.Exit(m.Run())
}

var (
	key  = token.Key{Credential: "minut"}
	noon = time.Date(2031, 11, 22, 12, 0, 0, 0, time.UTC)
)

// open returns an empty store whose requests pass through wrap.
func open(t *testing.T, endpoint testbed.Endpoint, wrap func(http.RoundTripper) http.RoundTripper) *dynamo.Store {
	t.Helper()
	table := dynamotable.New(t, newClient(t, endpoint, nil))
	return dynamo.New(newClient(t, endpoint, wrap), table)
}

func onEach(t *testing.T, test func(*testing.T, testbed.Endpoint)) {
	for name, endpoint := range testbed.DynamoDBs() {
		t.Run(name, func(t *testing.T) { test(t, endpoint(t)) })
	}
}

func TestContract(t *testing.T) {
	onEach(t, func(t *testing.T, endpoint testbed.Endpoint) {
		storetest.Run(t, func(t *testing.T) store.Store {
			return open(t, endpoint, nil)
		}, storetest.Checks(10), storetest.Rounds(8))
	})
}

func TestContractWhereARefusalTellsWhatStands(t *testing.T) {
	storetest.Run(t, func(t *testing.T) store.Store {
		return open(t, testbed.DynamoDB(t), newAsAWS)
	}, storetest.Checks(3), storetest.Rounds(2))
}

func get(t *testing.T, s store.Store, key token.Key) store.Entry {
	t.Helper()
	got, err := s.Get(t.Context(), store.Strong, key)
	if err != nil {
		t.Fatal(err)
	}
	return got[0]
}

func put(t *testing.T, s store.Store, e store.Entry) store.Entry {
	t.Helper()
	stored, err := s.Replace(t.Context(), get(t, s, e.Key), e)
	if err != nil {
		t.Fatal(err)
	}
	return stored
}

func acquire(t *testing.T, s store.Store, seen store.Entry) store.Lease {
	t.Helper()
	l, err := s.Acquire(t.Context(), seen, time.Minute)
	if err != nil {
		t.Fatal(err)
	}
	return l
}

func TestFault01_OneOfFourHundredColdCallersIsLeased(t *testing.T) {
	onEach(t, func(t *testing.T, endpoint testbed.Endpoint) {
		table := dynamotable.New(t, newClient(t, endpoint, nil))
		var won, refused atomic.Int64
		var all sync.WaitGroup
		for range 8 {
			s := dynamo.New(newClient(t, endpoint, nil), table)
			for range 50 {
				all.Go(func() {
					l, err := s.Acquire(t.Context(), store.Entry{Key: key}, time.Minute)
					switch {
					case err == nil:
						won.Add(1)
					case errors.Is(err, store.ErrLeased) && !l.Entry.LeasedUntil.IsZero():
						refused.Add(1)
					default:
						t.Error(err)
					}
				})
			}
		}
		all.Wait()
		if won.Load() != 1 || refused.Load() != 399 {
			t.Errorf("%d won, %d were refused", won.Load(), refused.Load())
		}
	})
}

func TestRequestsPerCall(t *testing.T) {
	for name, c := range map[string]struct {
		wrap    func(http.RoundTripper) http.RoundTripper
		refusal string
	}{
		"without the item": {newWithoutItem, "UpdateItem GetItem"},
		"as AWS":           {newAsAWS, "UpdateItem"},
	} {
		t.Run(name, func(t *testing.T) {
			var j journal
			s := open(t, testbed.DynamoDB(t), func(next http.RoundTripper) http.RoundTripper {
				return j.wrap(c.wrap(next))
			})
			ctx, own, nothing := t.Context(), token.RecordKey("minut"), store.Entry{Key: key}
			var l store.Lease
			var err error
			for _, step := range []struct {
				call, want string
				do         func()
			}{
				{"Get of one", "GetItem", func() { _, err = s.Get(ctx, store.Eventual, key) }},
				{"Get of one, twice", "GetItem", func() { _, err = s.Get(ctx, store.Eventual, key, key) }},
				{"Get of two", "BatchGetItem", func() { _, err = s.Get(ctx, store.Eventual, key, own) }},
				{"Get of none", "", func() { _, err = s.Get(ctx, store.Strong) }},
				{"Acquire", "UpdateItem", func() { l, err = s.Acquire(ctx, nothing, time.Minute) }},
				{"Acquire refused", c.refusal, func() { _, err = s.Acquire(ctx, nothing, time.Minute) }},
				{"Replace refused", c.refusal, func() { _, err = s.Replace(ctx, nothing, nothing) }},
				{"Commit", "UpdateItem", func() { err = s.Commit(ctx, l, nothing) }},
				{"Commit again", c.refusal, func() { err = s.Commit(ctx, l, nothing) }},
				{"Replace", "UpdateItem", func() {
					_, err = s.Replace(ctx, store.Entry{Key: key, Revision: 1}, nothing)
				}},
				{"Touch", "UpdateItem", func() { err = s.Touch(ctx, key, noon) }},
				{"Touch of nothing", "UpdateItem", func() { err = s.Touch(ctx, own, noon) }},
				{"List", "Query", func() { _, err = s.List(ctx, "minut", "", 10) }},
				{"Due", strings.TrimSpace(strings.Repeat("Query ", 2*dynamo.Shards)), func() {
					_, err = s.Due(ctx, noon, 10)
				}},
				{"Delete", "DeleteItem", func() { err = s.Delete(ctx, key) }},
			} {
				made := operations(j.during(step.do))
				refused := errors.Is(err, store.ErrLeased) == strings.HasSuffix(step.call, "refused")
				if made != step.want || !refused || err != nil && !errors.Is(err, store.ErrLeased) {
					t.Errorf("%s makes %q, want %q; %v", step.call, made, step.want, err)
				}
			}
		})
	}
}

func TestFault53_ConsistencyOfEveryRead(t *testing.T) {
	var j journal
	s := open(t, testbed.DynamoDB(t), func(next http.RoundTripper) http.RoundTripper {
		return j.wrap(newWithoutItem(next))
	})
	acquire(t, s, store.Entry{Key: key})
	own := token.RecordKey("minut")
	for call, do := range map[string]func() error{
		"Strong of one":   func() error { _, err := s.Get(t.Context(), store.Strong, key); return err },
		"Strong of two":   func() error { _, err := s.Get(t.Context(), store.Strong, key, own); return err },
		"Eventual of one": func() error { _, err := s.Get(t.Context(), store.Eventual, key); return err },
		"Eventual of two": func() error { _, err := s.Get(t.Context(), store.Eventual, key, own); return err },
		"Strong after a lost claim": func() error {
			if _, err := s.Acquire(t.Context(), store.Entry{Key: key}, time.Minute); !errors.Is(err, store.ErrLeased) {
				return fmt.Errorf("Acquire: %v", err)
			}
			return nil
		},
	} {
		requests := j.during(func() {
			if err := do(); err != nil {
				t.Errorf("%s: %v", call, err)
			}
		})
		last := requests[len(requests)-1]
		strong := last.ConsistentRead
		for _, table := range last.RequestItems {
			strong = table.ConsistentRead
		}
		if strong != strings.HasPrefix(call, "Strong") {
			t.Errorf("%s: ConsistentRead is %v in %s", call, strong, last.raw)
		}
	}
}
