package functions_test

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"maps"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/aws/retry"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/secretsmanager"

	"github.com/tokenvend/tokenvend/internal/testbed"
	"github.com/tokenvend/tokenvend/pkg/api"
	"github.com/tokenvend/tokenvend/pkg/provider/simulator"
)

// logical are the functions' names in the template, by their folders.
var logical = map[string]string{"vend": "VendFunction", "rotate": "RotateFunction"}

// traffic counts the calls of a function to AWS.
type traffic struct {
	store *testbed.Calls // DynamoDB
	rest  *testbed.Calls // KMS and Secrets Manager
}

// installation is a stack of its own: the template's functions and settings, a
// table, secrets, and the five providers. At the end of its test, all that its
// processes wrote is searched for secrets.
type installation struct {
	t         *testing.T
	stack     *testbed.Stack
	services  testbed.Endpoint // of AWS, but for DynamoDB
	sim       *simulator.Simulator
	functions map[string]testbed.Function // by their folders, as are the next two
	gates     map[string]*testbed.Gate
	aws       map[string]traffic
	ledger    *testbed.Ledger
	apart     bool // the stack is no part of what the suite's ledger reports
	table     string
	items     *dynamodb.Client
	secrets   *secretsmanager.Client
	prefix    string
	proxy     *url.URL
	roots     string // a file
	runtimes  map[string]*testbed.Runtime
	mu        sync.Mutex
	processes []*testbed.Bootstrap
	leaks     testbed.Leaks
	answers   []byte // all answers, without the tokens that they were to return
}

func newInstallation(t *testing.T, o simulator.Options) *installation {
	t.Helper()
	h := &installation{t: t, stack: testbed.Template(t), services: testbed.AWS(t), sim: simulator.New(o)}
	h.install()
	return h
}

// install makes what the installation consists of.
func (h *installation) install() {
	t := h.t
	t.Helper()
	h.ledger = new(testbed.Ledger)
	if err := h.sim.ListenTLS("127.0.0.1:0"); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = h.sim.Close() })
	h.proxy = testbed.Proxy(t, h.sim.Route)
	h.roots = filepath.Join(t.TempDir(), "roots.pem")
	if err := os.WriteFile(h.roots, h.sim.RootPEM(), 0o600); err != nil {
		t.Fatal(err)
	}
	database := testbed.DynamoDB(t)
	h.items = dynamodb.NewFromConfig(h.stack.Account, func(o *dynamodb.Options) {
		o.BaseEndpoint = aws.String(string(database))
		o.Retryer = retry.NewStandard()
	})
	h.table = h.stack.CreateTable(t, h.items)
	h.prefix = "tokenvend/" + h.table + "/"
	h.secrets = secretsmanager.NewFromConfig(h.stack.Account, func(o *secretsmanager.Options) {
		o.Retryer = retry.NewStandard() // an emulator drops connections when many tests run
	})
	h.deploy("seal-" + h.table)
	t.Cleanup(h.closeLedger)
	t.Cleanup(h.searchForLeaks)
}

// deploy creates the two functions, over the table and the secrets of the
// installation, with a seal id. The functions that were deployed before get no
// more invocations.
func (h *installation) deploy(sealID string) {
	h.t.Helper()
	made := h.stack.Deployed(h.t, testbed.Parameters{Table: h.table, SecretPrefix: h.prefix, SealID: sealID})
	h.functions, h.gates, h.aws, h.runtimes = map[string]testbed.Function{}, map[string]*testbed.Gate{},
		map[string]traffic{}, map[string]*testbed.Runtime{}
	for function, name := range logical {
		f, gate := made[name], h.stack.Gate(h.t, made[name], h.ledger)
		h.functions[function], h.gates[function] = f, gate
		h.aws[function] = traffic{testbed.CountCalls(h.t, testbed.DynamoDB(h.t), gate),
			testbed.CountCalls(h.t, h.services, gate)}
		h.runtimes[function] = testbed.NewRuntime(time.Duration(f.Timeout) * time.Second)
	}
}

// start runs one more process of a function.
func (h *installation) start(function string, env ...string) *testbed.Bootstrap {
	h.t.Helper()
	return h.startProgram(bootstrap(h.t, build{function: function}), function, env...)
}

func (h *installation) startProgram(binary, function string, env ...string) *testbed.Bootstrap {
	h.t.Helper()
	p := h.runtimes[function].Start(h.t, binary, append(h.environment(function), env...)...)
	h.mu.Lock()
	defer h.mu.Unlock()
	h.processes = append(h.processes, p)
	if p.Ended() {
		h.t.Fatalf("%s ended at its start, want it to run: %s", function, p.Output())
	}
	return p
}

// environment returns a function's environment: what the template sets, the
// addresses of this installation, and what Lambda adds.
func (h *installation) environment(function string) []string {
	h.t.Helper()
	keys := h.gates[function].Credentials
	h.addSecret("the function's own keys", keys.SecretAccessKey, keys.SessionToken)
	all := maps.Clone(h.functions[function].Environment)
	maps.Copy(all, map[string]string{
		"TOKENVEND_PROXY": h.proxy.String(),
		"SSL_CERT_FILE":   h.roots, "AWS_REGION": h.stack.Account.Region, "AWS_LAMBDA_FUNCTION_NAME": function,
		"AWS_ACCESS_KEY_ID": keys.AccessKeyID, "AWS_SECRET_ACCESS_KEY": keys.SecretAccessKey,
		"AWS_SESSION_TOKEN":                keys.SessionToken,
		"AWS_ENDPOINT_URL_DYNAMODB":        string(h.aws[function].store.Endpoint),
		"AWS_ENDPOINT_URL_KMS":             string(h.aws[function].rest.Endpoint),
		"AWS_ENDPOINT_URL_SECRETS_MANAGER": string(h.aws[function].rest.Endpoint),
		"AWS_ENDPOINT_URL_STS":             string(h.aws[function].rest.Endpoint),
	})
	var lines []string
	for name, value := range all {
		lines = append(lines, name+"="+value)
	}
	return lines
}

