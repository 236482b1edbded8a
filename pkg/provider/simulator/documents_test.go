package simulator

import (
	"math"
	"regexp"
	"strings"
	"testing"
	"time"
)

// Each test quotes the document that it holds the simulator to.

func TestMinutDocument(t *testing.T) {
	s := New(Options{})
	c := overTLS(t, s)
	// curl --request POST 'https://api.minut.com/v8/oauth/token'
	//   --header 'Content-Type: application/x-www-form-urlencoded'
	//   --header 'Authorization: Basic Base64(CLIENT_ID:CLIENT_SECRET)'
	//   --data-urlencode 'grant_type=client_credentials'
	//   --data-urlencode 'response_type=token'
	//
	// {"access_token": "eyJ0eXAiOiJKV1QiLCJhbGciOiJIUzI1NiJ9.…", "token_type":
	// "Bearer", "expires_in": 3600}
	h := do(c, exchange("minut"))
	if h.status != 200 || h.fields["token_type"] != "Bearer" || h.fields["expires_in"] != 3600.0 || len(h.fields) != 3 {
		t.Fatalf(`%d %v, want status 200 and token_type = "Bearer" and expires_in = 3600.0 and len(h.fields) = 3`,
			h.status, h.fields)
	}
	said := claims(t, h.text("access_token"))
	for _, name := range []string{"userId", "roles", "orgId", "scope", "clientId", "iat", "exp", "iss"} {
		if _, ok := said[name]; !ok {
			t.Errorf("no claim %s, want one", name)
		}
	}
	if said["exp"].(float64)-said["iat"].(float64) != 3600 {
		t.Errorf(`claims %v, want said["exp"].(float64)-said["iat"].(float64) = 3600`, said)
	}
	// curl --request GET 'https://api.minut.com/v8/users/me' --header
	// 'Authorization: Bearer ACCESS_TOKEN' {"user_id":
	// "cc0904093ce855d4e2a9d224", "fullname": "Mr Minut", "email":
	// "mrminut@minut.com", ...}
	me := do(c, verifying("minut", h.text("access_token")))
	if me.status != 200 || me.fields["user_id"] != "cc0904093ce855d4e2a9d224" || me.fields["fullname"] != "Mr Minut" ||
		me.fields["email"] != "mrminut@minut.com" {
		t.Errorf(`%d %v, want status 200 and user_id = "cc0904093ce855d4e2a9d224" and fullname = "Mr Minut" and email = "mrminut@minut.com"`, me.status, me.fields)
	}
	// "when you start receiving 401 Unauthorized responses, you need to request
	// a new token"
	s.RevokeTokens("minut", false)
	if me := do(c, verifying("minut", h.text("access_token"))); me.status != 401 {
		t.Errorf("a dead token: %d, want status 401", me.status)
	}
}

