package response

import (
	"testing"

	"github.com/tokenvend/tokenvend/pkg/descriptor"
)

// These are refusals as vendors write them, each with what it must be taken
// for. The plain descriptor knows none of their words.

// meaningOf exchanges a refresh token at a server that answers so.
func meaningOf(t *testing.T, descriptor string, ask tokenRequest, status int, body string) *Error {
	t.Helper()
	if descriptor == "" {
		descriptor = `{"token":{"url":"https://login.test/"},"refresh":{}}`
	}
	_, e := exchangeBy(t, descriptor, ask, says(status, body))
	if e == nil {
		t.Fatalf("Exchange() of %d %s = a token, want an error", status, body)
	}
	return e
}

func TestCaseC09_UnknownClientInTheVendorsWords(t *testing.T) {
	for name, c := range map[string]struct {
		status           int
		body, descriptor string
	}{
		"GitHub":  {status: 200, body: `{"error":"incorrect_client_credentials","error_description":"The client_id and/or client_secret passed are incorrect."}`},
		"Slack":   {status: 200, body: `{"ok":false,"error":"bad_client_secret"}`},
		"HubSpot": {status: 400, body: `{"status":"BAD_CLIENT_ID","message":"missing or unknown client id"}`},
		"Strava": {
			status: 400, body: `{"message":"Bad Request","errors":[{"resource":"Application","field":"client_id","code":"invalid"}]}`,
			descriptor: `{"token":{"url":"https://login.test/"},"refresh":{},"errors":{"unknown_client":["Application client_id invalid"]}}`,
		},
	} {
		t.Run(name, func(t *testing.T) {
			for _, ask := range []tokenRequest{creds, again} {
				if e := meaningOf(t, c.descriptor, ask, c.status, c.body); e.Meaning != descriptor.UnknownClient ||
					!e.Client ||
					!e.Permanent ||
					e.Kind != Rejected {
					t.Errorf(
						"Exchange(%s) = meaning %q, client %t, permanent %t; want an unknown client, for good",
						ask.Grant,
						e.Meaning,
						e.Client,
						e.Permanent,
					)
				}
			}
		})
	}
}

func TestCaseC21_TooEarlyInTheVendorsWords(t *testing.T) {
	for name, c := range map[string]struct {
		status           int
		body, descriptor string
	}{
		"Exact Online": {status: 400,
			body: `{"error":"access_denied","error_description":"Rate limit exceeded: access_token not expired"}`},
		"hh.ru": {status: 400, body: `{"error":"invalid_grant","error_description":"token not expired"}`},
		"an older Exact Online, as a client refused": {status: 401,
			body: `{"error":"unauthorized_client","error_description":"Rate limit exceeded: access_token not expired"}`},
		"by the descriptor": {
			status: 403, body: `{"code":"REFRESH_TOO_SOON"}`,
			descriptor: `{"token":{"url":"https://login.test/"},"refresh":{},"errors":{"too_early":["refresh_too_soon"]}}`,
		},
	} {
		t.Run(name, func(t *testing.T) {
			if e := meaningOf(t, c.descriptor, again, c.status, c.body); e.Meaning != descriptor.TooEarly ||
				e.Permanent ||
				e.Client ||
				e.RefusesGrant() {
				t.Errorf(
					"Exchange() = meaning %q, permanent %t, client %t; want too early, and neither",
					e.Meaning,
					e.Permanent,
					e.Client,
				)
			}
		})
	}
}

func TestCaseC22_DeadGrantInTheVendorsWords(t *testing.T) {
	for name, c := range map[string]struct {
		status           int
		body, descriptor string
	}{
		"HubSpot": {status: 400,
			body: `{"status":"BAD_REFRESH_TOKEN","message":"missing or invalid refresh token","correlationId":"1"}`},
		"GitHub": {status: 200,
			body: `{"error":"bad_refresh_token","error_description":"The refresh token passed is incorrect or expired."}`},
		"a list of texts": {status: 400, body: `{"errors":["invalid_grant - Refresh token invalid: 1"]}`},
		"Fitbit": {status: 400,
			body: `{"errors":[{"errorType":"invalid_grant","message":"Refresh token invalid: 1. Visit the documentation"}],"success":false}`},
		"Strava": {status: 400,
			body: `{"message":"Bad Request","errors":[{"resource":"RefreshToken","field":"refresh_token","code":"invalid"}]}`},
		"Slack": {status: 200, body: `{"ok":false,"error":"invalid_refresh_token"}`},
		"Auth0": {status: 403,
			body: `{"error":"invalid_grant","error_description":"Unknown or invalid refresh token."}`},
		"Zoho, by the descriptor": {status: 200, body: `{"error":"invalid_code"}`,
			descriptor: `{"token":{"url":"https://login.test/"},"refresh":{},"errors":{"grant_over":["invalid_code"]}}`},
		"a 500, by the descriptor": {status: 500, body: `{"message":"session is gone"}`,
			descriptor: `{"token":{"url":"https://login.test/"},"refresh":{},"errors":{"grant_over":["session is gone"]}}`},
	} {
		t.Run(name, func(t *testing.T) {
			if e := meaningOf(t, c.descriptor, again, c.status, c.body); !e.RefusesGrant() || e.Permanent || e.Client {
				t.Errorf(
					"Exchange() = meaning %q, permanent %t, client %t (%v); want the grant over",
					e.Meaning,
					e.Permanent,
					e.Client,
					e,
				)
			}
		})
	}
}

