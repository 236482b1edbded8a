package provider

import (
	"context"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"maps"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/tokenvend/tokenvend/pkg/descriptor"
	"github.com/tokenvend/tokenvend/pkg/descriptor/clientauth"
	"github.com/tokenvend/tokenvend/pkg/redact"
)

func TestFault33_Passing(t *testing.T) {
	for _, status := range []int{408, 421, 425, 500, 501, 502, 503, 504, 529} {
		_, e := exchange(t, creds, says(status, `<html>`))
		if must(t, e, Unavailable); e.Status != status || e.Permanent || e.Client || !e.Sent {
			t.Errorf("%d: %+v, want status %v and not e.Permanent and not e.Client and e.Sent", status, e, status)
		}
	}
	_, e := exchange(t, creds, says(500, `{"error":"invalid_client"}`))
	if must(t, e, Unavailable); e.Permanent || e.Client || e.Code != "invalid_client" {
		t.Errorf(`%+v, want not e.Permanent and not e.Client and e.Code = "invalid_client"`, e)
	}
	_, e = exchange(t, creds, says(400, `{"error":"temporarily_unavailable"}`))
	must(t, e, Unavailable)
}

func TestFault34_LimitComesWithErrorAndWithToken(t *testing.T) {
	_, e := exchange(t, creds, says(429, `{"error":"slow_down"}`, "Retry-After", "60"))
	must(t, e, Unavailable)
	if left := time.Until(e.Limit.RetryAt); !e.Client || left < 50*time.Second || left > 70*time.Second {
		t.Errorf("time.Until(e.Limit.RetryAt) = %+v, want e.Client and left >= 50*time.Second and left <= 70*time.Second", e)
	}
	if _, e = exchange(t, creds, says(429, "")); !e.Client || !e.Limit.RetryAt.IsZero() {
		t.Errorf(`exchange(t, creds, says(429, "")) = %+v, want e.Client and e.Limit.RetryAt.IsZero()`, e)
	}
	if _, e = exchange(t, creds, says(503, "", "Retry-After", "60")); !e.Client {
		t.Errorf("a 503 with Retry-After concerns every variant: %+v, want e.Client", e)
	}
	answer, e := exchange(
		t,
		creds,
		says(200, `{"access_token":"a"}`, "RateLimit-Remaining", "0", "RateLimit-Reset", "60"),
	)
	if e != nil || answer.Limit.RetryAt.IsZero() {
		t.Errorf("%+v, %v, want no error and not answer.Limit.RetryAt.IsZero()", answer, e)
	}
}

