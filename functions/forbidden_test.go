package functions_test

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
	"github.com/aws/aws-sdk-go-v2/service/kms"
	kmstypes "github.com/aws/aws-sdk-go-v2/service/kms/types"
	"github.com/aws/aws-sdk-go-v2/service/lambda"
	"github.com/aws/aws-sdk-go-v2/service/secretsmanager"
	"github.com/aws/aws-sdk-go-v2/service/sts"
	"github.com/aws/smithy-go"

	"github.com/tokenvend/tokenvend/internal/testbed"
	"github.com/tokenvend/tokenvend/pkg/boot"
	"github.com/tokenvend/tokenvend/pkg/provider/simulator"
	"github.com/tokenvend/tokenvend/pkg/store/dynamo"
)

// thief has got hold of a function's credentials, and tries what else they open.
type thief struct {
	*house
	ctx      context.Context
	function string
	tables   *dynamodb.Client
	secrets  *secretsmanager.Client
	keys     *kms.Client
	roles    *sts.Client
	lambdas  *lambda.Client
	other    string            // a table of the same account
	sealKey  string            // this house's
	context  map[string]string // the encryption context of this house's items
	alien    []byte            // sealed under another key
}

// thief sends its calls through a gate of its own: what it is denied is not held against the house.
func (h *house) thief(function string) *thief {
	h.t.Helper()
	gate := h.stack.Gate(h.t, h.functions[function], &forbidden)
	cfg := h.stack.Account
	cfg.Credentials = aws.CredentialsProviderFunc(func(context.Context) (aws.Credentials, error) { return gate.Credentials, nil })
	cfg.BaseEndpoint = aws.String(string(testbed.CountCalls(h.t, testbed.AWS(h.t), gate).Endpoint))
	table := string(testbed.CountCalls(h.t, testbed.DynamoDB(h.t), gate).Endpoint)
	environment := h.functions[function].Environment
	return &thief{
		house: h, ctx: h.t.Context(), function: function,
		tables:  dynamodb.NewFromConfig(cfg, func(o *dynamodb.Options) { o.BaseEndpoint = &table }),
		secrets: secretsmanager.NewFromConfig(cfg), keys: kms.NewFromConfig(cfg), roles: sts.NewFromConfig(cfg), lambdas: lambda.NewFromConfig(cfg),
		other: h.stack.CreateTable(h.t, h.items), sealKey: environment[boot.EnvSealKey],
		context: map[string]string{"tokenvend:seal": environment[boot.EnvSealID], "tokenvend:credential": "minut"},
		alien:   h.alien(),
	}
}

// alien is a data key that another key of the account wrapped, in this house's own encryption context.
func (h *house) alien() []byte {
	h.t.Helper()
	keys := kms.NewFromConfig(h.stack.Account)
	made, err := keys.CreateKey(h.t.Context(), &kms.CreateKeyInput{})
	if err != nil {
		h.t.Fatal(err)
	}
	out, err := keys.GenerateDataKey(h.t.Context(), &kms.GenerateDataKeyInput{KeyId: made.KeyMetadata.Arn, KeySpec: kmstypes.DataKeySpecAes256, EncryptionContext: map[string]string{
		"tokenvend:seal": h.functions["vend"].Environment[boot.EnvSealID], "tokenvend:credential": "minut",
	}})
	if err != nil {
		h.t.Fatal(err)
	}
	return out.CiphertextBlob
}

// attempt is a call that must not be allowed.
type attempt struct {
	what string
	call func(*thief) error
}

// ofNeither are forbidden to both functions.
func ofNeither() []attempt {
	all := append(onTables(), onSecrets()...)
	return append(append(all, onKeys()...), elsewhere()...)
}

func (th *thief) item() map[string]types.AttributeValue {
	return map[string]types.AttributeValue{dynamo.PartitionKey: &types.AttributeValueMemberS{Value: "minut"}, dynamo.SortKey: &types.AttributeValueMemberS{Value: "-"}}
}

