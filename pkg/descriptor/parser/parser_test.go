package parser

import (
	"encoding/json"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/tokenvend/tokenvend/pkg/descriptor"
)

func TestDescriptorProblems(t *testing.T) {
	for _, c := range []struct{ text, want string }{
		{``, "not JSON: unexpected end of JSON input at byte 0"},
		{`{"token":{}} x`, "not JSON: invalid character 'x' after top-level value at byte 14"},
		{`[]`, "expected an object"},
		{`{"tokn":{"url":1}}`, "tokn: unknown field"},
		{`{"Token":{}}`, "Token: unknown field"},
		{`{"token":{"url":"https://a.test/"},"token":{}}`, "token: given twice"},
		{`{"verify":{"url":"/me","minted":"yes"}}`, "verify.minted: expected true or false"},
		{`{"token":null}`, "token: expected an object"},
		{`{"token":{"auth":"bsic"}}`,
			"token.auth: expected one of basic, basic_encoded, post, private_key_jwt, tls, none"},
		{`{"token":{"auth":7,"body":[]}}`, "token.auth: expected a string, or an array of strings; token.body: expected a string"},
		{`{"token":{"method":"GET"}}`, "token.method: GET needs token.body to be query"},
		{`{"token":{"url":"http://a.test/"}}`, "token.url: expected an https URL without user, password and fragment"},
		{`{"token":{"url":"https://u:p@a.test/"}}`,
			"token.url: expected an https URL without user, password and fragment"},
		{`{"token":{"url":"/token"}}`, "token.url: expected an https URL without user, password and fragment"},
		{`{"token":{"fields":{"grant":"x"}}}`,
			"token.fields: expected one of grant_type, client_id, client_secret, scope, audience, refresh_token, client_assertion, client_assertion_type, code, redirect_uri, code_verifier, assertion"},
		{`{"token":{"params":{"grant_type":"password"}}}`,
			"token.params.grant_type: is a standard parameter; leave that out by fields first"},
		{`{"token":{"headers":{"authorization":"x"}}}`,
			"token.headers.authorization: expected the name of a header that the request does not set itself"},
		{`{"token":{"headers":{"X-A":"1\r\nX-B: 2"}}}`, "token.headers.X-A: expected printable ASCII"},
		{`{"response":{"access_token":"data.token"}}`,
			"response.access_token: expected a JSON Pointer (RFC 6901), such as /data/token, or header:NAME"},
		{`{"response":{"expiry":{"kind":"days"}}}`,
			"response.expiry.kind: expected one of seconds, minutes, hours, milliseconds, epoch, epoch_ms, rfc3339"},
		{`{"response":{"max_lifetime":3600}}`, `response.max_lifetime: expected a duration above zero, such as "90m"`},
		{`{"response":{"default_lifetime":"-1h"}}`,
			`response.default_lifetime: expected a duration above zero, such as "90m"`},
		{`{"renew":{"concurrency":-1}}`, "renew.concurrency: expected a number from 1 to 1000"},
		{`{"renew":{"concurrency":1001}}`, "renew.concurrency: expected a number from 1 to 1000"},
		{`{"quota":{}}`,
			"quota.per: expected one of hour, day, month; quota.requests: expected a whole number from 1 to 1000000000"},
		{`{"quota":{"requests":0,"per":"hour"}}`, "quota.requests: expected a whole number from 1 to 1000000000"},
		{`{"quota":{"requests":-5,"per":"hour"}}`, "quota.requests: expected a whole number from 1 to 1000000000"},
		{`{"quota":{"requests":1000000001,"per":"day"}}`,
			"quota.requests: expected a whole number from 1 to 1000000000"},
		{`{"quota":{"requests":1e400,"per":"day"}}`, "quota.requests: expected a whole number"},
		{`{"quota":{"requests":1.5,"per":"day"}}`, "quota.requests: expected a whole number"},
		{`{"quota":"5/hour"}`, "quota: expected an object"},
		{`{"quota":{"requests":60,"per":7}}`, "quota.per: expected a string"},
		{`{"quota":{"requests":60,"per":"minute"}}`, "quota.per: expected one of hour, day, month"},
		{`{"quota":{"requests":60,"per":"hour","burst":5}}`, "quota.burst: unknown field"},
		{`{"grants":["self_signed"],"quota":{"requests":60,"per":"hour"}}`,
			"quota: expected none: no token request is sent"},
		{`{"response":{"default_lifetime":"2h","max_lifetime":"1h"}}`,
			"response.default_lifetime: expected no more than response.max_lifetime"},
		{`{"refresh":{"url":"//evil.test/x","rotates":"maybe","reuse":"?"}}`,
			"refresh.reuse: expected one of unknown, tolerated, refused, revokes_family; refresh.rotates: expected one of unknown, yes, no; refresh.url: expected an https URL without user, password and fragment"},
		{`{"authorize":{},"revoke":{},"verify":{}}`,
			"authorize.url: missing; revoke.url: missing; verify.url: missing"},
		{`{"overlap":{"implicit":"keeps"}}`,
			"overlap: expected one of client_credentials, refresh_token, authorization_code, urn:ietf:params:oauth:grant-type:jwt-bearer, password, urn:ietf:params:oauth:grant-type:token-exchange, login, self_signed"},
		{`{"overlap":{"refresh_token":"kills"}}`, "overlap.refresh_token: expected one of unknown, keeps, revokes"},
		{`{"renew":{"earliest":"1m","latest":"2m"}}`,
			"renew.latest: expected no more than renew.earliest: both count back from the end"},
		{`{"verify":{"url":"/me","refused":[403,500,429]}}`,
			"verify.refused[1]: expected 400 to 499, and not 429; verify.refused[2]: expected 400 to 499, and not 429"},
		{`{"limits":{"reset":"Rate Limit","reset_kind":"x"}}`,
			"limits.reset: expected the name of a header; limits.reset_kind: expected one of seconds, minutes, hours, milliseconds, epoch, epoch_ms, rfc3339"},
		{`{"permanent":{"status":[403,500,"404",429]}}`,
			"permanent.status[1]: expected 400 to 499, and not 429; permanent.status[2]: expected 400 to 499, and not 429; permanent.status[2]: expected a whole number; permanent.status[3]: expected 400 to 499, and not 429"},
		{`{"name":"Ä","checked":"today","docs":"ftp://x"}`,
			"checked: expected a day, such as 2026-11-22, or \"not read\"; docs: expected an https URL; name: expected ^[a-z0-9][a-z0-9_-]{0,62}$"},
	} {
		_, err := Parse([]byte(c.text))
		var problems *Error
		if !errors.As(err, &problems) || !strings.HasPrefix(err.Error(), "descriptor: "+c.want+" (see ") {
			t.Errorf("%s\n got %v\nwant descriptor: %s", c.text, err, c.want)
		}
	}
}

