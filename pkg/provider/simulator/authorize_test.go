package simulator

import (
	"html"
	"net/http"
	"net/http/httptest"
	"net/url"
	"slices"
	"strings"
	"testing"
)

func escaped(text string) string { return url.QueryEscape(text) }

// authorizationQuery is the query with which a client asks for a user's
// consent; each pair replaces a parameter, or takes it out where the value is
// "".
func authorizationQuery(name string, pairs ...string) string {
	q := url.Values{
		"response_type": {
			"code",
		}, "client_id": {"demo-" + name}, "redirect_uri": {callback}, "scope": {"read write"}, "state": {"s&t=a te"},
		"code_challenge": {challenge}, "code_challenge_method": {"S256"},
	}
	for i := 0; i < len(pairs); i += 2 {
		q.Set(pairs[i], pairs[i+1])
		if pairs[i+1] == "" {
			q.Del(pairs[i])
		}
	}
	return q.Encode()
}

func viewing(s *Simulator, name, query string) request {
	return request{method: "GET", url: s.AuthorizeURL(name) + "?" + query}
}

func pressing(s *Simulator, name, query, decision, person string) request {
	return request{
		"POST",
		s.AuthorizeURL(name) + "?" + query,
		"",
		formType,
		form("person", person, "decision", decision),
	}
}

// sentTo is where an answer sends the browser, without the query, and the
// query.
func sentTo(t *testing.T, h result) (string, url.Values) {
	t.Helper()
	u, err := url.Parse(h.header.Get("Location"))
	if err != nil || h.status != http.StatusFound || h.body != "" {
		t.Fatalf(`%d %v %s, want no error and status http.StatusFound and h.body = ""`, h.status, h.header, h.body)
	}
	q := u.Query()
	u.RawQuery = ""
	return u.String(), q
}

func TestAllow(t *testing.T) {
	for _, name := range withUsers {
		s := New(Options{})
		c := overTLS(t, s)
		page := do(c, viewing(s, name, authorizationQuery(name)))
		if page.status != 200 || page.header.Get("Content-Type") != "text/html; charset=utf-8" {
			t.Fatalf(`%s: %d %v %s, want status 200 and page.header.Get("Content-Type") = "text/html; charset=utf-8"`,
				name, page.status, page.header, page.body)
		}
		for _, part := range []string{"<title>Allow access to " + name + "?</title>", "demo-" + name,
			"<li>read</li><li>write</li>", callback, `<form method="post">`, `id="person"`, `id="allow"`, `id="deny"`} {
			if !strings.Contains(page.body, part) {
				t.Errorf("%s: no %s in %s, want part in page.body", name, part, page.body)
			}
		}
		to, q := sentTo(t, do(c, pressing(s, name, authorizationQuery(name), "allow", " alice ")))
		if to != callback || len(q) != 2 || q.Get("state") != "s&t=a te" {
			t.Errorf(`%s: to %s with %v, want to = %v and len(q) = 2 and q.Get("state") = "s&t=a te"`, name, to, q,
				callback)
		}
		h := do(c, exchanging(name, q.Get("code"), verifier))
		if h.status != 200 {
			t.Fatalf("%s: %d %v, want status 200", name, h.status, h.fields)
		}
		if a, _ := s.providers[name].accessTokens.get(tokenIn(h)); a.subject != "alice" || a.scope != "read write" {
			t.Errorf(`%s: s.providers[name].accessTokens.get(tokenIn(h)) = %+v, want a.subject = "alice" and a.scope = "read write"`, name, a.grant)
		}
		if n := s.Stats().Providers[name]; n.OtherRequests != 2 || n.CodeRequests != 1 {
			t.Errorf("%s: %+v, want n.OtherRequests = 2 and n.CodeRequests = 1", name, n)
		}
		for i, outcome := range []string{"shown", "allowed"} {
			if e := s.Stats().Log[i]; e.Kind != "authorize" || e.Outcome != outcome || e.Path != "/oauth/authorize" ||
				e.Grant != "" {
				t.Errorf(`%s: %+v, want e.Kind = "authorize" and e.Outcome = %v and e.Path = "/oauth/authorize" and e.Grant = ""`, name, e, outcome)
			}
		}
	}
}