func onTables() []attempt {
	return []attempt{
		{"Scan its table", func(th *thief) error {
			return failure(th.tables.Scan(th.ctx, &dynamodb.ScanInput{TableName: &th.table}))
		}},
		{"Scan its index", func(th *thief) error {
			return failure(th.tables.Scan(th.ctx, &dynamodb.ScanInput{TableName: &th.table, IndexName: aws.String(dynamo.Index)}))
		}},
		{"PutItem", func(th *thief) error {
			return failure(th.tables.PutItem(th.ctx, &dynamodb.PutItemInput{TableName: &th.table, Item: th.item()}))
		}},
		{"DeleteItem", func(th *thief) error {
			return failure(th.tables.DeleteItem(th.ctx, &dynamodb.DeleteItemInput{TableName: &th.table, Key: th.item()}))
		}},
		{"BatchWriteItem", func(th *thief) error {
			return failure(th.tables.BatchWriteItem(th.ctx, &dynamodb.BatchWriteItemInput{RequestItems: map[string][]types.WriteRequest{th.table: {{DeleteRequest: &types.DeleteRequest{Key: th.item()}}}}}))
		}},
		{"a PartiQL SELECT", func(th *thief) error {
			return failure(th.tables.ExecuteStatement(th.ctx, &dynamodb.ExecuteStatementInput{Statement: aws.String(`SELECT * FROM "` + th.table + `"`)}))
		}},
		{"a transaction", func(th *thief) error {
			return failure(th.tables.TransactGetItems(th.ctx, &dynamodb.TransactGetItemsInput{TransactItems: []types.TransactGetItem{{Get: &types.Get{TableName: &th.table, Key: th.item()}}}}))
		}},
		{"GetItem of another table", func(th *thief) error {
			return failure(th.tables.GetItem(th.ctx, &dynamodb.GetItemInput{TableName: &th.other, Key: th.item()}))
		}},
		{"UpdateItem of another table", func(th *thief) error {
			return failure(th.tables.UpdateItem(th.ctx, &dynamodb.UpdateItemInput{TableName: &th.other, Key: th.item()}))
		}},
		{"BatchGetItem of its table and another", func(th *thief) error {
			keys := types.KeysAndAttributes{Keys: []map[string]types.AttributeValue{th.item()}}
			return failure(th.tables.BatchGetItem(th.ctx, &dynamodb.BatchGetItemInput{RequestItems: map[string]types.KeysAndAttributes{th.table: keys, th.other: keys}}))
		}},
		{"Query of another table's index", func(th *thief) error { return th.due(th.other, dynamo.Index) }},
		{"Query of another index of its table", func(th *thief) error { return th.due(th.table, dynamo.Index+"2") }},
		{"DeleteTable", func(th *thief) error {
			return failure(th.tables.DeleteTable(th.ctx, &dynamodb.DeleteTableInput{TableName: &th.table}))
		}},
		{"ListTables", func(th *thief) error { return failure(th.tables.ListTables(th.ctx, &dynamodb.ListTablesInput{})) }},
	}
}

func (th *thief) due(table, index string) error {
	return failure(th.tables.Query(th.ctx, &dynamodb.QueryInput{
		TableName: &table, IndexName: &index, KeyConditionExpression: aws.String("due_shard = :n"),
		ExpressionAttributeValues: map[string]types.AttributeValue{":n": &types.AttributeValueMemberN{Value: "0"}},
	}))
}