func TestMovemintDocument(t *testing.T) {
	s := New(Options{})
	c := overTLS(t, s)
	// access_token, token_type ("Always "Bearer""), expires_in ("default 7200 =
	// 2 hours"), created_at ("Unix timestamp of when the token was created");
	// refresh_token: "Not present for client_credentials grants."
	h := do(c, exchange("movemint"))
	if h.status != 200 || h.fields["token_type"] != "Bearer" || h.fields["expires_in"] != 7200.0 || len(h.fields) != 4 {
		t.Fatalf(`%d %v, want status 200 and token_type = "Bearer" and expires_in = 7200.0 and len(h.fields) = 4`,
			h.status, h.fields)
	}
	if age := time.Since(time.Unix(int64(h.fields["created_at"].(float64)), 0)); age < 0 || age > 5*time.Second {
		t.Errorf("created %v ago, want age >= 0 and age <= 5*time.Second", age)
	}
	// "Retrieve metadata about the current access token, including its scopes,
	// expiration, and associated resource owner and application."
	info := do(c, verifying("movemint", tokenIn(h)))
	for _, name := range []string{"resource_owner_id", "scope", "expires_in", "application", "created_at"} {
		if _, ok := info.fields[name]; !ok {
			t.Errorf("token/info has no %s: %v, want one", name, info.fields)
		}
	}
	// "Invalid client credentials": 401, as Doorkeeper writes it.
	wrong := exchange("movemint")
	wrong.body = strings.Replace(wrong.body, "demo-secret", "old-secret", 1)
	no := do(c, wrong)
	if no.status != 401 || no.fields["error"] != "invalid_client" || no.text("error_description") == "" ||
		!strings.Contains(no.header.Get("WWW-Authenticate"), "Doorkeeper") {
		t.Errorf(`%d %v %v, want status 401 and error = "invalid_client" and error_description other than "" and strings.Contains(no.header.Get("WWW-Authenticate"), "Doorkeeper")`, no.status, no.fields, no.header)
	}
	// "Revoke an access token or refresh token." "always returns 200, even if
	// the token was already revoked" "No content"
	revoke := request{
		"POST",
		"https://www.movemint.cc/oauth/revoke",
		"",
		formType,
		form("token", tokenIn(h), "client_id", "demo-movemint", "client_secret", "demo-secret-movemint"),
	}
	for range 2 {
		if h := do(c, revoke); h.status != 200 || h.body != "" {
			t.Errorf(`revoke: %d %q, want status 200 and h.body = ""`, h.status, h.body)
		}
	}
	if h := do(c, verifying("movemint", tokenIn(h))); h.status != 401 ||
		h.text("error_description") != "The access token was revoked" {
		t.Errorf(`a revoked token: %d %v, want status 401 and error_description = "The access token was revoked"`,
			h.status, h.fields)
	}
	// client_id, client_secret: "Required"
	revoke.body = form("token", tokenIn(h))
	if h := do(c, revoke); h.status != 400 {
		t.Errorf("revoke without a client: %d, want status 400", h.status)
	}
	revoke.body = form("token", tokenIn(h), "client_id", "demo-movemint", "client_secret", "wrong")
	if h := do(c, revoke); h.status != 403 {
		t.Errorf("revoke by another client: %d, want status 403", h.status)
	}
}

