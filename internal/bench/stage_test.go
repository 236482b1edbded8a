//go:build testall

package bench_test

import (
	"encoding/json"
	"fmt"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	awskms "github.com/aws/aws-sdk-go-v2/service/kms"
	awssecrets "github.com/aws/aws-sdk-go-v2/service/secretsmanager"

	"github.com/tokenvend/tokenvend/internal/testbed"
	"github.com/tokenvend/tokenvend/pkg/boot"
	"github.com/tokenvend/tokenvend/pkg/credential/secretsmanager"
	"github.com/tokenvend/tokenvend/pkg/provider/simulator"
	"github.com/tokenvend/tokenvend/pkg/seal"
	"github.com/tokenvend/tokenvend/pkg/seal/kms"
	"github.com/tokenvend/tokenvend/pkg/store/dynamo"
)

// stage is a stack with its table behind TLS, its secrets and its providers.
type stage struct {
	b       *testing.B
	stack   *testbed.Stack
	sim     *simulator.Simulator
	items   *dynamodb.Client
	secrets *awssecrets.Client
	table   string
	clear   map[string]string // a function's environment, AWS without TLS
	tls     map[string]string // the same over TLS, as AWS has it
}

// name is the credential of which all is vended, of the provider that takes any
// scope.
const (
	name     = "miden"
	function = "arn:aws:lambda:us-east-1:123456789012:function:tokenvend-vend"
)

func newStage(b *testing.B, database testbed.Endpoint) *stage {
	b.Helper()
	return stageOf(b, testbed.Template(b), database, testbed.Moto(b))
}

// stageOf is a stage whose other services of AWS are at rest.
func stageOf(b *testing.B, stack *testbed.Stack, database, rest testbed.Endpoint) *stage {
	b.Helper()
	s := &stage{b: b, stack: stack, sim: simulator.New(simulator.Options{})}
	if err := s.sim.ListenTLS("127.0.0.1:0"); err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() { _ = s.sim.Close() })
	s.items = dynamodb.NewFromConfig(s.stack.Account, func(o *dynamodb.Options) {
		o.BaseEndpoint = aws.String(string(database))
	})
	s.secrets = awssecrets.NewFromConfig(s.stack.Account)
	s.table = s.stack.CreateTable(b, s.items)
	trust := newFronts(b)
	s.clear = s.environment(trust.bundle(b, s.sim.RootPEM()), database, rest)
	s.tls = s.environment(s.clear["SSL_CERT_FILE"], trust.before(b, database), trust.before(b, rest))
	return s
}

// environment is the template's own of vend, with what is this stage's, and
// what Lambda adds.
func (s *stage) environment(roots string, database, rest testbed.Endpoint) map[string]string {
	s.b.Helper()
	keys, err := s.stack.Account.Credentials.Retrieve(s.b.Context())
	if err != nil {
		s.b.Fatal(err)
	}
	all := maps.Clone(s.stack.Functions["VendFunction"].Environment)
	maps.Copy(all, map[string]string{
		boot.EnvTable: s.table, boot.EnvSecretPrefix: s.prefix(),
		boot.EnvProxy: testbed.Proxy(s.b, s.sim.Route).String(), "SSL_CERT_FILE": roots,
		"AWS_REGION": s.stack.Account.Region, "AWS_LAMBDA_FUNCTION_NAME": "vend",
		"AWS_LAMBDA_FUNCTION_MEMORY_SIZE": fmt.Sprint(s.stack.Functions["VendFunction"].Memory),
		"AWS_ACCESS_KEY_ID":               keys.AccessKeyID, "AWS_SECRET_ACCESS_KEY": keys.SecretAccessKey,
		"AWS_SESSION_TOKEN":         keys.SessionToken,
		"AWS_ENDPOINT_URL_DYNAMODB": string(database), "AWS_ENDPOINT_URL_KMS": string(rest),
		"AWS_ENDPOINT_URL_SECRETS_MANAGER": string(rest),
	})
	return all
}

func (s *stage) prefix() string { return "tokenvend/bench-" + s.table + "/" }

// lines is an environment as processes take it.
func lines(environment map[string]string) (all []string) {
	for name, value := range environment {
		all = append(all, name+"="+value)
	}
	return all
}