func onSecrets() []attempt {
	read := func(name func(*thief) string) func(*thief) error {
		return func(th *thief) error {
			id := name(th)
			_, _ = secretsmanager.NewFromConfig(th.stack.Account).CreateSecret(th.ctx, &secretsmanager.CreateSecretInput{Name: &id, SecretString: aws.String("another's")}) // or it is there
			return failure(th.secrets.GetSecretValue(th.ctx, &secretsmanager.GetSecretValueInput{SecretId: &id}))
		}
	}
	own := func(th *thief) *string { return aws.String(th.prefix + "minut") }
	return []attempt{
		{"GetSecretValue of another's secret", read(func(*thief) string { return "billing/database" })},
		{"GetSecretValue of a name that begins like the prefix", read(func(th *thief) string { return strings.TrimSuffix(th.prefix, "/") + "-eu/minut" })},
		{"GetSecretValue of the prefix without its end", read(func(th *thief) string { return strings.TrimSuffix(th.prefix, "/") })},
		{"GetSecretValue of a name that ends in the prefix", read(func(th *thief) string { return "x" + th.prefix + "minut" })},
		{"BatchGetSecretValue", func(th *thief) error {
			return failure(th.secrets.BatchGetSecretValue(th.ctx, &secretsmanager.BatchGetSecretValueInput{SecretIdList: []string{*own(th)}}))
		}},
		{"CreateSecret", func(th *thief) error {
			return failure(th.secrets.CreateSecret(th.ctx, &secretsmanager.CreateSecretInput{Name: aws.String(th.prefix + "new"), SecretString: aws.String("{}")}))
		}},
		{"PutSecretValue", func(th *thief) error {
			return failure(th.secrets.PutSecretValue(th.ctx, &secretsmanager.PutSecretValueInput{SecretId: own(th), SecretString: aws.String("{}")}))
		}},
		{"UpdateSecretVersionStage", func(th *thief) error {
			return failure(th.secrets.UpdateSecretVersionStage(th.ctx, &secretsmanager.UpdateSecretVersionStageInput{SecretId: own(th), VersionStage: aws.String("AWSCURRENT")}))
		}},
		{"DeleteSecret", func(th *thief) error {
			return failure(th.secrets.DeleteSecret(th.ctx, &secretsmanager.DeleteSecretInput{SecretId: own(th)}))
		}},
		{"PutResourcePolicy", func(th *thief) error {
			return failure(th.secrets.PutResourcePolicy(th.ctx, &secretsmanager.PutResourcePolicyInput{SecretId: own(th), ResourcePolicy: aws.String("{}")}))
		}},
	}
}

func onKeys() []attempt {
	generate := func(key func(*thief) string, with func(*thief) map[string]string) func(*thief) error {
		return func(th *thief) error {
			return failure(th.keys.GenerateDataKey(th.ctx, &kms.GenerateDataKeyInput{KeyId: aws.String(key(th)), KeySpec: kmstypes.DataKeySpecAes256, EncryptionContext: with(th)}))
		}
	}
	seal, ours := func(th *thief) string { return th.sealKey }, func(th *thief) map[string]string { return th.context }
	return []attempt{
		{"GenerateDataKey without an encryption context", generate(seal, func(*thief) map[string]string { return nil })},
		{"GenerateDataKey in another stack's encryption context", generate(seal, func(*thief) map[string]string {
			return map[string]string{"tokenvend:seal": "another", "tokenvend:credential": "minut"}
		})},
		{"GenerateDataKey for no credential", generate(seal, func(th *thief) map[string]string {
			return map[string]string{"tokenvend:seal": th.context["tokenvend:seal"]}
		})},
		{"GenerateDataKey under the key of the secrets", generate(func(th *thief) string { return th.stack.SecretKey }, ours)},
		{"Decrypt what another key wrapped", func(th *thief) error {
			return failure(th.keys.Decrypt(th.ctx, &kms.DecryptInput{CiphertextBlob: th.alien, EncryptionContext: th.context}))
		}},
		{"Decrypt without an encryption context", func(th *thief) error {
			return failure(th.keys.Decrypt(th.ctx, &kms.DecryptInput{CiphertextBlob: th.alien, KeyId: &th.sealKey}))
		}},
		{"Decrypt under the key of the secrets, itself", func(th *thief) error {
			return failure(th.keys.Decrypt(th.ctx, &kms.DecryptInput{CiphertextBlob: th.alien, KeyId: &th.stack.SecretKey, EncryptionContext: th.context}))
		}},
		{"Encrypt", func(th *thief) error {
			return failure(th.keys.Encrypt(th.ctx, &kms.EncryptInput{KeyId: &th.sealKey, Plaintext: []byte("x"), EncryptionContext: th.context}))
		}},
		{"ReEncrypt", func(th *thief) error {
			return failure(th.keys.ReEncrypt(th.ctx, &kms.ReEncryptInput{CiphertextBlob: th.alien, SourceEncryptionContext: th.context, DestinationKeyId: &th.stack.SecretKey}))
		}},
		{"CreateGrant", func(th *thief) error {
			return failure(th.keys.CreateGrant(th.ctx, &kms.CreateGrantInput{KeyId: &th.sealKey, GranteePrincipal: aws.String(worker), Operations: []kmstypes.GrantOperation{"Decrypt"}}))
		}},
		{"PutKeyPolicy", func(th *thief) error {
			return failure(th.keys.PutKeyPolicy(th.ctx, &kms.PutKeyPolicyInput{KeyId: &th.sealKey, Policy: aws.String("{}")}))
		}},
		{"ScheduleKeyDeletion", func(th *thief) error {
			return failure(th.keys.ScheduleKeyDeletion(th.ctx, &kms.ScheduleKeyDeletionInput{KeyId: &th.sealKey}))
		}},
	}
}

