package testbed

import (
	"crypto/sha256"
	"encoding/hex"
	"io"
	"net/http"
	"net/http/httptest"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	v4 "github.com/aws/aws-sdk-go-v2/aws/signer/v4"
	"github.com/aws/aws-sdk-go-v2/service/kms"
	"github.com/aws/aws-sdk-go-v2/service/secretsmanager"
)

// toSign is an unsigned call with the keys of a function that may read one
// table.
type toSign struct {
	target, body, service, region string
	keys                          aws.Credentials
	at                            time.Time
}

// behind returns a gate in front of a service that answers every call, and the
// number of calls that reached it.
func behind(t *testing.T) (c *Calls, reached func() int, ledger *Ledger, call toSign) {
	t.Helper()
	n := 0
	service := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		n++
		_, _ = io.WriteString(w, "{}")
	}))
	t.Cleanup(service.Close)
	keys := aws.Credentials{AccessKeyID: "AKID", SecretAccessKey: "secret", SessionToken: "session"}
	f := Function{Name: "F", Role: "arn:aws:iam::123456789012:role/f", Policy: Policy{{
		Sid: "Table", Effect: allow, Action: OneOrMore{"dynamodb:GetItem", "dynamodb:Query"},
		Resource: OneOrMore{"arn:aws:dynamodb:us-east-1:123456789012:table/tokens"},
	}}}
	ledger = new(Ledger)
	gate := &Gate{
		Credentials: keys,
		function:    f,
		asker:       asker{account: f.account(), region: "us-east-1"},
		region:      "us-east-1",
		ledger:      ledger,
	}
	c = CountCalls(t, Endpoint(service.URL), gate)
	return c, func() int { return n }, ledger, toSign{
		target: "DynamoDB_20120810.GetItem", body: `{"TableName":"tokens"}`, service: "dynamodb", region: "us-east-1",
		keys: keys, at: time.Now(),
	}
}

// sign returns the signed request of a call for an endpoint.
func (s toSign) sign(t *testing.T, at Endpoint) *http.Request {
	t.Helper()
	r, err := http.NewRequestWithContext(t.Context(), http.MethodPost, string(at)+"/", strings.NewReader(s.body))
	if err != nil {
		t.Fatal(err)
	}
	r.Header.Set("Content-Type", "application/x-amz-json-1.0")
	if s.target != "" {
		r.Header.Set("X-Amz-Target", s.target)
	}
	sum := sha256.Sum256([]byte(s.body))
	if err := v4.NewSigner().SignHTTP(
		t.Context(), s.keys, r, hex.EncodeToString(sum[:]), s.service, s.region, s.at,
	); err != nil {
		t.Fatal(err)
	}
	return r
}

func post(t *testing.T, r *http.Request) (status int, body string) {
	t.Helper()
	answer, err := http.DefaultClient.Do(r)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = answer.Body.Close() }()
	said, err := io.ReadAll(answer.Body)
	if err != nil {
		t.Fatal(err)
	}
	return answer.StatusCode, string(said)
}

