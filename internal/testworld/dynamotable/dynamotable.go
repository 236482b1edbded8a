// Package dynamotable creates tables for tests, in a DynamoDB of
// internal/testbed.
package dynamotable

import (
	"context"
	"fmt"
	"net/http"
	"sync/atomic"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/aws/retry"
	"github.com/aws/aws-sdk-go-v2/credentials"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"

	"github.com/tokenvend/tokenvend/internal/testbed"
	"github.com/tokenvend/tokenvend/pkg/store/dynamo"
)

// Client returns a client that sends its requests over transport. It retries
// soon.
func Client(endpoint testbed.Endpoint, transport http.RoundTripper) *dynamodb.Client {
	return dynamodb.New(dynamodb.Options{
		Region:       "us-east-1",
		BaseEndpoint: aws.String(string(endpoint)),
		Credentials:  credentials.NewStaticCredentialsProvider("AKIDTEST", "secret", ""),
		HTTPClient:   &http.Client{Transport: transport},
		Retryer: retry.NewStandard(func(o *retry.StandardOptions) {
			o.MaxAttempts, o.MaxBackoff = 5, 20*time.Millisecond
		}),
	})
}

// tables counts the tables that were created.
var tables atomic.Int64

// New creates an empty table and deletes it at the end of the test.
func New(t testing.TB, client *dynamodb.Client) (name string) {
	t.Helper()
	name = fmt.Sprintf("entries-%d", tables.Add(1))
	if _, err := client.CreateTable(t.Context(), schema(name)); err != nil {
		t.Fatalf("CreateTable(%s) = %v, want no error", name, err)
	}
	t.Cleanup(func() {
		in := &dynamodb.DeleteTableInput{TableName: &name}
		if _, err := client.DeleteTable(context.Background(), in); err != nil {
			t.Errorf("DeleteTable(%s) = %v, want no error", name, err)
		}
	})
	for {
		d, err := client.DescribeTable(t.Context(), &dynamodb.DescribeTableInput{TableName: &name})
		if err != nil {
			t.Fatalf("DescribeTable(%s) = %v, want a table", name, err)
		}
		if d.Table.TableStatus == types.TableStatusActive {
			return name
		}
		time.Sleep(10 * time.Millisecond)
	}
}

// schema describes a table as the store expects it.
func schema(name string) *dynamodb.CreateTableInput {
	keys := func(partition, sort string) []types.KeySchemaElement {
		return []types.KeySchemaElement{
			{AttributeName: aws.String(partition), KeyType: types.KeyTypeHash},
			{AttributeName: aws.String(sort), KeyType: types.KeyTypeRange},
		}
	}
	attribute := func(name string, kind types.ScalarAttributeType) types.AttributeDefinition {
		return types.AttributeDefinition{AttributeName: aws.String(name), AttributeType: kind}
	}
	return &dynamodb.CreateTableInput{
		TableName: &name, BillingMode: types.BillingModePayPerRequest,
		KeySchema: keys(dynamo.PartitionKey, dynamo.SortKey),
		AttributeDefinitions: []types.AttributeDefinition{
			attribute(dynamo.PartitionKey, "S"), attribute(dynamo.SortKey, "S"),
			attribute(dynamo.IndexPartitionKey, "N"), attribute(dynamo.IndexSortKey, "N"),
			attribute(dynamo.QueueSortKey, "N"),
		},
		GlobalSecondaryIndexes: []types.GlobalSecondaryIndex{
			index(dynamo.Index, keys(dynamo.IndexPartitionKey, dynamo.IndexSortKey), dynamo.IndexedBesides()),
			index(dynamo.Queue, keys(dynamo.IndexPartitionKey, dynamo.QueueSortKey), dynamo.QueuedBesides()),
		},
	}
}

func index(name string, keys []types.KeySchemaElement, besides []string) types.GlobalSecondaryIndex {
	return types.GlobalSecondaryIndex{
		IndexName: &name, KeySchema: keys,
		Projection: &types.Projection{ProjectionType: types.ProjectionTypeInclude, NonKeyAttributes: besides},
	}
}