func TestCaseC27_DeadRefreshTokenAsInvalidRequest(t *testing.T) {
	for name, c := range map[string]struct {
		status int
		body   string
		over   bool
	}{
		"Dex":                 {400, `{"error":"invalid_request","error_description":"Refresh token is invalid or has already been claimed by another client."}`, true},
		"Apigee":              {400, `{"ErrorCode":"invalid_request","Error":"Refresh Token expired"}`, true},
		"League":              {401, `{"error":"invalid_request","error_description":"The refresh token is invalid.","hint":"Token has been revoked"}`, true},
		"a missing parameter": {400, `{"error":"invalid_request","error_description":"Missing required parameter: refresh_token is not valid"}`, false},
		"a passing fault":     {400, `{"error":"invalid_request","error_description":"Refresh token not found in the cache, try again later"}`, false},
		"about the scope": {400, `{"error":"invalid_scope","error_description":"invalid for this refresh token"}`,
			false},
		"about the client": {401, `{"error":"invalid_client","error_description":"unknown client for this refresh token"}`, false},
		"a gateway's 403":  {403, `{"message":"invalid refresh token header"}`, false},
	} {
		t.Run(name, func(t *testing.T) {
			if e := meaningOf(t, "", again, c.status, c.body); e.RefusesGrant() != c.over {
				t.Errorf("Exchange().RefusesGrant() = %t (%v), want %t", e.RefusesGrant(), e, c.over)
			}
		})
	}
}

func TestCaseC23_PassingRefusalInTheVendorsWords(t *testing.T) {
	for name, c := range map[string]struct {
		status           int
		body, descriptor string
		meaning          descriptor.Meaning
	}{
		"known":   {status: 400, body: `{"error":"internal_failure"}`, meaning: descriptor.TryLater},
		"Slack":   {status: 200, body: `{"ok":false,"error":"ratelimited"}`, meaning: descriptor.TryLater},
		"unknown": {status: 400, body: `{"error":"upstream_sleeps"}`, meaning: ""},
		"by the descriptor": {status: 400, body: `{"error":"upstream_sleeps"}`,
			descriptor: `{"token":{"url":"https://login.test/"},"refresh":{},"errors":{"try_later":["upstream_sleeps"]}}`, meaning: descriptor.TryLater},
	} {
		t.Run(name, func(t *testing.T) {
			if e := meaningOf(t, c.descriptor, again, c.status, c.body); e.Meaning != c.meaning || e.Permanent ||
				e.RefusesGrant() {
				t.Errorf(
					"Exchange() = meaning %q, permanent %t; want %q, not for good",
					e.Meaning,
					e.Permanent,
					c.meaning,
				)
			}
		})
	}
}

// A known word in an answer of 5xx is still a server in trouble, and a 429 is
// a rate limit whatever it says.
func TestWordsInA5xxEndNoGrant(t *testing.T) {
	for _, status := range []int{500, 502, 503, 429} {
		if e := meaningOf(t, "", again, status,
			`{"error":"invalid_grant","error_description":"Refresh token is invalid."}`); e.RefusesGrant() ||
			e.Kind != Unavailable {
			t.Errorf("Exchange() of %d = %v, want unavailable", status, e)
		}
	}
}

// A wrong password or assertion is not sent again until the secret changes: an
// account may be locked after a few attempts.
func TestRefusedLoginIsPermanent(t *testing.T) {
	for name, c := range map[string]struct {
		grant     descriptor.Grant
		status    int
		body      string
		permanent bool
	}{
		"RFC 6749 §5.2, a wrong password": {descriptor.Password, 400, `{"error":"invalid_grant"}`, true},
		"RFC 7523 §3.1, an assertion":     {descriptor.JWTBearer, 400, `{"error":"invalid_grant"}`, true},
		"a login, in words":               {descriptor.Login, 401, `{"message":"Bad credentials"}`, true},
		"a login, by a code":              {descriptor.Login, 401, `{"error":"bad_credentials"}`, true},
		"a request that is wrong":         {descriptor.Login, 401, `{"error":"invalid_request"}`, false},
		"client credentials":              {descriptor.ClientCredentials, 400, `{"error":"invalid_grant"}`, false},
		"a failing server":                {descriptor.Password, 503, `{"error":"invalid_grant"}`, false},
		"for now":                         {descriptor.Password, 400, `{"error":"temporarily_unavailable"}`, false},
	} {
		t.Run(name, func(t *testing.T) {
			_, e := exchangeBy(t, confidential, tokenRequest{Grant: c.grant}, says(c.status, c.body))
			if e == nil || e.Permanent != c.permanent || e.Client != c.permanent {
				t.Errorf("Token(%d %s) = %+v, want permanent: %t", c.status, c.body, e, c.permanent)
			}
		})
	}
}
