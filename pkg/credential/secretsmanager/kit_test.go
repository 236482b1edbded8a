package secretsmanager_test

import (
	"errors"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/credentials"
	aws_sm "github.com/aws/aws-sdk-go-v2/service/secretsmanager"
	"github.com/aws/aws-sdk-go-v2/service/secretsmanager/types"

	"github.com/tokenvend/tokenvend/internal/testbed"
	"github.com/tokenvend/tokenvend/pkg/credential"
	"github.com/tokenvend/tokenvend/pkg/credential/secretsmanager"
)

const prefix = "tokenvend/"

// account is a Secrets Manager for one test, and a record of the calls to it.
type account struct {
	*aws_sm.Client
	t     *testing.T
	calls *calls
}

func newAccount(t *testing.T) account {
	t.Helper()
	return accountOf(t, testbed.Account(t))
}

// onEach runs test on each implementation of Secrets Manager.
func onEach(t *testing.T, test func(t *testing.T, newAccount func(*testing.T) account)) {
	for name, config := range testbed.Accounts() {
		t.Run(name, func(t *testing.T) {
			test(t, func(t *testing.T) account { t.Helper(); return accountOf(t, config(t)) })
		})
	}
}

func accountOf(t *testing.T, cfg aws.Config) account {
	t.Helper()
	seen := &calls{next: cfg.HTTPClient}
	cfg.HTTPClient = seen
	return account{Client: aws_sm.NewFromConfig(cfg), t: t, calls: seen}
}

func (a account) source() *secretsmanager.Source { return secretsmanager.New(a.Client, prefix) }

// put creates a secret or its next current version. It restores a deleted one.
func (a account) put(name string, data []byte) (version string) {
	a.t.Helper()
	text := aws.String(string(data))
	made, err := a.CreateSecret(a.t.Context(), &aws_sm.CreateSecretInput{Name: &name, SecretString: text})
	if err == nil {
		return *made.VersionId
	}
	_, exists := errors.AsType[*types.ResourceExistsException](err)
	_, deleted := errors.AsType[*types.InvalidRequestException](err) // AWS; moto answers that it exists
	if !exists && !deleted {
		a.t.Fatalf("CreateSecret(%s): %v", name, err)
	}
	_, err = a.RestoreSecret(a.t.Context(), &aws_sm.RestoreSecretInput{SecretId: &name})
	if err != nil {
		a.t.Fatal(err)
	}
	return a.stage(name, credential.Current, data)
}

// stage adds a version in that stage.
func (a account) stage(name string, stage credential.Stage, data []byte) (version string) {
	a.t.Helper()
	put, err := a.PutSecretValue(a.t.Context(), &aws_sm.PutSecretValueInput{
		SecretId:      &name,
		SecretString:  aws.String(string(data)),
		VersionStages: []string{string(stage)},
	})
	if err != nil {
		a.t.Fatal(err)
	}
	return *put.VersionId
}

// move moves a stage to another version; "" removes or adds none.
func (a account) move(name string, stage credential.Stage, from, to string) {
	a.t.Helper()
	in := &aws_sm.UpdateSecretVersionStageInput{
		SecretId: &name, VersionStage: aws.String(string(stage)), RemoveFromVersionId: &from,
	}
	if to != "" {
		in.MoveToVersionId = &to
	}
	if _, err := a.UpdateSecretVersionStage(a.t.Context(), in); err != nil {
		a.t.Fatal(err)
	}
}

func (a account) remove(name string, atOnce bool) {
	a.t.Helper()
	if _, err := a.DeleteSecret(a.t.Context(), &aws_sm.DeleteSecretInput{
		SecretId: &name, ForceDeleteWithoutRecovery: &atOnce,
	}); err != nil {
		a.t.Fatal(err)
	}
}

// calls counts the SDK's requests by operation and can replace a response by a
// failure.
type calls struct {
	next aws.HTTPClient

	mu    sync.Mutex
	count map[string]int
	fail  func(operation string, nth int) bool
}

func (c *calls) Do(r *http.Request) (*http.Response, error) {
	_, operation, _ := strings.Cut(r.Header.Get("X-Amz-Target"), ".")
	c.mu.Lock()
	if c.count == nil {
		c.count = map[string]int{}
	}
	c.count[operation]++
	fails := c.fail != nil && c.fail(operation, c.count[operation])
	c.mu.Unlock()
	if fails {
		return nil, errors.New("the network is down")
	}
	return c.next.Do(r)
}

func (c *calls) of(operation string) int {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.count[operation]
}

// answering returns a source that gets this response to every request.
func answering(t *testing.T, status int, body string) *secretsmanager.Source {
	t.Helper()
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "application/x-amz-json-1.1")
		w.WriteHeader(status)
		_, _ = w.Write([]byte(body))
	}))
	t.Cleanup(server.Close)
	return at(server.URL)
}

func at(url string) *secretsmanager.Source {
	return secretsmanager.New(aws_sm.NewFromConfig(aws.Config{
		Region: "us-east-1", BaseEndpoint: &url, Retryer: func() aws.Retryer { return aws.NopRetryer{} },
		Credentials: credentials.NewStaticCredentialsProvider("any", "any", ""),
	}), prefix)
}
