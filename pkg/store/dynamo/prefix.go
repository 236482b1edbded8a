package dynamo

import (
	"context"
	"errors"
	"fmt"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"

	"github.com/tokenvend/tokenvend/pkg/awserror"
)

// The item that holds the prefix of the secrets that the table is for. Its
// partition is none of a credential: see token.Key.
const (
	prefixPartition = "%secret-prefix"
	attrPrefix      = "secret_prefix"
)

var errNoPrefix = errors.New("store: the item of the secrets' prefix has none")

func prefixKey() item { return item{PartitionKey: text(prefixPartition), SortKey: text("-")} }

// SecretPrefix returns the prefix of the secrets that the table is for; "" if
// none was claimed yet. It may miss a recent claim.
func (s *Store) SecretPrefix(ctx context.Context) (string, error) {
	got, err := s.client.GetItem(ctx, &dynamodb.GetItemInput{TableName: &s.table, Key: prefixKey()})
	if err != nil {
		return "", fmt.Errorf("store: reading the secrets' prefix: %w", awserror.Wrap(err))
	}
	if len(got.Item) == 0 {
		return "", nil
	}
	return readPrefix(got.Item)
}

// ClaimSecretPrefix notes the prefix unless one was claimed before. It returns
// the one that the table has.
func (s *Store) ClaimSecretPrefix(ctx context.Context, prefix string) (string, error) {
	wrote, err := s.client.UpdateItem(ctx, &dynamodb.UpdateItemInput{
		TableName: &s.table, Key: prefixKey(), ReturnValues: types.ReturnValueAllNew,
		UpdateExpression:          aws.String("SET " + attrPrefix + " = if_not_exists(" + attrPrefix + ", :p)"),
		ExpressionAttributeValues: item{":p": text(prefix)},
	})
	if err != nil {
		return "", fmt.Errorf("store: claiming the secrets' prefix: %w", awserror.Wrap(err))
	}
	return readPrefix(wrote.Attributes)
}

func readPrefix(it item) (string, error) {
	prefix, ok := it[attrPrefix].(*types.AttributeValueMemberS)
	if !ok || prefix.Value == "" {
		return "", errNoPrefix
	}
	return prefix.Value, nil
}
