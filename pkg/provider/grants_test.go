package provider

import (
	"context"
	"errors"
	"net/http"
	"strings"
	"testing"

	"github.com/tokenvend/tokenvend/pkg/descriptor"
	"github.com/tokenvend/tokenvend/pkg/descriptor/catalog"
	"github.com/tokenvend/tokenvend/pkg/redact"
)

// brought is a code as a person brings it back; the verifier is RFC 7636's own
// example (appendix B).
var brought = TokenRequest{
	Grant: descriptor.AuthorizationCode, Code: redact.New("CODE"),
	Verifier:    redact.New("dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk"),
	RedirectURI: "http://127.0.0.1:8976/connected", Scope: "clubs", Audience: "https://api.test/",
}

const connecting = `{"token":{"url":"https://login.test/oauth/token"},"authorize":{"url":"/authorize?x=1","params":{"prompt":"consent"}}}`

func mustCatalog(t *testing.T, name string) *descriptor.Descriptor {
	t.Helper()
	d, err := catalog.Get(name)
	if err != nil {
		t.Fatal(err)
	}
	return d
}

func TestAuthorizeURL(t *testing.T) {
	const redirect = "https://app.test/connected?a=b c"
	for name, c := range map[string]struct {
		text, tokenURL, scope, audience, want string
	}{
		// "GET https://www.movemint.cc/oauth/authorize
		// ?client_id=YOUR_CLIENT_ID &redirect_uri=YOUR_REDIRECT_URI
		// &response_type=code &scope=". Without a scope, none is sent.
		"movemint": {want: "https://www.movemint.cc/oauth/authorize?client_id=CLIENT_ID&redirect_uri=https%3A%2F%2Fapp.test%2Fconnected%3Fa%3Db+c&response_type=code"},
		// "response_type: code; client_id; scope: Space separated value of
		// scopes; redirect_uri; state"
		"trackmania": {scope: "clubs read_favorite",
			want: "https://api.trackmania.com/oauth/authorize?client_id=CLIENT_ID&redirect_uri=https%3A%2F%2Fapp.test%2Fconnected%3Fa%3Db+c&response_type=code&scope=clubs+read_favorite"},
		"a vendor's own names": {
			text: `{"token":{"url":"https://login.test/token","scope_separator":","},"authorize":{"url":"/authorize",
				"fields":{"client_id":"client_key","scope":"user_scope"},"params":{"id":["{client_id}","2"],"n":1}}}`,
			scope: "a b",
			want: "https://login.test/authorize?client_key=CLIENT_ID&id=CLIENT_ID&id=2&n=1" +
				"&redirect_uri=https%3A%2F%2Fapp.test%2Fconnected%3Fa%3Db+c&response_type=code&user_scope=a%2Cb",
		},
		"a scope in another place": {
			text: `{"token":{"url":"https://login.test/token"},"authorize":{"url":"/authorize",
				"fields":{"scope":""},"params":{"optional_scope":"{scope}"}}}`,
			scope: "a b",
			want: "https://login.test/authorize?client_id=CLIENT_ID&optional_scope=a+b" +
				"&redirect_uri=https%3A%2F%2Fapp.test%2Fconnected%3Fa%3Db+c&response_type=code",
		},
		"a sandbox": {text: connecting, tokenURL: "https://sandbox.test/oauth/token", audience: "https://api.test/",
			want: "https://sandbox.test/authorize?audience=https%3A%2F%2Fapi.test%2F&client_id=CLIENT_ID&prompt=consent&redirect_uri=https%3A%2F%2Fapp.test%2Fconnected%3Fa%3Db+c&response_type=code&x=1"},
	} {
		d := (*descriptor.Descriptor)(nil)
		if c.text != "" {
			d = parse(t, c.text)
		} else {
			d = mustCatalog(t, name)
		}
		got, err := at(
			d,
			Client{ID: "CLIENT_ID", TokenURL: c.tokenURL},
			nil,
		).AuthorizeURL(redirect, c.scope, c.audience)
		if err != nil || got.String() != c.want || d.CodeChallenge() != descriptor.PKCES256 {
			t.Errorf("%s: %v, %v\nwant %s", name, got, err, c.want)
		}
	}
	if _, err := at(mustCatalog(t, "minut"), alice, nil).AuthorizeURL(redirect, "", ""); asError(
		t,
		err,
	).Kind != Misconfigured {
		t.Errorf("minut connects accounts: %v, want the error.Kind = %v", err, Misconfigured)
	}
}

// A code goes out once: neither the connection that died nor a redirect sends
// it again.
func TestACodeGoesOutOnce(t *testing.T) {
	v := serve(t, func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Location", "https://login.test/elsewhere")
		w.WriteHeader(http.StatusTemporaryRedirect)
	})
	_, err := at(parse(t, connecting), alice, v.hc).Exchange(context.Background(), brought)
	if e := must(t, asError(t, err), Unavailable); v.requests.Load() != 1 || strings.Contains(e.Error(), "CODE") {
		t.Errorf(`%d requests, %v, want v.requests.Load() = 1 and not "CODE" in e.Error()`, v.requests.Load(), e)
	}
}

