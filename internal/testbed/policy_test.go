package testbed

import (
	"encoding/json"
	"strings"
	"testing"
)

// theRole is a policy of the kind that stands in the template.
const theRole = `[
	{"Sid": "Table", "Effect": "Allow", "Action": ["dynamodb:GetItem", "dynamodb:Query"], "Resource": ["arn:aws:dynamodb:us-east-1:123456789012:table/tokens", "arn:aws:dynamodb:us-east-1:123456789012:table/tokens/index/due"]},
	{"Sid": "Secrets", "Effect": "Allow", "Action": "secretsmanager:GetSecretValue", "Resource": "arn:aws:secretsmanager:us-east-1:123456789012:secret:tokenvend/*"},
	{"Sid": "Names", "Effect": "Allow", "Action": "secretsmanager:List*", "Resource": "*"},
	{"Sid": "Seal", "Effect": "Allow", "Action": "kms:Decrypt", "Resource": "arn:aws:kms:us-east-1:123456789012:key/one", "Condition": {"StringEquals": {"kms:EncryptionContext:seal": "mine"}, "StringLike": {"kms:EncryptionContext:name": "?*"}}},
	{"Sid": "Shape", "Effect": "Allow", "Action": "kms:Encrypt", "Resource": "arn:aws:kms:*:*:key/t?o", "Condition": {"ForAllValues:StringEquals": {"kms:EncryptionContextKeys": ["seal", "name"]}, "Null": {"kms:EncryptionContextKeys": "false"}}},
	{"Sid": "Brief", "Effect": "Allow", "Action": "sts:GetWebIdentityToken", "Resource": "*", "Condition": {"NumericLessThanEquals": {"sts:DurationSeconds": "300"}}},
	{"Sid": "Open", "Effect": "Allow", "Action": "s3:*", "Resource": "*", "Condition": {"StringNotEquals": {"aws:SourceVpc": "vpc-1"}, "StringNotLike": {"aws:SourceVpce": ["vpce-*"]}}},
	{"Sid": "Never", "Effect": "Deny", "Action": ["secretsmanager:GetSecretValue", "s3:Delete*"], "Resource": ["arn:aws:secretsmanager:us-east-1:123456789012:secret:tokenvend/root-*", "*/forever"]}
]`

// evaluate is a policy, put to the test.
type evaluation struct {
	*testing.T
	policy Policy
}

func (j evaluation) allow(action, resource string, context ...string) {
	j.Helper()
	if !j.policy.Evaluate(ask(action, resource, context)) {
		j.Errorf("denied: %s on %s with %v", action, resource, context)
	}
}

func (j evaluation) deny(action, resource string, context ...string) {
	j.Helper()
	if j.policy.Evaluate(ask(action, resource, context)) {
		j.Errorf("allowed: %s on %s with %v", action, resource, context)
	}
}

// ask takes its context as key=value.
func ask(action, resource string, context []string) AccessRequest {
	a := AccessRequest{Action: action, Resource: resource, Context: map[string][]string{}}
	for _, pair := range context {
		key, value, _ := strings.Cut(pair, "=")
		a.Context[key] = append(a.Context[key], value)
	}
	return a
}

