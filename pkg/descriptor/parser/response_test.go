package parser

import (
	"fmt"
	"strings"
	"testing"
)

func TestResponseIsChecked(t *testing.T) {
	names := []string{}
	for i := range 17 {
		names = append(names, fmt.Sprintf(`"v%d":"/v%d"`, i, i))
	}
	for text, want := range map[string]string{
		`{"format":"xml"}`: "response.format: expected one of json, text",
		`{"format":"text","access_token":"/token"}`: "response.access_token: expected none beside the format text, " +
			"whose whole body is the token",
		`{"format":"text","expiry":{"at":"/expires"}}`: "response.expiry.at: expected header:NAME, since a body of " +
			"the format text has no members",
		`{"scope":"header:a b"}`:               "response.scope: expected a JSON Pointer (RFC 6901), such as /data/token, or header:NAME",
		`{"refresh_token":"header:"}`:          "response.refresh_token: expected a JSON Pointer (RFC 6901), such as /data/token, or header:NAME",
		`{"success":{"at":"/code"}}`:           "response.success.values: expected 1 to 16 codes",
		`{"success":{"values":["0"]}}`:         "response.success.at: missing",
		`{"success":{"at":"x","values":[""]}}`: "response.success.at: expected a JSON Pointer (RFC 6901), such as /data/token, or header:NAME; response.success.values: expected codes of 1 to 64 characters",
		`{"success":{"at":"/x","values":[0]}}`: "response.success.values: expected codes of 1 to 64 characters; response.success.values[0]: expected a string",
		`{"extra":{"a":""}}`:                   "response.extra.a: expected a place, such as /instance_url or header:NAME",
		`{"extra":{"a b":"/a"}}`:               "response.extra.(a name not shown): expected a name of letters, digits, _, . and -, the first a letter or _",
		`{"extra":{"a":"a"}}`:                  "response.extra.a: expected a JSON Pointer (RFC 6901), such as /data/token, or header:NAME",
		`{"extra":{"a":"/refresh_token"}}`:     "response.extra.a: is the place of the refresh token, which no caller gets",
		`{"refresh_token":"/r","extra":{"a":"/r"}}`: "response.extra.a: is the place of the refresh token, which no " +
			"caller gets",
		`{"extra":{` + strings.Join(names, ",") + `}}`: "response.extra: expected at most 16 names",
	} {
		_, err := Parse([]byte(`{"response":` + text + `}`))
		if err == nil || !strings.HasPrefix(err.Error(), "descriptor: "+want+" (see ") {
			t.Errorf("Parse(%s) = %v, want %s", text, err, want)
		}
	}
}

func TestUseIsChecked(t *testing.T) {
	const header = "use.header: expected the name of a header that can carry a token, such as X-Access-Token"
	const prefix = "use.prefix: expected at most 64 characters of printable ASCII, the first no space"
	for text, want := range map[string]string{
		`{"header":"Host"}`:                header,
		`{"header":"Content-Length"}`:      header,
		`{"header":"X Y"}`:                 header,
		`{"header":"X\r\nY"}`:              header,
		`{"prefix":"a\n"}`:                 prefix,
		`{"prefix":" a"}`:                  prefix,
		`{"query":"a","header":"X"}`:       "use.query: not given beside header or prefix: one of the two",
		`{"query":"a&b"}`:                  "use.query: expected the name of a parameter: letters, digits and -._~",
		`{"query":"a","prefix":"Bearer "}`: "use.query: not given beside header or prefix: one of the two",
	} {
		_, err := Parse([]byte(`{"use":` + text + `}`))
		if err == nil || !strings.HasPrefix(err.Error(), "descriptor: "+want+" (see ") {
			t.Errorf("Parse(%s) = %v, want %s", text, err, want)
		}
	}
	for _, text := range []string{
		`{}`, `{"header":"X-Shopify-Access-Token"}`, `{"header":"Authorization"}`, `{"prefix":"Zoho-oauthtoken "}`,
		`{"header":"Cookie","prefix":"JSESSIONID="}`, `{"query":"access_token"}`,
	} {
		mustParse(t, `{"use":`+text+`}`)
	}
}