func TestFault35_ForGoodOrNot(t *testing.T) {
	type row struct {
		status    int
		body      string
		ask       TokenRequest
		code      string
		permanent bool
		client    bool
	}
	for _, c := range []row{
		{401, `{"error":"invalid_client"}`, creds, "invalid_client", true, true},
		{400, `{"error":"invalid_client"}`, creds, "invalid_client", true, true},
		{400, `{"error":"unauthorized_client"}`, creds, "unauthorized_client", true, true},
		{400, `{"error":"invalid_scope"}`, creds, "invalid_scope", true, false},
		{400, `{"error":"unsupported_grant_type"}`, creds, "unsupported_grant_type", true, false},
		{400, `{"error":"invalid_target"}`, creds, "invalid_target", true, false},
		{403, `{"error":"access_denied"}`, creds, "access_denied", true, false},
		// a gateway's
		{403, `{"error":"Forbidden"}`, creds, "Forbidden", false, false},
		{403, `<html>blocked</html>`, creds, "", false, false},
		{403, ``, creds, "", false, false},
		{401, ``, creds, "", true, true},
		{401, `<html>`, creds, "", true, true},
		{401, `{"error":"Unauthorized","path":"/token"}`, creds, "Unauthorized", true, true},
		{401, `{"error":"unauthorized","error_description":"Bad API credentials"}`, creds, "unauthorized", true, true},
		{401, `{"error":"invalid_request"}`, creds, "invalid_request", false, false},
		// League, older
		{401, `{"error":"invalid_request","error_description":"The refresh token is invalid."}`, again,
			"invalid_grant", false, false},
		{401, `{"error":"invalid_refresh_token"}`,
			TokenRequest{Grant: descriptor.RefreshToken, Refresh: redact.New("rt-5f2c9e81")}, "invalid_refresh_token",
			false, false},
		{401, ``, again, "", true, true},
		{400, `{"error":"invalid_grant"}`, again, "invalid_grant", false, false},
		{401, `{"error":"invalid_grant"}`, again, "invalid_grant", false, false},
		{403, `{"error":"invalid_grant"}`, again, "invalid_grant", false, false},
		// Doorkeeper after a race
		{400, `{"error":"invalid_token_reuse"}`, again, "invalid_token_reuse", false, false},
		{400, `{"error":"invalid_request"}`, creds, "invalid_request", false, false},
		{400, ``, creds, "", false, false},
		{404, `not found`, creds, "", false, false},
		{405, ``, creds, "", false, false},
		{418, ``, creds, "", false, false},
	} {
		_, e := exchange(t, c.ask, says(c.status, c.body))
		must(t, e, Rejected)
		if got := (row{e.Status, c.body, c.ask, e.Code, e.Permanent, e.Client}); got.code != c.code ||
			got.permanent != c.permanent ||
			got.client != c.client ||
			got.status != c.status {
			t.Errorf("%s %d %s: %+v, want got.code = %v and got.permanent = %v and got.client = %v and status %v",
				c.ask.Grant, c.status, c.body, e, c.code, c.permanent, c.client, c.status)
		}
		if e.Description == "" && e.Code == "" {
			t.Errorf("%d %s: nothing to say", c.status, c.body)
		}
	}
}

func TestFault35_DescriptorSaysWhatIsForGood(t *testing.T) {
	text := `{"token":{"url":"https://login.test/"},"permanent":{"status":[403,405],"errors":["account_locked"]}}`
	for status, body := range map[int]string{403: `<html>`, 405: ``, 400: `{"error":"account_locked"}`} {
		_, e := exchangeBy(t, text, alice, creds, says(status, body))
		if must(t, e, Rejected); !e.Permanent || e.Client {
			t.Errorf("%d: %+v, want e.Permanent and not e.Client", status, e)
		}
	}
}

func TestErrorFieldsElsewhere(t *testing.T) {
	text := `{"token":{"url":"https://login.test/"},"response":{"error":"/fault/type","error_description":"/fault/0"}}`
	_, e := exchangeBy(t, text, alice, creds, says(400, `{"fault":{"type":"invalid_scope","0":"unknown scope"}}`))
	if must(t, e, Rejected); e.Code != "invalid_scope" || e.Description != "unknown scope" {
		t.Errorf(`%+v, want e.Code = "invalid_scope" and e.Description = "unknown scope"`, e)
	}
}

// The other server stands at its real address, so that any client that followed
// would find it.
func TestFault37_RedirectsAreNeverFollowed(t *testing.T) {
	elsewhere, bytes := trap(t)
	c := everyWay(t)
	var answers http.HandlerFunc
	v := serve(
		t,
		func(w http.ResponseWriter, r *http.Request) { answers(w, r) },
		map[string]string{elsewhere: elsewhere},
	)
	for _, auth := range everyAuth {
		for _, body := range []descriptor.Body{descriptor.BodyForm, descriptor.BodyJSON, descriptor.BodyQuery} {
			d := parse(
				t,
				fmt.Sprintf(
					`{"token":{"url":"https://login.test/token","auth":%q,"body":%q},"refresh":{},"revoke":{"url":"/revoke"}}`,
					auth,
					body,
				),
			)
			for name, ask := range everyRequest(d, v.hc, c) {
				for _, scheme := range []string{"https", "http"} {
					for _, status := range []int{301, 302, 303, 307, 308} {
						answers = says(
							status,
							`{"access_token":"STOLEN"}`,
							"Location",
							scheme+"://"+elsewhere+"/token?client_secret=CLIENT_SECRET",
						)
						e := must(t, asError(t, ask()), Unavailable)
						if want := "redirected to " + scheme + "://" + elsewhere +
							"; redirects are not followed: is token_url right?"; e.Description != want ||
							e.Permanent {
							t.Errorf("%s, %s %d: %v, want e.Description = %v and not e.Permanent", auth, name, status,
								e, want)
						}
					}
				}
			}
		}
	}
	if n := bytes.Load(); n != 0 {
		t.Errorf("%d bytes or connections reached the other server, want n = 0", n)
	}
}

