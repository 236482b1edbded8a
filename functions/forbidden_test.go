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

// attacker has the credentials of a function, and tries calls that its role
// must not allow.
type attacker struct {
	*installation
	ctx      context.Context
	function string
	tables   *dynamodb.Client
	secrets  *secretsmanager.Client
	keys     *kms.Client
	roles    *sts.Client
	lambdas  *lambda.Client
	other    string            // a table of the same account
	sealKey  string            // the installation's
	context  map[string]string // the encryption context of the installation's items
	alien    []byte            // sealed under another key
}

// attacker returns an attacker. Its calls have a gate of their own: those that
// are denied do not fail the installation.
func (h *installation) attacker(function string) *attacker {
	h.t.Helper()
	gate := h.stack.Gate(h.t, h.functions[function], &forbidden)
	cfg := h.stack.Account
	cfg.Credentials = aws.CredentialsProviderFunc(func(context.Context) (aws.Credentials, error) {
		return gate.Credentials, nil
	})
	cfg.BaseEndpoint = aws.String(string(testbed.CountCalls(h.t, testbed.AWS(h.t), gate).Endpoint))
	table := string(testbed.CountCalls(h.t, testbed.DynamoDB(h.t), gate).Endpoint)
	environment := h.functions[function].Environment
	return &attacker{
		installation: h, ctx: h.t.Context(), function: function,
		tables:  dynamodb.NewFromConfig(cfg, func(o *dynamodb.Options) { o.BaseEndpoint = &table }),
		secrets: secretsmanager.NewFromConfig(cfg), keys: kms.NewFromConfig(cfg), roles: sts.NewFromConfig(cfg),
		lambdas: lambda.NewFromConfig(cfg),
		other:   h.stack.CreateTable(h.t, h.items), sealKey: environment[boot.EnvSealKey],
		context: map[string]string{"tokenvend:seal": environment[boot.EnvSealID], "tokenvend:credential": "minut"},
		alien:   h.alien(),
	}
}