func TestTheGateChecksSignatures(t *testing.T) {
	c, reached, _, fine := behind(t)
	if status, said := post(t, fine.sign(t, c.Endpoint)); status != http.StatusOK || reached() != 1 {
		t.Fatalf("a call that is signed and allowed: %d %s", status, said)
	}
	reject := func(what, code string, r *http.Request) {
		t.Helper()
		if status, said := post(t, r); status != http.StatusBadRequest || !strings.Contains(said, `"`+code+`"`) ||
			reached() != 1 {
			t.Errorf("%s: %d %s, want %s", what, status, said, code)
		}
	}
	signed := func(change func(*toSign)) *http.Request {
		call := fine
		change(&call)
		return call.sign(t, c.Endpoint)
	}
	after := func(change func(*http.Request)) *http.Request {
		r := fine.sign(t, c.Endpoint)
		change(r)
		return r
	}
	const unknown, wrong = "UnrecognizedClientException", "InvalidSignatureException"
	const partial = "IncompleteSignatureException"
	reject("another secret", wrong, signed(func(s *toSign) { s.keys.SecretAccessKey = "Secret" }))
	reject("another key", unknown, signed(func(s *toSign) { s.keys.AccessKeyID = "AKIE" }))
	reject("another session", unknown, signed(func(s *toSign) { s.keys.SessionToken = "other" }))
	reject("no session", unknown, signed(func(s *toSign) { s.keys.SessionToken = "" }))
	reject("another region", wrong, signed(func(s *toSign) { s.region = "eu-west-1" }))
	reject("another service", wrong, signed(func(s *toSign) { s.service = "kms" }))
	reject("ten minutes old", wrong, signed(func(s *toSign) { s.at = s.at.Add(-10 * time.Minute) }))
	reject("ten minutes ahead", wrong, signed(func(s *toSign) { s.at = s.at.Add(10 * time.Minute) }))
	reject("another body", wrong, after(func(r *http.Request) {
		r.Body = io.NopCloser(strings.NewReader(`{"TableName":"Tokens"}`))
	}))
	reject("another action", wrong, after(func(r *http.Request) {
		r.Header.Set("X-Amz-Target", "DynamoDB_20120810.Query")
	}))
	reject("another path", wrong, after(func(r *http.Request) { r.URL.Path = "/x" }))
	reject("another host", wrong, after(func(r *http.Request) { r.Host = "dynamodb.us-east-1.amazonaws.com" }))
	reject("an action that is not signed", partial, func() *http.Request {
		r := signed(func(s *toSign) { s.target = "" })
		r.Header.Set("X-Amz-Target", fine.target)
		return r
	}())
	reject("not signed", "MissingAuthenticationTokenException", after(func(r *http.Request) {
		r.Header.Del("Authorization")
	}))
	reject("signed otherwise", "MissingAuthenticationTokenException", after(func(r *http.Request) {
		r.Header.Set("Authorization", "Bearer x")
	}))
}

func TestTheGateAsksTheRole(t *testing.T) {
	c, reached, ledger, fine := behind(t)
	for _, body := range []string{
		`{"TableName":"other"}`, `{"TableName":"tokens","IndexName":"due"}`,
		`{"RequestItems":{"tokens":{},"other":{}}}`, `{}`, `[]`, `{`,
	} {
		call := fine
		call.body = body
		status, said := post(t, call.sign(t, c.Endpoint))
		if status != http.StatusBadRequest || !strings.Contains(said, "AccessDeniedException") || reached() != 0 {
			t.Errorf("%s: %d %s", body, status, said)
		}
	}
	for service, target := range map[string]string{
		"sts": "", "lambda": "", "dynamodb": "DynamoDB_20120810.Scan", "": "Other_1.GetItem",
	} {
		call := fine
		call.target, call.service = target, service
		if status, said := post(t, call.sign(t, c.Endpoint)); status/100 != 4 || reached() != 0 {
			t.Errorf("%s %s: %d %s", service, target, status, said)
		}
	}
	if status, _ := post(t, fine.sign(t, c.Endpoint)); status != http.StatusOK {
		t.Errorf("a call that is allowed: %d", status)
	}
	want := "F: denied 10, granted but never used 1\n\tallowed     dynamodb:GetItem"
	if got := ledger.Report("F"); !strings.HasPrefix(got, want) ||
		!strings.Contains(got, "never used  dynamodb:Query of the statement Table") {
		t.Errorf("the report: %s", got)
	}
}