// put stores the secret of a credential at miden.
func (s *stage) put(credential string, over map[string]any) {
	s.b.Helper()
	id, secret := s.sim.ClientFor("miden")
	fields := map[string]any{
		"provider": "miden", "client_id": id, "client_secret": secret, "token_url": s.sim.TokenURL("miden"),
	}
	maps.Copy(fields, over)
	value, err := json.Marshal(fields)
	if err != nil {
		s.b.Fatal(err)
	}
	full := s.prefix() + credential
	if _, err := s.secrets.CreateSecret(s.b.Context(), &awssecrets.CreateSecretInput{
		Name: &full, SecretString: aws.String(string(value)),
	}); err != nil {
		s.b.Fatal(err)
	}
}

// words are scopes, of which every choice is a key of its own.
func words() (all []string) {
	for i := range 13 {
		all = append(all, fmt.Sprintf("s%02d", i))
	}
	return all
}

// choice is the nth choice of words; "": none, the default.
func choice(n int) string {
	var chosen []string
	for i, word := range words() {
		if n&(1<<i) != 0 {
			chosen = append(chosen, word)
		}
	}
	return strings.Join(chosen, " ")
}

// fill puts a credential's row and the tokens of so many of its keys into the
// table, as vend would have written them.
func (s *stage) fill(keys int) {
	s.b.Helper()
	s.put(name, map[string]any{"allow": map[string]any{"scopes": words()}})
	put(
		s.b, dynamo.New(s.items, s.table), s.minted(secretsmanager.New(s.secrets, s.prefix()), s.sealer(false), keys),
		writers,
	)
}

// sealer is one of the stack's own, in this process.
func (s *stage) sealer(buckets bool) seal.Sealer {
	return kms.New(awskms.NewFromConfig(s.stack.Account), kms.Config{
		KeyID: s.clear[boot.EnvSealKey], SealID: s.clear[boot.EnvSealID], Buckets: buckets,
	})
}

// binaries is where this run's programs are built.
var binaries string

var built sync.Map // of func() (string, error), by name and processor: each is built once

// program builds one, as the template's build does it, and returns its path.
// arch "": this machine's.
func program(b *testing.B, name, arch string) string {
	b.Helper()
	once, _ := built.LoadOrStore(name+arch, sync.OnceValues(func() (string, error) { return build(name, arch) }))
	path, err := once.(func() (string, error))()
	if err != nil {
		b.Fatal(err)
	}
	return path
}

var sources = map[string]string{
	"hello": "./internal/bench/hello", "least": "./internal/bench/least", "vend": "./functions/vend",
	"rotate": "./functions/rotate", "bare": "./internal/bench/bare", "sweep": "./internal/bench/sweep",
	"tokenvend": "./cmd/tokenvend", "extension": "./cmd/tokenvend-extension",
}

func build(name, arch string) (string, error) {
	path := filepath.Join(binaries, name+arch)
	cmd := exec.Command(
		"go", "build", "-tags", "lambda.norpc,nethttpomithttp2", "-trimpath", "-ldflags", "-s -w", "-o", path,
		sources[name],
	)
	cmd.Dir, cmd.Env = filepath.Join("..", ".."), append(os.Environ(), "CGO_ENABLED=0")
	if arch != "" {
		cmd.Env = append(cmd.Env, "GOOS=linux", "GOARCH="+arch, "GOARM64=v8.0,lse")
	}
	if said, err := cmd.CombinedOutput(); err != nil {
		return "", fmt.Errorf("building %s: %w\n%s", name, err, said)
	}
	return path, nil
}

// weight is a program's size in bytes.
func weight(b *testing.B, name, arch string) int64 {
	b.Helper()
	info, err := os.Stat(program(b, name, arch))
	if err != nil {
		b.Fatal(err)
	}
	return info.Size()
}

func TestMain(m *testing.M) { os.Exit(run(m)) }

func run(m *testing.M) int {
	var err error
	if binaries, err = os.MkdirTemp("", "tokenvend-bench-"); err == nil {
		err = os.Setenv("AWS_EC2_METADATA_DISABLED", "true")
	}
	if err != nil {
		fmt.Println(err)
		return 1
	}
	defer func() { _ = os.RemoveAll(binaries) }()
	return m.Run()
}