func elsewhere() []attempt {
	return []attempt{
		{"sts AssumeRole", func(th *thief) error {
			return failure(th.roles.AssumeRole(th.ctx, &sts.AssumeRoleInput{RoleArn: aws.String(admin), RoleSessionName: aws.String("x")}))
		}},
		{"lambda Invoke of vend as admin", func(th *thief) error {
			return failure(th.lambdas.Invoke(th.ctx, &lambda.InvokeInput{FunctionName: aws.String(th.arn("vend", "admin"))}))
		}},
		{"lambda UpdateFunctionConfiguration", func(th *thief) error {
			return failure(th.lambdas.UpdateFunctionConfiguration(th.ctx, &lambda.UpdateFunctionConfigurationInput{FunctionName: aws.String("vend")}))
		}},
	}
}

// ofVendAlone are forbidden to vend; rotate needs them.
func ofVendAlone() []attempt {
	return []attempt{
		{"Query of the index", func(th *thief) error { return th.due(th.table, dynamo.Index) }},
		{"ListSecrets", func(th *thief) error {
			return failure(th.secrets.ListSecrets(th.ctx, &secretsmanager.ListSecretsInput{}))
		}},
		{"DescribeSecret", func(th *thief) error {
			return failure(th.secrets.DescribeSecret(th.ctx, &secretsmanager.DescribeSecretInput{SecretId: aws.String(th.prefix + "minut")}))
		}},
	}
}

// failure is a call's error; where there is none, one that says so.
func failure[T any](_ T, err error) error { return err }

func TestWhatARoleMustNotDo(t *testing.T) {
	t.Parallel()
	h := newHouse(t, simulator.Options{})
	h.put("minut", "minut", nil)
	for function := range logical {
		th := h.thief(function)
		th.mayDoItsWork()
		attempts := ofNeither()
		if function == "vend" {
			attempts = append(attempts, ofVendAlone()...)
		}
		var table strings.Builder
		for _, a := range attempts {
			err := a.call(th)
			said, is := errors.AsType[smithy.APIError](err)
			if !is || said.ErrorCode() != "AccessDeniedException" {
				t.Errorf("%s: %s: %v, want it denied", function, a.what, err)
				continue
			}
			fmt.Fprintf(&table, "\n\t%-55s denied", a.what)
		}
		t.Logf("%s, %d calls:%s", logical[function], len(attempts), table.String())
	}
}

// mayDoItsWork shows that the thief's calls are denied for what they ask, and not for how they are sent.
func (th *thief) mayDoItsWork() {
	th.t.Helper()
	for what, err := range map[string]error{
		"GetItem":         failure(th.tables.GetItem(th.ctx, &dynamodb.GetItemInput{TableName: &th.table, Key: th.item()})),
		"GetSecretValue":  failure(th.secrets.GetSecretValue(th.ctx, &secretsmanager.GetSecretValueInput{SecretId: aws.String(th.prefix + "minut")})),
		"GenerateDataKey": failure(th.keys.GenerateDataKey(th.ctx, &kms.GenerateDataKeyInput{KeyId: &th.sealKey, KeySpec: kmstypes.DataKeySpecAes256, EncryptionContext: th.context})),
	} {
		if err != nil {
			th.t.Errorf("%s: %s: %v", th.function, what, err)
		}
	}
}
