package dynamo

import (
	"context"
	"fmt"
	"strings"

	"github.com/aws/aws-sdk-go-v2/service/dynamodb"

	"github.com/tokenvend/tokenvend/pkg/awserror"
	"github.com/tokenvend/tokenvend/pkg/store"
	"github.com/tokenvend/tokenvend/pkg/store/dynamo/attributevalue"
	"github.com/tokenvend/tokenvend/pkg/store/dynamo/places"
)

// The item of the discoveries' progress. Its partition is none of a credential:
// see token.Key.
const discoveryPartition = "%discovery"

func discoveryKey() item {
	return item{PartitionKey: attributevalue.Text(discoveryPartition), SortKey: attributevalue.Text("-")}
}

func discoveryAttributes(d *store.Discovery) []attribute {
	return []attribute{
		{"changed_until", &d.ChangedUntil}, {"compared_at", &d.Compared}, {"compared_page", &d.Page},
		{"compared_after", &d.After},
	}
}

// Discovery returns how far discoveries have come. An item that is damaged is
// none: the next discovery begins anew.
func (s *Store) Discovery(ctx context.Context) (d store.Discovery, err error) {
	got, err := s.client.GetItem(ctx, &dynamodb.GetItemInput{TableName: &s.table, Key: discoveryKey()})
	if err != nil {
		return d, fmt.Errorf("store: reading the progress of discoveries: %w", awserror.Wrap(err))
	}
	for _, a := range discoveryAttributes(&d) {
		if err := attributevalue.Decode(got.Item[a.name], a.value); err != nil {
			return store.Discovery{}, nil
		}
	}
	return d, nil
}

// SaveDiscovery keeps how far discoveries have come.
func (s *Store) SaveDiscovery(ctx context.Context, d store.Discovery) error {
	var set, remove []string
	values := item{}
	for _, a := range discoveryAttributes(&d) {
		if v := attributevalue.Encode(a.value); v != nil {
			set = append(set, "#"+a.name+" = :"+a.name)
			values[":"+a.name] = v
		} else {
			remove = append(remove, "#"+a.name)
		}
	}
	update := "SET " + strings.Join(set, ", ") // ChangedUntil and Compared, at least
	if len(remove) > 0 {
		update += " REMOVE " + strings.Join(remove, ", ")
	}
	_, err := s.client.UpdateItem(ctx, &dynamodb.UpdateItemInput{
		TableName: &s.table, Key: discoveryKey(), UpdateExpression: &update,
		ExpressionAttributeNames: places.Aliases(update), ExpressionAttributeValues: values,
	})
	if err != nil {
		return fmt.Errorf("store: writing the progress of discoveries: %w", awserror.Wrap(err))
	}
	return nil
}
