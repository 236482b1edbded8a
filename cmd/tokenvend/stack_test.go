package main

import (
	"context"
	"encoding/json"
	"encoding/pem"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/aws/aws-lambda-go/lambda/messages"
	"github.com/aws/aws-lambda-go/lambdacontext"
	"github.com/aws/aws-sdk-go-v2/aws"
	awssecrets "github.com/aws/aws-sdk-go-v2/service/secretsmanager"

	"github.com/tokenvend/tokenvend/cmd/tokenvend/internal/secretstore"
	"github.com/tokenvend/tokenvend/internal/testbed"
	"github.com/tokenvend/tokenvend/pkg/access"
	"github.com/tokenvend/tokenvend/pkg/api"
	"github.com/tokenvend/tokenvend/pkg/credential/secretsmanager"
	"github.com/tokenvend/tokenvend/pkg/mint"
	"github.com/tokenvend/tokenvend/pkg/provider/simulator"
	"github.com/tokenvend/tokenvend/pkg/rotate"
	"github.com/tokenvend/tokenvend/pkg/seal"
	"github.com/tokenvend/tokenvend/pkg/store/memory"
	"github.com/tokenvend/tokenvend/pkg/vend"
)

const (
	stackFunction = "tokenvend-VendFunction-1"
	stackRegion   = "us-east-1"
	stackAccount  = "123456789012"
	canary        = "canary-0f6d21" // a secret that nothing may show
)

// stack is a vend function with all that is around it: the simulated providers,
// Secrets Manager on moto, Lambda's Invoke, and the API.
type stack struct {
	*testing.T
	providers *simulator.Simulator
	secrets   *awssecrets.Client
	store     *memory.Store
	service   *vend.Service
	dir       string       // where the program runs
	env       []string     // what the program finds
	url       string       // the API's
	lost      atomic.Value // string: an action whose answers Lambda loses
	account   aws.Config
	moto      atomic.Value // http.HandlerFunc: what of Lambda is not Invoke; none: nothing
}

func newStack(t *testing.T) *stack {
	t.Helper()
	return newStackIn(t, testbed.Account(t))
}

// newStackIn returns a stack in an empty account.
func newStackIn(t *testing.T, cfg aws.Config) *stack {
	t.Helper()
	s := &stack{
		T:         t,
		account:   cfg,
		providers: simulator.New(simulator.Options{}),
		secrets:   awssecrets.NewFromConfig(cfg),
		dir:       t.TempDir(),
	}
	s.store = memory.New()
	s.service = &vend.Service{Mint: mint.New(mint.Config{
		Store: s.store, Sealer: seal.Off{}, Source: secretsmanager.New(s.secrets,
			secretstore.DefaultPrefix), HTTP: &http.Client{Transport: s.providers},
	})}
	t.Cleanup(s.service.Mint.Wait)
	lambda := httptest.NewServer(http.HandlerFunc(s.invoke))
	t.Cleanup(lambda.Close)
	gateway := httptest.NewTLSServer(http.HandlerFunc(s.overAPI))
	t.Cleanup(gateway.Close)
	s.url = gateway.URL
	roots := filepath.Join(t.TempDir(), "roots.pem")
	err := os.WriteFile(roots, pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: gateway.Certificate().Raw}),
		0o600)
	if err != nil {
		t.Fatal(err)
	}
	who, err := cfg.Credentials.Retrieve(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	s.env = []string{
		"AWS_ACCESS_KEY_ID=" + who.AccessKeyID, "AWS_SECRET_ACCESS_KEY=" + who.SecretAccessKey,
		"AWS_SESSION_TOKEN=" + who.SessionToken, "AWS_REGION=" + stackRegion,
		"AWS_ENDPOINT_URL_SECRETS_MANAGER=" + *cfg.BaseEndpoint, "AWS_ENDPOINT_URL_LAMBDA=" + lambda.URL,
		"SSL_CERT_FILE=" + roots,
	}
	return s
}

