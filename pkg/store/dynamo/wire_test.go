package dynamo_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strings"
	"sync"
	"testing"

	"github.com/aws/aws-sdk-go-v2/service/dynamodb"

	"github.com/tokenvend/tokenvend/internal/testbed"
	"github.com/tokenvend/tokenvend/internal/testworld/dynamotable"
)

// newClient returns a client with its own connections and retries. wrap, if not
// nil, sees every request, including retries.
func newClient(
	t *testing.T, endpoint testbed.Endpoint, wrap func(http.RoundTripper) http.RoundTripper,
) *dynamodb.Client {
	t.Helper()
	connections := &http.Transport{MaxIdleConnsPerHost: 100}
	t.Cleanup(connections.CloseIdleConnections)
	var transport http.RoundTripper = connections
	if wrap != nil {
		transport = wrap(transport)
	}
	return dynamotable.Client(endpoint, transport)
}

// request is a request as the SDK sent it.
type request struct {
	Operation string `json:"-"`
	raw       []byte

	ConsistentRead bool
	TableName      string
	Key            json.RawMessage
	RequestItems   map[string]struct{ ConsistentRead bool }

	ReturnValuesOnConditionCheckFailure string
}

func readRequest(r *http.Request) (request, error) {
	body, err := io.ReadAll(r.Body)
	if err != nil {
		return request{}, err
	}
	r.Body = io.NopCloser(bytes.NewReader(body))
	_, operation, _ := strings.Cut(r.Header.Get("X-Amz-Target"), ".")
	read := request{Operation: operation, raw: body}
	return read, json.Unmarshal(body, &read)
}

// journal records the requests.
type journal struct {
	next http.RoundTripper
	mu   sync.Mutex
	seen []request
}

func (j *journal) wrap(next http.RoundTripper) http.RoundTripper { j.next = next; return j }

func (j *journal) RoundTrip(r *http.Request) (*http.Response, error) {
	read, err := readRequest(r)
	if err != nil {
		return nil, err
	}
	j.mu.Lock()
	j.seen = append(j.seen, read)
	j.mu.Unlock()
	return j.next.RoundTrip(r)
}

// during returns the requests that do sends.
func (j *journal) during(do func()) []request {
	j.mu.Lock()
	j.seen = nil
	j.mu.Unlock()
	do()
	j.mu.Lock()
	defer j.mu.Unlock()
	return j.seen
}

func operations(requests []request) string {
	var names []string
	for _, r := range requests {
		names = append(names, r.Operation)
	}
	return strings.Join(names, " ")
}

// faults is a transport that changes the next responses.
type faults struct {
	next http.RoundTripper
	mu   sync.Mutex
	plan []fault
}

// fault changes a server's response.
type fault func(send func() (*http.Response, error)) (*http.Response, error)

func (f *faults) wrap(next http.RoundTripper) http.RoundTripper { f.next = next; return f }

// then sets the faults of the next responses. Later ones are unchanged.
func (f *faults) then(plan ...fault) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.plan = plan
}

func (f *faults) RoundTrip(r *http.Request) (*http.Response, error) {
	send := func() (*http.Response, error) { return f.next.RoundTrip(r) }
	f.mu.Lock()
	if len(f.plan) == 0 {
		f.mu.Unlock()
		return send()
	}
	fault := f.plan[0]
	f.plan = f.plan[1:]
	f.mu.Unlock()
	return fault(send)
}

func repeat(n int, f fault) []fault {
	plan := make([]fault, n)
	for i := range plan {
		plan[i] = f
	}
	return plan
}

// lost loses the response of a request that the server handled.
func lost(send func() (*http.Response, error)) (*http.Response, error) {
	answer, err := send()
	if err != nil {
		return nil, err
	}
	_, _ = io.Copy(io.Discard, answer.Body)
	_ = answer.Body.Close()
	return nil, errors.New("connection reset by peer")
}

