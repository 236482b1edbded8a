package local

import (
	"bytes"
	"context"
	"errors"
	"log/slog"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"strings"
	"testing"
	"time"

	v4 "github.com/aws/aws-sdk-go-v2/aws/signer/v4"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/tokenvend/tokenvend/pkg/access"
	"github.com/tokenvend/tokenvend/pkg/sigv4"
	"github.com/tokenvend/tokenvend/pkg/vend"
)

const pretendedARN = "arn:aws:sts::123456789012:assumed-role/billing/session"

// gate is a gateway with an echo behind it: what came through, and what the log has.
type gate struct {
	url  string
	came chan vend.HTTPRequest
	log  *page
}

func newGate(t *testing.T) gate {
	g := gate{came: make(chan vend.HTTPRequest, 1), log: &page{}}
	echo := func(ctx context.Context, r vend.HTTPRequest) vend.HTTPReply {
		if at, ok := ctx.Deadline(); !ok || time.Until(at) > gatewayTimeout {
			t.Error("no deadline")
		}
		g.came <- r
		return vend.HTTPReply{Status: http.StatusOK, Header: map[string]string{"Content-Type": "application/json"}, Body: []byte("{}")}
	}
	keys := principals([]Key{local("local", "local", ""), local("other", "s3cr/t+", pretendedARN)})
	door := newGateway("us-east-1", keys, slog.New(slog.NewTextHandler(g.log, nil)))
	door.answer = echo
	server := httptest.NewServer(door)
	t.Cleanup(server.Close)
	g.url = server.URL
	return g
}

// arrived is what came through; the zero value: nothing did.
func (g gate) arrived() vend.HTTPRequest {
	select {
	case r := <-g.came:
		return r
	default:
		return vend.HTTPRequest{}
	}
}

func TestSignedRequestsComeThrough(t *testing.T) {
	g := newGate(t)
	long := strings.Repeat("x", vend.MaxBody+1)
	for name, o := range map[string]order{
		"plain":             {target: "/tokens/minut"},
		"root":              {target: "/"},
		"query":             {target: "/tokens/minut?scope=write+read&account=a%20b&min_ttl=60&audience="},
		"valueless query":   {target: "/tokens/minut?scope"},
		"body":              {method: "POST", target: "/tokens/minut", body: `{"min_ttl":60}`, header: map[string]string{"Content-Type": "application/json"}},
		"sum of the body":   {method: "POST", target: "/tokens/minut", body: `{}`, header: map[string]string{"X-Amz-Content-Sha256": sumOf("{}")}},
		"session token":     {target: "/tokens/minut", session: "a//session+token=="},
		"delete":            {method: "DELETE", target: "/tokens/minut?account=ann"},
		"head":              {method: "HEAD", target: "/tokens/minut"},
		"another key":       {id: "other", secret: "s3cr/t+", target: "/tokens"},
		"spaces in headers": {target: "/tokens", header: map[string]string{"X-Note": "  a   b ", "Accept": "*/*"}},
		"almost too old":    {target: "/tokens", at: time.Now().Add(-sigv4.MaxSkew + 5*time.Second)},
		"almost too young":  {target: "/tokens", at: time.Now().Add(sigv4.MaxSkew - 5*time.Second)},
		"odd path":          {target: "/tokens/%6dinut;a=b/../x//y/"},
		"a scope of its own line": {target: "/tokens/minut", header: map[string]string{"User-Agent": "curl/8"}, spoil: func(r *http.Request) {
			r.Header.Set("Authorization", strings.ReplaceAll(r.Header.Get("Authorization"), ", ", ","))
		}},
		"long body":    {method: "POST", target: "/tokens/minut", body: long},
		"10 × as long": {method: "POST", target: "/tokens/minut", body: strings.Repeat(long, 10)},
		"absolute target": {target: "/tokens/minut?account=http://x", spoil: func(r *http.Request) {
			r.URL.Opaque = "//" + r.URL.Host + r.URL.Path
		}},
	} {
		h := send1(t, signed(t, g.url, o))
		r := g.arrived()
		path, query, _ := strings.Cut(o.target, "?")
		arn := "arn:aws:iam::000000000000:user/local"
		if o.id == "other" {
			arn = pretendedARN
		}
		start := o.body[:min(len(o.body), vend.MaxBody+1)]
		want := access.Caller{Via: access.CallerKey, ARN: arn}
		if h.status != 200 || r.Method != or(o.method, "GET") || r.Path != path || !sameQuery(r.Query, query) || string(r.Body) != start || r.Caller != want {
			t.Errorf("%s: %d %s\n%.200v\n%s", name, h.status, h.body, r, g.log)
		}
		if r.RequestID == "" || h.header.Get("apigw-requestid") != r.RequestID {
			t.Errorf("%s: request id %q, %q", name, r.RequestID, h.header.Get("apigw-requestid"))
		}
	}
}

