package simulator

import (
	"net/http"
	"strings"
	"testing"
)

func TestUnlikeTheDocument(t *testing.T) {
	s := New(Options{})
	with := func(name string, change func(*request)) request {
		a := exchange(name)
		change(&a)
		return a
	}
	tests := []struct {
		name    string
		request request
		status  int
	}{
		{
			"minut: no response_type",
			with("minut", func(a *request) { a.body = form("grant_type", "client_credentials") }),
			400,
		},
		{"minut: post", with("minut", func(a *request) { a.auth, a.body = "", exchange("movemint").body }), 400},
		{"minut: no auth", with("minut", func(a *request) { a.auth = "" }), 401},
		{"minut: both", with("minut", func(a *request) { a.body += "&client_id=demo-minut" }), 400},
		{"minut: json", with("minut", func(a *request) { a.kind = "application/json" }), 400},
		{"minut: query", with("minut", func(a *request) { a.url += "?grant_type=client_credentials" }), 400},
		{"minut: twice", with("minut", func(a *request) { a.body += "&grant_type=client_credentials" }), 400},
		{
			"minut: other grant",
			with("minut", func(a *request) { a.body = form("grant_type", "password", "response_type", "token") }),
			400,
		},
		{"minut: put", with("minut", func(a *request) { a.method = "PUT" }), 405},
		{"minut: elsewhere", with("minut", func(a *request) { a.url += "/" }), 404},
		{"movemint: basic", with("movemint", func(a *request) {
			a.auth, a.body = basic("demo-movemint", "demo-secret-movemint"), form("grant_type", "client_credentials")
		}), 401},
		{
			"movemint: both",
			with("movemint", func(a *request) { a.auth = basic("demo-movemint", "demo-secret-movemint") }),
			401,
		},
		{
			"movemint: no grant_type",
			with("movemint", func(a *request) { a.body = form("client_id", "demo-movemint") }),
			400,
		},
		{"movemint: audience", with("movemint", func(a *request) { a.body += "&audience=x" }), 400},
		{"trackmania: basic", with("trackmania", func(a *request) {
			a.auth, a.body = basic(
				"demo-trackmania",
				"demo-secret-trackmania",
			), form(
				"grant_type",
				"client_credentials",
			)
		}), 401},
		{
			"trackmania: json",
			with(
				"trackmania",
				func(a *request) { a.kind, a.body = "application/json", `{"grant_type":"client_credentials"}` },
			),
			400,
		},
		{"trackmania: get", with("trackmania", func(a *request) { a.method = "GET" }), 405},
		{
			"movemint: json",
			with(
				"movemint",
				func(a *request) { a.kind, a.body = "application/json", `{"grant_type":"client_credentials"}` },
			),
			400,
		},
		{
			"movemint: password",
			with(
				"movemint",
				func(a *request) { a.body = strings.Replace(a.body, "client_credentials", "password", 1) },
			),
			400,
		},
		{"movemint: get", with("movemint", func(a *request) { a.method = "GET" }), 405},
		{
			"movemint: refresh with a code",
			with("movemint", func(a *request) { a.body = refreshing("movemint", "x").body + "&code=x" }),
			400,
		},
		{"movemint: refresh by Basic", with("movemint", func(a *request) {
			a.auth, a.body = basic(
				"demo-movemint",
				"demo-secret-movemint",
			), form(
				"grant_type",
				"refresh_token",
				"refresh_token",
				"x",
			)
		}), 401},
		{
			"movemint: code and refresh token",
			with(
				"movemint",
				func(a *request) { a.body = exchanging("movemint", "x", verifier).body + "&refresh_token=x" },
			),
			400,
		},
		{
			"movemint: code in the URL",
			with("movemint", func(a *request) { a.url += "?code=x"; a.body = exchanging("movemint", "x", "").body }),
			400,
		},
		{
			"movemint: token/info by POST",
			request{"POST", "https://www.movemint.cc/oauth/token/info", "Bearer x", "", ""},
			405,
		},
		{
			"movemint: token/info without a token",
			request{"GET", "https://www.movemint.cc/oauth/token/info", "", "", ""},
			401,
		},
		{
			"movemint: revoke by Basic",
			request{
				"POST",
				"https://www.movemint.cc/oauth/revoke",
				basic("demo-movemint", "demo-secret-movemint"),
				formType,
				form("token", "x"),
			},
			400,
		},
		{
			"movemint: revoke by JSON",
			request{"POST", "https://www.movemint.cc/oauth/revoke", "", "application/json", `{"token":"x"}`},
			400,
		},
		{
			"trackmania: refresh without a client",
			with("trackmania", func(a *request) { a.body = form("grant_type", "refresh_token", "refresh_token", "x") }),
			401,
		},
		{
			"trackmania: refresh with a redirect_uri",
			with("trackmania", func(a *request) { a.body = refreshing("trackmania", "x").body + "&redirect_uri=x" }),
			400,
		},
		{"trackmania: code by Basic", with("trackmania", func(a *request) {
			a.auth, a.body = basic(
				"demo-trackmania",
				"demo-secret-trackmania",
			), form(
				"grant_type",
				"authorization_code",
				"code",
				"x",
				"redirect_uri",
				callback,
			)
		}), 401},
		{
			"trackmania: authorization_code without a code",
			with(
				"trackmania",
				func(a *request) { a.body = strings.Replace(a.body, "client_credentials", "authorization_code", 1) },
			),
			400,
		},
		{
			"trackmania: no revocation",
			request{"POST", "https://api.trackmania.com/oauth/revoke", "", formType, form("token", "x")},
			404,
		},
		{
			"miden: no refresh",
			with("miden", func(a *request) { a.body = form("grant_type", "refresh_token", "refresh_token", "x") }),
			400,
		},
		{
			"minut: no code",
			with(
				"minut",
				func(a *request) {
					a.body = form("grant_type", "authorization_code", "code", "x", "redirect_uri",
						callback)
				},
			),
			400,
		},
		{"miden: post", with("miden", func(a *request) {
			a.auth, a.body = "", form(
				"grant_type",
				"client_credentials",
				"client_id",
				"demo-miden",
				"client_secret",
				"demo-secret-miden",
			)
		}), 400},
		{"monta: form", with("monta", func(a *request) {
			a.kind, a.body = formType, form("clientId", "demo-monta", "clientSecret", "demo-secret-monta")
		}), 400},
		{
			"monta: grant_type",
			with(
				"monta",
				func(a *request) { a.body = strings.Replace(a.body, "{", `{"grant_type":"client_credentials",`, 1) },
			),
			400,
		},
		{
			"monta: other case",
			with("monta", func(a *request) { a.body = strings.Replace(a.body, "clientId", "clientID", 1) }),
			400,
		},
		{"monta: basic", with("monta", func(a *request) { a.auth = basic("demo-monta", "demo-secret-monta") }), 400},
		{"monta: wrong", with("monta", func(a *request) { a.body = strings.Replace(a.body, "secret-", "s-", 1) }), 401},
		{"monta: unknown refresh token", refreshing("monta", "8f449e8c-864e-4bbc-a328-aa3ad876351b"), 401},
		{
			"monta: client id in refresh",
			request{
				"POST",
				"https://public-api.monta.com/api/v1/auth/refresh",
				"",
				"application/json",
				`{"refreshToken":"x","clientId":"demo-monta"}`,
			},
			400,
		},
		{
			"monta: refresh with Basic",
			request{
				"POST",
				"https://public-api.monta.com/api/v1/auth/refresh",
				basic("demo-monta", "demo-secret-monta"),
				"application/json",
				`{"refreshToken":"x"}`,
			},
			400,
		},
		{
			"monta: refresh by form",
			request{
				"POST",
				"https://public-api.monta.com/api/v1/auth/refresh",
				"",
				formType,
				form("refreshToken", "x"),
			},
			400,
		},
		{"monta: me without a token", request{"GET", "https://public-api.monta.com/api/v1/auth/me", "", "", ""}, 401},
		{"verify without Bearer", request{"GET", "https://api.minut.com/v8/users/me", "x", "", ""}, 401},
	}
	for _, tt := range tests {
		if h := roundTrip(s, tt.request); h.err != nil || h.status != tt.status || h.fields == nil {
			t.Errorf("%s: %d %s %v, not %d, want no error and status %v and h.fields other than nil", tt.name,
				h.status, h.body, h.err, tt.status, tt.status)
		}
	}
	for name, n := range s.Stats().Providers {
		if n.Issued != 0 {
			t.Errorf("%s issued %d tokens, want n.Issued = 0", name, n.Issued)
		}
	}
}

