package vend_test

import (
	"encoding/json"
	"errors"
	"slices"
	"strings"
	"testing"
	"testing/synctest"

	"github.com/aws/aws-lambda-go/lambda/messages"
	"github.com/aws/aws-lambda-go/lambdacontext"

	"github.com/tokenvend/tokenvend/pkg/access"
	"github.com/tokenvend/tokenvend/pkg/api"
	"github.com/tokenvend/tokenvend/pkg/vend"
)

const functionARN = "arn:aws:lambda:us-east-1:123456789012:function:vend"

// A secret in the wrong field is not to be read in the log.
func TestWhatIsNoNameIsNotRepeated(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		invocation := lambdacontext.LambdaContext{InvokedFunctionArn: functionARN + ":admin"}
		ctx := lambdacontext.NewContext(t.Context(), &invocation)
		for _, payload := range []string{
			`{"credential":"hush/hush"}`, `{"credential":"minut","action":"hush"}`,
			`{"action":"list","after":"hush/hush"}`, `{"action":"list","credential":"hush/hush"}`,
		} {
			answer, err := w.service.Invoke(ctx, []byte(payload))
			if err != nil && strings.Contains(err.Error(), "hush") || strings.Contains(string(answer), "hush") {
				t.Errorf("Invoke(%s) = %s, %v, want it without the value", payload, answer, err)
			}
		}
		if log := w.Log.String(); strings.Contains(log, "hush") || strings.Count(log, "\n") != 4 {
			t.Errorf("log of four refusals, want four lines without the values:\n%s", log)
		}
	})
}

// qualifiers are the ways to invoke the function, each with the credentials
// whose tokens it may return.
var qualifiers = [...]struct {
	qualifier string
	may       []string
}{
	{"", []string{"minut"}},
	{":api", []string{"minut", "movemint"}},
	{":admin", []string{"minut", "movemint"}},
	{":c-minut", []string{"minut"}},
	{":c-nothing", nil},
	{":billing", nil},
	{":$LATEST", nil},
	{":7", nil},
	{":c-", nil},
	{":ADMIN", nil},
}

// Whatever is sent is answered with JSON or with an error in JSON, without a
// panic, and with no token that this way of invoking may not return.
func FuzzInvoke(f *testing.F) {
	event := func(text, arn string) string { return strings.ReplaceAll(text, "ARN", arn) }
	for _, seed := range []string{
		`{"credential":"minut"}`, `{"credential":"movemint","scope":"read","min_ttl":60}`,
		`{"credential":"minut","action":"status"}`, `{"action":"list","limit":3}`,
		`{"credential":"minut","action":"revoke"}`, `{"credential":"minut","rejected":"9f86d081884c7d65"}`,
		`{"credential":"movemint","action":"recover","recovery":"AAAA"}`,
		`{"credential":"movemint","action":"connect","account":"ann","code":"c","code_verifier":"v","redirect_uri":"http://127.0.0.1/"}`,
		event(`{"rawPath":"/tokens/minut","requestContext":{"http":{"method":"GET"},"authorizer":{"iam":{"userArn":"ARN"}}}}`, anybody),
		event(`{"rawPath":"/prod/tokens/movemint","rawQueryString":"scope=read","requestContext":{"stage":"prod","http":{"method":"GET"},"authorizer":{"iam":{"userArn":"ARN"}}}}`, billing),
		event(`{"httpMethod":"POST","path":"/tokens/minut","body":"e30=","isBase64Encoded":true,"requestContext":{"identity":{"userArn":"ARN"}}}`, anybody),
		event(`{"httpMethod":"DELETE","path":"/tokens/minut","multiValueQueryStringParameters":{"account":["a"]},"requestContext":{"identity":{"userArn":"ARN"}}}`, billing),
		`{"requestContext":{"http":null}}`, `[]`, `{"credential":`, "\xff", strings.Repeat(`{"a":`, 100),
	} {
		for i := range qualifiers {
			f.Add([]byte(seed), uint8(i))
		}
	}
	w := newWorld(f)
	f.Fuzz(func(t *testing.T, payload []byte, i uint8) {
		by := qualifiers[int(i)%len(qualifiers)]
		invocation := lambdacontext.LambdaContext{AwsRequestID: "r-1", InvokedFunctionArn: functionARN + by.qualifier}
		answer, err := w.service.Invoke(lambdacontext.NewContext(t.Context(), &invocation), payload)
		if log := w.Log.Take(); strings.Contains(log, "panic") {
			t.Fatalf("Invoke(%q) as %q panicked: %s", payload, by.qualifier, log)
		}
		if err != nil {
			var failed messages.InvokeResponse_Error
			if !errors.As(err, &failed) || failed.Type == string(api.Internal) || !json.Valid([]byte(failed.Message)) ||
				answer != nil {
				t.Fatalf("Invoke(%q) as %q = %s, %v, want an error in JSON alone", payload, by.qualifier, answer, err)
			}
			return
		}
		if !json.Valid(answer) {
			t.Fatalf("Invoke(%q) as %q = %q, want JSON", payload, by.qualifier, answer)
		}
		token := tokenIn(answer)
		alive := func(provider string) bool { return w.Providers.Accepts(provider, token) }
		if token != "" && !slices.ContainsFunc(by.may, alive) {
			t.Fatalf("Invoke(%q) as %q = a token, want one of %q or none", payload, by.qualifier, by.may)
		}
	})
}