func TestWhatIsSaidOfACode(t *testing.T) {
	for body, over := range map[string]bool{`{"error":"invalid_grant","error_description":"code CODE, verifier dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk"}`: true, `{"error":"invalid_request"}`: false} {
		v := serve(t, says(400, body))
		_, err := at(parse(t, connecting), alice, v.hc).Exchange(context.Background(), brought)
		e := must(t, asError(t, err), Rejected)
		if e.RefusesGrant() != over || strings.Contains(e.Error(), "CODE") || strings.Contains(e.Error(), "dBjft") {
			t.Errorf(`%s: %v, want e.RefusesGrant() = %v and not "CODE" in e.Error() and not "dBjft" in e.Error()`,
				body, e, over)
		}
	}
}

func TestVerify(t *testing.T) {
	for name, want := range map[string]string{
		// curl --request GET 'https://api.minut.com/v8/users/me' --header
		// 'Authorization: Bearer ACCESS_TOKEN'
		"minut": "GET https://api.minut.com/v8/users/me\nAccept: application/json\nAccept-Encoding: identity\nAuthorization: Bearer ACCESS_TOKEN\nUser-Agent: tokenvend\n\n",
		// "Get token info: Pass the access token in the Authorization header"
		"movemint": "GET https://www.movemint.cc/oauth/token/info\nAccept: application/json\nAccept-Encoding: identity\nAuthorization: Bearer ACCESS_TOKEN\nUser-Agent: tokenvend\n\n",
		// "You can use the /auth/me endpoint to receive information about the
		// scope etc for the given application."
		"monta": "GET https://public-api.monta.com/api/v1/auth/me\nAccept: application/json\nAccept-Encoding: identity\nAuthorization: Bearer ACCESS_TOKEN\nUser-Agent: tokenvend\n\n",
	} {
		for status, c := range map[int]struct{ works, known bool }{200: {true, true}, 204: {true, true},
			401: {false, true}, 403: {}, 404: {}, 429: {}, 500: {}, 503: {}} {
			v := serve(t, says(status, `{"error":"ACCESS_TOKEN"}`))
			works, err := at(
				mustCatalog(t, name),
				Client{},
				v.hc,
			).VerifyToken(context.Background(), redact.New("ACCESS_TOKEN"))
			if works != c.works || (err == nil) != c.known || v.lastRequest() != want {
				t.Errorf("%s, %d: %t, %v after\n%s, want works = %v and (err == nil) = %v and v.lastRequest() = %v",
					name, status, works, err, v.lastRequest(), c.works, c.known, want)
			}
			if err != nil && strings.Contains(err.Error(), "ACCESS_TOKEN") {
				t.Errorf("%d: %v", status, err)
			}
		}
	}
	for _, name := range []string{"trackmania", "miden"} {
		if _, err := at(mustCatalog(t, name), Client{}, http.DefaultClient).VerifyToken(context.Background(),
			redact.New("x")); !errors.As(
			err,
			new(*Error),
		) ||
			mustCatalog(t, name).Verifies() {
			t.Errorf("%s verifies: %v, want errors.As( err, new(*Error), ) and not mustCatalog(t, name).Verifies()",
				name, err)
		}
	}
}

func TestRevocation(t *testing.T) {
	// "token, client_id, client_secret: Required"; "200: Token revoked
	// successfully (always returns 200, even if the token was already revoked)"
	v := serve(t, says(200, ""))
	if err := at(mustCatalog(t, "movemint"), alice, v.hc).RevokeToken(context.Background(),
		redact.New("TOKEN")); err != nil {
		t.Fatal(err)
	}
	const want = "POST https://www.movemint.cc/oauth/revoke\nAccept: application/json\nAccept-Encoding: identity\nContent-Type: application/x-www-form-urlencoded\nUser-Agent: tokenvend\n\nclient_id=CLIENT_ID&client_secret=CLIENT_SECRET&token=TOKEN"
	if got := v.lastRequest(); got != want {
		t.Errorf("asked\n%s\nwant\n%s", got, want)
	}
	// RFC 7009 §2.2.1: "If the server responds with HTTP status code 503, the
	// client must assume the token still exists and may retry".
	for status, kind := range map[int]Kind{503: Unavailable, 429: Unavailable, 400: Rejected, 401: Rejected,
		403: Rejected} {
		v := serve(t, says(status, `{"error":"unsupported_token_type"}`))
		must(
			t,
			asError(
				t,
				at(mustCatalog(t, "movemint"), alice, v.hc).RevokeToken(context.Background(), redact.New("TOKEN")),
			),
			kind,
		)
	}
}
