package xray_test

import (
	"context"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/tokenvend/tokenvend/internal/testbed"
	"github.com/tokenvend/tokenvend/pkg/xray"
)

const (
	traceID = "1-5759e988-bd862e3fe1be46a994272793"
	sampled = "Root=" + traceID + ";Parent=53995c3f42cd8ad8;Sampled=1;Lineage=1:a87bd80c:0"
)

func TestTraceIDIsThatOfTheHeader(t *testing.T) {
	for header, want := range map[string]string{
		sampled:                          traceID,
		"Root=" + traceID + ";Sampled=0": traceID,
		"Parent=53995c3f42cd8ad8; Root=" + traceID: traceID,
		"": "",
		"Root=;Parent=53995c3f42cd8ad8;Sampled=1":            "",
		"Root=1-5759e988-bd862e3fe1be46a99427279":            "",
		"Root=2-5759e988-bd862e3fe1be46a994272793":           "",
		"Root=1-5759e988-bd862e3fe1be46a99427279\n":          "",
		"Root=1-5759e988-bd862e3fe1be46a9942727933":          "",
		"Root=1-5759e988bd862e3fe1be46a994272793":            "",
		`Root=1-5759e988-"},{"a":"e1be46a99427`:              "",
		"Self=1-5759e988-bd862e3fe1be46a994272793;Sampled=1": "",
	} {
		if got := xray.TraceID(xray.NewContext(t.Context(), header)); got != want {
			t.Errorf("TraceID(NewContext(%q)) = %q, want %q", header, got, want)
		}
	}
}

// recorded returns the one subsegment that record sends.
func recorded(t *testing.T, header string, record func(context.Context, *xray.Tracer)) testbed.Subsegment {
	t.Helper()
	daemon := testbed.ListenAsXRayDaemon(t)
	tracer, err := xray.NewTracer(daemon.Address)
	if err != nil {
		t.Fatal(err)
	}
	record(xray.NewContext(t.Context(), header), tracer)
	all := daemon.Received(t)
	if len(all) != 1 {
		t.Fatalf("the daemon got %d datagrams, want 1", len(all))
	}
	s, err := testbed.ReadSubsegment(all[0])
	if err != nil {
		t.Errorf("ReadSubsegment(%s) = %v, want nil", all[0], err)
	}
	if s.TraceID != traceID || s.ParentID != "53995c3f42cd8ad8" {
		t.Errorf("the subsegment is of %s below %s, want those of the header", s.TraceID, s.ParentID)
	}
	return s
}

// outcome is what a subsegment says of how a call ended.
type outcome struct {
	status                 int
	error, throttle, fault bool
	cause                  string
}

func outcomeOf(s testbed.Subsegment) outcome {
	o := outcome{s.HTTP.Response.Status, s.Error, s.Throttle, s.Fault, ""}
	for _, e := range s.Cause.Exceptions {
		o.cause += e.Type
	}
	return o
}

func TestAWSCallIsASubsegment(t *testing.T) {
	for name, c := range map[string]struct {
		call xray.AWSCall
		want outcome
	}{
		"success":    {xray.AWSCall{Status: 200}, outcome{status: 200}},
		"a refusal":  {xray.AWSCall{Status: 400, Code: "X"}, outcome{400, true, false, false, "X"}},
		"a throttle": {xray.AWSCall{Status: 400, Code: "T", Throttled: true}, outcome{400, true, true, false, "T"}},
		"a fault":    {xray.AWSCall{Status: 500, Code: "X"}, outcome{500, false, false, true, "X"}},
		"no answer":  {xray.AWSCall{Code: "timeout"}, outcome{0, false, false, true, "timeout"}},
		"a success that cannot be read": {
			xray.AWSCall{Status: 200, Code: "network"}, outcome{200, false, false, true, "network"},
		},
	} {
		t.Run(name, func(t *testing.T) {
			call := c.call
			call.Service, call.Operation, call.RequestID, call.Table = "DynamoDB", "GetItem", "R1", "tokens"
			call.Began = time.Now().Add(-time.Second)
			s := recorded(t, sampled, func(ctx context.Context, to *xray.Tracer) { to.AWSCall(ctx, call) })
			if s.Name != "DynamoDB" || s.Namespace != "aws" || s.AWS.Operation != "GetItem" ||
				s.AWS.RequestID != "R1" || s.AWS.TableName != "tokens" || s.EndTime-s.StartTime < 0.9 {
				t.Errorf("AWSCall(%+v) sent %+v, want the call", call, s)
			}
			if got := outcomeOf(s); got != c.want {
				t.Errorf("AWSCall(%+v) sent %+v, want %+v", call, got, c.want)
			}
		})
	}
}