func TestDeny(t *testing.T) {
	for _, name := range withUsers {
		s := New(Options{})
		to, q := sentTo(t, roundTrip(s, pressing(s, name, authorizationQuery(name), "deny", "")))
		if to != callback || q.Get("error") != "access_denied" || q.Get("state") != "s&t=a te" || q.Has("code") {
			t.Errorf(`%s: to %s with %v, want to = %v and q.Get("error") = "access_denied" and q.Get("state") = "s&t=a te" and not q.Has("code")`, name, to, q, callback)
		}
		if e := s.Stats().Log[0]; e.Outcome != "access_denied" || len(s.providers[name].codes.items) != 0 {
			t.Errorf(`%s: %+v, want e.Outcome = "access_denied" and len(s.providers[name].codes.items) = 0`, name, e)
		}
	}
}

func TestNobodyIsSentToAnAddressThatIsNotTheClients(t *testing.T) {
	tests := []struct {
		name   string
		query  string
		status int
	}{
		{"unknown client", authorizationQuery("movemint", "client_id", "nobody"), 401},
		{"no client", authorizationQuery("movemint", "client_id", ""), 401},
		{"two clients", authorizationQuery("movemint") + "&client_id=demo-movemint", 401},
		{"no redirect_uri", authorizationQuery("movemint", "redirect_uri", ""), 400},
		{"two redirect_uris", authorizationQuery("movemint") + "&redirect_uri=" + escaped(callback), 400},
		{"malformed", authorizationQuery("movemint") + "&x=%zz", 400},
	}
	for _, uri := range []string{
		"https://elsewhere.example/", "http://localhost:1/", "http://127.0.0.1.elsewhere.example/",
		"http://127.0.0.1@elsewhere.example/", "http://a@127.0.0.1/", `http://127.0.0.1\@elsewhere.example/`,
		"https://127.0.0.1/", "http://127.0.0.1/#x", "http://127.0.0.1/#", "//127.0.0.1/", "http:127.0.0.1",
		"javascript:alert(1)//127.0.0.1", "http://127.0.0.1/\r\nX: y", "http://0.0.0.0/",
		"https://known.example/cb/", "https://known.example/cb?x",
	} {
		tests = append(tests, struct {
			name   string
			query  string
			status int
		}{uri, authorizationQuery("movemint", "redirect_uri", uri), 400})
	}
	for _, tt := range tests {
		s := New(
			Options{
				Clients: map[string][]Client{
					"movemint": {{ID: "demo-movemint", RedirectURIs: []string{"https://known.example/cb"}}},
				},
			},
		)
		for _, a := range []request{viewing(s, "movemint", tt.query),
			pressing(s, "movemint", tt.query, "allow", "alice"),
			pressing(s, "movemint", tt.query, "deny", "")} {
			h := roundTrip(s, a)
			if h.status != tt.status || h.header.Get("Location") != "" || !strings.Contains(h.body, `id="wrong"`) ||
				strings.Contains(h.body, "<form") ||
				len(s.providers["movemint"].codes.items) != 0 {
				t.Errorf("%s %s = %d %v %s, want %d, an error page without a form, no Location and no code",
					a.method, tt.name, h.status, h.header, h.body, tt.status)
			}
		}
	}
}

