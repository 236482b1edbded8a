package mint_test

import (
	"context"
	"crypto/rand"
	"net/http"
	"testing"
	"testing/synctest"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"

	"github.com/tokenvend/tokenvend/internal/testbed"
	"github.com/tokenvend/tokenvend/pkg/store/dynamo"
)

// The same over the store of AWS, in a server that speaks DynamoDB: each kind
// of outage, at renewal and at expiry.
func TestOutageOfAnHourEndsNoGrantInDynamoDB(t *testing.T) {
	endpoint := testbed.DynamoDB(t) // its clock is not the test's
	for _, o := range outages[:min(len(outages), usualOutages)] {
		for at, begins := range beginnings {
			t.Run(o.name+"/at "+at, func(t *testing.T) {
				synctest.Test(t, func(t *testing.T) {
					transport := &http.Transport{
						DisableKeepAlives: true,
					} // a kept connection is waited on, and simulated time stands still
					outlives(t, newTable(t, endpoint, transport), o, begins, "unknown")
				})
			})
		}
	}
}

// newTable is an empty table of a name that no other test has.
func newTable(t *testing.T, endpoint testbed.Endpoint, transport http.RoundTripper) *dynamo.Store {
	t.Helper()
	client := dynamodb.New(dynamodb.Options{
		Region: "eu-central-1", BaseEndpoint: aws.String(string(endpoint)), HTTPClient: &http.Client{Transport: transport},
		Credentials: aws.CredentialsProviderFunc(func(context.Context) (aws.Credentials, error) {
			return aws.Credentials{AccessKeyID: "test", SecretAccessKey: "test"}, nil
		}),
	})
	name := aws.String("grants-" + rand.Text())
	text := func(name string, kind types.ScalarAttributeType) types.AttributeDefinition {
		return types.AttributeDefinition{AttributeName: aws.String(name), AttributeType: kind}
	}
	keys := func(partition, sort string) []types.KeySchemaElement {
		return []types.KeySchemaElement{
			{
				AttributeName: aws.String(partition),
				KeyType:       types.KeyTypeHash,
			}, {AttributeName: aws.String(sort), KeyType: types.KeyTypeRange},
		}
	}
	_, err := client.CreateTable(t.Context(), &dynamodb.CreateTableInput{
		TableName: name, BillingMode: types.BillingModePayPerRequest, KeySchema: keys(dynamo.PartitionKey, dynamo.SortKey),
		AttributeDefinitions: []types.AttributeDefinition{
			text(
				dynamo.PartitionKey,
				"S",
			), text(dynamo.SortKey, "S"), text(dynamo.IndexPartitionKey, "N"), text(dynamo.IndexSortKey, "N"),
		},
		GlobalSecondaryIndexes: []types.GlobalSecondaryIndex{{
			IndexName: aws.String(dynamo.Index), KeySchema: keys(dynamo.IndexPartitionKey, dynamo.IndexSortKey),
			Projection: &types.Projection{
				ProjectionType:   types.ProjectionTypeInclude,
				NonKeyAttributes: dynamo.IndexedBesides(),
			},
		}},
	})
	must(t, err)
	for {
		d, err := client.DescribeTable(t.Context(), &dynamodb.DescribeTableInput{TableName: name})
		must(t, err)
		if d.Table.TableStatus == types.TableStatusActive {
			return dynamo.New(client, *name)
		}
		time.Sleep(10 * time.Millisecond)
	}
}
