package gateway

import (
	"bytes"
	"cmp"
	"context"
	"errors"
	"log/slog"
	"net"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	v4 "github.com/aws/aws-sdk-go-v2/aws/signer/v4"
	"go.uber.org/goleak"

	"github.com/tokenvend/tokenvend/internal/signedrequest"
	"github.com/tokenvend/tokenvend/pkg/access"
	"github.com/tokenvend/tokenvend/pkg/sigv4"
	"github.com/tokenvend/tokenvend/pkg/vend"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

const billingARN = "arn:aws:sts::123456789012:assumed-role/billing/session"

// fixture is a running gateway whose integration records what it gets.
type fixture struct {
	url    string
	passed chan vend.HTTPRequest
	log    *buffer
}

func newFixture(t *testing.T) fixture {
	f := fixture{passed: make(chan vend.HTTPRequest, 1), log: &buffer{}}
	record := func(ctx context.Context, r vend.HTTPRequest) vend.HTTPReply {
		if at, ok := ctx.Deadline(); !ok || time.Until(at) > Timeout {
			t.Errorf("the deadline of a call = %v, %t, want one within %v", at, ok, Timeout)
		}
		f.passed <- r
		return vend.HTTPReply{
			Status: http.StatusOK, Header: map[string]string{"Content-Type": "application/json"}, Body: []byte("{}"),
		}
	}
	keys := []Key{newKey("local", "local", ""), newKey("other", "s3cr/t+", billingARN)}
	server := httptest.NewServer(New("us-east-1", keys, record, slog.New(slog.NewTextHandler(f.log, nil))))
	t.Cleanup(server.Close)
	f.url = server.URL
	return f
}

// last returns the request that was passed on since the last call; the zero
// value: none.
func (f fixture) last() vend.HTTPRequest {
	select {
	case r := <-f.passed:
		return r
	default:
		return vend.HTTPRequest{}
	}
}

// buffer is a bytes.Buffer that may be read while it is written.
type buffer struct {
	mu   sync.Mutex
	text bytes.Buffer
}

func (b *buffer) Write(p []byte) (int, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.text.Write(p)
}

func (b *buffer) String() string {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.text.String()
}

func TestSignedRequestsArePassedOn(t *testing.T) {
	f := newFixture(t)
	long := strings.Repeat("x", vend.MaxBody+1)
	for name, request := range map[string]signedrequest.Request{
		"plain":           {Target: "/tokens/minut"},
		"root":            {Target: "/"},
		"query":           {Target: "/tokens/minut?scope=write+read&account=a%20b&min_ttl=60&audience="},
		"valueless query": {Target: "/tokens/minut?scope"},
		"body": {
			Method: "POST", Target: "/tokens/minut", Body: `{"min_ttl":60}`,
			Header: map[string]string{"Content-Type": "application/json"},
		},
		"sum of the body": {
			Method: "POST", Target: "/tokens/minut", Body: `{}`,
			Header: map[string]string{"X-Amz-Content-Sha256": signedrequest.SHA256("{}")},
		},
		"session token":     {Target: "/tokens/minut", SessionToken: "a//session+token=="},
		"delete":            {Method: "DELETE", Target: "/tokens/minut?account=ann"},
		"head":              {Method: "HEAD", Target: "/tokens/minut"},
		"another key":       {KeyID: "other", Secret: "s3cr/t+", Target: "/tokens"},
		"spaces in headers": {Target: "/tokens", Header: map[string]string{"X-Note": "  a   b ", "Accept": "*/*"}},
		"almost too old":    {Target: "/tokens", SignedAt: time.Now().Add(-sigv4.MaxSkew + 5*time.Second)},
		"almost too young":  {Target: "/tokens", SignedAt: time.Now().Add(sigv4.MaxSkew - 5*time.Second)},
		"odd path":          {Target: "/tokens/%6dinut;a=b/../x//y/"},
		"no spaces in the Authorization header": {
			Target: "/tokens/minut", Header: map[string]string{"User-Agent": "curl/8"},
			Alter: replaceAuthorization(", ", ","),
		},
		"long body":    {Method: "POST", Target: "/tokens/minut", Body: long},
		"10 × as long": {Method: "POST", Target: "/tokens/minut", Body: strings.Repeat(long, 10)},
		"absolute target": {Target: "/tokens/minut?account=http://x", Alter: func(r *http.Request) {
			r.URL.Opaque = "//" + r.URL.Host + r.URL.Path
		}},
	} {
		t.Run(name, func(t *testing.T) { f.checkPassedOn(t, request) })
	}
}

func (f fixture) checkPassedOn(t *testing.T, request signedrequest.Request) {
	response := signedrequest.Send(t, request.New(t, f.url))
	path, query, _ := strings.Cut(request.Target, "?")
	want := vend.HTTPRequest{
		Method: cmp.Or(request.Method, "GET"), Path: path, Query: query,
		Body:   []byte(request.Body[:min(len(request.Body), vend.MaxBody+1)]),
		Caller: access.Caller{Via: access.CallerKey, ARN: "arn:aws:iam::000000000000:user/local"},
	}
	if request.KeyID == "other" {
		want.Caller.ARN = billingARN
	}
	got := f.last()
	if response.Status != http.StatusOK || got.Method != want.Method || got.Path != want.Path ||
		!sameQuery(got.Query, want.Query) || !bytes.Equal(got.Body, want.Body) || got.Caller != want.Caller {
		t.Errorf("%s %s = %d %s and passed on as %.200v, want 200 and %.200v\n%s",
			want.Method, request.Target, response.Status, response.Body, got, want, f.log)
	}
	if id := response.Header.Get("apigw-requestid"); id == "" || id != got.RequestID {
		t.Errorf("%s %s = request id %q, want that of the call, %q", want.Method, request.Target, id, got.RequestID)
	}
}

// sameQuery reports whether two queries have the same values. The SDK's signer
// sorts and encodes them.
func sameQuery(a, b string) bool {
	r1, r2 := httptest.NewRequest("GET", "/?"+a, nil), httptest.NewRequest("GET", "/?"+b, nil)
	return r1.URL.Query().Encode() == r2.URL.Query().Encode()
}

// replaceAuthorization replaces text in the Authorization header.
func replaceAuthorization(from, to string) func(*http.Request) {
	return func(r *http.Request) {
		r.Header.Set("Authorization", strings.ReplaceAll(r.Header.Get("Authorization"), from, to))
	}
}

// setSigned replaces the start of the list of signed headers.
func setSigned(from, to string) func(*http.Request) {
	return replaceAuthorization("SignedHeaders="+from, "SignedHeaders="+to)
}

func setHeader(name, value string) func(*http.Request) {
	return func(r *http.Request) { r.Header.Set(name, value) }
}

func removeHeader(name string) func(*http.Request) {
	return func(r *http.Request) { r.Header.Del(name) }
}

// alteredRequests are signed requests that were changed afterwards, or signed
// wrongly.
func alteredRequests(t *testing.T) map[string]signedrequest.Request {
	amzTime := func(at time.Time) string { return at.UTC().Format("20060102T150405Z") }
	day := amzTime(time.Now())[:8]
	return map[string]signedrequest.Request{
		"wrong secret":             {Secret: "Xk2mySecretX"},
		"unknown key":              {KeyID: "Xk2myKeyX"},
		"the secret of another":    {KeyID: "other"},
		"expired":                  {SignedAt: time.Now().Add(-sigv4.MaxSkew - 2*time.Second)},
		"from the future":          {SignedAt: time.Now().Add(sigv4.MaxSkew + 2*time.Second)},
		"another region":           {Region: "eu-west-1"},
		"another service":          {Service: "s3"},
		"changed path":             {Alter: func(r *http.Request) { r.URL.Path = "/tokens/monta" }},
		"the path in another form": {Alter: func(r *http.Request) { r.URL.RawPath = "/tokens/%6dinut" }},
		"changed query": {
			Target: "/tokens/minut?account=a", Alter: func(r *http.Request) { r.URL.RawQuery = "account=b" },
		},
		"added query":                {Alter: func(r *http.Request) { r.URL.RawQuery = "account=b" }},
		"a pair that does not parse": {Alter: func(r *http.Request) { r.URL.RawQuery = "a;b" }},
		"an invalid escape":          {Alter: func(r *http.Request) { r.URL.RawQuery = "a=%zz" }},
		"changed method":             {Alter: func(r *http.Request) { r.Method = "DELETE" }},
		"changed host":               {Alter: func(r *http.Request) { r.Host = "elsewhere:80" }},
		"changed date":               {Alter: setHeader("X-Amz-Date", amzTime(time.Now().Add(time.Minute)))},
		"two dates": {Alter: func(r *http.Request) {
			r.Header.Add("X-Amz-Date", amzTime(time.Now()))
		}},
		"another day's scope":      {Alter: replaceAuthorization(day, "20200101")},
		"changed header":           {Header: map[string]string{"X-Note": "a"}, Alter: setHeader("X-Note", "b")},
		"missing header":           {Header: map[string]string{"X-Note": "a"}, Alter: removeHeader("X-Note")},
		"host is not signed":       {Alter: setSigned("host;", "")},
		"date is not signed":       {Alter: setSigned("host;x-amz-date", "host")},
		"headers out of order":     {Alter: setSigned("host;x-amz-date", "x-amz-date;host")},
		"a header twice":           {Alter: setSigned("host;", "host;host;")},
		"session token not signed": {Alter: setHeader("X-Amz-Security-Token", "t")},
		"changed session token":    {SessionToken: "t", Alter: setHeader("X-Amz-Security-Token", "u")},
		"changed body":             {Method: "POST", Body: `{"a":1}`, BodySHA256: signedrequest.SHA256(`{"a":2}`)},
		"the sum of another body": {
			Header: map[string]string{"X-Amz-Content-Sha256": signedrequest.SHA256("a")},
		},
		"unsigned payload": {
			BodySHA256: "UNSIGNED-PAYLOAD", Header: map[string]string{"X-Amz-Content-Sha256": "UNSIGNED-PAYLOAD"},
		},
		"unsigned":       {Alter: removeHeader("Authorization")},
		"another scheme": {Alter: setHeader("Authorization", "Bearer Xk2myTokenX")},
		"two signatures": {Alter: func(r *http.Request) {
			r.Header.Add("Authorization", r.Header.Get("Authorization"))
		}},
		"a digit after the signature": {Alter: func(r *http.Request) {
			r.Header.Set("Authorization", r.Header.Get("Authorization")+"0")
		}},
		"capitals":     {Alter: replaceAuthorization("host;", "Host;")},
		"presigned":    {Alter: presign(t)},
		"health check": {Target: "/healthz", Alter: removeHeader("Authorization")},
	}
}

func TestAlteredRequestsAreForbidden(t *testing.T) {
	f := newFixture(t)
	for name, request := range alteredRequests(t) {
		t.Run(name, func(t *testing.T) {
			request.Target = cmp.Or(request.Target, "/tokens/minut")
			got := signedrequest.Send(t, request.New(t, f.url))
			if got.Status != http.StatusForbidden || got.Body != `{"message":"Forbidden"}` ||
				got.Header.Get("X-Amzn-Errortype") != "AccessDeniedException" ||
				got.Header.Get("apigw-requestid") == "" ||
				got.Header.Get("Content-Type") != "application/json" {
				t.Errorf("%s = %d %s %v, want 403 as API Gateway answers it", request.Target, got.Status, got.Body,
					got.Header)
			}
			if passed := f.last(); passed.Path != "" {
				t.Errorf("%s was passed on as %+v, want it refused", request.Target, passed)
			}
		})
	}
	log := f.log.String()
	if strings.Count(log, "forbidden") < 30 || strings.Contains(log, "Signature=") || strings.Contains(log, "Xk2") {
		t.Errorf("the log has no line for each refusal, or shows what was sent:\n%s", log)
	}
}

func presign(t *testing.T) func(*http.Request) {
	return func(r *http.Request) {
		r.Header = http.Header{}
		keys := aws.Credentials{AccessKeyID: "local", SecretAccessKey: "local"}
		presigned, _, err := v4.NewSigner().PresignHTTP(
			t.Context(), keys, r, signedrequest.SHA256(""), "execute-api", "us-east-1", time.Now(),
		)
		if err != nil {
			t.Fatal(err)
		}
		at, err := url.Parse(presigned)
		if err != nil {
			t.Fatal(err)
		}
		*r.URL = *at
	}
}

func TestLongBodyIsForbidden(t *testing.T) {
	f := newFixture(t)
	long := signedrequest.Request{Method: "POST", Target: "/tokens/minut", Body: strings.Repeat("x", maxBody+1)}
	if got := signedrequest.Send(t, long.New(t, f.url)); got.Status != http.StatusForbidden {
		t.Errorf("POST with a body of %d bytes = %d %s, want 403", maxBody+1, got.Status, got.Body)
	}
}

// No HTTP client sends these request lines.
func TestRawTargetsAreForbidden(t *testing.T) {
	f := newFixture(t)
	for _, line := range []string{
		"OPTIONS * HTTP/1.1", "CONNECT 127.0.0.1:1 HTTP/1.1", "GET http://x HTTP/1.1", "GET / HTTP/1.0",
	} {
		c, err := net.Dial("tcp", strings.TrimPrefix(f.url, "http://"))
		if err != nil {
			t.Fatal(err)
		}
		_, _ = c.Write([]byte(line + "\r\nHost: x\r\nConnection: close\r\n\r\n"))
		var response bytes.Buffer
		_, _ = response.ReadFrom(c)
		_ = c.Close()
		isOptions := strings.HasPrefix(line, "OPTIONS") // net/http itself may answer it
		if !isOptions && !strings.Contains(response.String(), " 403 ") {
			t.Errorf("%s = %s, want 403", line, response.String())
		}
		if passed := f.last(); passed.Path != "" {
			t.Errorf("%s was passed on as %+v, want it refused", line, passed)
		}
	}
}

func TestRequestsOfCurl(t *testing.T) {
	f := newFixture(t)
	sign := []string{"--aws-sigv4", "aws:amz:us-east-1:execute-api", "--user", "local:local"}
	for name, args := range map[string][]string{
		"plain":        {"/tokens/minut"},
		"sorted query": {"/tokens/minut?account=a&min_ttl=60&scope=read%20write"},
		"body":         {"/tokens/minut", "-d", `{"min_ttl":60}`},
		"JSON body": {
			"/tokens/minut", "-H", "Content-Type: application/json", "-d", `{"rejected":"9f86d081884c7d65"}`,
		},
		"delete":        {"/tokens/minut", "-X", "DELETE"},
		"status":        {"/tokens/my_credential-1/status"},
		"session token": {"/tokens/minut", "-H", "x-amz-security-token: a//session+token=="},
	} {
		t.Run(name, func(t *testing.T) {
			args[0] = f.url + args[0]
			if got := signedrequest.Curl(t, append(args, sign...)...); got != "{}" || f.last().Path == "" {
				t.Errorf("curl %q = %s, want {} and the request passed on\n%s", args, got, f.log)
			}
		})
	}
	sign[3] = "local:other"
	got := signedrequest.Curl(t, append(sign, "-i", f.url+"/tokens/minut")...)
	if !strings.HasPrefix(got, "HTTP/1.1 403") || !strings.HasSuffix(got, `{"message":"Forbidden"}`) {
		t.Errorf("curl with a wrong secret = %s, want 403", got)
	}
}

func TestPanicIsAnInternalErrorWithoutItsValue(t *testing.T) {
	var missing *vend.HTTPReply
	for what, panics := range map[string]func(){
		"*errors.errorString": func() { panic(errors.New("Xk2secret")) },
		"string":              func() { panic("Xk2secret") },
		"runtime error":       func() { _ = *missing },
	} {
		t.Run(what, func(t *testing.T) {
			var log buffer
			integration := func(context.Context, vend.HTTPRequest) vend.HTTPReply {
				panics()
				return vend.HTTPReply{}
			}
			g := New("us-east-1", nil, integration, slog.New(slog.NewTextHandler(&log, nil)))
			got := g.invoke(t.Context(), vend.HTTPRequest{RequestID: "id-1"})
			if got.Status != 500 || got.Header["Content-Type"] != "application/problem+json" ||
				!strings.Contains(string(got.Body), `"request_id":"id-1"`) {
				t.Errorf("invoke(id-1) = %d %s, want 500 with the request's id", got.Status, got.Body)
			}
			text := log.String()
			if !strings.Contains(text, what) || !strings.Contains(text, "gateway_test.go") ||
				strings.Contains(text, "Xk2") {
				t.Errorf("the log = %s, want %s and the stack, and not the value", text, what)
			}
		})
	}
}