// sameQuery compares what the SDK's signer has sorted and encoded.
func sameQuery(a, b string) bool {
	r1, r2 := httptest.NewRequest("GET", "/?"+a, nil), httptest.NewRequest("GET", "/?"+b, nil)
	return r1.URL.Query().Encode() == r2.URL.Query().Encode()
}

// setSigned puts another list of signed headers into a request.
func setSigned(from, to string) func(*http.Request) {
	return func(r *http.Request) {
		r.Header.Set("Authorization", strings.Replace(r.Header.Get("Authorization"), "SignedHeaders="+from, "SignedHeaders="+to, 1))
	}
}

func TestForbidden(t *testing.T) {
	g := newGate(t)
	set := func(name, value string) func(*http.Request) {
		return func(r *http.Request) { r.Header.Set(name, value) }
	}
	day := time.Now().UTC().Format("20060102")
	for name, o := range map[string]order{
		"wrong secret":               {secret: "Xk2mySecretX"},
		"unknown key":                {id: "Xk2myKeyX"},
		"somebody else's secret":     {id: "other"},
		"expired":                    {at: time.Now().Add(-sigv4.MaxSkew - 2*time.Second)},
		"from the future":            {at: time.Now().Add(sigv4.MaxSkew + 2*time.Second)},
		"another region":             {region: "eu-west-1"},
		"another service":            {service: "s3"},
		"changed path":               {spoil: func(r *http.Request) { r.URL.Path = "/tokens/monta" }},
		"the path in another form":   {spoil: func(r *http.Request) { r.URL.RawPath = "/tokens/%6dinut" }},
		"changed query":              {target: "/tokens/minut?account=a", spoil: func(r *http.Request) { r.URL.RawQuery = "account=b" }},
		"added query":                {spoil: func(r *http.Request) { r.URL.RawQuery = "account=b" }},
		"a pair that does not parse": {spoil: func(r *http.Request) { r.URL.RawQuery = "a;b" }},
		"an escape that is none":     {spoil: func(r *http.Request) { r.URL.RawQuery = "a=%zz" }},
		"changed method":             {spoil: func(r *http.Request) { r.Method = "DELETE" }},
		"changed host":               {spoil: func(r *http.Request) { r.Host = "elsewhere:80" }},
		"changed date":               {spoil: set("X-Amz-Date", time.Now().UTC().Add(time.Minute).Format("20060102T150405Z"))},
		"two dates":                  {spoil: func(r *http.Request) { r.Header.Add("X-Amz-Date", time.Now().UTC().Format("20060102T150405Z")) }},
		"another day's scope": {spoil: func(r *http.Request) {
			r.Header.Set("Authorization", strings.Replace(r.Header.Get("Authorization"), day, "20200101", 1))
		}},
		"changed header":           {header: map[string]string{"X-Note": "a"}, spoil: set("X-Note", "b")},
		"missing header":           {header: map[string]string{"X-Note": "a"}, spoil: func(r *http.Request) { r.Header.Del("X-Note") }},
		"host is not signed":       {spoil: setSigned("host;", "")},
		"date is not signed":       {spoil: setSigned("host;x-amz-date", "host")},
		"headers out of order":     {spoil: setSigned("host;x-amz-date", "x-amz-date;host")},
		"a header twice":           {spoil: setSigned("host;", "host;host;")},
		"session token not signed": {spoil: set("X-Amz-Security-Token", "t")},
		"changed session token":    {session: "t", spoil: set("X-Amz-Security-Token", "u")},
		"changed body":             {method: "POST", body: `{"a":1}`, hash: sumOf(`{"a":2}`)},
		"the sum of another body":  {header: map[string]string{"X-Amz-Content-Sha256": sumOf("a")}},
		"unsigned payload":         {hash: "UNSIGNED-PAYLOAD", header: map[string]string{"X-Amz-Content-Sha256": "UNSIGNED-PAYLOAD"}},
		"unsigned":                 {spoil: func(r *http.Request) { r.Header.Del("Authorization") }},
		"another scheme":           {spoil: set("Authorization", "Bearer Xk2myTokenX")},
		"two signatures":           {spoil: func(r *http.Request) { r.Header.Add("Authorization", r.Header.Get("Authorization")) }},
		"something after it":       {spoil: func(r *http.Request) { r.Header.Set("Authorization", r.Header.Get("Authorization")+"0") }},
		"capitals": {spoil: func(r *http.Request) {
			r.Header.Set("Authorization", strings.Replace(r.Header.Get("Authorization"), "host;", "Host;", 1))
		}},
		"presigned":    {spoil: presign(t)},
		"health check": {target: "/healthz", spoil: func(r *http.Request) { r.Header.Del("Authorization") }},
	} {
		o.target = or(o.target, "/tokens/minut")
		h := send1(t, signed(t, g.url, o))
		if h.status != 403 || h.body != `{"message":"Forbidden"}` || h.header.Get("X-Amzn-Errortype") != "AccessDeniedException" || h.header.Get("apigw-requestid") == "" ||
			h.header.Get("Content-Type") != "application/json" || g.arrived().Path != "" {
			t.Errorf("%s: %d %s %v", name, h.status, h.body, h.header)
		}
	}
	if log := g.log.String(); strings.Contains(log, "Signature=") || strings.Contains(log, "Xk2") || strings.Count(log, "forbidden") < 30 {
		t.Errorf("the log:\n%s", log)
	}
}