func TestMovemintDocumentOfUserGrants(t *testing.T) {
	s := New(Options{})
	c := overTLS(t, s)
	// "Redirect the user's browser to the authorization endpoint:" GET
	// https://www.movemint.cc/oauth/authorize ?client_id=YOUR_CLIENT_ID
	// &redirect_uri=YOUR_REDIRECT_URI &response_type=code &scope=
	query := "client_id=demo-movemint&redirect_uri=" + escaped(callback) + "&response_type=code&scope="
	if h := do(c, request{method: "GET", url: "https://www.movemint.cc/oauth/authorize?" + query}); h.status != 200 ||
		!strings.Contains(h.body, `id="allow"`) {
		t.Fatalf("do() = %d %s, want status 200 and strings.Contains(h.body, `id=\"allow\"`)", h.status, h.body)
	}
	// "After the user approves access, they are redirected back to your
	// redirect_uri with an authorization code query parameter"
	to, q := sentTo(t, do(c, pressing(s, "movemint", query, "allow", "alice")))
	if to != callback || len(q) != 1 || q.Get("code") == "" {
		t.Fatalf(`to %s with %v, want to = %v and len(q) = 1 and q.Get("code") other than ""`, to, q, callback)
	}
	// "Exchange an authorization code or refresh token for an access token."
	// 200: access_token, token_type, expires_in, refresh_token, created_at
	h := do(c, exchanging("movemint", q.Get("code"), ""))
	// token_type "Always "Bearer"", expires_in "default 7200 = 2 hours",
	// refresh_token "Token used to obtain a new access token when the current
	// one expires."
	if h.status != 200 || h.fields["token_type"] != "Bearer" || h.fields["expires_in"] != 7200.0 || tokenIn(h) == "" ||
		h.text("refresh_token") == "" ||
		len(h.fields) != 5 {
		t.Fatalf(`%d %v, want status 200 and token_type = "Bearer" and expires_in = 7200.0 and tokenIn(h) other than "" and refresh_token other than "" and len(h.fields) = 5`, h.status, h.fields)
	}
	if age := time.Since(time.Unix(int64(h.fields["created_at"].(float64)), 0)); age < 0 || age > 5*time.Second {
		t.Errorf("created %v ago, want age >= 0 and age <= 5*time.Second", age)
	}
	// "Retrieve metadata about the current access token, including its scopes,
	// expiration, and associated resource owner and application."
	info := do(c, verifying("movemint", tokenIn(h)))
	if app, _ := info.fields["application"].(map[string]any); info.status != 200 ||
		info.fields["resource_owner_id"] != "alice" ||
		app["uid"] != "demo-movemint" ||
		info.fields["expires_in"].(float64) > 7200 {
		t.Errorf(`%d %v, want status 200 and resource_owner_id = "alice" and app["uid"] = "demo-movemint" and expires_in.(float64) <= 7200`, info.status, info.fields)
	}
	// "Step 4: Refresh an Expired Token"
	r := do(c, refreshing("movemint", h.text("refresh_token")))
	if r.status != 200 || len(r.fields) != 5 || tokenIn(r) == tokenIn(h) ||
		r.text("refresh_token") == h.text("refresh_token") ||
		r.text("refresh_token") == "" {
		t.Errorf(`%d %v, want status 200 and len(r.fields) = 5 and tokenIn(r) other than %v and refresh_token other than %v and refresh_token other than ""`, r.status, r.fields, tokenIn(h), h.text("refresh_token"))
	}
	// 400 "Invalid grant or request"
	for name, a := range map[string]request{"grant": refreshing("movemint", "unknown"),
		"request": refreshing("movemint", "")} {
		if h := do(c, a); h.status != 400 || h.fields["error"] != "invalid_"+name {
			t.Errorf("%d %v", h.status, h.fields)
		}
	}
	// "Revoke an access token or refresh token. After revocation, the token can
	// no longer be used"
	revoke := request{
		"POST",
		"https://www.movemint.cc/oauth/revoke",
		"",
		formType,
		form("token", r.text("refresh_token"), "client_id", "demo-movemint", "client_secret", "demo-secret-movemint"),
	}
	for range 2 {
		if h := do(c, revoke); h.status != 200 || h.body != "" {
			t.Errorf(`revoke: %d %q, want status 200 and h.body = ""`, h.status, h.body)
		}
	}
	if h := do(c, refreshing("movemint", r.text("refresh_token"))); h.status != 400 ||
		h.fields["error"] != "invalid_grant" {
		t.Errorf(`a revoked refresh token: %d %v, want status 400 and error = "invalid_grant"`, h.status, h.fields)
	}
	if h := do(c, verifying("movemint", tokenIn(r))); h.status != 401 {
		t.Errorf("what came with it: %d %v, want status 401", h.status, h.fields)
	}
}

func TestMovemintNamesTheScopeThatWasGranted(t *testing.T) {
	s := New(Options{})
	// The document lists no scope in the answer; Doorkeeper's TokenResponse has
	// it where there is one.
	h := roundTrip(s, exchanging("movemint", grantedCode(t, s, "movemint", "read write"), verifier))
	machine := exchange("movemint")
	machine.body += "&scope=read"
	for want, h := range map[string]result{"read write": h, "read": roundTrip(s, machine)} {
		if h.status != 200 || h.text("scope") != want {
			t.Errorf("%d %v, want status 200 and scope = %v", h.status, h.fields, want)
		}
	}
	if r := roundTrip(s, refreshing("movemint", h.text("refresh_token"))); r.text("scope") != "read write" {
		t.Errorf(`roundTrip() = %d %v, want scope = "read write"`, r.status, r.fields)
	}
	if info := roundTrip(s, verifying("movemint", tokenIn(h))); len(info.fields["scope"].([]any)) != 2 {
		t.Errorf(`roundTrip(s, verifying("movemint", tokenIn(h))) = %v, want len(scope.([]any)) = 2`, info.fields)
	}
}

