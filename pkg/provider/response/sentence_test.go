package response

import (
	"testing"

	"github.com/tokenvend/tokenvend/pkg/descriptor"
)

// confidential and public are endpoints that refresh with client
// authentication and without.
const (
	confidential = `{"token":{"url":"https://login.test/"},"refresh":{}}`
	public       = `{"token":{"url":"https://login.test/"},"refresh":{"auth":"none"}}`
)

// A vendor may write invalid_grant and mean its own moment. The sentence
// beside it counts then.
func TestPassingCauseBesideInvalidGrantEndsNoGrant(t *testing.T) {
	for name, text := range map[string]string{
		"Salesforce, rate":       "login rate exceeded",
		"Salesforce, address":    "ip restricted",
		"Salesforce, hours":      "ip restricted or invalid login hours",
		"Cognito, trigger":       "PreTokenGeneration failed with error TooManyRequestsException.",
		"Entra ID, loop":         "AADSTS50196: The server terminated an operation because it encountered a client request loop. Please contact your app vendor.",
		"Entra ID, transient":    "AADSTS90033: A transient error has occurred. Please try again.",
		"Keycloak, locked":       "Account temporarily disabled",
		"concurrent refreshes":   "Multiple concurrent requests with the same token",
		"the service is down":    "Token service unavailable",
		"to be tried later":      "The grant could not be checked, try again later",
		"a limit":                "Rate limit exceeded",
		"another request has it": "refresh token is being used by another request",
	} {
		t.Run(name, func(t *testing.T) {
			e := meaningOf(t, confidential, again, 400, `{"error":"invalid_grant","error_description":"`+text+`"}`)
			if e.Meaning != descriptor.TryLater || e.Permanent || e.Client {
				t.Errorf("Exchange() = meaning %q, permanent %t, client %t (%v); want %q, neither for good nor of the client", e.Meaning, e.Permanent, e.Client, e, descriptor.TryLater)
			}
		})
	}
}

func TestInvalidGrantIsTheEndInEveryVendorsSentence(t *testing.T) {
	for name, text := range map[string]string{
		"Google":               "Token has been expired or revoked.",
		"Google, reauth":       "reauth related error (invalid_rapt)",
		"Entra ID, idle":       "AADSTS700082: The refresh token has expired due to inactivity. The token was issued on 2026-01-01 and was inactive for 90.00:00:00.",
		"Entra ID, password":   "AADSTS50173: The provided grant has expired due to it being revoked, a fresh auth token is needed.",
		"Okta":                 "The refresh token is invalid or expired.",
		"Keycloak, session":    "Session not active",
		"Keycloak, reuse":      "Maximum allowed refresh token reuse exceeded",
		"Keycloak, stale":      "Stale token",
		"Salesforce":           "expired access/refresh token",
		"Dropbox":              "refresh token is invalid or revoked",
		"Box":                  "Refresh token has expired",
		"Doorkeeper":           "The provided authorization grant is invalid, expired, revoked, does not match the redirection URI used in the authorization request, or was issued to another client.",
		"eBay":                 "the provided authorization refresh token is invalid or was issued to another client",
		"Intuit":               "Incorrect Token type or clientID",
		"Login with Amazon":    "The request has an invalid grant parameter : refresh_token",
		"an absolute lifetime": "The refresh token's absolute lifetime limit was exceeded",
	} {
		t.Run(name, func(t *testing.T) {
			e := meaningOf(t, confidential, again, 400, `{"error":"invalid_grant","error_description":"`+text+`"}`)
			if !e.RefusesGrant() || e.Permanent || e.Client {
				t.Errorf("Exchange() = meaning %q (%v), want the grant over", e.Meaning, e)
			}
		})
	}
}