func presign(t *testing.T) func(*http.Request) {
	return func(r *http.Request) {
		r.Header = http.Header{}
		url, _, err := v4.NewSigner().PresignHTTP(t.Context(), aws.Credentials{AccessKeyID: "local", SecretAccessKey: "local"}, r, sumOf(""), "execute-api", "us-east-1", time.Now())
		if err != nil {
			t.Fatal(err)
		}
		*r.URL = *signedURL(t, url)
	}
}

func TestBodyLongerThanTheGateways(t *testing.T) {
	g := newGate(t)
	h := send1(t, signed(t, g.url, order{method: "POST", target: "/tokens/minut", body: strings.Repeat("x", gatewayBody+1)}))
	if h.status != 403 {
		t.Errorf("%d %s", h.status, h.body)
	}
}

// What no HTTP client would send.
func TestRawTargets(t *testing.T) {
	g := newGate(t)
	for _, line := range []string{"OPTIONS * HTTP/1.1", "CONNECT 127.0.0.1:1 HTTP/1.1", "GET http://x HTTP/1.1", "GET / HTTP/1.0"} {
		c, err := net.Dial("tcp", strings.TrimPrefix(g.url, "http://"))
		if err != nil {
			t.Fatal(err)
		}
		_, _ = c.Write([]byte(line + "\r\nHost: x\r\nConnection: close\r\n\r\n"))
		var said bytes.Buffer
		_, _ = said.ReadFrom(c)
		_ = c.Close()
		if line[:7] != "OPTIONS" && !strings.Contains(said.String(), " 403 ") || g.arrived().Path != "" {
			t.Errorf("%s: %s", line, said.String())
		}
	}
}

func TestCurl(t *testing.T) {
	g := newGate(t)
	sigv4 := []string{"--aws-sigv4", "aws:amz:us-east-1:execute-api", "--user", "local:local"}
	for name, args := range map[string][]string{
		"plain":         {"/tokens/minut"},
		"sorted query":  {"/tokens/minut?account=a&min_ttl=60&scope=read%20write"},
		"body":          {"/tokens/minut", "-d", `{"min_ttl":60}`},
		"JSON body":     {"/tokens/minut", "-H", "Content-Type: application/json", "-d", `{"rejected":"9f86d081884c7d65"}`},
		"delete":        {"/tokens/minut", "-X", "DELETE"},
		"status":        {"/tokens/my_credential-1/status"},
		"session token": {"/tokens/minut", "-H", "x-amz-security-token: a//session+token=="},
	} {
		args[0] = g.url + args[0]
		if said := curl(t, append(args, sigv4...)...); said != "{}" || g.arrived().Path == "" {
			t.Errorf("%s: %s\n%s", name, said, g.log)
		}
	}
	sigv4[3] = "local:other"
	if said := curl(t, append(sigv4, "-i", g.url+"/tokens/minut")...); !strings.HasPrefix(said, "HTTP/1.1 403") || !strings.HasSuffix(said, `{"message":"Forbidden"}`) {
		t.Error(said)
	}
}

func TestPanic(t *testing.T) {
	var log page
	for what, value := range map[string]any{"*errors.errorString": errors.New("Xk2secret"), "string": "Xk2secret", "runtime error": nil} {
		g := &gateway{log: slog.New(slog.NewTextHandler(&log, nil)), answer: func(context.Context, vend.HTTPRequest) vend.HTTPReply {
			if value == nil {
				return vend.HTTPReply{Status: len(os.Args[:0:0][1:])}
			}
			panic(value)
		}}
		r := g.guarded(t.Context(), vend.HTTPRequest{RequestID: "id-1"})
		if r.Status != 500 || r.Header["Content-Type"] != "application/problem+json" || !strings.Contains(string(r.Body), `"request_id":"id-1"`) {
			t.Errorf("%d %s", r.Status, r.Body)
		}
		if said := log.String(); !strings.Contains(said, what) || !strings.Contains(said, "gateway_test.go") || strings.Contains(said, "Xk2") {
			t.Errorf("%s: %s", what, said)
		}
	}
}
