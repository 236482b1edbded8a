package dynamo

import (
	"context"
	"fmt"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"

	"github.com/tokenvend/tokenvend/pkg/awserror"
	"github.com/tokenvend/tokenvend/pkg/store"
	"github.com/tokenvend/tokenvend/pkg/store/dynamo/attributevalue"
	"github.com/tokenvend/tokenvend/pkg/store/dynamo/places"
)

// counterPrefix begins the partition of a credential's counters, which is none
// of a credential: see token.Key. Their items have no revision, so that no list
// of entries would have them.
const counterPrefix = "%requests "

const attrRequests = "requests"

func counterKey(c store.Counter) item {
	return item{
		PartitionKey: attributevalue.Text(counterPrefix + c.Credential), SortKey: attributevalue.Text(c.Window),
	}
}

// Count implements [store.Counting]: one request.
func (s *Store) Count(ctx context.Context, c store.Counter, n int64) (int64, error) {
	const update = "ADD #requests :n SET #forget_at = :forget"
	wrote, err := s.client.UpdateItem(ctx, &dynamodb.UpdateItemInput{
		TableName: &s.table, Key: counterKey(c), ReturnValues: types.ReturnValueUpdatedNew,
		UpdateExpression: aws.String(update), ExpressionAttributeNames: places.Aliases(update),
		ExpressionAttributeValues: item{
			":n": attributevalue.Number(n), ":forget": attributevalue.Seconds(c.ForgetAt),
		},
	})
	if err != nil {
		return 0, fmt.Errorf("store: counting requests of %s: %w", c.Credential, awserror.Wrap(err))
	}
	return readCounter(c, wrote.Attributes)
}

// Counted implements [store.Counting]: one request.
func (s *Store) Counted(ctx context.Context, c store.Counter) (int64, error) {
	got, err := s.client.GetItem(ctx, &dynamodb.GetItemInput{TableName: &s.table, Key: counterKey(c)})
	if err != nil {
		return 0, fmt.Errorf("store: reading how many requests of %s there were: %w", c.Credential, awserror.Wrap(err))
	}
	if len(got.Item) == 0 {
		return 0, nil
	}
	return readCounter(c, got.Item)
}

func readCounter(c store.Counter, it item) (sum int64, err error) {
	if err := attributevalue.Decode(it[attrRequests], &sum); err != nil || sum < 1 {
		return 0, fmt.Errorf("%w: the counter %s of %s", store.ErrUnreadable, c.Window, c.Credential)
	}
	return sum, nil
}