// put stores a credential's secret, or changes it. A field that over sets to
// nil is left out.
func (h *installation) put(name, provider string, over map[string]any) {
	h.t.Helper()
	id, secret := h.sim.ClientFor(provider)
	fields := map[string]any{"provider": provider, "client_id": id, "client_secret": secret}
	if provider == "miden" {
		fields["token_url"] = h.sim.TokenURL(provider)
	}
	maps.Copy(fields, over)
	maps.DeleteFunc(fields, func(_ string, value any) bool { return value == nil })
	h.addSecret("a client secret", secret)
	value, err := json.Marshal(fields)
	if err != nil {
		h.t.Fatal(err)
	}
	full := h.prefix + name
	_, err = h.secrets.CreateSecret(h.t.Context(),
		&secretsmanager.CreateSecretInput{Name: &full, SecretString: aws.String(string(value)),
			KmsKeyId: &h.stack.SecretKey})
	if err != nil {
		_, err = h.secrets.PutSecretValue(h.t.Context(),
			&secretsmanager.PutSecretValueInput{SecretId: &full, SecretString: aws.String(string(value))})
	}
	if err != nil {
		h.t.Fatal(err)
	}
}

// invoke invokes a function as alias, "" for the bare one.
func (h *installation) invoke(function, alias string, payload []byte) ([]byte, *testbed.FunctionError) {
	h.t.Helper()
	ctx, cancel := context.WithTimeout(h.t.Context(), time.Minute)
	defer cancel()
	answer, failed, err := h.runtimes[function].Invoke(ctx, h.arn(function, alias), payload)
	if err != nil {
		h.t.Error(err)
	}
	h.recordAnswer(answer, failed)
	return answer, failed
}

// arn returns the ARN by which a function is invoked.
func (h *installation) arn(function, alias string) string {
	arn := strings.TrimSuffix(h.functions[function].ARN, ":$LATEST")
	if alias != "" {
		arn += ":" + alias
	}
	return arn
}

// direct invokes vend as another Lambda does. One of the results is nil.
func (h *installation) direct(alias string, r api.Request) ([]byte, *api.Error) {
	h.t.Helper()
	payload, err := json.Marshal(r)
	if err != nil {
		h.t.Fatal(err)
	}
	answer, failed := h.invoke("vend", alias, payload)
	if failed == nil {
		return answer, nil
	}
	return nil, problem(h.t, failed)
}

// problem reads a function error's problem document.
func problem(t *testing.T, failed *testbed.FunctionError) *api.Error {
	t.Helper()
	var e api.Error
	if err := json.Unmarshal([]byte(failed.ErrorMessage), &e); err != nil || string(e.Code) != failed.ErrorType {
		t.Errorf("the function error %q = %s, want a problem document of that code", failed.ErrorType,
			failed.ErrorMessage)
	}
	return &e
}

// makeKnown has vend look up credentials that nobody has asked for: for callers
// other than operators, that is left to rotate.
func (h *installation) makeKnown(names ...string) {
	h.t.Helper()
	for _, name := range names {
		h.status(name)
	}
}

// token returns the token of a credential, by the alias admin.
func (h *installation) token(name string) api.Token {
	h.t.Helper()
	answer, refused := h.direct("admin", api.Request{Credential: name})
	if refused != nil {
		h.t.Fatal(refused)
	}
	return read[api.Token](h.t, answer)
}

func (h *installation) status(name string) api.StatusReport {
	h.t.Helper()
	answer, refused := h.direct("admin", api.Request{Credential: name, Action: api.Status})
	if refused != nil {
		h.t.Fatal(refused)
	}
	return read[api.StatusReport](h.t, answer)
}

func read[T any](t *testing.T, answer []byte) (v T) {
	t.Helper()
	if err := json.Unmarshal(answer, &v); err != nil {
		t.Errorf("Unmarshal(%s) = %v, want a %T", answer, err, v)
	}
	return v
}

// closeLedger fails the test if a function called what its role does not allow,
// and adds its calls to those of the suite.
func (h *installation) closeLedger() {
	for _, name := range logical {
		for _, what := range h.ledger.Denied(name) {
			h.t.Errorf("%s was denied %s, want only calls that its role allows", name, what)
		}
	}
	if !h.apart {
		suite.Add(h.ledger)
	}
}

// fingerprint returns the first 16 hex digits of a token's SHA-256.
func fingerprint(accessToken string) string {
	sum := sha256.Sum256([]byte(accessToken))
	return hex.EncodeToString(sum[:8])
}

// freshRuntime returns a runtime without processes, for vend. The processes of
// the former one get no more invocations.
func freshRuntime(h *installation) *testbed.Runtime {
	return testbed.NewRuntime(time.Duration(h.functions["vend"].Timeout) * time.Second)
}