// alien returns a data key that another key of the account has wrapped, in the
// installation's own encryption context.
func (h *installation) alien() []byte {
	h.t.Helper()
	keys := kms.NewFromConfig(h.stack.Account)
	made, err := keys.CreateKey(h.t.Context(), &kms.CreateKeyInput{})
	if err != nil {
		h.t.Fatal(err)
	}
	out, err := keys.GenerateDataKey(h.t.Context(),
		&kms.GenerateDataKeyInput{KeyId: made.KeyMetadata.Arn, KeySpec: kmstypes.DataKeySpecAes256,
			EncryptionContext: map[string]string{
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
	call func(*attacker) error
}

// forbiddenToBoth returns calls that are forbidden to both functions.
func forbiddenToBoth() []attempt {
	all := append(onTables(), onSecrets()...)
	return append(append(all, onKeys()...), elsewhere()...)
}

func (a *attacker) item() map[string]types.AttributeValue {
	return map[string]types.AttributeValue{dynamo.PartitionKey: &types.AttributeValueMemberS{Value: "minut"},
		dynamo.SortKey: &types.AttributeValueMemberS{Value: "-"}}
}

func onTables() []attempt {
	return []attempt{
		{"Scan its table", func(a *attacker) error {
			return failure(a.tables.Scan(a.ctx, &dynamodb.ScanInput{TableName: &a.table}))
		}},
		{"Scan its index", func(a *attacker) error {
			return failure(a.tables.Scan(a.ctx,
				&dynamodb.ScanInput{TableName: &a.table, IndexName: aws.String(dynamo.Index)}))
		}},
		{"PutItem", func(a *attacker) error {
			return failure(a.tables.PutItem(a.ctx, &dynamodb.PutItemInput{TableName: &a.table, Item: a.item()}))
		}},
		{"DeleteItem", func(a *attacker) error {
			return failure(a.tables.DeleteItem(a.ctx, &dynamodb.DeleteItemInput{TableName: &a.table, Key: a.item()}))
		}},
		{"BatchWriteItem", func(a *attacker) error {
			remove := types.WriteRequest{DeleteRequest: &types.DeleteRequest{Key: a.item()}}
			return failure(a.tables.BatchWriteItem(a.ctx, &dynamodb.BatchWriteItemInput{
				RequestItems: map[string][]types.WriteRequest{a.table: {remove}},
			}))
		}},
		{"a PartiQL SELECT", func(a *attacker) error {
			return failure(a.tables.ExecuteStatement(a.ctx,
				&dynamodb.ExecuteStatementInput{Statement: aws.String(`SELECT * FROM "` + a.table + `"`)}))
		}},
		{"a transaction", func(a *attacker) error {
			get := types.TransactGetItem{Get: &types.Get{TableName: &a.table, Key: a.item()}}
			return failure(a.tables.TransactGetItems(a.ctx, &dynamodb.TransactGetItemsInput{
				TransactItems: []types.TransactGetItem{get},
			}))
		}},
		{"GetItem of another table", func(a *attacker) error {
			return failure(a.tables.GetItem(a.ctx, &dynamodb.GetItemInput{TableName: &a.other, Key: a.item()}))
		}},
		{"UpdateItem of another table", func(a *attacker) error {
			return failure(a.tables.UpdateItem(a.ctx, &dynamodb.UpdateItemInput{TableName: &a.other, Key: a.item()}))
		}},
		{"BatchGetItem of its table and another", func(a *attacker) error {
			keys := types.KeysAndAttributes{Keys: []map[string]types.AttributeValue{a.item()}}
			return failure(a.tables.BatchGetItem(a.ctx,
				&dynamodb.BatchGetItemInput{RequestItems: map[string]types.KeysAndAttributes{a.table: keys,
					a.other: keys}}))
		}},
		{"Query of another table's index", func(a *attacker) error { return a.due(a.other, dynamo.Index) }},
		{"Query of another index of its table", func(a *attacker) error { return a.due(a.table, dynamo.Index+"2") }},
		{"DeleteTable", func(a *attacker) error {
			return failure(a.tables.DeleteTable(a.ctx, &dynamodb.DeleteTableInput{TableName: &a.table}))
		}},
		{"ListTables", func(a *attacker) error {
			return failure(a.tables.ListTables(a.ctx, &dynamodb.ListTablesInput{}))
		}},
	}
}

func (a *attacker) due(table, index string) error {
	return failure(a.tables.Query(a.ctx, &dynamodb.QueryInput{
		TableName: &table, IndexName: &index, KeyConditionExpression: aws.String("due_shard = :n"),
		ExpressionAttributeValues: map[string]types.AttributeValue{":n": &types.AttributeValueMemberN{Value: "0"}},
	}))
}

func onSecrets() []attempt {
	read := func(name func(*attacker) string) func(*attacker) error {
		return func(a *attacker) error {
			id := name(a)
			_, _ = secretsmanager.NewFromConfig(a.stack.Account).CreateSecret(a.ctx,
				&secretsmanager.CreateSecretInput{Name: &id, SecretString: aws.String("another's")}) // or it is there
			return failure(a.secrets.GetSecretValue(a.ctx, &secretsmanager.GetSecretValueInput{SecretId: &id}))
		}
	}
	own := func(a *attacker) *string { return aws.String(a.prefix + "minut") }
	return []attempt{
		{"GetSecretValue of another's secret", read(func(*attacker) string { return "billing/database" })},
		{"GetSecretValue of a name that begins like the prefix",
			read(func(a *attacker) string { return strings.TrimSuffix(a.prefix, "/") + "-eu/minut" })},
		{"GetSecretValue of the prefix without its end",
			read(func(a *attacker) string { return strings.TrimSuffix(a.prefix, "/") })},
		{"GetSecretValue of a name that ends in the prefix",
			read(func(a *attacker) string { return "x" + a.prefix + "minut" })},
		{"BatchGetSecretValue", func(a *attacker) error {
			return failure(a.secrets.BatchGetSecretValue(a.ctx,
				&secretsmanager.BatchGetSecretValueInput{SecretIdList: []string{*own(a)}}))
		}},
		{"CreateSecret", func(a *attacker) error {
			return failure(a.secrets.CreateSecret(a.ctx,
				&secretsmanager.CreateSecretInput{Name: aws.String(a.prefix + "new"), SecretString: aws.String("{}")}))
		}},
		{"PutSecretValue", func(a *attacker) error {
			return failure(a.secrets.PutSecretValue(a.ctx,
				&secretsmanager.PutSecretValueInput{SecretId: own(a), SecretString: aws.String("{}")}))
		}},
		{"UpdateSecretVersionStage", func(a *attacker) error {
			return failure(a.secrets.UpdateSecretVersionStage(a.ctx,
				&secretsmanager.UpdateSecretVersionStageInput{SecretId: own(a),
					VersionStage: aws.String("AWSCURRENT")}))
		}},
		{"DeleteSecret", func(a *attacker) error {
			return failure(a.secrets.DeleteSecret(a.ctx, &secretsmanager.DeleteSecretInput{SecretId: own(a)}))
		}},
		{"PutResourcePolicy", func(a *attacker) error {
			return failure(a.secrets.PutResourcePolicy(a.ctx,
				&secretsmanager.PutResourcePolicyInput{SecretId: own(a), ResourcePolicy: aws.String("{}")}))
		}},
	}
}

func onKeys() []attempt {
	generate := func(key func(*attacker) string, with func(*attacker) map[string]string) func(*attacker) error {
		return func(a *attacker) error {
			return failure(a.keys.GenerateDataKey(a.ctx,
				&kms.GenerateDataKeyInput{KeyId: aws.String(key(a)), KeySpec: kmstypes.DataKeySpecAes256,
					EncryptionContext: with(a)}))
		}
	}
	seal, ours := func(a *attacker) string { return a.sealKey }, func(a *attacker) map[string]string {
		return a.context
	}
	return []attempt{
		{"GenerateDataKey without an encryption context",
			generate(seal, func(*attacker) map[string]string { return nil })},
		{"GenerateDataKey in another stack's encryption context", generate(seal, func(*attacker) map[string]string {
			return map[string]string{"tokenvend:seal": "another", "tokenvend:credential": "minut"}
		})},
		{"GenerateDataKey for a bucket of another stack", generate(seal, func(*attacker) map[string]string {
			return map[string]string{"tokenvend:seal": "another", "tokenvend:bucket": "246"}
		})},
		{"GenerateDataKey for no credential and no bucket", generate(seal, func(a *attacker) map[string]string {
			return map[string]string{"tokenvend:seal": a.context["tokenvend:seal"]}
		})},
		{"GenerateDataKey under the key of the secrets",
			generate(func(a *attacker) string { return a.stack.SecretKey }, ours)},
		{"Decrypt what another key wrapped", func(a *attacker) error {
			return failure(a.keys.Decrypt(a.ctx,
				&kms.DecryptInput{CiphertextBlob: a.alien, EncryptionContext: a.context}))
		}},
		{"Decrypt without an encryption context", func(a *attacker) error {
			return failure(a.keys.Decrypt(a.ctx, &kms.DecryptInput{CiphertextBlob: a.alien, KeyId: &a.sealKey}))
		}},
		{"Decrypt under the key of the secrets, itself", func(a *attacker) error {
			return failure(a.keys.Decrypt(a.ctx,
				&kms.DecryptInput{CiphertextBlob: a.alien, KeyId: &a.stack.SecretKey, EncryptionContext: a.context}))
		}},
		{"Encrypt", func(a *attacker) error {
			return failure(a.keys.Encrypt(a.ctx,
				&kms.EncryptInput{KeyId: &a.sealKey, Plaintext: []byte("x"), EncryptionContext: a.context}))
		}},
		{"ReEncrypt", func(a *attacker) error {
			return failure(a.keys.ReEncrypt(a.ctx,
				&kms.ReEncryptInput{CiphertextBlob: a.alien, SourceEncryptionContext: a.context,
					DestinationKeyId: &a.stack.SecretKey}))
		}},
		{"CreateGrant", func(a *attacker) error {
			return failure(a.keys.CreateGrant(a.ctx,
				&kms.CreateGrantInput{KeyId: &a.sealKey, GranteePrincipal: aws.String(worker),
					Operations: []kmstypes.GrantOperation{"Decrypt"}}))
		}},
		{"PutKeyPolicy", func(a *attacker) error {
			return failure(a.keys.PutKeyPolicy(a.ctx,
				&kms.PutKeyPolicyInput{KeyId: &a.sealKey, Policy: aws.String("{}")}))
		}},
		{"ScheduleKeyDeletion", func(a *attacker) error {
			return failure(a.keys.ScheduleKeyDeletion(a.ctx, &kms.ScheduleKeyDeletionInput{KeyId: &a.sealKey}))
		}},
	}
}

func elsewhere() []attempt {
	return []attempt{
		{"sts AssumeRole", func(a *attacker) error {
			return failure(a.roles.AssumeRole(a.ctx,
				&sts.AssumeRoleInput{RoleArn: aws.String(admin), RoleSessionName: aws.String("x")}))
		}},
		{"lambda Invoke of vend as admin", func(a *attacker) error {
			return failure(a.lambdas.Invoke(a.ctx,
				&lambda.InvokeInput{FunctionName: aws.String(a.arn("vend", "admin"))}))
		}},
		{"lambda UpdateFunctionConfiguration", func(a *attacker) error {
			return failure(a.lambdas.UpdateFunctionConfiguration(a.ctx,
				&lambda.UpdateFunctionConfigurationInput{FunctionName: aws.String("vend")}))
		}},
	}
}

// forbiddenToVend returns calls that are forbidden to vend. rotate needs them.
func forbiddenToVend() []attempt {
	return []attempt{
		{"Query of the index", func(a *attacker) error { return a.due(a.table, dynamo.Index) }},
		{"ListSecrets", func(a *attacker) error {
			return failure(a.secrets.ListSecrets(a.ctx, &secretsmanager.ListSecretsInput{}))
		}},
		{"DescribeSecret", func(a *attacker) error {
			return failure(a.secrets.DescribeSecret(a.ctx,
				&secretsmanager.DescribeSecretInput{SecretId: aws.String(a.prefix + "minut")}))
		}},
	}
}

// failure returns the error of a call.
func failure[T any](_ T, err error) error { return err }

func TestRolesForbidOtherCalls(t *testing.T) {
	t.Parallel()
	h := newInstallation(t, simulator.Options{})
	h.put("minut", "minut", nil)
	for function := range logical {
		a := h.attacker(function)
		a.checkAllowedCalls()
		attempts := forbiddenToBoth()
		if function == "vend" {
			attempts = append(attempts, forbiddenToVend()...)
		}
		var table strings.Builder
		for _, try := range attempts {
			err := try.call(a)
			apiError, is := errors.AsType[smithy.APIError](err)
			if !is || apiError.ErrorCode() != "AccessDeniedException" {
				t.Errorf("%s by %s = %v, want AccessDeniedException", try.what, function, err)
				continue
			}
			fmt.Fprintf(&table, "\n\t%-55s denied", try.what)
		}
		t.Logf("%s, %d calls:%s", logical[function], len(attempts), table.String())
	}
}

// checkAllowedCalls checks that calls which the role allows succeed, so that
// the others are denied by the role.
func (a *attacker) checkAllowedCalls() {
	a.t.Helper()
	for what, err := range map[string]error{
		"GetItem": failure(a.tables.GetItem(a.ctx, &dynamodb.GetItemInput{TableName: &a.table, Key: a.item()})),
		"GetSecretValue": failure(a.secrets.GetSecretValue(a.ctx,
			&secretsmanager.GetSecretValueInput{SecretId: aws.String(a.prefix + "minut")})),
		"GenerateDataKey": failure(a.keys.GenerateDataKey(a.ctx,
			&kms.GenerateDataKeyInput{KeyId: &a.sealKey, KeySpec: kmstypes.DataKeySpecAes256,
				EncryptionContext: a.context})),
	} {
		if err != nil {
			a.t.Errorf("%s by %s = %v, want nil", what, a.function, err)
		}
	}
}