func throttled(func() (*http.Response, error)) (*http.Response, error) {
	return reply(
		http.StatusBadRequest, `{"__type":"com.amazonaws.dynamodb.v20120810#ProvisionedThroughputExceededException"}`,
	), nil
}

func down(func() (*http.Response, error)) (*http.Response, error) {
	return reply(
		http.StatusInternalServerError, `{"__type":"com.amazonaws.dynamodb.v20120810#InternalServerError"}`,
	), nil
}

func reply(status int, body string) *http.Response {
	return &http.Response{
		StatusCode: status, ProtoMajor: 1, ProtoMinor: 1, ContentLength: int64(len(body)),
		Body:   io.NopCloser(strings.NewReader(body)),
		Header: http.Header{"Content-Type": {"application/x-amz-json-1.0"}},
	}
}

// refusals are the two ways in which DynamoDB answers a failed condition.
var refusals = map[string]func(http.RoundTripper) http.RoundTripper{
	"without the item": newWithoutItem, "as AWS": newAsAWS,
}

// withoutItem removes the item from the response to a failed condition.
// dynalite and DynamoDB Local send none.
type withoutItem struct{ next http.RoundTripper }

func newWithoutItem(next http.RoundTripper) http.RoundTripper { return withoutItem{next} }

func (w withoutItem) RoundTrip(r *http.Request) (*http.Response, error) {
	answer, err := w.next.RoundTrip(r)
	if err != nil || answer.StatusCode != http.StatusBadRequest {
		return answer, err
	}
	body, err := io.ReadAll(answer.Body)
	_ = answer.Body.Close()
	if err == nil && bytes.Contains(body, []byte("ConditionalCheckFailedException")) {
		body = []byte(`{"__type":"com.amazonaws.dynamodb.v20120810#ConditionalCheckFailedException"}`)
	}
	return reply(answer.StatusCode, string(body)), err
}

// asAWS adds the item to the response to a failed condition if the request asks
// for it and the server does not send it. AWS sends it. Here it is read a
// moment later.
type asAWS struct{ next http.RoundTripper }

func newAsAWS(next http.RoundTripper) http.RoundTripper { return asAWS{next} }

func (a asAWS) RoundTrip(r *http.Request) (*http.Response, error) {
	asked, err := readRequest(r)
	if err != nil {
		return nil, err
	}
	answer, err := a.next.RoundTrip(r)
	if err != nil || answer.StatusCode != http.StatusBadRequest ||
		asked.ReturnValuesOnConditionCheckFailure != "ALL_OLD" {
		return answer, err
	}
	body, err := io.ReadAll(answer.Body)
	_ = answer.Body.Close()
	if err != nil || !bytes.Contains(body, []byte("ConditionalCheckFailedException")) ||
		bytes.Contains(body, []byte(`"Item"`)) {
		return reply(answer.StatusCode, string(body)), err
	}
	item, err := a.read(r, asked)
	if err != nil {
		return nil, err
	}
	return reply(
		answer.StatusCode,
		fmt.Sprintf(`{"__type":"com.amazonaws.dynamodb.v20120810#ConditionalCheckFailedException","Item":%s}`, item),
	), nil
}

func (a asAWS) read(r *http.Request, asked request) (json.RawMessage, error) {
	get := r.Clone(r.Context())
	body := fmt.Sprintf(`{"TableName":%q,"Key":%s,"ConsistentRead":true}`, asked.TableName, asked.Key)
	get.Header.Set("X-Amz-Target", "DynamoDB_20120810.GetItem")
	get.Body, get.ContentLength = io.NopCloser(strings.NewReader(body)), int64(len(body))
	answer, err := a.next.RoundTrip(get)
	if err != nil {
		return nil, err
	}
	defer func() { _ = answer.Body.Close() }()
	got := struct{ Item json.RawMessage }{json.RawMessage("{}")}
	return got.Item, errors.Join(json.NewDecoder(answer.Body).Decode(&got), nil)
}