func TestTrackmaniaDocument(t *testing.T) {
	s := New(Options{})
	c := overTLS(t, s)
	// "grant_type: client_credentials, client_id, client_secret, scope: Space
	// separated value of scopes."
	a := exchange("trackmania")
	a.body += "&scope=clubs+read_favorite"
	h := do(c, a)
	// "The answer will contain: token_type […] expires_in […] access_token"
	if h.status != 200 || !strings.EqualFold(h.text("token_type"), "bearer") || h.fields["expires_in"] != 3600.0 ||
		len(h.fields) != 3 {
		t.Fatalf(`%d %v, want status 200 and strings.EqualFold(token_type, "bearer") and expires_in = 3600.0 and len(h.fields) = 3`, h.status, h.fields)
	}
	// "If you're using the client credentials flow, these scopes will have no
	// effect"
	said := claims(t, tokenIn(h))
	if scopes, ok := said["scopes"].([]any); !ok || len(scopes) != 0 {
		t.Errorf("scopes %v, want ok and len(scopes) = 0", said["scopes"])
	}
	for _, name := range []string{"iat", "nbf", "exp"} {
		if at := said[name].(float64); at == math.Trunc(at) {
			t.Errorf("%s is not fractional: %v, want at other than %v", name, at, math.Trunc(at))
		}
	}
}