func TestFault37_LocationsWithoutAnotherHost(t *testing.T) {
	for location, want := range map[string]string{"": "nowhere",
		"/login?client_secret=CLIENT_SECRET":  "the same host",
		"https://u:CLIENT_SECRET@evil.test/x": "https://evil.test",
		"https://CLIENT_SECRET.evil.test/":    "https://[redacted].evil.test", ":": "nowhere"} {
		_, e := exchange(t, creds, says(302, "", "Location", location))
		if must(t, e, Unavailable); !strings.HasPrefix(e.Description, "redirected to "+want+"; ") {
			t.Errorf(`%s: %v, want strings.HasPrefix(e.Description, "redirected to "+want+"; ")`, location, e)
		}
	}
}

func TestDescriptionIsMaskedAndOneLine(t *testing.T) {
	c := Client{
		ID:     "id",
		Secret: redact.New(`s3cr3t/+ "ü\`),
		Params: map[string]any{"password": "hunter22", "x": "no"},
	}
	basic := base64.StdEncoding.EncodeToString([]byte("id:" + c.Secret.Reveal()))
	secret := c.Secret.Reveal()
	for _, echo := range []string{
		secret, url.QueryEscape(secret), strings.ToLower(url.QueryEscape(secret)), url.PathEscape(secret), basic,
		url.QueryEscape(basic),
		"hunter22", "REFRESH_TOKEN", "ACCESS_ANSWERED", "s3cr3t/+ 'ü/", "REFRESH_\x01TOKEN",
	} {
		body, _ := json.Marshal(
			map[string]string{
				"access_token":      "ACCESS_ANSWERED",
				"error":             "oops",
				"error_description": "you sent " + echo + "\r\nand\tno more",
			},
		)
		_, e := exchangeBy(t, plain, c, again, says(400, string(body)))
		must(t, e, Rejected)
		if !strings.Contains(e.Error(), "you sent [redacted] and no more") {
			t.Errorf(`%q became %v, want "you sent [redacted] and no more" in e.Error()`, echo, e)
		}
	}
	_, e := exchangeBy(
		t,
		plain,
		c,
		again,
		says(400, `{"error":"hunter22","error_description":"`+strings.Repeat("äb\\\"", 200)+`"}`),
	)
	if must(t, e, Rejected); e.Code != "[redacted]" || len(e.Description) != 200 || unprintable(e.Error()) ||
		strings.ContainsAny(e.Description, `"\`) {
		t.Errorf("%+v, want e.Code = \"[redacted]\" and len(e.Description) = 200 and not unprintable(e.Error()) and not strings.ContainsAny(e.Description, `\"\\`)", e)
	}
}

func TestBasicRawAndEncoded(t *testing.T) {
	c := Client{ID: "my id", Secret: redact.New("a+b/c:d é")}
	for auth, want := range map[clientauth.Method]string{clientauth.Basic: "my id:a+b/c:d é",
		clientauth.BasicEncoded: "my%20id:a%2Bb%2Fc%3Ad%20%C3%A9"} {
		text := fmt.Sprintf(`{"token":{"url":"https://login.test/","auth":%q}}`, auth)
		v := serve(t, says(200, `{"access_token":"a"}`))
		if _, err := at(parse(t, text), c, v.hc).Exchange(context.Background(), creds); err != nil {
			t.Fatal(err)
		}
		_, rest, _ := strings.Cut(v.lastRequest(), "Authorization: Basic ")
		value, _, _ := strings.Cut(rest, "\n")
		if got, _ := base64.StdEncoding.DecodeString(value); string(got) != want {
			t.Errorf("%s: %q, want %q", auth, got, want)
		}
	}
}