func TestRedirectsThatAreTheClients(t *testing.T) {
	s := New(
		Options{
			Clients: map[string][]Client{
				"movemint": {{ID: "demo-movemint", RedirectURIs: []string{"https://known.example/cb", "myapp:/cb"}}},
			},
		},
	)
	for uri, starts := range map[string]string{
		"http://127.0.0.1/":          "http://127.0.0.1/?code=",
		"http://127.0.0.1:65535/a/b": "http://127.0.0.1:65535/a/b?code=",
		"http://[::1]:8080/cb":       "http://[::1]:8080/cb?code=",
		"http://127.0.0.1:1/?a=b%20": "http://127.0.0.1:1/?a=b%20&code=",
		"https://known.example/cb":   "https://known.example/cb?code=",
		"myapp:/cb":                  "myapp:/cb?code=",
	} {
		query := authorizationQuery(
			"movemint",
			"redirect_uri",
			uri,
			"state",
			"",
			"code_challenge",
			"",
			"code_challenge_method",
			"",
		)
		page := roundTrip(s, viewing(s, "movemint", query))
		scheme, _, _ := strings.Cut(uri, ":")
		if policy := page.header.Get("Content-Security-Policy"); page.status != 200 ||
			!strings.Contains(policy, "form-action 'self' "+scheme+":;") {
			t.Errorf(`%s: page.header.Get("Content-Security-Policy") = %d %s, want status 200 and strings.Contains(policy, "form-action 'self' "+scheme+":;")`, uri, page.status, policy)
		}
		h := roundTrip(s, pressing(s, "movemint", query, "allow", "alice"))
		if to := h.header.Get("Location"); h.status != 302 || !strings.HasPrefix(to, starts) ||
			strings.Contains(to, "state") {
			t.Errorf(`%s: %d to %s, want status 302 and to with the prefix starts and not "state" in to`, uri,
				h.status, to)
		}
	}
}

func TestTheClientIsToldWhatIsWrong(t *testing.T) {
	tests := []struct{ name, query, code string }{
		{"no response_type", authorizationQuery("movemint", "response_type", ""), "invalid_request"},
		{"implicit", authorizationQuery("movemint", "response_type", "token"), "unsupported_response_type"},
		{"plain", authorizationQuery("movemint", "code_challenge_method", "plain"), "invalid_request"},
		{"no method, which is plain", authorizationQuery("movemint", "code_challenge_method", ""), "invalid_request"},
		{"method without challenge", authorizationQuery("movemint", "code_challenge", ""), "invalid_request"},
		{"short challenge", authorizationQuery("movemint", "code_challenge", challenge[1:]), "invalid_request"},
		{
			"a challenge that nothing encodes to",
			authorizationQuery("movemint", "code_challenge", challenge[:42]+"N"),
			"invalid_request",
		},
		{"padded challenge", authorizationQuery("movemint", "code_challenge", challenge+"="), "invalid_request"},
		{"scope", authorizationQuery("movemint", "scope", "read admin"), "invalid_scope"},
		{"repeated", authorizationQuery("movemint") + "&scope=read", "invalid_request"},
		{"not understood", authorizationQuery("movemint", "audience", "x"), "invalid_request"},
	}
	s := New(
		Options{Clients: map[string][]Client{"movemint": {{ID: "demo-movemint", Scopes: []string{"read", "write"}}}}},
	)
	for _, tt := range tests {
		for _, a := range []request{viewing(s, "movemint", tt.query),
			pressing(s, "movemint", tt.query, "allow", "alice")} {
			to, q := sentTo(t, roundTrip(s, a))
			if to != callback || q.Get("error") != tt.code || q.Get("error_description") == "" ||
				q.Get("state") != "s&t=a te" ||
				q.Has("code") {
				t.Errorf(`%s %s: to %s with %v, want to = %v and q.Get("error") = %v and q.Get("error_description") other than "" and q.Get("state") = "s&t=a te" and not q.Has("code")`, a.method, tt.name, to, q, callback, tt.code)
			}
		}
	}
}

