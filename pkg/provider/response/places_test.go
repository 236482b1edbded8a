package response

import (
	"strings"
	"testing"
	"time"
)

// Descriptors of vendors whose token is the whole body, or stands in a header.
const (
	text = `{"token":{"url":"https://login.test/token"},"response":{"format":"text"}}`
	fmc  = `{"token":{"url":"https://login.test/token"},"refresh":{},"response":{
		"access_token":"header:X-auth-access-token","refresh_token":"header:X-auth-refresh-token"}}`
	keystone = `{"token":{"url":"https://login.test/token"},"response":{
		"access_token":"header:X-Subject-Token","expiry":{"at":"/token/expires_at","kind":"rfc3339"},
		"error":"/error/title","error_description":"/error/message"}}`
	textUntil = `{"token":{"url":"https://login.test/token"},"response":{"format":"text",
		"expiry":{"at":"header:X-Expires-In","kind":"minutes"},"scope":"header:X-Scope"}}`
)

func TestCaseC07_TextIsTheToken(t *testing.T) {
	for _, c := range []answerCase{
		{name: "Qualys, Fetch Authentication Token", body: "eyJhbGciOiJIUzUxMiJ9.eyJzdWIiOiJ4In0.c2ln",
			header: []string{"Content-Type", "text/plain"},
			want:   want{access: "eyJhbGciOiJIUzUxMiJ9.eyJzdWIiOiJ4In0.c2ln"}},
		{name: "JobDiva, Authenticate", body: "\n 0f1e2d3c4b5a \r\n", want: want{access: "0f1e2d3c4b5a"}},
		{name: "CyberArk, Logon: a JSON string", body: `"T3lG5x\/\u0041+=="`,
			header: []string{"Content-Type", "application/json; charset=utf-8"}, want: want{access: "T3lG5x/A+=="}},
		{name: "vSphere Automation, Create Session", body: `"b00db39f948d13ea1e59b4d6fce56389"`,
			want: want{access: "b00db39f948d13ea1e59b4d6fce56389"}},
		{name: "a byte order mark", body: "\xef\xbb\xbftoken", want: want{access: "token"}},
		{name: "what looks like a form", body: "dG9rZW4=", want: want{access: "dG9rZW4="}},
		{name: "digits", body: "31415926535897932384", want: want{access: "31415926535897932384"}},
		{name: "JSON all the same", body: `{"access_token":"a","expires_in":60}`,
			want: want{access: "a", in: time.Minute}},
	} {
		c.run(t, text)
	}
	answerCase{name: "an expiry in the header", body: "token",
		header: []string{"X-Expires-In", "30", "X-Scope", "read  write"},
		want:   want{access: "token", in: 30 * time.Minute}}.run(t, textUntil)
}

func TestCaseC07_TextMalformedTwins(t *testing.T) {
	for body, want := range map[string]string{
		"":                             "the answer is empty",
		" \n":                          "the answer is empty",
		"Invalid username or password": "the access token at /access_token has characters that would break a header",
		"<html>login</html>":           "the answer is a page or XML, not a token",
		"null":                         "the answer is null, not a token",
		"false":                        "the answer is false, not a token",
		`"half`:                        "the answer was cut short",
		`""`:                           "no access token at /access_token",
		`"a" "b"`:                      "bytes follow the JSON of the answer",
		`{"message":"denied"}`:         "no access token at /access_token",
		`["token"]`:                    "no access token at /access_token",
		strings.Repeat("a", 64<<10+1):  "the access token at /access_token is longer than 64 KiB",
		strings.Repeat("a", 1<<20+1):   "the answer is longer than 1 MiB",
		"tok\x00en":                    "the access token at /access_token has characters that would break a header",
		"t\u00f6ken":                   "the access token at /access_token has characters that would break a header",
	} {
		_, e := exchangeBy(t, text, creds, says(200, body))
		if must(t, e, Malformed); e.Description != want {
			t.Errorf("Token(%.40q) = %q, want %q", body, e.Description, want)
		}
	}
	_, e := exchangeBy(t, text, creds, says(200, `{"error":"invalid_client"}`))
	if must(t, e, Rejected); e.Code != "invalid_client" {
		t.Errorf("Token() of an error in JSON = %v, want invalid_client", e)
	}
	_, e = exchangeBy(t, text, creds, says(401, "token"))
	must(t, e, Rejected)
}

func TestCaseC07_HeaderHasTheToken(t *testing.T) {
	for _, c := range []struct {
		descriptor string
		answer     answerCase
	}{
		{fmc, answerCase{name: "Cisco, How To Generate Authentication Token For FMC REST API Interactions",
			header: []string{"X-Auth-Access-Token", "9c1e1bf5", "X-Auth-Refresh-Token", "a3b5c7"},
			want:   want{access: "9c1e1bf5", refresh: "a3b5c7"}}},
		{fmc, answerCase{name: "a body that says nothing", body: "OK",
			header: []string{"X-Auth-Access-Token", "9c1e1bf5"}, want: want{access: "9c1e1bf5"}}},
		{fmc, answerCase{name: "with the scheme of a request",
			header: []string{"X-Auth-Access-Token", "bearer 9c1e1bf5"}, want: want{access: "9c1e1bf5"}}},
		{keystone, answerCase{name: "OpenStack, Identity API v3: Password authentication with unscoped authorization",
			body:   `{"token":{"issued_at":"2026-03-07T20:26:52.999819Z","expires_at":"2030-03-07T21:26:52.999747Z"}}`,
			header: []string{"X-Subject-Token", "e56fb70ef2654a79"},
			want:   want{access: "e56fb70ef2654a79", at: "2030-03-07T21:26:52.999747Z"}}},
	} {
		c.answer.run(t, c.descriptor)
	}
}

func TestCaseC07_HeaderMalformedTwins(t *testing.T) {
	for _, header := range [][]string{
		nil, {"X-Auth-Access-Token", ""}, {"X-Auth-Access-Token", "two words"},
		{"X-Auth-Access-Token", "x", "X-Auth-Refresh-Token", "x"}, // a refresh token is never vended
	} {
		_, e := exchangeBy(t, fmc, creds, says(200, `{"access_token":"a"}`, header...))
		must(t, e, Malformed)
	}
	body := `{"error":{"code":401,"message":"Wrong e56fb70ef2654a79","title":"Unauthorized"}}`
	_, e := exchangeBy(t, keystone, creds, says(401, body, "X-Subject-Token", "e56fb70ef2654a79"))
	must(t, e, Rejected)
	if e.Code != "Unauthorized" || e.Description != "Wrong [redacted]" {
		t.Errorf("Token() = %v, want the token of the header masked", e)
	}
}