func FuzzParseDescriptor(f *testing.F) {
	files, err := filepath.Glob("../catalog/*.json")
	if err != nil || len(files) == 0 {
		f.Fatalf("Glob(../catalog/*.json) = %v, %v, want the files of the catalogue", files, err)
	}
	for _, file := range files {
		data, err := os.ReadFile(file)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(data)
	}
	f.Add([]byte(`{"token":{"fields":{"scope":null}},"permanent":{"status":[1e9,-0]}}`))
	f.Fuzz(func(t *testing.T, data []byte) {
		d, err := Parse(data)
		if (d == nil) == (err == nil) {
			t.Fatalf("%v and %v", d, err)
		}
		if err != nil {
			return
		}
		again, err := json.Marshal(d)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := Parse(again); err != nil {
			t.Fatalf("%s becomes %s: %v", data, again, err)
		}
	})
}

func TestErrorNamesWhereToRead(t *testing.T) {
	_, err := Parse([]byte(`{"token":{"url":"http://a.test/","auht":1},"response":{"expiry":{"kind":"weeks"}}}`))
	const want = " (see docs/reference/descriptor.md#expiry, docs/reference/descriptor.md#requests, " +
		"docs/reference/descriptor.md#urls)"
	if err == nil || !strings.HasSuffix(err.Error(), want) {
		t.Errorf("Parse() = %v, want %q at the end", err, want)
	}
}

func mustParse(t *testing.T, text string) *descriptor.Descriptor {
	t.Helper()
	d, err := Parse([]byte(text))
	if err != nil {
		t.Fatalf("Parse(%s): %v", text, err)
	}
	return d
}

func TestDescriptorErrorsAreChecked(t *testing.T) {
	for _, phrases := range []string{
		`{"grant_over":["no"]}`, `{"grant_over":[""]}`, `{"grant_over":["same_word"],"try_later":["SAME_WORD"]}`,
		`{"grant":["invalid_code"]}`, `{"too_early":"text"}`,
	} {
		if _, err := Parse([]byte(`{"token":{"url":"https://login.test/"},"errors":` + phrases + `}`)); err == nil {
			t.Errorf("Parse(errors: %s) = nil, want an error", phrases)
		}
	}
}