// rotate runs discoveries and passes of rotate until the test ends.
func (s *stack) rotate() {
	var running sync.WaitGroup
	ctx, stop := context.WithCancel(context.Background())
	s.Cleanup(func() { stop(); running.Wait() })
	running.Go(func() {
		for ctx.Err() == nil {
			rotator := &rotate.Rotator{Mint: s.service.Mint, Store: s.store}
			_, _ = rotator.Discover(ctx)
			_, _ = rotator.Run(ctx)
			select {
			case <-time.After(200 * time.Millisecond):
			case <-ctx.Done():
			}
		}
	})
}

// tv runs the program in a place where nothing but AWS is to be found.
func (s *stack) tv(stdin string, args ...string) ran {
	s.Helper()
	return tvEnv(s.T, s.dir, stdin, s.env, args...)
}

// direct runs the program on the function.
func (s *stack) direct(stdin string, args ...string) ran {
	s.Helper()
	return s.tv(stdin, append(args, "--function", stackFunction)...)
}

// broken is how Lambda answers for functions that have no answer, by their
// names: error header, status and body.
var broken = map[string]struct {
	kind   string
	status int
	body   string
}{
	"denied": {
		"AccessDeniedException",
		http.StatusForbidden,
		`{"Message":"User: arn:aws:iam::123456789012:user/me is not authorized to perform: lambda:InvokeFunction"}`,
	},
	"expired": {
		"ExpiredTokenException",
		http.StatusForbidden,
		`{"message":"The security token included in the request is expired"}`,
	},
	"odd": {"InvalidRuntimeException", http.StatusBadGateway, `{"Message":"` + canary + `"}`},
	"timeout": {
		"",
		http.StatusOK,
		`{"errorMessage":"2026-11-22T07:00:00.000Z 1 Task timed out after 29.00 seconds ` + canary + `"}`,
	},
	"slow": {
		"",
		http.StatusOK,
		`{"errorType":"Sandbox.Timedout","errorMessage":"RequestId: 1 Error: ` + canary + `"}`,
	},
	"exited": {
		"",
		http.StatusOK,
		`{"errorType":"Runtime.ExitError","errorMessage":"RequestId: 1 Error: ` + canary + `"}`,
	},
	"panicking": {
		"",
		http.StatusOK,
		`{"errorType":"` + canary + ` 1","errorMessage":"{\"code\":\"\"}","stackTrace":[]}`,
	},
	"garbled": {"", http.StatusOK, canary},
}

// invoke is Lambda's Invoke.
func (s *stack) invoke(w http.ResponseWriter, r *http.Request) {
	path, ok := strings.CutSuffix(strings.TrimPrefix(r.URL.Path, "/2015-03-31/functions/"), "/invocations")
	if rest, is := s.moto.Load().(http.HandlerFunc); is && !ok {
		rest(w, r)
		return
	}
	if !ok || r.Method != http.MethodPost ||
		!strings.Contains(r.Header.Get("Authorization"), "/"+stackRegion+"/lambda/aws4_request") {
		s.Errorf("Lambda gets %s %s, want a signed invocation", r.Method, r.URL)
	}
	name, alias := path[strings.LastIndex(path, ":")+1:], r.URL.Query().Get("Qualifier")
	payload, _ := io.ReadAll(r.Body)
	w.Header().Set("X-Amzn-Requestid", "lambda-1")
	known, bad := broken[name]
	switch {
	case bad && known.kind != "":
		w.Header().Set("X-Amzn-Errortype", known.kind)
		w.WriteHeader(known.status)
		_, _ = io.WriteString(w, known.body)
	case bad:
		w.Header().Set("X-Amz-Function-Error", "Unhandled")
		_, _ = io.WriteString(w, known.body)
	case name != stackFunction || alias != "admin" && alias != "billing" && alias != "c-minut":
		w.Header().Set("X-Amzn-Errortype", "ResourceNotFoundException")
		w.WriteHeader(http.StatusNotFound)
		_, _ = io.WriteString(w, `{"Type":"User","Message":"Function not found"}`)
	default:
		s.run(w, r, payload, "arn:aws:lambda:"+stackRegion+":"+stackAccount+":function:"+name+":"+alias)
	}
}