func TestTheFormIsStrict(t *testing.T) {
	s := New(Options{})
	with := func(change func(*request)) request {
		a := pressing(s, "movemint", authorizationQuery("movemint"), "allow", "alice")
		change(&a)
		return a
	}
	tests := []struct {
		name    string
		request request
		status  int
	}{
		{"no name", with(func(a *request) { a.body = "person=+&decision=allow" }), 400},
		{"no decision", with(func(a *request) { a.body = "person=alice" }), 400},
		{"another decision", with(func(a *request) { a.body = "person=alice&decision=maybe" }), 400},
		{"another field", with(func(a *request) { a.body += "&scope=admin" }), 400},
		{"a field twice", with(func(a *request) { a.body += "&decision=deny" }), 400},
		{
			"json",
			with(func(a *request) { a.kind, a.body = "application/json", `{"person":"alice","decision":"allow"}` }),
			400,
		},
		{"plain text", with(func(a *request) { a.kind = "text/plain" }), 400},
		{"delete", with(func(a *request) { a.method = "DELETE" }), 405},
	}
	for _, tt := range tests {
		if h := roundTrip(s, tt.request); h.status != tt.status || h.header.Get("Location") != "" ||
			len(s.providers["movemint"].codes.items) != 0 {
			t.Errorf(`%s: roundTrip(s, tt.request) = %d %v, want status %v and h.header.Get("Location") = "" and len(s.providers["movemint"].codes.items) = 0`, tt.name, h.status, h.header, tt.status)
		}
	}
	if h := roundTrip(s, tests[0].request); !strings.Contains(h.body, `id="allow"`) ||
		!strings.Contains(h.body, "Enter a name") {
		t.Errorf("no name: no second try in %s, want strings.Contains(h.body, `id=\"allow\"`) and \"Enter a name\" in h.body", h.body)
	}
	if h := roundTrip(s, tests[len(tests)-1].request); h.header.Get("Allow") != "GET, POST" {
		t.Errorf(`Allow: %v, want h.header.Get("Allow") = "GET, POST"`, h.header)
	}
}

func TestPagesEscape(t *testing.T) {
	evil := `"><script>alert(1)</script>&'`
	s := New(Options{Clients: map[string][]Client{"movemint": {{ID: evil, RedirectURIs: []string{"x:" + evil}}}}})
	query := authorizationQuery("movemint", "client_id", evil, "scope", evil, "redirect_uri", "x:"+evil, "state", evil)
	for _, h := range []result{roundTrip(s, viewing(s, "movemint", query)),
		roundTrip(s, pressing(s, "movemint", query, "allow", "")),
		roundTrip(s, viewing(s, "movemint", authorizationQuery("movemint", "redirect_uri", "y:"+evil)))} {
		if strings.Contains(h.body, "<script") || h.body == "" {
			t.Errorf(`%d %s, want not "<script" in h.body and h.body other than ""`, h.status, h.body)
		}
	}
	if h := roundTrip(s, viewing(s, "movemint", query)); strings.Count(html.UnescapeString(h.body), evil) != 3 {
		t.Errorf("client, scope and redirect: %s, want strings.Count(html.UnescapeString(h.body), evil) = 3", h.body)
	}
}

func TestPagesHeaders(t *testing.T) {
	s := New(Options{})
	want := map[string][]string{
		"Content-Security-Policy": {
			"default-src 'none';",
			"style-src 'sha256-",
			"frame-ancestors 'none'",
			"base-uri 'none'",
		},
		"Referrer-Policy": {
			"same-origin",
		}, "X-Content-Type-Options": {"nosniff"}, "Cache-Control": {"no-store"},
	}
	for _, query := range []string{authorizationQuery("trackmania"),
		authorizationQuery("trackmania", "client_id", "nobody")} {
		h := roundTrip(s, viewing(s, "trackmania", query))
		for name, parts := range want {
			if missing := slices.ContainsFunc(parts,
				func(p string) bool { return !strings.Contains(h.header.Get(name), p) }); missing {
				t.Errorf("%s: %s, want none missing", name, h.header.Get(name))
			}
		}
		if strings.Count(h.body, "<style>"+style+"</style>") != 1 {
			t.Errorf(`another style than the policy's: %s, want strings.Count(h.body, "<style>"+style+"</style>") = 1`, h.body)
		}
	}
	h := roundTrip(s, pressing(s, "trackmania", authorizationQuery("trackmania"), "allow", "alice"))
	if h.header.Get("Cache-Control") != "no-store" || h.header.Get("Referrer-Policy") != "no-referrer" {
		t.Errorf(`the way back: %v, want h.header.Get("Cache-Control") = "no-store" and h.header.Get("Referrer-Policy") = "no-referrer"`, h.header)
	}
}

func TestAuthorizeURL(t *testing.T) {
	s := New(Options{})
	for name, want := range map[string]string{"movemint": "https://www.movemint.cc/oauth/authorize",
		"trackmania": "https://api.trackmania.com/oauth/authorize", "minut": "", "miden": "", "monta": "",
		"nobody": ""} {
		if got := s.AuthorizeURL(name); got != want {
			t.Errorf("%s: s.AuthorizeURL(name) = %q, want %v", name, got, want)
		}
	}
}