func TestBasicHintsAtTheOtherForm(t *testing.T) {
	tricky := Client{ID: "id", Secret: redact.New("a+b/c")}
	for auth, other := range map[clientauth.Method]string{clientauth.Basic: "basic_encoded",
		clientauth.BasicEncoded: "basic"} {
		text := fmt.Sprintf(`{"token":{"url":"https://login.test/","auth":%q}}`, auth)
		for body, status := range map[string]int{`{"error":"invalid_client","error_description":"` +
			strings.Repeat("long ", 60) + `"}`: 401, ``: 401, `{"error":"invalid_client"}`: 400} {
			_, e := exchangeBy(t, text, tricky, creds, says(status, body))
			if !strings.Contains(must(t, e, Rejected).Description, "have characters that "+other+" sends otherwise") ||
				len(e.Description) > 200 ||
				!e.Client {
				t.Errorf("%s: %+v", auth, e)
			}
		}
		// oidc-provider, where the secret does not decode
		_, e := exchangeBy(
			t,
			text,
			Client{ID: "id", Secret: redact.New("100% sure")},
			creds,
			says(400, `{"error":"invalid_request"}`),
		)
		if !strings.Contains(must(t, e, Rejected).Description, "have characters that "+other+" sends otherwise") ||
			e.Client {
			t.Errorf("%s: %+v", auth, e)
		}
		for _, same := range []http.HandlerFunc{says(401, `{"error":"invalid_client"}`),
			says(400, `{"error":"invalid_request"}`)} {
			if _, e := exchangeBy(t, text, alice, creds, same); e.Description != "" {
				t.Errorf(`%s: a hint where the forms are the same: %v, want e.Description = ""`, auth, e)
			}
		}
	}
}

func TestMisconfigured(t *testing.T) {
	with := func(change func(*Client)) Client {
		c := alice
		change(&c)
		return c
	}
	for _, c := range []struct {
		text   string
		client Client
		ask    TokenRequest
		want   string
		ours   bool // the whole client's
	}{
		{plain, with(func(c *Client) { c.ID = "" }), creds, "client_id: missing", true},
		{plain, with(func(c *Client) { c.ID = "a:b" }), creds,
			"client_id: holds a colon, which Basic cannot carry; does the provider take basic_encoded?", true},
		{plain, with(func(c *Client) { c.Secret = redact.String{} }), creds, "client_secret: missing", true},
		{plain, with(func(c *Client) { c.TokenURL = "http://login.test/" }), creds,
			"token_url: expected an https URL without user, password and fragment", true},
		{plain, with(func(c *Client) { c.TokenURL = "http://127.0.0.1/" }), creds,
			"127.0.0.1: its URL is http, which is refused unless it is on this machine and " +
				"serve --allow-private admits it", true},
		{plain, with(func(c *Client) { c.TokenURL = "https://CLIENT_SECRET@login.test\x7f/" }), creds,
			"token_url: expected an https URL without user, password and fragment", true},
		{plain, with(func(c *Client) { c.Params = map[string]any{"grant_type": "x"} }), creds,
			"params.grant_type: the request has that parameter already", true},
		{plain, alice, TokenRequest{Grant: descriptor.AuthorizationCode},
			"authorize: this provider connects no accounts", false},
		{connecting, alice, TokenRequest{Grant: descriptor.AuthorizationCode, Code: redact.New("c")},
			"authorize: no code to redeem, or not the redirect_uri that it was asked for with", false},
		{connecting, alice, TokenRequest{Grant: descriptor.AuthorizationCode, RedirectURI: "https://app.test/"},
			"authorize: no code to redeem, or not the redirect_uri that it was asked for with", false},
		{`{"token":{"url":"https://login.test/","fields":{"code_verifier":""}},"authorize":{"url":"/authorize"}}`,
			alice, brought, "fields: leaves code_verifier out, though a code challenge was sent", false},
		{`{"token":{"url":"https://login.test/","fields":{"code":""}},"authorize":{"url":"/authorize"}}`, alice,
			brought, "fields: leaves code out", false},
		{plain, alice, TokenRequest{}, "grant is not implemented", false},
		{plain, alice, TokenRequest{Grant: descriptor.RefreshToken}, "refresh: no refresh token to redeem", false},
		{`{"token":{"url":"https://login.test/"}}`, alice, again, "refresh: this provider has no refresh tokens",
			false},
		{`{"token":{}}`, alice, creds, "token_url: missing, and the vendor publishes none", true},
		{`{"token":{"url":"https://login.test/","fields":{"scope":""}}}`, alice,
			TokenRequest{Grant: descriptor.ClientCredentials, Scope: "a"}, "scope: this provider takes none", false},
		{`{"token":{"url":"https://login.test/","fields":{"audience":""}}}`, alice,
			TokenRequest{Grant: descriptor.ClientCredentials, Audience: "a"}, "audience: this provider takes none",
			false},
		{`{"token":{"url":"https://login.test/","auth":"private_key_jwt"}}`, alice, creds, "private_key: missing",
			true},
		{`{"token":{"url":"https://login.test/","auth":"tls"}}`, alice, creds, "certificate: missing", true},
	} {
		v := serve(t, says(200, `{"access_token":"a"}`))
		_, err := at(parse(t, c.text), c.client, v.hc).Exchange(context.Background(), c.ask)
		e := must(t, asError(t, err), Misconfigured)
		if e.Description != c.want || e.Client != c.ours || !e.Permanent || e.Sent || v.requests.Load() != 0 {
			t.Errorf("%+v, want %q", e, c.want)
		}
	}
}