func TestTrackmaniaDocumentOfUserGrants(t *testing.T) {
	s := New(Options{})
	c := overTLS(t, s)
	// "Redirect the user to […] with the following query parameters:"
	// response_type: code, client_id, scope: "Space separated value of scopes",
	// redirect_uri, state: "A non predictable random string."
	query := form(
		"response_type",
		"code",
		"client_id",
		"demo-trackmania",
		"scope",
		"clubs read_favorite",
		"redirect_uri",
		callback,
		"state",
		"af0ifjsldkj",
	)
	if h := do(c, request{method: "GET", url: "https://api.trackmania.com/oauth/authorize?" +
		query}); h.status != 200 ||
		!strings.Contains(h.body, "<li>read_favorite</li>") {
		t.Fatalf(`do() = %d %s, want status 200 and "<li>read_favorite</li>" in h.body`, h.status, h.body)
	}
	// "After the user authorized your application, they are redirected to the
	// redirect_uri with these query parameters:" code, state: "the same value
	// as the one you generated at step 1"
	to, q := sentTo(t, do(c, pressing(s, "trackmania", query, "allow", "nadeo")))
	if to != callback || len(q) != 2 || q.Get("code") == "" || q.Get("state") != "af0ifjsldkj" {
		t.Fatalf(`to %s with %v, want to = %v and len(q) = 2 and q.Get("code") other than "" and q.Get("state") = "af0ifjsldkj"`, to, q, callback)
	}
	// "issue a POST request to […] with these parameters:" grant_type:
	// authorization_code, client_id, client_secret, code: "The code from stage
	// 2", redirect_uri: "The redirect URI that was used in stage 1"
	h := do(c, request{"POST", "https://api.trackmania.com/api/access_token", "", formType, form(
		"grant_type",
		"authorization_code",
		"client_id",
		"demo-trackmania",
		"client_secret",
		"demo-secret-trackmania",
		"code",
		q.Get("code"),
		"redirect_uri",
		callback,
	)})
	// "The answer of stage 3 will contain:" token_type, expires_in: "The number
	// of seconds this token will remain valid", access_token, refresh_token:
	// "The long-lived token"
	if h.status != 200 || !strings.EqualFold(h.text("token_type"), "bearer") || h.fields["expires_in"] != 3600.0 ||
		tokenIn(h) == "" ||
		h.text("refresh_token") == "" ||
		len(h.fields) != 4 {
		t.Fatalf(`%d %v, want status 200 and strings.EqualFold(token_type, "bearer") and expires_in = 3600.0 and tokenIn(h) other than "" and refresh_token other than "" and len(h.fields) = 4`, h.status, h.fields)
	}
	// Scopes of users have an effect, and the token is "associated with a
	// user".
	if said := claims(t, tokenIn(h)); said["sub"] != "nadeo" || len(said["scopes"].([]any)) != 2 {
		t.Errorf(`claims(t, tokenIn(h)) = %v, want said["sub"] = "nadeo" and len(said["scopes"].([]any)) = 2`, said)
	}
	// "send a POST request to […] with these parameters:" grant_type:
	// refresh_token, client_id, client_secret, refresh_token: "The refresh
	// token from a previous request"
	first := h.text("refresh_token")
	r := do(c, request{"POST", "https://api.trackmania.com/api/access_token", "", formType, form(
		"grant_type",
		"refresh_token",
		"client_id",
		"demo-trackmania",
		"client_secret",
		"demo-secret-trackmania",
		"refresh_token",
		first,
	)})
	// "The endpoint will respond just like to the original /access_token
	// request, and you'll get a new access token alongside a new refresh token
	// for future requests."
	if r.status != 200 || len(r.fields) != 4 || tokenIn(r) == tokenIn(h) || r.text("refresh_token") == "" ||
		r.text("refresh_token") == first ||
		claims(t, tokenIn(r))["sub"] != "nadeo" {
		t.Errorf(`%d %v, want status 200 and len(r.fields) = 4 and tokenIn(r) other than %v and refresh_token other than "" and refresh_token other than %v and claims(t, tokenIn(r))["sub"] = "nadeo"`, r.status, r.fields, tokenIn(h), first)
	}
	if again := do(c, refreshing("trackmania", first)); again.status != 401 ||
		again.fields["hint"] != "Token has been revoked" {
		t.Errorf(`do(c, refreshing("trackmania", first)) = %d %v, want status 401 and hint = "Token has been revoked"`, again.status, again.fields)
	}
	// "implicit grant won't be available"
	if _, q := sentTo(t, do(c, viewing(s, "trackmania", strings.Replace(query, "=code", "=token", 1)))); q.Get(
		"error",
	) != "unsupported_response_type" {
		t.Errorf(`sentTo() = %v, want q.Get( "error", ) = "unsupported_response_type"`, q)
	}
}

func TestMidenDocument(t *testing.T) {
	s := New(Options{})
	c := overTLS(t, s)
	// Authorization: Basic base64(client_id:client_secret),
	// grant_type=client_credentials; Scope, token_type, expires_in,
	// access_token
	h := do(c, exchange("miden"))
	if h.status != 200 || h.fields["token_type"] != "Bearer" || h.fields["expires_in"] != 3600.0 ||
		h.text("scope") == "" ||
		tokenIn(h) == "" {
		t.Fatalf(`%d %v, want status 200 and token_type = "Bearer" and expires_in = 3600.0 and scope other than "" and tokenIn(h) other than ""`, h.status, h.fields)
	}
	// "400 Bad request", "401 Unauthorized: Invalid Client ID or Client
	// Secret", "405 Method Not Allowed"
	bad, wrong, get := exchange("miden"), exchange("miden"), exchange("miden")
	bad.body, wrong.auth, get.method = "", basic("demo-miden", "no"), "GET"
	for status, a := range map[int]request{400: bad, 401: wrong, 405: get} {
		if h := do(c, a); h.status != status {
			t.Errorf("%d, not %d, want status %v", h.status, status, status)
		}
	}
	// "403 Forbidden: Your credentials are valid but your account does not have
	// permission"
	s.SetClient("miden", Client{ID: "demo-miden", Secret: "demo-secret-miden", Forbidden: true})
	if h := do(c, exchange("miden")); h.status != 403 || h.fields["error"] != "access_denied" {
		t.Errorf(`do(c, exchange("miden")) = %d %v, want status 403 and error = "access_denied"`, h.status, h.fields)
	}
}