// A sentence that names a refresh token and has a bad word in it need not say
// that the refresh token works no more.
func TestSentenceAboutAnotherCauseEndsNoGrant(t *testing.T) {
	for name, c := range map[string]struct {
		status int
		body   string
	}{
		"an unknown error": {400, `{"message":"An unknown error occurred while validating the refresh token"}`},
		"an unknown error, OAuth": {400,
			`{"error":"invalid_request","error_description":"Unknown error processing refresh_token"}`},
		"a request under way": {400,
			`{"error":"invalid_request","error_description":"The refresh token is currently being used by another request"}`},
		"Hydra, a race": {400,
			`{"error":"invalid_request","error_description":"Failed to refresh token because of multiple concurrent requests using the same token which is not allowed."}`},
		"Salesforce, under way": {400,
			`{"error":"invalid_request","error_description":"token request is already being processed"}`},
		"the grant type": {400,
			`{"error":"invalid_request","error_description":"Invalid grant_type: refresh_token"}`},
		"the grant for the client": {400, `{"message":"refresh_token grant is not valid for this client"}`},
		"the client":               {400, `{"message":"Invalid client credentials for refresh token request"}`},
		"a service behind":         {400, `{"message":"invalid response from the refresh token service"}`},
		"a quota":                  {400, `{"message":"Refresh token quota used up for this minute"}`},
		"a rate":                   {400, `{"message":"Refresh token requests are not valid now: too many requests"}`},
		"not used for a time":      {400, `{"message":"Refresh token has not yet been used"}`},
		"Zoho, a limit": {400,
			`{"error":"access_denied","error_description":"You have made too many requests continuously. Please try again after some time.","status":"failure"}`},
		"a word beside a client": {401,
			`{"error":"invalid_client","error_description":"invalid_grant or wrong secret"}`},
		"a word beside a scope": {400, `{"error":"invalid_scope","error_description":"invalid_grant scope"}`},
		"the client's grant types": {403,
			`{"error":"unauthorized_client","error_description":"refresh_token is not valid for this client"}`},
		"a timeout":               {408, `{"error":"invalid_grant"}`},
		"another server's answer": {421, `{"message":"Invalid refresh token"}`},
	} {
		t.Run(name, func(t *testing.T) {
			for _, endpoint := range []string{confidential, public} {
				if e := meaningOf(t, endpoint, again, c.status, c.body); e.RefusesGrant() {
					t.Errorf("Exchange() of %d %s by %s = the grant is over (%v), want another refusal", c.status,
						c.body, endpoint, e)
				}
			}
		})
	}
}

// A 401 is a status and not the provider's word about the grant: a gateway, a
// maintenance page and a wrong parameter bring it too.
func TestA401AloneEndsNoGrant(t *testing.T) {
	for _, body := range []string{
		``, `<html>Authorization Required</html>`, `{"message":"Unauthorized"}`, `{"error":"Unauthorized"}`,
		`{"error":"unsupported_grant_type"}`, `{"error":"invalid_scope"}`, `{"error":"invalid_target"}`,
		`{"error":"invalid_request","error_description":"Missing parameter: client_id"}`,
		`{"error":"invalid_request","error_description":"The service is under maintenance"}`,
		`{"error":"access_denied","error_description":"too many requests"}`,
		`{"errorCode":"invalid_client","errorSummary":"Invalid value for 'client_id' parameter."}`, // Okta
	} {
		t.Run(body, func(t *testing.T) {
			for _, endpoint := range []string{confidential, public} {
				if e := meaningOf(t, endpoint, again, 401, body); e.RefusesGrant() {
					t.Errorf("Exchange() of 401 %s by %s = the grant is over (%v), want another refusal", body,
						endpoint, e)
				}
			}
		})
	}
}

// Atlassian refuses a dead refresh token by unauthorized_client. Taken as the
// client's, one dead grant would hold back all accounts.
func TestDeadGrantBesideUnauthorizedClient(t *testing.T) {
	for _, status := range []int{400, 401, 403} {
		e := meaningOf(t, confidential, again, status,
			`{"error":"unauthorized_client","error_description":"refresh_token is invalid"}`)
		if !e.RefusesGrant() || e.Client || e.Permanent {
			t.Errorf("Exchange() of %d = meaning %q, client %t, permanent %t; want the grant over, and the client not refused", status, e.Meaning, e.Client, e.Permanent)
		}
	}
}
