// Command least is the least program that makes the calls to AWS which vend
// makes for a token that waits in the store: each time one BatchGetItem of two
// rows, or one GetItem of the token's alone, as the event says; and one Decrypt
// of the key that sealed them the first time. It checks nothing, opens nothing,
// logs nothing, and answers with what it was told to.
package main

import (
	"context"
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"os"

	"github.com/aws/aws-lambda-go/lambda"
	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/credentials"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
	"github.com/aws/aws-sdk-go-v2/service/kms"
)

type least struct {
	table, sealID string
	items         *dynamodb.Client
	keys          *kms.Client
	opened        bool
}

// event is what it needs of one.
type event struct {
	Credential string `json:"credential"`
	Variant    string `json:"variant"`
	Alone      bool   `json:"alone"` // the credential's row is not read
}

// answer is as long as vend's to a direct invocation.
const answer = `{"access_token":"0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef","token_type":"Bearer","expires_in":3599,` +
	`"expires_at":"2026-11-22T09:56:32.399Z","cache_until":"2026-11-22T09:28:20.397Z","scope":"read","fingerprint":"9f86d081884c7d65"}`

func main() {
	cfg := aws.Config{
		Region: os.Getenv("AWS_REGION"),
		Credentials: credentials.NewStaticCredentialsProvider(
			os.Getenv("AWS_ACCESS_KEY_ID"), os.Getenv("AWS_SECRET_ACCESS_KEY"), os.Getenv("AWS_SESSION_TOKEN"),
		),
		HTTPClient: &http.Client{Transport: &http.Transport{}},
	}
	lambda.Start(&least{
		table: os.Getenv("TOKENVEND_TABLE"), sealID: os.Getenv("TOKENVEND_SEAL_ID"),
		items: dynamodb.NewFromConfig(cfg, func(o *dynamodb.Options) {
			o.BaseEndpoint = aws.String(os.Getenv("AWS_ENDPOINT_URL_DYNAMODB"))
		}),
		keys: kms.NewFromConfig(cfg, func(o *kms.Options) {
			o.BaseEndpoint = aws.String(os.Getenv("AWS_ENDPOINT_URL_KMS"))
		}),
	})
}

// Invoke is lambda.Handler's.
func (l *least) Invoke(ctx context.Context, payload []byte) ([]byte, error) {
	var e event
	if err := json.Unmarshal(payload, &e); err != nil {
		return nil, err
	}
	rows, err := l.read(ctx, e)
	if err != nil {
		return nil, err
	}
	if !l.opened {
		err = l.open(ctx, e.Credential, rows[0])
	}
	return []byte(answer), err
}

// read reads the rows that the event is about.
func (l *least) read(ctx context.Context, e event) ([]map[string]types.AttributeValue, error) {
	if e.Alone {
		got, err := l.items.GetItem(ctx, &dynamodb.GetItemInput{TableName: &l.table, Key: key(e.Credential, e.Variant)})
		if err != nil || len(got.Item) == 0 {
			return nil, fmt.Errorf("no row of %s %s: %w", e.Credential, e.Variant, err)
		}
		return []map[string]types.AttributeValue{got.Item}, nil
	}
	got, err := l.items.BatchGetItem(ctx, &dynamodb.BatchGetItemInput{RequestItems: map[string]types.KeysAndAttributes{
		l.table: {Keys: []map[string]types.AttributeValue{key("*", e.Credential), key(e.Credential, e.Variant)}},
	}})
	if err != nil {
		return nil, err
	}
	rows := got.Responses[l.table]
	if len(rows) != 2 {
		return nil, fmt.Errorf("%d rows of %s %s", len(rows), e.Credential, e.Variant)
	}
	return rows, nil
}

func key(partition, sort string) map[string]types.AttributeValue {
	return map[string]types.AttributeValue{
		"credential": &types.AttributeValueMemberS{Value: partition},
		"variant":    &types.AttributeValueMemberS{Value: sort},
	}
}

// open has KMS open the data key that stands, behind a byte and its length, at
// the head of what is sealed.
func (l *least) open(ctx context.Context, credential string, row map[string]types.AttributeValue) error {
	sealed, ok := row["sealed"].(*types.AttributeValueMemberB)
	if !ok || len(sealed.Value) < 3 {
		return errors.New("nothing is sealed in the row")
	}
	end := 3 + int(binary.BigEndian.Uint16(sealed.Value[1:]))
	_, err := l.keys.Decrypt(ctx, &kms.DecryptInput{
		CiphertextBlob:    sealed.Value[3:end],
		EncryptionContext: map[string]string{"tokenvend:seal": l.sealID, "tokenvend:credential": credential},
	})
	l.opened = err == nil
	return err
}
