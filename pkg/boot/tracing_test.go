package boot

import (
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"

	"github.com/tokenvend/tokenvend/internal/testbed"
	"github.com/tokenvend/tokenvend/pkg/rotate"
	"github.com/tokenvend/tokenvend/pkg/vend"
	"github.com/tokenvend/tokenvend/pkg/xray"
)

// With tracing off, an invocation, a call of AWS and a request to a provider
// are what they would be if there were no tracing.
func TestTracingOffAddsNothing(t *testing.T) {
	getenv := environment(map[string]string{"AWS_ENDPOINT_URL": "http://127.0.0.1:1"})
	s, err := read(getenv)
	if err != nil || s.tracer != nil || s.apiOptions() != nil || s.observer() != nil {
		t.Errorf("read() = %+v, %v, want no tracer", s, err)
	}
	handler, err := Vend(t.Context(), Process{Getenv: getenv, Log: io.Discard})
	if _, plain := handler.(*vend.Service); err != nil || !plain {
		t.Errorf("Vend() = %T, %v, want the Service itself", handler, err)
	}
	handler, err = Rotate(t.Context(), Process{Getenv: getenv, Log: io.Discard})
	if _, plain := handler.(*rotate.Rotator); err != nil || !plain {
		t.Errorf("Rotate() = %T, %v, want the Rotator itself", handler, err)
	}
}

func TestDaemonsAddressIsASetting(t *testing.T) {
	for address, ok := range map[string]bool{"": true, "169.254.100.1:2000": true, "localhost:2000": false} {
		_, err := read(environment(map[string]string{EnvTracing: "on", envDaemon: address}))
		if (err == nil) != ok {
			t.Errorf("read() with %s=%q = %v, want it taken: %t", envDaemon, address, err, ok)
		}
	}
}

func TestFailedCallOfAWSIsRecorded(t *testing.T) {
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("X-Amzn-Requestid", "R1")
		w.WriteHeader(http.StatusBadRequest)
		_, _ = io.WriteString(w, `{"__type":"com.amazonaws.dynamodb.v20120810#ThrottlingException","message":"hush"}`)
	}))
	defer server.Close()
	daemon := testbed.ListenAsXRayDaemon(t)
	s, err := read(environment(map[string]string{
		EnvTracing: "on", envDaemon: daemon.Address, "AWS_ENDPOINT_URL_DYNAMODB": server.URL,
	}))
	if err != nil {
		t.Fatal(err)
	}
	ctx := xray.NewContext(t.Context(), "Root=1-5759e988-bd862e3fe1be46a994272793;Parent=53995c3f42cd8ad8;Sampled=1")
	_, err = dynamodb.NewFromConfig(s.config(newDialer())).GetItem(ctx, &dynamodb.GetItemInput{
		TableName: &s.table, Key: map[string]types.AttributeValue{"k": &types.AttributeValueMemberS{Value: "hush"}},
	})
	all := daemon.Received(t)
	if err == nil || len(all) != 1 {
		t.Fatalf("GetItem() = %v, and the daemon got %q; want an error, and one subsegment for all attempts", err, all)
	}
	got, err := testbed.ReadSubsegment(all[0])
	if err != nil || got.AWS.Operation != "GetItem" || got.AWS.TableName != s.table || got.AWS.RequestID != "R1" ||
		got.HTTP.Response.Status != http.StatusBadRequest || !got.Error || !got.Throttle || got.Fault ||
		len(got.Cause.Exceptions) != 1 || got.Cause.Exceptions[0].Type != "ThrottlingException" ||
		strings.Contains(string(all[0]), "hush") {
		t.Errorf("the subsegment of a throttled GetItem = %s, %v, want its code, status and request id", all[0], err)
	}
}