func TestWhatACallIsAbout(t *testing.T) {
	account := Account(t)
	secrets, keys := secretsmanager.NewFromConfig(account), kms.NewFromConfig(account)
	made, err := keys.CreateKey(t.Context(), &kms.CreateKeyInput{})
	if err != nil {
		t.Fatal(err)
	}
	key := *made.KeyMetadata.Arn
	id := key[strings.LastIndexByte(key, '/')+1:]
	if _, err := keys.CreateAlias(t.Context(), &kms.CreateAliasInput{
		AliasName: aws.String("alias/mine"), TargetKeyId: &id,
	}); err != nil {
		t.Fatal(err)
	}
	create := func(name string, key *string) string {
		out, err := secrets.CreateSecret(t.Context(), &secretsmanager.CreateSecretInput{
			Name: &name, SecretString: aws.String("x"), KmsKeyId: key,
		})
		if err != nil {
			t.Fatal(err)
		}
		return *out.ARN
	}
	plain, keyed := create("t/plain", nil), create("t/keyed", &key)
	a := newAsker("123456789012", account)
	const read = "secretsmanager:GetSecretValue"
	for _, c := range []struct {
		action, body string
		want         []AccessRequest
	}{
		{
			"dynamodb:GetItem",
			`{"TableName":"arn:aws:dynamodb:us-east-1:9:table/x"}`,
			[]AccessRequest{{"dynamodb:GetItem", "arn:aws:dynamodb:us-east-1:9:table/x", nil}},
		},
		{
			"dynamodb:Query",
			`{"TableName":"x","IndexName":"i"}`,
			[]AccessRequest{{"dynamodb:Query", "arn:aws:dynamodb:us-east-1:123456789012:table/x/index/i", nil}},
		},
		{
			"dynamodb:BatchGetItem",
			`{"RequestItems":{"x":{}}}`,
			[]AccessRequest{{"dynamodb:BatchGetItem", "arn:aws:dynamodb:us-east-1:123456789012:table/x", nil}},
		},
		{
			"dynamodb:TransactGetItems",
			`{"TransactItems":[{"Get":{"TableName":"x"}}]}`,
			[]AccessRequest{{"dynamodb:TransactGetItems", "*", nil}},
		},
		{read, `{"SecretId":"t/plain"}`, []AccessRequest{{read, plain, nil}}},
		{read, `{"SecretId":"` + plain + `"}`, []AccessRequest{{read, plain, nil}}},
		{
			read,
			`{"SecretId":"t/none"}`,
			[]AccessRequest{{read, "arn:aws:secretsmanager:us-east-1:123456789012:secret:t/none", nil}},
		},
		{read, `{"SecretId":"t/keyed"}`, []AccessRequest{{read, keyed, nil}, {"kms:Decrypt", key, map[string][]string{
			"kms:ViaService": {"secretsmanager.us-east-1.amazonaws.com"}, "kms:EncryptionContext:SecretARN": {keyed},
		}}}},
		{
			"secretsmanager:DescribeSecret",
			`{"SecretId":"t/keyed"}`,
			[]AccessRequest{{"secretsmanager:DescribeSecret", keyed, nil}},
		},
		{
			"secretsmanager:CreateSecret",
			`{"Name":"t/new"}`,
			[]AccessRequest{
				{"secretsmanager:CreateSecret", "arn:aws:secretsmanager:us-east-1:123456789012:secret:t/new", nil},
			},
		},
		{"secretsmanager:ListSecrets", `{"Filters":[]}`, []AccessRequest{{"secretsmanager:ListSecrets", "*", nil}}},
		{
			"kms:Encrypt",
			`{"KeyId":"alias/mine"}`,
			[]AccessRequest{{"kms:Encrypt", "arn:aws:kms:us-east-1:123456789012:key/" + id, map[string][]string{}}},
		},
		{"kms:Encrypt", `{"KeyId":"` + key + `"}`, []AccessRequest{{"kms:Encrypt", key, map[string][]string{}}}},
		{"kms:Decrypt", `{"CiphertextBlob":"` + strings.Repeat("QUFB", 20) +
			`","EncryptionContext":{"a":"b"}}`,
			[]AccessRequest{{"kms:Decrypt", "arn:aws:kms:us-east-1:123456789012:key/" +
				strings.Repeat("A", 36), map[string][]string{
				"kms:EncryptionContext:a": {"b"}, "kms:EncryptionContextKeys": {"a"},
			}}}},
		{"kms:Sign", `{"KeyId":"` + key + `","MessageType":"DIGEST"}`, []AccessRequest{
			{"kms:Sign", key, map[string][]string{"kms:MessageType": {"DIGEST"}}},
		}},
		{"sts:AssumeRole", `Action=AssumeRole`, []AccessRequest{{"sts:AssumeRole", "*", map[string][]string{}}}},
		{
			"sts:GetWebIdentityToken",
			`Action=GetWebIdentityToken&Audience.member.1=a&DurationSeconds=300&SigningAlgorithm=RS256`,
			[]AccessRequest{{"sts:GetWebIdentityToken", "*", map[string][]string{
				"sts:IdentityTokenAudience": {"a"}, "sts:DurationSeconds": {"300"}, "sts:SigningAlgorithm": {"RS256"},
			}}},
		},
	} {
		service, _, _ := strings.Cut(c.action, ":")
		if got := a.asks(t.Context(), service, c.action, []byte(c.body)); !reflect.DeepEqual(got, c.want) {
			t.Errorf("%s %s: %v, want %v", c.action, c.body, got, c.want)
		}
	}
	if said := a.otherKey(
		t.Context(), "kms:Decrypt", []byte(`{"KeyId":"alias/mine","CiphertextBlob":"`+strings.Repeat("QUFB", 20)+`"}`),
	); said == nil || said.code != "IncorrectKeyException" {
		t.Errorf("a ciphertext of another key than the one that is named: %v", said)
	}
}