func TestFieldsParamsHeadersAndBodies(t *testing.T) {
	text := `{"token":{"url":"https://login.test/token?v=1","auth":"post","body":%q,"method":%q,"scope_separator":",","headers":{"X-Tenant":"7","Accept":"application/vnd.x+json"},
		"fields":{"grant_type":"","client_id":"user","client_secret":"pass","scope":"scopes","audience":"resource"},"params":{"grant_type":"machine","b":"<&>"}}}`
	for body, want := range map[string]string{
		`form POST`: "POST https://login.test/token?v=1|b=%3C%26%3E&grant_type=machine&pass=CLIENT_SECRET&resource=api&scopes=a%2Cb&user=CLIENT_ID",
		`json POST`: `POST https://login.test/token?v=1|{"b":"<&>","grant_type":"machine","pass":"CLIENT_SECRET","resource":"api","scopes":"a,b","user":"CLIENT_ID"}`,
		`query GET`: "GET https://login.test/token?v=1&b=%3C%26%3E&grant_type=machine&pass=CLIENT_SECRET&resource=api&scopes=a%2Cb&user=CLIENT_ID|",
	} {
		place, method, _ := strings.Cut(body, " ")
		v := serve(t, says(200, `{"access_token":"a"}`))
		_, err := at(
			parse(t, fmt.Sprintf(text, place, method)),
			alice,
			v.hc,
		).Exchange(context.Background(),
			TokenRequest{Grant: descriptor.ClientCredentials, Scope: " a  b ", Audience: "api"})
		if err != nil {
			t.Fatal(err)
		}
		got := v.lastRequest()
		first, _, _ := strings.Cut(got, "\n")
		_, sent, _ := strings.Cut(got, "\n\n")
		if first+"|"+sent != want || !strings.Contains(got, "X-Tenant: 7\n") ||
			!strings.Contains(got, "Accept: application/vnd.x+json\n") {
			t.Errorf("asked\n%s\nwant\n%s", got, want)
		}
	}
}

func TestErrorText(t *testing.T) {
	e := &Error{Kind: Rejected, Status: 401, Code: "invalid_client", Description: "no such client"}
	if got := e.Error(); got != "provider: rejected (HTTP 401): invalid_client: no such client" {
		t.Errorf(`e.Error() = %v, want "provider: rejected (HTTP 401): invalid_client: no such client"`, got)
	}
	words := map[Kind]string{
		Unavailable:   "unavailable",
		Malformed:     "malformed",
		Rejected:      "rejected",
		Misconfigured: "misconfigured",
		9:             "kind 9",
	}
	for _, kind := range slices.Sorted(maps.Keys(words)) {
		if (&Error{Kind: kind}).Error() != "provider: "+words[kind] {
			t.Error((&Error{Kind: kind}).Error())
		}
	}
}
