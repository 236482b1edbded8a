package dynamo_test

import (
	"strconv"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"

	"github.com/tokenvend/tokenvend/pkg/store"
	"github.com/tokenvend/tokenvend/pkg/store/dynamo"
)

// DynamoDB deletes a counter by itself, and it is in no index.
func TestCounterIsDeletedByItsTimeToLive(t *testing.T) {
	v := openTable(t)
	until := time.Date(2031, 11, 23, 12, 0, 0, 0, time.UTC)
	c := store.Counter{Credential: "minut", Window: "hour 2031-11-22T11", ForgetAt: until}
	if _, err := v.Count(t.Context(), c, 1); err != nil {
		t.Fatal(err)
	}
	got, err := v.client.GetItem(t.Context(), &dynamodb.GetItemInput{
		TableName: &v.name, ConsistentRead: aws.Bool(true),
		Key: map[string]types.AttributeValue{
			dynamo.PartitionKey: &types.AttributeValueMemberS{Value: "%requests minut"},
			dynamo.SortKey:      &types.AttributeValueMemberS{Value: c.Window},
		},
	})
	if err != nil {
		t.Fatal(err)
	}
	forget, _ := got.Item[dynamo.TimeToLive].(*types.AttributeValueMemberN)
	if forget == nil || forget.Value != strconv.FormatInt(until.Unix(), 10) || len(got.Item) != 4 {
		t.Errorf("the item of a counter = %v, want its sum, its key and the time %d", got.Item, until.Unix())
	}
}
