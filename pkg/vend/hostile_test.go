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

// An invalid name or action may be a secret in the wrong field.
func TestInvalidNamesAreNotRepeated(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := newFixture(t)
		invocation := &lambdacontext.LambdaContext{InvokedFunctionArn: functionARN + ":admin"}
		ctx := lambdacontext.NewContext(t.Context(), invocation)
		for _, payload := range []string{
			`{"credential":"hush/hush"}`, `{"credential":"minut","action":"hush"}`,
			`{"action":"list","after":"hush/hush"}`,
			`{"action":"list","credential":"hush/hush"}`,
		} {
			answer, err := c.service.Invoke(ctx, []byte(payload))
			if err != nil && strings.Contains(err.Error(), "hush") || strings.Contains(string(answer), "hush") {
				t.Errorf("Invoke(%s) = %s, %v, want it without the value", payload, answer, err)
			}
		}
		if log := c.log.String(); strings.Contains(log, "hush") || strings.Count(log, "\n") != 4 {
			t.Errorf("the journal = %s, want four lines without the values", log)
		}
	})
}

// invocations are aliases of the function, and the credentials whose tokens
// each may return.
var invocations = [...]struct {
	alias       string
	credentials []string
}{
	{"", []string{"minut"}}, {":api", []string{"minut", "movemint"}}, {":admin", []string{"minut", "movemint"}},
	{":c-minut", []string{"minut"}},
	{":c-nothing", nil}, {":billing", nil}, {":$LATEST", nil}, {":7", nil}, {":c-", nil}, {":ADMIN", nil},
}

// Any payload is answered with JSON or an error in JSON, without a panic, and
// with no token that the alias may not return.
func FuzzInvoke(f *testing.F) {
	for _, seed := range []string{
		`{"credential":"minut"}`, `{"credential":"movemint","scope":"read","min_ttl":60}`,
		`{"credential":"minut","action":"status"}`, `{"action":"list","limit":3}`,
		`{"credential":"minut","action":"revoke"}`, `{"credential":"minut","rejected":"9f86d081884c7d65"}`,
		`{"credential":"movemint","action":"recover","recovery":"AAAA"}`,
		`{"credential":"movemint","action":"connect","account":"ann","code":"c","code_verifier":"v","redirect_uri":"http://127.0.0.1/"}`,
		`{"rawPath":"/tokens/minut","requestContext":{"http":{"method":"GET"},"authorizer":{"iam":{"userArn":"` +
			anybody + `"}}}}`,
		`{"rawPath":"/prod/tokens/movemint","rawQueryString":"scope=read","requestContext":{"stage":"prod","http":{"method":"GET"},"authorizer":{"iam":{"userArn":"` + billing + `"}}}}`,
		`{"httpMethod":"POST","path":"/tokens/minut","body":"e30=","isBase64Encoded":true,"requestContext":{"identity":{"userArn":"` + anybody + `"}}}`,
		`{"httpMethod":"DELETE","path":"/tokens/minut","multiValueQueryStringParameters":{"account":["a"]},"requestContext":{"identity":{"userArn":"` + billing + `"}}}`,
		`{"requestContext":{"http":null}}`, `[]`, `{"credential":`, "\xff", strings.Repeat(`{"a":`, 100),
	} {
		for way := range invocations {
			f.Add([]byte(seed), uint8(way))
		}
	}
	c := newFixture(f)
	f.Fuzz(func(t *testing.T, payload []byte, way uint8) {
		by := invocations[int(way)%len(invocations)]
		ctx := lambdacontext.NewContext(t.Context(), &lambdacontext.LambdaContext{
			AwsRequestID: "r-1", InvokedFunctionArn: functionARN + by.alias,
		})
		answer, err := c.service.Invoke(ctx, payload)
		if log := c.logged(); strings.Contains(log, "panic") {
			t.Fatalf("Invoke(%s) panicked: %s", payload, log)
		}
		if err != nil {
			var failed messages.InvokeResponse_Error
			if !errors.As(err, &failed) || failed.Type == string(api.Internal) ||
				!json.Valid([]byte(failed.Message)) || answer != nil {
				t.Fatalf("Invoke(%s) = %s, %v, want nil and an error in JSON that is not internal", payload, answer,
					err)
			}
			return
		}
		if !json.Valid(answer) {
			t.Fatalf("Invoke(%s) = %q, want JSON", payload, answer)
		}
		token := tokenIn(answer)
		isAllowed := func(provider string) bool { return c.sim.Alive(provider, token) }
		if token != "" && !slices.ContainsFunc(by.credentials, isAllowed) {
			t.Fatalf("Invoke(%s) at the alias %q = a token, want none", payload, by.alias)
		}
	})
}

// tokenIn returns the token in an answer, direct or over the API; "": none.
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

// logged returns what was logged since the last call.
func (c *fixture) logged() string {
	c.log.mu.Lock()
	defer c.log.mu.Unlock()
	defer c.log.Reset()
	return c.log.Buffer.String()
}

// Any HTTP request is answered with JSON that is not cached and without an
// internal error. Only the spelling of the path that IAM has authorized returns
// a token.
func FuzzHTTP(f *testing.F) {
	for _, seed := range [][4]string{
		{"GET", "/tokens/minut", "scope=&min_ttl=60", ""}, {"POST", "/tokens/movemint", "",
			`{"scope":"read","rejected":"9f86d081884c7d65"}`}, {"DELETE", "/tokens/minut", "account=a", ""},
		{"GET", "/tokens", "after=minut&limit=1", ""}, {"GET", "/tokens/movemint/status", "audience=%20", ""}, {"PUT",
			"/tokens/movemint", "", `{"account":"ann","code":"c"}`},
		{"GET", "/tokens/movemint/authorize", "redirect_uri=https://a.test/&account=ann", ""}, {"GET",
			"//tokens/minut/../minut;a", "a=b;c", "\xff"}, {"", "", "%", "{"},
	} {
		f.Add(seed[0], seed[1], seed[2], []byte(seed[3]))
	}
	c := newFixture(f)
	f.Fuzz(func(t *testing.T, method, path, query string, body []byte) {
		got := c.service.HTTP(t.Context(), vend.HTTPRequest{
			Method: method, Path: path, Query: query, Body: body, RequestID: "r-1",
			Caller: access.Caller{Via: access.API, Alias: "api", ARN: billing},
		})
		switch {
		case strings.Contains(c.logged(), "panic"), !json.Valid(got.Body), got.Header["Cache-Control"] != "no-store":
			t.Fatalf("%s %s = %+v %s, want JSON that is not cached", method, path, got.Header, got.Body)
		case got.Status == 500 || got.Status < 200:
			t.Fatalf("%s %s = %d %s, want no internal error", method, path, got.Status, got.Body)
		case tokenIn(got.Body) != "" && path != "/tokens/minut" && path != "/tokens/movemint":
			t.Fatalf("%s %q = a token, want none for this path", method, path)
		}
	})
}
