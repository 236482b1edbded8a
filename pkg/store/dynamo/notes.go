package dynamo

import (
	"context"
	"errors"
	"fmt"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"

	"github.com/tokenvend/tokenvend/pkg/awserror"
	"github.com/tokenvend/tokenvend/pkg/store/dynamo/attributevalue"
)

// The item with the table's notes. Its partition is none of a credential: see
// token.Key.
const (
	notesPartition = "%secret-prefix"
	attrPrefix     = "secret_prefix"
	attrSealed     = "sealed"
)

// Notes is what a table says of all its rows.
type Notes struct {
	SecretPrefix string // of the secrets that the table is for; "": not noted yet
	Sealed       bool   // it has had sealed rows
}

var errNoPrefix = errors.New("store: the item of the secrets' prefix has none")

func notesKey() item {
	return item{PartitionKey: attributevalue.Text(notesPartition), SortKey: attributevalue.Text("-")}
}

// Notes returns the table's notes. It may miss recent ones.
func (s *Store) Notes(ctx context.Context) (Notes, error) {
	got, err := s.client.GetItem(ctx, &dynamodb.GetItemInput{TableName: &s.table, Key: notesKey()})
	if err != nil {
		return Notes{}, fmt.Errorf("store: reading the table's notes: %w", awserror.Wrap(err))
	}
	if len(got.Item) == 0 {
		return Notes{}, nil
	}
	return readNotes(got.Item)
}

// Note notes the prefix unless one was noted before, and that there are sealed
// rows if n says so. It returns what the table says then.
func (s *Store) Note(ctx context.Context, n Notes) (Notes, error) {
	set := "SET " + attrPrefix + " = if_not_exists(" + attrPrefix + ", :p)"
	values := item{":p": attributevalue.Text(n.SecretPrefix)}
	if n.Sealed {
		set += ", " + attrSealed + " = :s"
		values[":s"] = &types.AttributeValueMemberBOOL{Value: true}
	}
	wrote, err := s.client.UpdateItem(ctx, &dynamodb.UpdateItemInput{
		TableName: &s.table, Key: notesKey(), ReturnValues: types.ReturnValueAllNew,
		UpdateExpression: aws.String(set), ExpressionAttributeValues: values,
	})
	if err != nil {
		return Notes{}, fmt.Errorf("store: writing the table's notes: %w", awserror.Wrap(err))
	}
	return readNotes(wrote.Attributes)
}

func readNotes(it item) (Notes, error) {
	prefix, ok := it[attrPrefix].(*types.AttributeValueMemberS)
	if !ok || prefix.Value == "" {
		return Notes{}, errNoPrefix
	}
	sealed, ok := it[attrSealed].(*types.AttributeValueMemberBOOL)
	return Notes{SecretPrefix: prefix.Value, Sealed: ok && sealed.Value}, nil
}