func (s *stack) run(w http.ResponseWriter, r *http.Request, payload []byte, arn string) {
	ctx := lambdacontext.NewContext(
		r.Context(),
		&lambdacontext.LambdaContext{AwsRequestID: "lambda-1", InvokedFunctionArn: arn},
	)
	answer, err := s.service.Invoke(ctx, payload)
	if e, failed := errors.AsType[messages.InvokeResponse_Error](err); failed {
		w.Header().Set("X-Amz-Function-Error", "Unhandled")
		answer, err = json.Marshal(e)
	}
	if err != nil {
		s.Error(err)
	}
	var asked api.Request
	if json.Unmarshal(payload, &asked) == nil && asked.Action != "" && s.lost.Load() == asked.Action {
		w.WriteHeader(http.StatusInternalServerError)
		return
	}
	_, _ = w.Write(answer)
}

// overAPI is API Gateway, which takes every signature for an operator's.
func (s *stack) overAPI(w http.ResponseWriter, r *http.Request) {
	if !strings.Contains(r.Header.Get("Authorization"), "/"+stackRegion+"/execute-api/aws4_request") {
		w.WriteHeader(http.StatusForbidden)
		return
	}
	body, _ := io.ReadAll(r.Body)
	reply := s.service.HTTP(r.Context(), vend.HTTPRequest{
		Method: r.Method, Path: r.URL.EscapedPath(), Query: r.URL.RawQuery, Body: body, RequestID: "api-1",
		Caller: access.Caller{
			Via:   access.API,
			Alias: "api",
			ARN:   "arn:aws:iam::" + stackAccount + ":role/operator",
		},
	})
	for name, value := range reply.Header {
		w.Header().Set(name, value)
	}
	w.WriteHeader(reply.Status)
	_, _ = w.Write(reply.Body)
}

// client is the client that a simulated provider knows.
func (s *stack) client(provider string) (id, secret string) { return s.providers.ClientFor(provider) }

// put keeps a credential for a provider, not by the program.
func (s *stack) put(name, provider string, more ...string) {
	s.Helper()
	id, secret := s.client(provider)
	fields := map[string]any{"provider": provider, "client_id": id, "client_secret": secret}
	for _, field := range more {
		key, value, _ := strings.Cut(field, "=")
		fields[key] = json.RawMessage(value)
	}
	text, err := json.Marshal(fields)
	if err != nil {
		s.Fatal(err)
	}
	full, value := secretstore.DefaultPrefix+name, string(text)
	_, err = s.secrets.CreateSecret(s.Context(), &awssecrets.CreateSecretInput{Name: &full, SecretString: &value})
	if err != nil {
		s.Fatal(err)
	}
	if _, err := s.service.Mint.Registry.Terms(s.Context(), name); err != nil { // as rotate's next pass does
		s.Fatal(err)
	}
}

// secret is what Secrets Manager keeps for a credential; "" where there is
// none.
func (s *stack) secret(name string) string {
	s.Helper()
	current := "AWSCURRENT"
	full := secretstore.DefaultPrefix + name
	out, err := s.secrets.GetSecretValue(
		s.Context(),
		&awssecrets.GetSecretValueInput{SecretId: &full, VersionStage: &current},
	)
	if err != nil {
		return ""
	}
	return *out.SecretString
}

// described is what Secrets Manager says of a credential's secret; nil where
// there is none.
func (s *stack) described(name string) *awssecrets.DescribeSecretOutput {
	full := secretstore.DefaultPrefix + name
	out, err := s.secrets.DescribeSecret(s.Context(), &awssecrets.DescribeSecretInput{SecretId: &full})
	if err != nil {
		return nil
	}
	return out
}