func TestRequestIsASubsegment(t *testing.T) {
	for status, want := range map[int]outcome{
		200: {status: 200}, 302: {status: 302}, 401: {status: 401, error: true},
		429: {status: 429, error: true, throttle: true}, 503: {status: 503, fault: true}, 0: {fault: true},
	} {
		s := recorded(t, sampled, func(ctx context.Context, to *xray.Tracer) {
			req := httptest.NewRequestWithContext(ctx, http.MethodPost, "https://api.example.com/oauth/token", nil)
			var res *http.Response
			if status > 0 {
				res = &http.Response{StatusCode: status}
			}
			to.Request(req, time.Now(), res)
		})
		if s.Name != "api.example.com" || s.Namespace != "remote" || s.HTTP.Request.Method != http.MethodPost ||
			s.HTTP.Request.URL != "https://api.example.com/" {
			t.Errorf("Request() with status %d sent %+v, want the request", status, s)
		}
		if got := outcomeOf(s); got != want {
			t.Errorf("Request() with status %d sent %+v, want %+v", status, got, want)
		}
	}
}

// A provider's URL can hold tokens in its path, its query and its user name.
func TestFault50_TracesHoldNothingSecret(t *testing.T) {
	const secret = "hush-1f0c9e77"
	daemon := testbed.ListenAsXRayDaemon(t)
	tracer, err := xray.NewTracer(daemon.Address)
	if err != nil {
		t.Fatal(err)
	}
	ctx := xray.NewContext(t.Context(), sampled)
	for _, at := range []string{
		"https://api.example.com/oauth/access-tokens/" + secret, "https://api.example.com/?access_token=" + secret,
		"https://" + secret + ":" + secret + "@api.example.com/", "https://api.example.com/#" + secret,
		"https://api.example.com:8443/%68" + secret,
	} {
		req, err := http.NewRequestWithContext(ctx, http.MethodPost, at, strings.NewReader(secret))
		if err != nil {
			t.Fatal(err)
		}
		req.Header.Set("Authorization", "Bearer "+secret)
		tracer.Request(req, time.Now(), &http.Response{StatusCode: 200, Status: secret, Header: req.Header})
	}
	all := daemon.Received(t)
	if len(all) != 5 {
		t.Fatalf("the daemon got %d datagrams, want 5", len(all))
	}
	for _, datagram := range all {
		if s, err := testbed.ReadSubsegment(datagram); err != nil || strings.Contains(string(datagram), secret) {
			t.Errorf("ReadSubsegment(%s) = %+v, %v, want no secret", datagram, s, err)
		}
	}
}

// Error codes, request IDs and host names are words of servers.
func TestHostileWordsStayInBounds(t *testing.T) {
	for _, word := range []string{
		strings.Repeat("é", 1<<12), "\x00\n\r\x1b[31m", "\xff\xfe", `"},{"id":"x`, "<script>", "日本 語",
	} {
		call := xray.AWSCall{
			Service: word, Operation: word, RequestID: word, Table: word, Code: word, Status: 400, Began: time.Now(),
		}
		s := recorded(t, sampled, func(ctx context.Context, to *xray.Tracer) { to.AWSCall(ctx, call) })
		if strings.ContainsAny(s.AWS.RequestID+s.Name, "\x00\n\r\x1b") {
			t.Errorf("AWSCall() with %.20q sent %+v, want no control characters", word, s)
		}
	}
}

func TestOnlySampledTracesAreSent(t *testing.T) {
	daemon := testbed.ListenAsXRayDaemon(t)
	tracer, err := xray.NewTracer(daemon.Address)
	if err != nil {
		t.Fatal(err)
	}
	for _, header := range []string{
		"", "Root=" + traceID, "Root=" + traceID + ";Parent=53995c3f42cd8ad8;Sampled=0",
		"Root=" + traceID + ";Parent=53995c3f42cd8ad8;Sampled=?", "Root=" + traceID + ";Sampled=1",
		"Root=" + traceID + ";Parent=none;Sampled=1",
	} {
		tracer.AWSCall(xray.NewContext(t.Context(), header), xray.AWSCall{Service: "unsampled"})
	}
	tracer.AWSCall(xray.NewContext(t.Context(), sampled), xray.AWSCall{Service: "KMS"})
	all := daemon.Received(t)
	if len(all) != 1 || !strings.Contains(string(all[0]), `"name":"KMS"`) {
		t.Errorf("the daemon got %q, want the sampled call alone", all)
	}
}

func TestDaemonsAddressIsChecked(t *testing.T) {
	for _, address := range []string{"", "localhost:2000", "127.0.0.1", "127.0.0.1:0", "127.0.0.1:99999", "[::1"} {
		if tracer, err := xray.NewTracer(address); err == nil {
			t.Errorf("NewTracer(%q) = %v, nil, want an error", address, tracer)
		}
	}
}

// A log line looks for the trace of its invocation, with tracing off too.
func TestNoTraceCostsNoAllocation(t *testing.T) {
	type key struct{}
	ctx := context.WithValue(t.Context(), key{}, "an invocation")
	if n := testing.AllocsPerRun(1000, func() {
		if xray.TraceID(ctx) != "" {
			t.Error("TraceID() without a trace, want none")
		}
	}); n != 0 {
		t.Errorf("TraceID() allocates %v times without a trace, want 0", n)
	}
}