func TestFaultOnlyAuthorize(t *testing.T) {
	s := New(Options{})
	set(t, s, "movemint", Fault{Status: 503, Only: "authorize", Times: 1})
	if h := roundTrip(s, exchange("movemint")); h.status != 200 {
		t.Errorf("a token request: %d, want status 200", h.status)
	}
	for _, want := range []int{503, 200} {
		if h := roundTrip(s, viewing(s, "movemint", authorizationQuery("movemint"))); h.status != want {
			t.Errorf("%d, not %d", h.status, want)
		}
	}
}

func TestAuthorizeByControl(t *testing.T) {
	s := New(Options{})
	send := func(method, path, body string, header ...string) *httptest.ResponseRecorder {
		r := httptest.NewRequest(method, "http://127.0.0.1:3001"+path, strings.NewReader(body))
		r.Header.Set("Content-Type", formType)
		for i := 0; i < len(header); i += 2 {
			r.Header.Set(header[i], header[i+1])
		}
		w := httptest.NewRecorder()
		s.Control().ServeHTTP(w, r)
		return w
	}
	at := "/providers/movemint/authorize?" + authorizationQuery("movemint")
	yes := form("person", "alice", "decision", "allow")
	if w := send("GET", at, "", "Sec-Fetch-Site", "cross-site"); w.Code != 200 ||
		!strings.Contains(w.Body.String(), `id="allow"`) {
		t.Errorf("send() = %d %s, want status 200 and strings.Contains(w.Body.String(), `id=\"allow\"`)", w.Code,
			w.Body)
	}
	for _, header := range [][]string{{"Sec-Fetch-Site", "cross-site"}, {"Sec-Fetch-Site", "same-site"},
		{"Origin", "http://elsewhere.example"}, {"Origin", "http://127.0.0.1:3002"}, {"Origin", "null"}} {
		if w := send("POST", at, yes, header...); w.Code != 403 || len(s.providers["movemint"].codes.items) != 0 {
			t.Errorf(`%v: %d, want status 403 and len(s.providers["movemint"].codes.items) = 0`, header, w.Code)
		}
	}
	for _, header := range [][]string{{"Sec-Fetch-Site", "same-origin"}, {"Origin", "http://127.0.0.1:3001"}, {}} {
		w := send("POST", at, yes, header...)
		to, err := url.Parse(w.Header().Get("Location"))
		if w.Code != 302 || err != nil {
			t.Fatalf("%v: %d %v, want status 302 and no error", header, w.Code, err)
		}
		if h := roundTrip(s, exchanging("movemint", to.Query().Get("code"), verifier)); h.status != 200 {
			t.Errorf("%v: %d %v, want status 200", header, h.status, h.fields)
		}
	}
	for path, says := range map[string]string{"/providers/monta/authorize": "monta has none",
		"/providers/nobody/authorize": "unknown provider"} {
		if w := send("GET", path, ""); w.Code != 404 || !strings.Contains(w.Body.String(), says) {
			t.Errorf(`%s: send("GET", path, "") = %d %s, want status 404 and strings.Contains(w.Body.String(), says)`,
				path, w.Code, w.Body)
		}
	}
	if w := send("GET", "/", ""); strings.Count(
		w.Body.String(),
		"http://127.0.0.1:3001/providers/movemint/authorize?response_type=code&client_id=demo-movemint&",
	) != 1 {
		t.Errorf("the help does not name it: %s", w.Body)
	}
}

func TestCrossSiteFormAtTheProviderItself(t *testing.T) {
	s := New(Options{})
	r := pressing(s, "trackmania", authorizationQuery("trackmania"), "allow", "alice").request()
	r.Header.Set("Sec-Fetch-Site", "cross-site")
	if h := roundTripRequest(s, r); h.status != 403 || len(s.providers["trackmania"].codes.items) != 0 {
		t.Errorf(`roundTripRequest(s, r) = %d, want status 403 and len(s.providers["trackmania"].codes.items) = 0`,
			h.status)
	}
}