func TestPolicy(t *testing.T) {
	j := evaluation{T: t}
	if err := json.Unmarshal([]byte(theRole), &j.policy); err != nil {
		t.Fatal(err)
	}
	const (
		tables  = "arn:aws:dynamodb:us-east-1:123456789012:table/"
		secrets = "arn:aws:secretsmanager:us-east-1:123456789012:secret:"
		keys    = "arn:aws:kms:us-east-1:123456789012:key/"
		seal    = "kms:EncryptionContext:seal="
		name    = "kms:EncryptionContext:name="
		names   = "kms:EncryptionContextKeys="
	)
	j.allow("dynamodb:GetItem", tables+"tokens")
	j.allow("DynamoDB:getitem", tables+"tokens")
	j.allow("dynamodb:Query", tables+"tokens/index/due")
	j.deny("dynamodb:GetItem", tables+"token")
	j.deny("dynamodb:GetItem", tables+"tokens2")
	j.deny("dynamodb:GetItem", tables+"Tokens")
	j.deny("dynamodb:GetItem", tables+"tokens/index/other")
	j.deny("dynamodb:GetItem", "*")
	j.deny("dynamodb:GetItems", tables+"tokens")
	j.deny("dynamodb:Scan", tables+"tokens")

	j.allow("secretsmanager:GetSecretValue", secrets+"tokenvend/minut-a1B2c3")
	j.allow("secretsmanager:GetSecretValue", secrets+"tokenvend/")
	j.deny("secretsmanager:GetSecretValue", secrets+"tokenvend-eu/minut-a1B2c3")
	j.deny("secretsmanager:GetSecretValue", secrets+"other/tokenvend/minut-a1B2c3")
	j.deny("secretsmanager:GetSecretValue", secrets+"tokenvend/root-a1B2c3") // a Deny wins over an Allow
	j.allow("secretsmanager:ListSecrets", "*")
	j.deny("secretsmanager:DescribeSecret", "*")

	j.allow("kms:Decrypt", keys+"one", seal+"mine", name+"minut")
	// a key's case does not count, a value's does
	j.allow("kms:Decrypt", keys+"one", "KMS:encryptioncontext:SEAL=mine", name+"minut")
	j.deny("kms:Decrypt", keys+"one", seal+"Mine", name+"minut")
	j.deny("kms:Decrypt", keys+"one", seal+"mine")
	j.deny("kms:Decrypt", keys+"one", seal+"mine", name)
	j.deny("kms:Decrypt", keys+"one", name+"minut")
	j.deny("kms:Decrypt", keys+"one")
	j.deny("kms:Decrypt", keys+"two", seal+"mine", name+"minut")

	j.allow("kms:Encrypt", keys+"two", names+"seal", names+"name")
	j.allow("kms:Encrypt", keys+"two", names+"seal")
	j.deny("kms:Encrypt", keys+"two", names+"seal", names+"more")
	j.deny("kms:Encrypt", keys+"two")
	j.deny("kms:Encrypt", keys+"twoo", names+"seal")

	j.allow("s3:GetObject", "arn:aws:s3:::bucket/key")
	j.allow("s3:GetObject", "arn:aws:s3:::bucket/key", "aws:SourceVpc=vpc-2", "aws:SourceVpce=x")
	j.deny("s3:GetObject", "arn:aws:s3:::bucket/key", "aws:SourceVpc=vpc-1")
	j.deny("s3:GetObject", "arn:aws:s3:::bucket/key", "aws:SourceVpce=vpce-1")
	j.allow("s3:DeleteObject", "arn:aws:s3:::bucket/key")
	j.deny("s3:DeleteObject", "arn:aws:s3:::bucket/forever")
	j.allow("sts:GetWebIdentityToken", "*", "sts:DurationSeconds=300")
	j.deny("sts:GetWebIdentityToken", "*", "sts:DurationSeconds=301")
	j.deny("sts:GetWebIdentityToken", "*", "sts:DurationSeconds=soon")
	j.deny("sts:GetWebIdentityToken", "*")
	j.deny("sts:AssumeRole", "*")
	(evaluation{T: t}).deny("dynamodb:GetItem", tables+"tokens") // no policy at all
}

func TestAPolicyThatIsNotUnderstoodIsNotRead(t *testing.T) {
	for _, statement := range []string{
		`{"Effect": "Allow", "NotAction": "s3:*", "Resource": "*"}`,
		`{"Effect": "Allow", "Action": "s3:*", "NotResource": "*"}`,
		`{"Effect": "Allow", "Action": "s3:*", "Resource": "*", "Condition": {"IpAddress": {"aws:SourceIp": "10.0.0.0/8"}}}`,
		`{"Effect": "Allow", "Action": "s3:*", "Resource": "arn:aws:s3:::home/${aws:username}"}`,
		`{"Effect": "allow", "Action": "s3:*", "Resource": "*"}`,
		`{"Action": "s3:*", "Resource": "*"}`,
		`{"Effect": "Allow", "Action": 7, "Resource": "*"}`,
	} {
		var p Policy
		if err := json.Unmarshal([]byte("["+statement+"]"), &p); err == nil {
			t.Errorf("%s was read as %+v", statement, p)
		}
	}
}