// tokenIn returns the token in an answer, direct or over the API, or "".
func tokenIn(answer []byte) string {
	var got struct {
		AccessToken string `json:"access_token"`
		Body        string `json:"body"`
	}
	_ = json.Unmarshal(answer, &got) // a status has other fields
	if got.Body != "" {
		_ = json.Unmarshal([]byte(got.Body), &got)
	}
	return got.AccessToken
}

// Whatever arrives over HTTP is answered with JSON that may not be cached. No
// request shows a defect of ours, and only the path that IAM has authorized
// returns a token.
func FuzzHTTP(f *testing.F) {
	for _, seed := range [][4]string{
		{"GET", "/tokens/minut", "scope=&min_ttl=60", ""},
		{"POST", "/tokens/movemint", "", `{"scope":"read","rejected":"9f86d081884c7d65"}`},
		{"DELETE", "/tokens/minut", "account=a", ""},
		{"GET", "/tokens", "after=minut&limit=1", ""},
		{"GET", "/tokens/movemint/status", "audience=%20", ""},
		{"PUT", "/tokens/movemint", "", `{"account":"ann","code":"c"}`},
		{"GET", "/tokens/movemint/authorize", "redirect_uri=https://a.test/&account=ann", ""},
		{"GET", "//tokens/minut/../minut;a", "a=b;c", "\xff"},
		{"", "", "%", "{"},
	} {
		f.Add(seed[0], seed[1], seed[2], []byte(seed[3]))
	}
	w := newWorld(f)
	f.Fuzz(func(t *testing.T, method, path, query string, body []byte) {
		got := w.service.HTTP(t.Context(), vend.HTTPRequest{
			Method: method, Path: path, Query: query, Body: body, RequestID: "r-1",
			Caller: access.Caller{Via: access.API, Alias: "api", ARN: billing},
		})
		switch log := w.Log.Take(); {
		case strings.Contains(log, "panic"):
			t.Fatalf("HTTP(%s %q?%q %q) panicked: %s", method, path, query, body, log)
		case !json.Valid(got.Body), got.Header["Cache-Control"] != "no-store":
			t.Fatalf("HTTP(%s %q?%q %q) = %v %s, want JSON, no-store", method, path, query, body, got.Header, got.Body)
		case got.Status == 500 || got.Status < 200:
			t.Fatalf("HTTP(%s %q?%q %q) = %d %s, want no defect", method, path, query, body, got.Status, got.Body)
		case tokenIn(got.Body) != "" && path != "/tokens/minut" && path != "/tokens/movemint":
			t.Fatalf("HTTP(%s %q?%q %q) = a token, want none by this path", method, path, query, body)
		}
	})
}