func TestBasicIsRaw(t *testing.T) {
	s := New(Options{Clients: map[string][]Client{"minut": {{ID: "an id", Secret: "s+e/c:r%e t"}}}})
	a := exchange("minut")
	a.auth = basic("an id", "s+e/c:r%e t")
	if h := roundTrip(s, a); h.status != 200 {
		t.Errorf("raw: %d, want status 200", h.status)
	}
	a.auth = basic("an+id", "s%2Be%2Fc%3Ar%25e+t")
	if h := roundTrip(s, a); h.status != 401 {
		t.Errorf("form-encoded: %d, want status 401", h.status)
	}
}

func TestScopes(t *testing.T) {
	s := New(
		Options{
			Clients: map[string][]Client{
				"miden": {{ID: "demo-miden", Secret: "demo-secret-miden", Scopes: []string{"read"}}},
			},
		},
	)
	a := exchange("miden")
	a.body += "&scope=read"
	if h := roundTrip(s, a); h.text("scope") != "read" {
		t.Errorf(`roundTrip(s, a) = %d %v, want scope = "read"`, h.status, h.fields)
	}
	a.body += "+write"
	if h := roundTrip(s, a); h.status != http.StatusBadRequest || h.fields["error"] != "invalid_scope" {
		t.Errorf(`roundTrip(s, a) = %d %v, want status http.StatusBadRequest and error = "invalid_scope"`, h.status,
			h.fields)
	}
}

func TestSecretRotatedAtTheProvider(t *testing.T) {
	s := New(Options{})
	s.SetClient("monta", Client{ID: "demo-monta", Secret: "new"})
	if h := roundTrip(s, exchange("monta")); h.status != 401 {
		t.Errorf("the old secret: %d, want status 401", h.status)
	}
	if id, secret := s.ClientFor("monta"); id != "demo-monta" || secret != "new" {
		t.Errorf(`%s %s, want id = "demo-monta" and secret = "new"`, id, secret)
	}
}
