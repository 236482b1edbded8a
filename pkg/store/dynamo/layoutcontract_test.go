//go:build testall

package dynamo_test

import (
	"context"
	"math/rand/v2"
	"testing"
	"time"

	"github.com/tokenvend/tokenvend/internal/testbed"
	"github.com/tokenvend/tokenvend/internal/testworld/dynamotable"
	"github.com/tokenvend/tokenvend/pkg/store"
	"github.com/tokenvend/tokenvend/pkg/store/dynamo"
	"github.com/tokenvend/tokenvend/pkg/store/dynamo/places"
	"github.com/tokenvend/tokenvend/pkg/store/storetest"
	"github.com/tokenvend/tokenvend/pkg/token"
)

// mixed is a table on which processes of several layouts work. A random one
// makes each call, often after another one has moved all records.
type mixed struct {
	t    *testing.T
	over []*dynamo.Store
}

func openMixed(t *testing.T, layouts ...places.Layout) mixed {
	t.Helper()
	client := newClient(t, testbed.DynamoDB(t), newAsAWS)
	table := dynamo.New(client, dynamotable.New(t, client))
	m := mixed{t: t}
	for _, layout := range layouts {
		m.over = append(m.over, table.WithLayout(layout))
	}
	return m
}

func (m mixed) any() *dynamo.Store { return m.over[rand.IntN(len(m.over))] }

func (m mixed) next(ctx context.Context) *dynamo.Store {
	if rand.IntN(3) == 0 {
		_, err := m.any().MoveRecords(context.WithoutCancel(ctx), func(credential string, err error) {
			m.t.Errorf("MoveRecords() of %s: %v, want no error", credential, err)
		})
		if err != nil {
			m.t.Errorf("MoveRecords() = %v, want no error", err)
		}
	}
	return m.any()
}

func (m mixed) Get(ctx context.Context, c store.Consistency, keys ...token.Key) ([]store.Entry, error) {
	return m.next(ctx).Get(ctx, c, keys...)
}

func (m mixed) Due(ctx context.Context, before time.Time, limit int) ([]store.Due, error) {
	return m.next(ctx).Due(ctx, before, limit)
}

func (m mixed) List(ctx context.Context, partition, after string, limit int) ([]store.Entry, error) {
	return m.next(ctx).List(ctx, partition, after, limit)
}

func (m mixed) Acquire(ctx context.Context, seen store.Entry, ttl time.Duration) (store.Lease, error) {
	return m.next(ctx).Acquire(ctx, seen, ttl)
}

func (m mixed) Commit(ctx context.Context, l store.Lease, next store.Entry) error {
	return m.next(ctx).Commit(ctx, l, next)
}

func (m mixed) Replace(ctx context.Context, seen, next store.Entry) (store.Entry, error) {
	return m.next(ctx).Replace(ctx, seen, next)
}

func (m mixed) Touch(ctx context.Context, key token.Key, asked time.Time) error {
	return m.next(ctx).Touch(ctx, key, asked)
}

func (m mixed) Delete(ctx context.Context, key token.Key) error { return m.next(ctx).Delete(ctx, key) }

func (m mixed) Count(ctx context.Context, c store.Counter, n int64) (int64, error) {
	return m.next(ctx).Count(ctx, c, n)
}

func (m mixed) Counted(ctx context.Context, c store.Counter) (int64, error) {
	return m.next(ctx).Counted(ctx, c)
}

func TestContractWhileRecordsMove(t *testing.T) {
	for name, layouts := range map[string][]places.Layout{
		"to the credential's partition":   {places.OnePartition, places.Moving},
		"from the credential's partition": {places.Moving, places.OwnPartitions},
	} {
		t.Run(name, func(t *testing.T) {
			storetest.Run(t, func(t *testing.T) store.Store { return openMixed(t, layouts...) },
				storetest.Checks(3), storetest.Rounds(1))
		})
	}
}
