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

// services maps prefixes of X-Amz-Target to the services that are known here.
var services = map[string]string{
	"DynamoDB_20120810": "dynamodb", "TrentService": "kms", "secretsmanager": "secretsmanager",
}

// actionOf returns the service and the IAM action of a request. For an unknown
// service it returns an action that no policy allows.
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

// question holds the members of a request that name resources.
type question struct {
	TableName, IndexName string
	RequestItems         map[string]json.RawMessage
	SecretId, Name       string
	KeyId, MessageType   string
	CiphertextBlob       []byte
	EncryptionContext    map[string]string
}

// asker finds the resources that requests name, at the stand-ins.
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

// asks returns all accesses that a request needs: to each of its resources, and
// to the key that a service uses for the caller.
func (a asker) asks(ctx context.Context, service, action string, body []byte) []AccessRequest {
	var q question
	if service == "sts" {
		return ofSTS(action, body)
	}
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

// ofSTS returns the access for a call of STS, which names no resource.
func ofSTS(action string, body []byte) []AccessRequest {
	form, _ := url.ParseQuery(string(body))
	about := map[string][]string{}
	for name, values := range form {
		switch {
		case name == "DurationSeconds", name == "SigningAlgorithm":
			about["sts:"+name] = values
		case strings.HasPrefix(name, "Audience.member."):
			about["sts:IdentityTokenAudience"] = append(about["sts:IdentityTokenAudience"], values...)
		}
	}
	return []AccessRequest{{Action: action, Resource: "*", Context: about}}
}

func each(action string, resources []string) (asks []AccessRequest) {
	for _, r := range resources {
		asks = append(asks, AccessRequest{Action: action, Resource: r})
	}
	return asks
}

// arn returns the ARN of a named resource in this account. A name may be an ARN
// already.
func (a asker) arn(service, kind, name string) string {
	if strings.HasPrefix(name, "arn:") {
		return name
	}
	return "arn:aws:" + service + ":" + a.region + ":" + a.account + ":" + kind + name
}

// tables returns the tables and indexes of a request. A request that names
// none, such as ListTables or a transaction, concerns everything: no grant on a
// table covers it.
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

// ofSecret returns the accesses for a secret. The ARN of a secret ends in six
// random characters that its name does not have; that of a missing secret is
// built from its name. Reading a secret that is encrypted under a customer
// managed key needs access to that key too.
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
		asks = append(asks, AccessRequest{
			Action: "kms:Decrypt", Resource: a.key(ctx, key),
			Context: map[string][]string{
				"kms:ViaService":         {"secretsmanager." + a.region + ".amazonaws.com"},
				contextKey + "SecretARN": {*found.ARN},
			},
		})
	}
	return asks
}

const (
	contextKey = "kms:EncryptionContext:"
	keyIDBytes = 36 // a ciphertext of moto starts with the ID of its key
)

// ofKey returns the access for the key that a request names, or for the key of
// its ciphertext.
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
	if q.MessageType != "" {
		about["kms:MessageType"] = []string{q.MessageType}
	}
	return []AccessRequest{{Action: action, Resource: key, Context: about}}
}

// maker returns the ID of the key of the request's ciphertext, or "".
func (q question) maker() string {
	if len(q.CiphertextBlob) < keyIDBytes {
		return ""
	}
	return string(q.CiphertextBlob[:keyIDBytes])
}

// otherKey handles a Decrypt that names another key than the ciphertext's. KMS
// refuses it. moto returns AccessDeniedException, which means something else.
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

// key returns the ARN of a key that is named by ARN, ID or alias. moto has no
// DescribeKey for keys that CloudFormation created.
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
