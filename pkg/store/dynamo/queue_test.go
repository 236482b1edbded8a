package dynamo_test

import (
	"context"
	"errors"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/smithy-go"

	"github.com/tokenvend/tokenvend/internal/testbed"
	"github.com/tokenvend/tokenvend/internal/testworld/dynamotable"
	"github.com/tokenvend/tokenvend/pkg/store"
	"github.com/tokenvend/tokenvend/pkg/store/dynamo"
)

// withoutQueue is the table of an older stack: DynamoDB refuses to query an
// index that a table does not have.
type withoutQueue struct{ *dynamodb.Client }

func (c withoutQueue) Query(
	ctx context.Context, in *dynamodb.QueryInput, options ...func(*dynamodb.Options),
) (*dynamodb.QueryOutput, error) {
	if aws.ToString(in.IndexName) == dynamo.Queue {
		return nil, &smithy.GenericAPIError{
			Code: "ValidationException", Message: "The table does not have the specified index: queue",
		}
	}
	return c.Client.Query(ctx, in, options...)
}

func TestDueWithoutTheIndexQueue(t *testing.T) {
	client := newClient(t, testbed.DynamoDB(t), nil)
	s := dynamo.New(withoutQueue{client}, dynamotable.New(t, client))
	e := put(t, s, store.Entry{Key: key, NextAt: noon, ExpiresAt: noon.Add(time.Hour), AlarmAt: noon.Add(time.Minute)})
	due, err := s.Due(t.Context(), noon, 10)
	if err != nil || len(due) != 1 || due[0].Key != e.Key || !due[0].AlarmAt.Equal(noon.Add(2*time.Minute)) {
		t.Errorf("Due() = %+v, %v; want %v, overdue two minutes after its time", due, err, e.Key)
	}
	_, err = dynamo.New(client, "no-such-table").Due(t.Context(), noon, 10)
	if err == nil {
		t.Error("Due() of a table that does not exist = nil error, want one")
	}
}

func TestDiscoveryIsKept(t *testing.T) {
	s := open(t, testbed.DynamoDB(t), nil)
	steps := []store.Discovery{
		{ChangedUntil: noon, Compared: noon.Add(time.Second), Page: "first"},
		{ChangedUntil: noon, Compared: noon.Add(time.Second), Page: "token", After: "minut"},
		{ChangedUntil: noon.Add(time.Minute), Compared: noon.Add(time.Second)},
	}
	before, err := s.Discovery(t.Context())
	if err != nil || before != (store.Discovery{}) {
		t.Errorf("Discovery() of a new table = %+v, %v; want none", before, err)
	}
	for _, want := range steps {
		err := s.SaveDiscovery(t.Context(), want)
		got, readErr := s.Discovery(t.Context())
		if errors.Join(err, readErr) != nil || got != want {
			t.Errorf("Discovery() = %+v, %v; want %+v", got, errors.Join(err, readErr), want)
		}
	}
}