func TestMontaDocument(t *testing.T) {
	s := New(Options{})
	c := overTLS(t, s)
	// {"applicationId": 1, "userId": 1,
	// "accessToken": "dba896fe-8f14-46bd-89ac-4270091e9db1",
	// "accessTokenExpirationDate": "2023-05-10T17:35:31.703819Z",
	// "refreshToken": "8f449e8c-864e-4bbc-a328-aa3ad876351b",
	// "refreshTokenExpirationDate": "2023-06-09T16:35:31.703832Z"}
	h := do(c, exchange("monta"))
	uuid := regexp.MustCompile(`^[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$`)
	if h.status != 200 || h.fields["applicationId"] != 1.0 || h.fields["userId"] != 1.0 || len(h.fields) != 6 ||
		!uuid.MatchString(tokenIn(h)) ||
		!uuid.MatchString(h.text("refreshToken")) {
		t.Fatalf("%d %v, want status 200 and applicationId = 1.0 and userId = 1.0 and len(h.fields) = 6 and uuid.MatchString(tokenIn(h)) and uuid.MatchString(refreshToken)", h.status, h.fields)
	}
	// "the accessToken will expire within 1 hour"; the example's refresh token
	// lives 30 days
	for name, life := range map[string]time.Duration{"accessTokenExpirationDate": time.Hour,
		"refreshTokenExpirationDate": 30 * 24 * time.Hour} {
		at, err := time.Parse(time.RFC3339Nano, h.text(name))
		if off := time.Until(at) - life; err != nil || off > 0 || off < -5*time.Second {
			t.Errorf("%s %q: %v %v, want no error and off <= 0 and off >= -5*time.Second", name, h.text(name), off, err)
		}
	}
	digits := map[int]bool{}
	for range 2 {
		_, fraction, _ := strings.Cut(do(c, exchange("monta")).text("accessTokenExpirationDate"), ".")
		digits[len(fraction)-1] = true
	}
	if !digits[6] || !digits[9] {
		t.Errorf("digits of a second: %v, want digits[6] and digits[9]", digits)
	}
	// "you'll receive a new set of access and refresh tokens"
	r := do(c, refreshing("monta", h.text("refreshToken")))
	if r.status != 200 || len(r.fields) != 6 || tokenIn(r) == tokenIn(h) ||
		r.text("refreshToken") == h.text("refreshToken") ||
		r.text("refreshTokenExpirationDate") <= h.text("refreshTokenExpirationDate") {
		t.Errorf("%d %v, want status 200 and len(r.fields) = 6 and tokenIn(r) other than %v and refreshToken other than %v and refreshTokenExpirationDate > refreshTokenExpirationDate", r.status, r.fields, tokenIn(h), h.text("refreshToken"))
	}
	if again := do(c, refreshing("monta", h.text("refreshToken"))); again.status != 401 {
		t.Errorf("a used refresh token: %d, want status 401", again.status)
	}
	// "you have to use the accessToken for authentication. Pass it to the
	// Authorization header as Bearer token" {"id": 1, "userId": 1, "name":
	// "Public Api Demo", "clientId": "2cae3a14-…", "clientSecret": null,
	// "scopes": ["all"], "createdAt": …, "updatedAt": …}
	me := do(c, verifying("monta", tokenIn(r)))
	if me.status != 200 || me.fields["clientId"] != "demo-monta" || me.fields["clientSecret"] != nil ||
		len(me.fields) != 8 {
		t.Errorf(`%d %v, want status 200 and clientId = "demo-monta" and clientSecret = nil and len(me.fields) = 8`,
			me.status, me.fields)
	}
}
