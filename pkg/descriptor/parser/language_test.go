package parser

import (
	"errors"
	"strings"
	"testing"
)

// What could never work, or could lead a secret elsewhere, is refused when it
// is written.
func TestDescriptorsThatCannotWork(t *testing.T) {
	for _, c := range []struct{ name, text, want string }{
		{"no such value", `{"token":{"params":{"a":"{secret}"}}}`, "token.params.a: no value secret here"},
		{"an access token in a token request", `{"token":{"headers":{"X-A":"{access_token}"}}}`,
			"token.headers.X-A: no value access_token here"},
		{"a signature for the browser", `{"authorize":{"url":"/a","params":{"k":"{hex(rsa_sha256(client_id))}"}}}`,
			"authorize.params.k: no value rsa_sha256() here"},
		{"a signature in a URL", `{"token":{"url":"https://a.test/{hex(rsa_sha256(client_id))}"}}`,
			"token.url: expected a value without a function around it in a URL"},
		{"a secret for the browser", `{"authorize":{"url":"/a","params":{"k":"{secrets.key}"}}}`,
			"authorize.params.k: no value secrets.key here"},
		{"a variable that is not declared", `{"token":{"params":{"a":"{variables.x}"}}}`,
			"token.params.a: expected x in variables"},
		{"a variable that nothing uses", `{"variables":{"x":{}}}`, "variables.x: nothing uses it"},
		{"a secret that nothing uses", `{"secrets":{"x":{}}}`, "secrets.x: nothing uses it"},
		{"one secret in two places", `{"token":{"params":{"a":"{secrets.k}","b":["{secrets.k}"]}}}`,
			"token.params.b[0]: expected {secrets.k} in one place"},
		{"the client secret beside Basic", `{"token":{"params":{"a":"{client_secret}"}}}`,
			"token.params.a: expected {client_secret} in one place"},
		{"a secret in a host", `{"token":{"url":"https://{secrets.k}.a.test/"}}`, "token.url: expected only variables in the host, not {secrets.k}"},
		{"a secret in a path", `{"token":{"url":"https://a.test/{secrets.k}"}}`, "token.url: no value secrets.k here"},
		{"the client ID in a host", `{"token":{"url":"https://{client_id}.a.test/"}}`,
			"expected only variables in the host"},
		{"a computed host", `{"token":{"url":"https://{lower(variables.x)}.a.test/"},"variables":{"x":{}}}`,
			"without a function"},
		{"a variable as the domain", `{"token":{"url":"https://{variables.x}.test/"},"variables":{"x":{}}}`,
			"token.url: expected at least two further labels"},
		{"a variable as the last label", `{"token":{"url":"https://a.b.{variables.x}/"},"variables":{"x":{}}}`,
			"token.url: expected at least two further labels"},
		{"a domain with a dot at its end", `{"token":{"url":"https://{variables.x}.test./"},"variables":{"x":{}}}`,
			"token.url: expected at least two further labels"},
		{"empty labels", `{"token":{"url":"https://{variables.x}..test/"},"variables":{"x":{}}}`, "empty labels"},
		{"a port is no label", `{"token":{"url":"https://{variables.x}.test:1.1/"},"variables":{"x":{}}}`, "token.url: "},
		{"a user before the host", `{"token":{"url":"https://{variables.x}.a.test@evil.test/"},"variables":{"x":{}}}`,
			"token.url: expected an https URL"},
		{"a value that is no host", `{"token":{"url":"https://{variables.x}/"},"variables":{"x":{"values":["a.test/x"]}}}`,
			"token.url: expected values of variables.x that can stand in a host"},
		{"a fragment", `{"token":{"url":"https://a.test/#{variables.x}"},"variables":{"x":{}}}`, "token.url: expected an https"},
		{"a pattern that is none", `{"token":{"params":{"a":"{variables.x}"}},"variables":{"x":{"pattern":"("}}}`,
			"variables.x.pattern: expected a regular expression"},
		{"a default that the pattern refuses",
			`{"token":{"params":{"a":"{variables.x}"}},"variables":{"x":{"pattern":"a+","default":"b"}}}`,
			"variables.x.default: expected a value"},
		{"two secrets of one kind", `{"token":{"auth":["basic","post"]}}`, "token.auth: expected at most one of basic"},
		{"none beside another", `{"token":{"auth":["none","tls"]}}`, "token.auth: expected none alone"},
		{"no method", `{"token":{"auth":[]}}`, "token.auth: expected at least one method"},
		{"post without client_id", `{"token":{"auth":"post","fields":{"client_id":""}}}`,
			"token.fields.client_id: is left out, but auth post sends it"},
		{"Authorization beside Basic", `{"token":{"headers":{"Authorization":"x"}}}`,
			"token.headers.Authorization: expected the name of a header"},
		{"a media type of another body", `{"token":{"headers":{"Content-Type":"application/json"}}}`,
			"token.headers.Content-Type: expected a media type"},
		{"an object in a form", `{"token":{"params":{"a":{"b":1}}}}`, "token.params.a: expected a string, a number"},
		{"an array of arrays in a form", `{"token":{"params":{"a":[["b"]]}}}`,
			"token.params.a: expected a string, a number"},
		{"null in a form", `{"token":{"params":{"a":null}}}`, "token.params.a: expected a string, a number"},
		{"null as a claim", `{"assertion":{"claims":{"a":null}}}`,
			"assertion.claims.a: expected a value other than null"},
		{"null in an example", `{"example":{"scope":null}}`, "example.scope: expected a value other than null"},
		{"a header field with a line end", `{"token":{"headers":{"X-A":"a\r\nX-B: {hex(client_id '\n')}"}}}`,
			"token.headers.X-A: expected printable ASCII"},
		{"a code without authorize", `{"token":{"params":{"a":"{hex(sha256(code))}"}}}`,
			"token.params.a: expected authorize: no other request has a code"},
		{"a code in a URL", `{"authorize":{"url":"/a"},"token":{"url":"https://a.test/{code}"}}`,
			"token.url: no value code here"},
		{"a refresh that inherits a code",
			`{"authorize":{"url":"/a"},"token":{"params":{"a":"{hex(sha256(code))}"}},"refresh":{}}`,
			"refresh.params.a: expected, because that of token uses code"},
		{"login beside another grant", `{"grants":["login","password"]}`, "grants: expected login alone"},
		{"a user's grant", `{"grants":["authorization_code"]}`, "grants[0]: expected one of client_credentials"},
		{"a grant twice", `{"grants":["password","password"]}`, "grants[1]: stands twice"},
		{"self_signed with a URL", `{"grants":["self_signed"],"token":{"url":"https://a.test/"}}`,
			"token.url: not given"},
		{"an assertion that nothing uses", `{"grants":["client_credentials"],"assertion":{"lifetime":"5m"}}`,
			"assertion: nothing uses it"},
		{"an assertion in two places", `{"token":{"algorithm":"RS256"},"assertion":{"lifetime":"5m"}}`,
			"assertion: not given beside token.algorithm"},
		{"HS256 without a key", `{"assertion":{"algorithm":"HS256"}}`, "assertion.key: expected with HS256"},
		{"a key of another algorithm", `{"assertion":{"algorithm":"RS256","key":"{client_secret}"}}`,
			"assertion.key: expected with HS256"},
		{"a claim that is computed", `{"assertion":{"claims":{"exp":1}}}`, "assertion.claims.exp: set by lifetime"},
		{"an algorithm as a member", `{"assertion":{"header":{"alg":"none"}}}`,
			"assertion.header.alg: set by algorithm"},
		{"the client secret in a claim", `{"assertion":{"claims":{"x":"{client_secret}"}}}`,
			"assertion.claims.x: no value client_secret here"},
		{"an assertion in itself", `{"assertion":{"claims":{"x":"{assertion}"}}}`, "no value assertion here"},
		{"an answer of which nothing is read", `{"then":{"url":"/a"}}`, "then: expected access_token or extra"},
		{"an expiry of no token", `{"then":{"url":"/a","extra":{"a":"/a"},"expiry":{"at":"/e"}}}`,
			"then.expiry: expected access_token"},
		{"a further value twice", `{"then":{"url":"/a","extra":{"a":"/a"}},"response":{"extra":{"a":"/b"}}}`,
			"then.extra.a: stands in response.extra too"},
		{"an access token in a URL", `{"then":{"url":"https://a.test/{access_token}","extra":{"a":"/a"}}}`,
			"then.url: no value access_token here"},
		{"a request after a token that is signed",
			`{"grants":["self_signed"],"assertion":{"algorithm":"RS256"},"then":{"url":"https://a.test/","extra":{"a":"/a"}}}`,
			"then: not given with self_signed"},
		{"a time zone by its name", `{"response":{"expiry":{"zone":"Europe/Oslo"}}}`,
			"response.expiry.zone: expected an offset from UTC"},
		{"an expression of no further value", `{"response":{"extra_match":{"a":"^(.)"}}}`,
			"response.extra_match.a: expected a name that response.extra"},
		{"an expression without a group", `{"response":{"extra":{"a":"/a"},"extra_match":{"a":"^."}}}`,
			"response.extra_match.a: expected a regular expression"},
		{"an expression that is none", `{"response":{"extra":{"a":"/a"},"extra_match":{"a":"("}}}`,
			"response.extra_match.a: expected a regular expression"},
		{"three steps", `{"steps":[{},{},{}]}`, "steps: expected at most 2"},
		{"a step that takes nothing", `{"steps":[{"name":"a","url":"/a"}]}`, "steps[0].take: expected 1 to 8"},
		{"a value that nothing uses", `{"steps":[{"name":"a","url":"/a","take":{"x":"/x"}}]}`,
			"steps[0].take.x: nothing uses it"},
		{"a value of a later step",
			`{"steps":[{"name":"a","url":"/a","params":{"p":"{steps.b.x}"},"take":{"x":"/x"}},{"name":"b","url":"/b","take":{"x":"/x"}}]}`,
			"steps[0].params.p: expected steps.STEP.NAME of an earlier step"},
		{"a step's value in a host", `{"token":{"url":"https://{steps.a.x}.a.test/"},"steps":[{"name":"a","url":"https://a.test/","take":{"x":"/x"}}]}`,
			"token.url: expected only variables in the host"},
		{"steps of a user's grant", `{"authorize":{"url":"/a"},"token":{"params":{"p":"{steps.a.x}"}},"steps":[{"name":"a","url":"/a","take":{"x":"/x"}}]}`,
			"steps: not given beside authorize"},
		{"a refresh that inherits a step's value",
			`{"refresh":{},"token":{"params":{"p":"{steps.a.x}"}},"steps":[{"name":"a","url":"/a","take":{"x":"/x"}}]}`,
			"refresh.params.p: expected, because that of token uses steps"},
		{"a relative URL after a token URL with a step's value", ofTokenURL(`"then":{"url":"/s","extra":{"a":"/a"}}`),
			"then.url: expected an absolute URL, because token.url has a value of a step"},
		{"a relative URL of a verification", ofTokenURL(`"verify":{"url":"/me"}`),
			"verify.url: expected an absolute URL"},
		{"a relative URL of a revocation", ofTokenURL(`"revoke":{"url":"/revoke"}`),
			"revoke.url: expected an absolute URL"},
		{"a token URL with a step's value as a value",
			ofTokenURL(`"then":{"url":"https://a.test/","params":{"p":"{token_url}"},"extra":{"a":"/a"}}`),
			"then.params.p: expected no {token_url}, because token.url has a value of a step"},
		{"a relative URL of the step itself",
			`{"token":{"url":"https://a.test/{steps.a.x}"},"steps":[{"name":"a","url":"/a","take":{"x":"/x"}}]}`,
			"steps[0].url: expected an absolute URL"},
		{"a name that another parameter has", `{"authorize":{"url":"/a","fields":{"scope":"client_id"}}}`,
			"authorize.fields.scope: expected a name that no other parameter has"},
		{"the state under another name", `{"authorize":{"url":"/a","fields":{"client_id":"state"}}}`,
			"authorize.fields.client_id: expected a name"},
		{"a response type beside that of the request", `{"authorize":{"url":"/a","params":{"response_type":"code"}}}`,
			"authorize.params.response_type: expected a parameter"},
		{"a response type under the name of the state", `{"authorize":{"url":"/a","fields":{"response_type":"state"}}}`,
			"authorize.fields.response_type: expected a name"},
		{"an unknown code challenge method", `{"authorize":{"url":"/a","pkce":"S512"}}`,
			"authorize.pkce: expected one of S256, plain, none"},
		{"a code in the place of the state", `{"authorize":{"url":"/a","code":"state"}}`,
			"authorize.code: expected the name of a parameter, and not one of state, error, error_description"},
		{"a code without a name", `{"authorize":{"url":"/a","code":"a b"}}`, "authorize.code: expected the name"},
		{"the code as a further value", `{"authorize":{"url":"/a","code":"c","extra":{"x":"c"}}}`,
			"authorize.extra.x: expected the name of a parameter, and not the code"},
		{"the state as a further value", `{"authorize":{"url":"/a","extra":{"x":"state"}}}`,
			"authorize.extra.x: expected the name of a parameter, and not the code"},
		{"a further value of both responses",
			`{"authorize":{"url":"/a","extra":{"x":"y"}},"response":{"extra":{"x":"/x"}}}`,
			"authorize.extra.x: expected a name that response.extra and then.extra have not"},
		{"a further value without a name", `{"authorize":{"url":"/a","extra":{"x y":"x"}}}`,
			"authorize.extra.(a name not shown): expected a name"},
		{"a broken template", `{"token":{"params":{"a":"{client_id"}}}`,
			"token.params.a: expected } after a placeholder"},
	} {
		t.Run(c.name, func(t *testing.T) {
			_, err := Parse([]byte(c.text))
			var problems *Error
			if !errors.As(err, &problems) || !strings.Contains(err.Error(), c.want) {
				t.Errorf("Parse(%s) = %v, want %q", c.text, err, c.want)
			}
		})
	}
}

// ofTokenURL returns a descriptor with a value of a step in its token URL, and
// further members.
func ofTokenURL(members string) string {
	return `{"token":{"url":"https://a.test/{steps.a.x}/token"},
		"steps":[{"name":"a","url":"https://a.test/a","take":{"x":"/x"}}],` + members + `}`
}

func TestAbsoluteURLsBesideAStepInTheTokenURL(t *testing.T) {
	for _, text := range []string{
		ofTokenURL(`"then":{"url":"https://a.test/s","extra":{"a":"/a"}},"verify":{"url":"https://a.test/me"}`),
		`{"token":{"url":"https://a.test/{steps.a.x}","params":{"y":"{steps.b.y}"}},"steps":[
			{"name":"a","url":"https://a.test/a","take":{"x":"/x"}},{"name":"b","url":"b","take":{"y":"/y"}}]}`,
	} {
		if _, err := Parse([]byte(text)); err != nil {
			t.Errorf("Parse(%s) = %v, want nil", text, err)
		}
	}
}
