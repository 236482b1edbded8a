package testbed

import (
	"context"
	"encoding/json"
	"net/http"
	"net/url"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/kms"
	"github.com/aws/aws-sdk-go-v2/service/secretsmanager"
)

// services are those whose calls are understood, by what X-Amz-Target begins
// with.
var services = map[string]string{
	"DynamoDB_20120810": "dynamodb", "TrentService": "kms", "secretsmanager": "secretsmanager",
}

// actionOf returns the service that a request is for and the action that it
// asks for, in IAM's words as far as they are known here. What is understood of
// other services is only that nobody grants it.
func actionOf(r *http.Request, body []byte) (service, action string) {
	if target := r.Header.Get("X-Amz-Target"); target != "" {
		name, action, _ := strings.Cut(target, ".")
		return services[name], services[name] + ":" + action
	}
	if s := readSignature(r.Header.Get("Authorization")); s != nil {
		service = s.service
	}
	if form, err := url.ParseQuery(string(body)); err == nil && form.Has("Action") {
		return service, service + ":" + form.Get("Action")
	}
	return service, service + ":" + r.Method + " " + r.URL.Path
}

// question is what of a call's body names what it is about.
type question struct {
	TableName, IndexName string
	RequestItems         map[string]json.RawMessage
	SecretId, Name       string
	KeyId                string
	CiphertextBlob       []byte
	EncryptionContext    map[string]string
}

// asker knows what a call's words mean: the resources that they name, at the
// stand-ins.
type asker struct {
	account, region string
	secrets         *secretsmanager.Client
	keys            *kms.Client
}

func newAsker(account string, cfg aws.Config) asker {
	return asker{
		account: account, region: cfg.Region, secrets: secretsmanager.NewFromConfig(cfg), keys: kms.NewFromConfig(cfg),
	}
}

// asks returns all that a call needs leave for: each of its resources, and the
// key that a service uses on the caller's behalf.
func (a asker) asks(ctx context.Context, service, action string, body []byte) []AccessRequest {
	var q question
	if json.Unmarshal(body, &q) != nil {
		return []AccessRequest{{Action: action, Resource: "*"}}
	}
	switch service {
	case "dynamodb":
		return each(action, a.tables(q))
	case "secretsmanager":
		return a.ofSecret(ctx, action, q)
	case "kms":
		return a.ofKey(ctx, action, q)
	}
	return []AccessRequest{{Action: action, Resource: "*"}}
}

func each(action string, resources []string) (asks []AccessRequest) {
	for _, r := range resources {
		asks = append(asks, AccessRequest{Action: action, Resource: r})
	}
	return asks
}

// arn is the ARN of what is named, in this account; a name may be an ARN
// already.
func (a asker) arn(service, kind, name string) string {
	if strings.HasPrefix(name, "arn:") {
		return name
	}
	return "arn:aws:" + service + ":" + a.region + ":" + a.account + ":" + kind + name
}

// tables returns the tables and indexes of a call. One that names none, such as
// ListTables or a transaction, is about everything: no grant on a table covers
// it.
func (a asker) tables(q question) (arns []string) {
	for name := range q.RequestItems {
		arns = append(arns, a.arn("dynamodb", "table/", name))
	}
	if q.TableName != "" && q.IndexName != "" {
		arns = append(arns, a.arn("dynamodb", "table/", q.TableName)+"/index/"+q.IndexName)
	} else if q.TableName != "" {
		arns = append(arns, a.arn("dynamodb", "table/", q.TableName))
	}
	if len(arns) == 0 {
		arns = []string{"*"}
	}
	return arns
}

// ofSecret: a secret's ARN ends in six random characters, which a name does not
// have. That of a secret that does not exist is made of its name alone. To read
// one that is encrypted under a key of the account's own, the caller needs
// leave for that key, too.
func (a asker) ofSecret(ctx context.Context, action string, q question) []AccessRequest {
	if q.SecretId == "" {
		if q.Name == "" {
			return []AccessRequest{{Action: action, Resource: "*"}}
		}
		return []AccessRequest{{Action: action, Resource: a.arn("secretsmanager", "secret:", q.Name)}}
	}
	found, err := a.secrets.DescribeSecret(ctx, &secretsmanager.DescribeSecretInput{SecretId: &q.SecretId})
	if err != nil {
		return []AccessRequest{{Action: action, Resource: a.arn("secretsmanager", "secret:", q.SecretId)}}
	}
	asks := []AccessRequest{{Action: action, Resource: *found.ARN}}
	if key := aws.ToString(found.KmsKeyId); key != "" && action == "secretsmanager:GetSecretValue" {
		asks = append(asks, AccessRequest{Action: "kms:Decrypt", Resource: a.key(ctx, key), Context: map[string][]string{
			"kms:ViaService": {"secretsmanager." + a.region + ".amazonaws.com"}, contextKey + "SecretARN": {*found.ARN},
		}})
	}
	return asks
}

const (
	contextKey = "kms:EncryptionContext:"
	keyIDBytes = 36 // of a ciphertext of moto's: the key that made it comes first
)

// ofKey: the key that a call names, or else the one that made what it wants
// decrypted.
func (a asker) ofKey(ctx context.Context, action string, q question) []AccessRequest {
	key, about := "*", map[string][]string{}
	switch {
	case q.KeyId != "":
		key = a.key(ctx, q.KeyId)
	case q.maker() != "":
		key = a.key(ctx, q.maker())
	}
	for name, value := range q.EncryptionContext {
		about[contextKey+name] = []string{value}
		about["kms:EncryptionContextKeys"] = append(about["kms:EncryptionContextKeys"], name)
	}
	return []AccessRequest{{Action: action, Resource: key, Context: about}}
}

// maker is the id of the key that made the ciphertext of a call; "" without
// one.
func (q question) maker() string {
	if len(q.CiphertextBlob) < keyIDBytes {
		return ""
	}
	return string(q.CiphertextBlob[:keyIDBytes])
}

// otherKey: KMS refuses to decrypt under a key that is named and is not the
// ciphertext's own. moto says then that access is denied, which is another
// matter.
func (a asker) otherKey(ctx context.Context, action string, body []byte) *refusal {
	var q question
	if action != "kms:Decrypt" || json.Unmarshal(body, &q) != nil || q.KeyId == "" || q.maker() == "" ||
		a.key(ctx, q.KeyId) == a.key(ctx, q.maker()) {
		return nil
	}
	return refuse(
		"IncorrectKeyException", "The key ID in the request does not identify a CMK that can perform this operation.",
	)
}

// key returns the ARN of a key that is named by ARN, id or alias. moto answers
// no DescribeKey of a key that CloudFormation made.
func (a asker) key(ctx context.Context, id string) string {
	_, alias, is := strings.Cut(id, "alias/")
	if !is {
		return a.arn("kms", "key/", id)
	}
	pages := kms.NewListAliasesPaginator(a.keys, &kms.ListAliasesInput{})
	for pages.HasMorePages() {
		page, err := pages.NextPage(ctx)
		if err != nil {
			break
		}
		for _, entry := range page.Aliases {
			if aws.ToString(entry.AliasName) == "alias/"+alias && entry.TargetKeyId != nil {
				return a.key(ctx, *entry.TargetKeyId)
			}
		}
	}
	return a.arn("kms", "alias/", alias)
}
