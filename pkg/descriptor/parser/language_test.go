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
		{"null", `{"token":{"params":{"a":null}}}`, "token.params.a: expected a value other than null"},
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
		{"a name that another parameter has", `{"authorize":{"url":"/a","fields":{"scope":"client_id"}}}`,
			"authorize.fields.scope: expected a name that no other parameter has"},
		{"the state under another name", `{"authorize":{"url":"/a","fields":{"client_id":"state"}}}`,
			"authorize.fields.client_id: expected a name"},
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
