package kms_test

import (
	"bytes"
	"context"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/credentials"
	awskms "github.com/aws/aws-sdk-go-v2/service/kms"

	"github.com/tokenvend/tokenvend/internal/testbed"
	"github.com/tokenvend/tokenvend/pkg/seal/kms"
)

// stack is a KMS with one key for one test, and a record of the calls to it.
type stack struct {
	*awskms.Client
	key   string
	calls *calls
}

func newStack(t *testing.T) stack {
	t.Helper()
	return stackOf(t, testbed.Account(t))
}

// onEach runs test on each implementation of KMS.
func onEach(t *testing.T, test func(t *testing.T, s stack)) {
	for name, config := range testbed.Accounts() {
		t.Run(name, func(t *testing.T) { test(t, stackOf(t, config(t))) })
	}
}

func stackOf(t *testing.T, cfg aws.Config) stack {
	t.Helper()
	seen := &calls{next: cfg.HTTPClient, count: map[string]int{}}
	cfg.HTTPClient = seen
	s := stack{Client: awskms.NewFromConfig(cfg), calls: seen}
	made, err := s.CreateKey(t.Context(), &awskms.CreateKeyInput{})
	if err != nil {
		t.Fatal(err)
	}
	s.key = *made.KeyMetadata.Arn
	return s
}

// closeConnections makes each later call open a connection of its own. A
// connection that was made outside a testing/synctest bubble does not work
// inside.
func (s stack) closeConnections() {
	transport := s.calls.next.(*http.Client).Transport.(*http.Transport)
	transport.DisableKeepAlives = true
	transport.CloseIdleConnections()
}

// process returns a Sealer with an empty cache.
func (s stack) process() *kms.Sealer {
	return kms.New(s.Client, kms.Config{KeyID: s.key, SealID: "stack-1"})
}

// bucketed returns a Sealer by buckets, with an empty cache.
func (s stack) bucketed() *kms.Sealer {
	return kms.New(s.Client, kms.Config{KeyID: s.key, SealID: "stack-1", Buckets: true})
}

// costs checks how many data keys were generated and decrypted since it was
// last called.
func (s stack) costs(t *testing.T, what string, generated, decrypted int) {
	t.Helper()
	s.calls.mu.Lock()
	defer s.calls.mu.Unlock()
	if g, d := s.calls.count["GenerateDataKey"], s.calls.count["Decrypt"]; g != generated || d != decrypted {
		t.Errorf("%s: %d GenerateDataKey and %d Decrypt, want %d and %d", what, g, d, generated, decrypted)
	}
	clear(s.calls.count)
}

// calls counts the SDK's requests by operation and keeps the responses. If down
// is set, every request fails. hold, if not nil, is called before a request is
// sent.
type calls struct {
	next aws.HTTPClient

	mu      sync.Mutex
	count   map[string]int
	answers [][]byte
	down    bool
	hold    func(*http.Request)
}

func (c *calls) Do(r *http.Request) (*http.Response, error) {
	_, operation, _ := strings.Cut(r.Header.Get("X-Amz-Target"), ".")
	c.mu.Lock()
	c.count[operation]++
	down, hold := c.down, c.hold
	c.mu.Unlock()
	if down {
		return nil, errors.New("the network is down")
	}
	if hold != nil {
		hold(r)
	}
	answer, err := c.next.Do(r)
	if err != nil {
		return nil, err
	}
	body, err := io.ReadAll(answer.Body)
	_ = answer.Body.Close()
	answer.Body = io.NopCloser(bytes.NewReader(body))
	c.mu.Lock()
	c.answers = append(c.answers, body)
	c.mu.Unlock()
	return answer, err
}

func (c *calls) set(down bool, hold func(*http.Request)) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.down, c.hold = down, hold
}

// answering returns a Sealer whose KMS gives every call this response.
func answering(t testing.TB, status int, body string) *kms.Sealer {
	t.Helper()
	return kms.New(answeringClient(t, status, body), kms.Config{KeyID: "a key", SealID: "stack-1"})
}

func answeringClient(t testing.TB, status int, body string) *awskms.Client {
	t.Helper()
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "application/x-amz-json-1.1")
		w.WriteHeader(status)
		_, _ = w.Write([]byte(body))
	}))
	t.Cleanup(server.Close)
	return awskms.NewFromConfig(aws.Config{
		Region: "us-east-1", BaseEndpoint: &server.URL, Retryer: func() aws.Retryer { return aws.NopRetryer{} },
		Credentials: credentials.NewStaticCredentialsProvider("any", "any", ""),
	})
}

func mustSeal(t testing.TB, s *kms.Sealer, credential, plain string) []byte {
	t.Helper()
	sealed, err := s.Seal(context.Background(), credential, []byte(plain), additional)
	if err != nil {
		t.Fatal("seal: ", err)
	}
	return sealed
}

func opens(t testing.TB, s *kms.Sealer, credential string, sealed []byte, want string) {
	t.Helper()
	if got, err := s.Open(context.Background(), credential, sealed, additional); err != nil || string(got) != want {
		t.Errorf("opened to %q, %v; want %q", got, err, want)
	}
}

func fails(t testing.TB, s *kms.Sealer, credential string, sealed []byte, want error) {
	t.Helper()
	if got, err := s.Open(context.Background(), credential, sealed, additional); !errors.Is(err, want) || got != nil {
		t.Errorf("opened to %q, %v; want %v", got, err, want)
	}
}

var additional = []byte("additional")
