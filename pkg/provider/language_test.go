package provider

import (
	"bufio"
	"context"
	"crypto"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"regexp"
	"strings"
	"sync"
	"testing"

	"github.com/tokenvend/tokenvend/pkg/descriptor"
	"github.com/tokenvend/tokenvend/pkg/provider/skew"
	"github.com/tokenvend/tokenvend/pkg/redact"
)

// wire returns what a strict server expects: the request as [vendor] records
// it, without the header fields that every request has.
func wire(request string) string {
	usual := regexp.MustCompile(`(?m)^(Accept|Accept-Encoding|User-Agent): .*\n`)
	return usual.ReplaceAllString(request, "")
}

func secrets(pairs ...string) map[string]redact.String {
	all := map[string]redact.String{}
	for i := 0; i < len(pairs); i += 2 {
		all[pairs[i]] = redact.New(pairs[i+1])
	}
	return all
}

// Each capability of the language, by the whole request that it makes: one
// parameter more, and the test fails.
func TestRequestsOfTheLanguage(t *testing.T) {
	chain := vouched().Certificate
	id := Client{ID: "id", Secret: redact.New("hush")}
	creds := TokenRequest{Grant: descriptor.ClientCredentials}
	form := "Content-Type: application/x-www-form-urlencoded\n"
	for _, c := range []struct {
		name, text string
		client     Client
		req        TokenRequest
		want       string
	}{
		{
			"an API key in a header",
			`{"grants":["login"],"token":{"url":"https://login.test/session","body":"json","headers":{"Authorization":"ApiKey {secrets.key}"}}}`,
			Client{Secrets: secrets("key", "K1")}, TokenRequest{Grant: descriptor.Login},
			"POST https://login.test/session\nAuthorization: ApiKey K1\nContent-Type: application/json\n\n{}",
		},
		{
			"a session login in nested JSON with types",
			`{"grants":["login"],"token":{"url":"https://login.test/v1/auth","method":"PUT","body":"json","params":{"user":{"name":"{secrets.username}","pass":"{secrets.password}"},"remember":true,"ttl":3600,"apps":["a","{variables.app}"]}},"variables":{"app":{}}}`,
			Client{Secrets: secrets("username", "ann", "password", `p"w`), Variables: map[string]string{"app": "b"}},
			TokenRequest{Grant: descriptor.Login},
			"PUT https://login.test/v1/auth\nContent-Type: application/json\n\n" +
				`{"apps":["a","b"],"remember":true,"ttl":3600,"user":{"name":"ann","pass":"p\"w"}}`,
		},
		{
			"a computed number of JSON, and a text beside it",
			`{"grants":["login"],"token":{"url":"https://login.test/v1/auth","body":"json","params":{"n":"{number(variables.n)}","all":["{ number(variables.n '0') }"],"text":"{number(variables.n)} s"}},"variables":{"n":{}}}`,
			Client{Variables: map[string]string{"n": "12.5"}}, TokenRequest{Grant: descriptor.Login},
			"POST https://login.test/v1/auth\nContent-Type: application/json\n\n" +
				`{"all":["{ number(variables.n '0') }"],"n":12.5,"text":"12.5 s"}`,
		},
		{
			"a computed number in a form",
			`{"grants":["login"],"token":{"url":"https://login.test/v1/auth","params":{"n":"{number(variables.n '0')}"}},"variables":{"n":{}}}`,
			Client{Variables: map[string]string{"n": "12"}}, TokenRequest{Grant: descriptor.Login},
			"POST https://login.test/v1/auth\n" + form + "\nn=120",
		},
		{
			"C30: two values of one parameter",
			`{"token":{"url":"https://login.test/token","auth":"post","params":{"resource":["https://a.test","https://b.test"]}}}`,
			id, creds,
			"POST https://login.test/token\n" + form +
				"\nclient_id=id&client_secret=hush&grant_type=client_credentials" +
				"&resource=https%3A%2F%2Fa.test&resource=https%3A%2F%2Fb.test",
		},
		{
			"C30: two values of a credential's own",
			`{"token":{"url":"https://login.test/token","auth":"post"}}`,
			Client{ID: "id", Secret: redact.New("hush"), Params: map[string]any{"resource": []any{"a", "b"}}}, creds,
			"POST https://login.test/token\n" + form +
				"\nclient_id=id&client_secret=hush&grant_type=client_credentials&resource=a&resource=b",
		},
		{
			"C34: a secret beside a certificate",
			`{"token":{"url":"https://login.test/token","auth":["tls","basic"]}}`,
			Client{ID: "id", Secret: redact.New("hush"), Certificate: &chain}, creds,
			"POST https://login.test/token\nAuthorization: Basic aWQ6aHVzaA==\n" + form +
				"\nclient_id=id&grant_type=client_credentials",
		},
		{
			"a tenant in the host and a realm in the path",
			`{"token":{"url":"https://{variables.tenant}.minut.com/realms/{variables.realm}/token?v={variables.v}","auth":"post"},"variables":{"tenant":{},"realm":{},"v":{"default":"1 2"}}}`,
			Client{ID: "id", Secret: redact.New("hush"), Variables: map[string]string{"tenant": "api", "realm": "a.b"}},
			creds,
			"POST https://api.minut.com/realms/a.b/token?v=1%202\n" + form +
				"\nclient_id=id&client_secret=hush&grant_type=client_credentials",
		},
		{
			"a host of a list",
			`{"token":{"url":"https://{variables.host}/token","auth":"post"},"variables":{"host":{"values":["login.test","other.test"]}}}`,
			Client{ID: "id", Secret: redact.New("hush"), Variables: map[string]string{"host": "login.test"}}, creds,
			"POST https://login.test/token\n" + form +
				"\nclient_id=id&client_secret=hush&grant_type=client_credentials",
		},
		{
			"the password grant",
			`{"grants":["password"],"token":{"url":"https://login.test/token","fields":{"username":"user"}}}`,
			Client{ID: "id", Secret: redact.New("hush"), Secrets: secrets("username", "ann", "password", "pw")},
			TokenRequest{Grant: descriptor.Password, Scope: "a b"},
			"POST https://login.test/token\nAuthorization: Basic aWQ6aHVzaA==\n" + form +
				"\ngrant_type=password&password=pw&scope=a+b&user=ann",
		},
		{
			"the token exchange",
			`{"grants":["urn:ietf:params:oauth:grant-type:token-exchange"],"token":{"url":"https://login.test/sts","auth":"none","fields":{"client_id":""},"params":{"subject_token":"{secrets.token}","subject_token_type":"urn:ietf:params:oauth:token-type:access_token"}}}`,
			Client{Secrets: secrets("token", "SUBJECT")},
			TokenRequest{Grant: descriptor.TokenExchange, Audience: "aud"},
			"POST https://login.test/sts\n" + form + "\naudience=aud" +
				"&grant_type=urn%3Aietf%3Aparams%3Aoauth%3Agrant-type%3Atoken-exchange" +
				"&subject_token=SUBJECT&subject_token_type=urn%3Aietf%3Aparams%3Aoauth%3Atoken-type%3Aaccess_token",
		},
		{
			"an empty client secret",
			`{"token":{"url":"https://login.test/token"}}`,
			Client{ID: "key", EmptySecret: true}, creds,
			"POST https://login.test/token\nAuthorization: Basic a2V5Og==\n" + form + "\ngrant_type=client_credentials",
		},
		{
			"computed values",
			`{"grants":["login"],"token":{"url":"https://login.test/token","headers":{"X-Signature":"{hex(hmac_sha256(secrets.key, client_id '.' secrets.nonce))}"},"params":{"id":"{client_id}","basic":"{base64(client_id ':' secrets.nonce)}"}}}`,
			Client{ID: "id", Secrets: secrets("key", "k", "nonce", "n")}, TokenRequest{Grant: descriptor.Login},
			"POST https://login.test/token\n" + form +
				"X-Signature: d3a4bbdc38f3902be74e4d86874ecd5de2ce08d7cbbf46e5cf5ed806fe0af9cc\n\nbasic=aWQ6bg%3D%3D&id=id",
		},
		{
			"what is empty is left out",
			`{"secrets":{"otp":{"optional":true}},"token":{"url":"https://login.test/token","auth":"post","fields":{"scope":""},"params":{"otp":"{secrets.otp}","scopes":"{scope}","kept":""},"headers":{"X-Otp":"{base64(secrets.otp)}"}}}`,
			id, creds,
			"POST https://login.test/token\n" + form +
				"\nclient_id=id&client_secret=hush&grant_type=client_credentials&kept=",
		},
		{
			"a vendor's JSON",
			`{"token":{"url":"https://login.test/token","auth":"post","body":"json","headers":{"Content-Type":"application/vnd.api+json"}}}`,
			id, creds,
			"POST https://login.test/token\nContent-Type: application/vnd.api+json\n\n" +
				`{"client_id":"id","client_secret":"hush","grant_type":"client_credentials"}`,
		},
		{
			"null in JSON",
			`{"grants":["login"],"token":{"url":"https://login.test/rpc","body":"json","params":{"id":1,"session":null,"list":[null]}}}`,
			Client{}, TokenRequest{Grant: descriptor.Login},
			"POST https://login.test/rpc\nContent-Type: application/json\n\n" +
				`{"id":1,"list":[null],"session":null}`,
		},
		{
			"a media type without a body",
			`{"token":{"url":"https://login.test/token","body":"query","headers":{"Content-Type":"application/json"},"fields":{"grant_type":""}}}`,
			id, creds,
			"POST https://login.test/token\nAuthorization: Basic aWQ6aHVzaA==\nContent-Type: application/json\n\n",
		},
		{
			"a signature over several lines",
			`{"grants":["login"],"token":{"url":"https://login.test/token","body":"query","headers":{"X-Sign":"{hex(hmac_sha256(secrets.key, client_id '\nGET'))}"}}}`,
			Client{ID: "id", Secrets: secrets("key", "k")}, TokenRequest{Grant: descriptor.Login},
			"POST https://login.test/token\nX-Sign: 805c2549c39c12bea1461da7ec2347fc3f447b42362854260b85629ab54113dc\n\n",
		},
		{
			"a hash of the code",
			`{"authorize":{"url":"/a"},"token":{"url":"https://login.test/token","auth":"none","params":{"hash":"{hex(sha256(client_secret '|' code))}"}}}`,
			id,
			TokenRequest{Grant: descriptor.AuthorizationCode, Code: redact.New("C1"), RedirectURI: "https://app.test/"},
			"POST https://login.test/token\n" + form + "\nclient_id=id&code=C1&grant_type=authorization_code" +
				"&hash=65611180d33df42c080f93897f696c1cae6a739e7da3386fc32fefe73539a8d1&redirect_uri=https%3A%2F%2Fapp.test%2F",
		},
		{
			"C24: no scope in a refresh",
			`{"token":{"url":"https://login.test/token"},"refresh":{"fields":{"scope":""}}}`,
			id, TokenRequest{Grant: descriptor.RefreshToken, Refresh: redact.New("r"), Scope: "a"},
			"POST https://login.test/token\nAuthorization: Basic aWQ6aHVzaA==\n" + form +
				"\ngrant_type=refresh_token&refresh_token=r",
		},
		{
			"a refresh token in a header",
			`{"token":{"url":"https://login.test/token"},"refresh":{"method":"PUT","auth":"none","url":"/refresh","headers":{"X-Refresh":"{refresh_token}"},"fields":{"refresh_token":"","grant_type":"","client_id":""}}}`,
			id, TokenRequest{Grant: descriptor.RefreshToken, Refresh: redact.New("r")},
			"PUT https://login.test/refresh\n" + form + "X-Refresh: r\n\n",
		},
		{
			"a value is not expanded twice",
			`{"token":{"url":"https://login.test/token","auth":"post","params":{"a":"{secrets.a}","json":"{\"x\":1}","brace":"{{b}"}}}`,
			Client{ID: "id", Secret: redact.New("hush"), Secrets: secrets("a", "{client_secret}")}, creds,
			"POST https://login.test/token\n" + form + "\na=%7Bclient_secret%7D&brace=%7Bb%7D" +
				"&client_id=id&client_secret=hush&grant_type=client_credentials&json=%7B%22x%22%3A1%7D",
		},
	} {
		t.Run(c.name, func(t *testing.T) {
			v := serve(t, says(200, `{"access_token":"a","expires_in":60}`))
			if _, err := at(parse(t, c.text), c.client, v.hc).Exchange(t.Context(), c.req); err != nil {
				t.Fatalf("Exchange failed: %v", err)
			}
			if got := wire(v.lastRequest()); got != c.want {
				t.Errorf("Exchange sent\n%s\nwant\n%s", got, c.want)
			}
		})
	}
}

// segmentOf returns a part of a JWT.
func segmentOf(t *testing.T, token string, i int) map[string]any {
	t.Helper()
	parts := strings.Split(token, ".")
	if len(parts) != 3 {
		t.Fatalf("%q is no JWT", token)
	}
	data, err := base64.RawURLEncoding.DecodeString(parts[i])
	if err != nil {
		t.Fatal(err)
	}
	var members map[string]any
	if err := json.Unmarshal(data, &members); err != nil {
		t.Fatal(err)
	}
	return members
}

// C33: own claims, header members, x5t and x5t#S256, and no key_id.
func TestCaseC33_AssertionByDescriptor(t *testing.T) {
	v := serve(t, says(200, `{"access_token":"a"}`))
	chain := vouched().Certificate
	c := Client{
		ID: "id", Key: newKey(t), Certificate: &chain,
		Variables: map[string]string{"user": "ann@example.com"},
	}
	const text = `{"grants":["urn:ietf:params:oauth:grant-type:jwt-bearer"],"variables":{"user":{}},
		"token":{"url":"https://login.test/token","auth":"none","fields":{"client_id":"","scope":""}},
		"assertion":{"algorithm":"ES256","certificate":["x5t","x5t#S256"],"header":{"typ":"at+jwt"},"lifetime":"5m",
		"claims":{"sub":"{variables.user}","aud":"https://aud.test","scope":"{scope}","nbf":"","box":{"type":["{client_id}",1]}}}}`
	req := TokenRequest{Grant: descriptor.JWTBearer, Scope: "read"}
	if _, err := at(parse(t, text), c, v.hc).Exchange(t.Context(), req); err != nil {
		t.Fatalf("Exchange failed: %v", err)
	}
	_, form, _ := strings.Cut(v.lastRequest(), "\n\n")
	const start = "assertion="
	if !strings.HasPrefix(form, start) ||
		!strings.HasSuffix(form, "&grant_type=urn%3Aietf%3Aparams%3Aoauth%3Agrant-type%3Ajwt-bearer") {
		t.Fatalf("Exchange sent %s, want assertion and grant_type alone", form)
	}
	signed, _, _ := strings.Cut(strings.TrimPrefix(form, start), "&")
	header, claims := segmentOf(t, signed, 0), segmentOf(t, signed, 1)
	if header["typ"] != "at+jwt" || header["alg"] != "ES256" || header["x5t"] == nil || header["x5t#S256"] == nil ||
		header["kid"] != nil {
		t.Errorf("the header is %v, want typ at+jwt, ES256, both thumbprints and no kid", header)
	}
	box, _ := json.Marshal(claims["box"])
	if claims["iss"] != "id" || claims["sub"] != "ann@example.com" || claims["aud"] != "https://aud.test" ||
		claims["scope"] != "read" || claims["nbf"] != nil || string(box) != `{"type":["id",1]}` ||
		claims["exp"].(float64)-claims["iat"].(float64) != 360 {
		t.Errorf("the claims are %v, want those of the descriptor, and exp 360 s after iat", claims)
	}
}

// C34: an assertion beside a secret, and an assertion in a header.
func TestCaseC34_AssertionBesideASecret(t *testing.T) {
	v := serve(t, says(200, `{"access_token":"a"}`))
	c := Client{ID: "id", Secret: redact.New("hush"), Key: newKey(t), KeyID: "k1"}
	d := parse(t, `{"token":{"url":"https://login.test/token","auth":["private_key_jwt","post"],
		"headers":{"Authorization":"Bearer {assertion}"}}}`)
	if _, err := at(d, c, v.hc).Exchange(t.Context(), TokenRequest{Grant: descriptor.ClientCredentials}); err != nil {
		t.Fatalf("Exchange failed: %v", err)
	}
	sent := v.lastRequest()
	_, after, _ := strings.Cut(sent, "Authorization: Bearer ")
	inHeader, _, _ := strings.Cut(after, "\n")
	want := "client_assertion=" + inHeader + "&client_assertion_type=urn%3Aietf%3Aparams%3Aoauth%3A" +
		"client-assertion-type%3Ajwt-bearer&client_id=id&client_secret=hush&grant_type=client_credentials"
	if !strings.HasSuffix(sent, "\n\n"+want) {
		t.Errorf("Exchange sent\n%s\nwant the body %s", sent, want)
	}
}

func TestSelfSignedSendsNothing(t *testing.T) {
	d := parse(t, `{"grants":["self_signed"],"assertion":{"algorithm":"HS256","key":"{unhex(secrets.key)}","lifetime":"20m",
		"claims":{"iss":"{variables.issuer}","sub":"","aud":"appstoreconnect-v1"}},"variables":{"issuer":{}}}`)
	c := Client{KeyID: "k1", Secrets: secrets("key", "6b6579"), Variables: map[string]string{"issuer": "ISS"}}
	got, err := at(d, c, nil).Exchange(t.Context(), TokenRequest{Grant: descriptor.SelfSigned})
	if err != nil {
		t.Fatalf("Exchange failed: %v", err)
	}
	claims, header := segmentOf(t, got.Access.Reveal(), 1), segmentOf(t, got.Access.Reveal(), 0)
	if claims["iss"] != "ISS" || claims["sub"] != nil || header["kid"] != "k1" || header["alg"] != "HS256" ||
		got.Expiry.In.Minutes() != 20 {
		t.Errorf("Exchange = %v, %v, for %v, want the descriptor's token for 20m", header, claims, got.Expiry.In)
	}
	c.Secrets["key"] = redact.New("no hex: HIDDEN-KEY-1")
	_, err = at(d, c, nil).Exchange(t.Context(), TokenRequest{Grant: descriptor.SelfSigned})
	if e := must(t, asError(t, err), Misconfigured); strings.Contains(e.Error(), "HIDDEN") {
		t.Errorf("Exchange = %v, want the key masked", e)
	}
}

// sequence is a strict server: each request must be the next one.
type sequence struct {
	mu    sync.Mutex
	want  []string
	reply []string
	t     *testing.T
}

func (s *sequence) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	s.mu.Lock()
	defer s.mu.Unlock()
	body, _ := io.ReadAll(r.Body)
	got := r.Method + " " + r.URL.String() + " " + r.Header.Get("X-Session") + " " + string(body)
	if len(s.want) == 0 || got != s.want[0] {
		s.t.Errorf("the server got %q, want %q", got, s.want)
		w.WriteHeader(http.StatusTeapot)
		return
	}
	w.Header().Set("X-Ticket", "T7")
	_, _ = io.WriteString(w, s.reply[0])
	s.want, s.reply = s.want[1:], s.reply[1:]
}

const twoSteps = `{"grants":["login"],"steps":[
	{"name":"hello","url":"/hello","method":"POST","body":"json","params":{"key":"{secrets.key}"},"take":{"id":"/data/id","ticket":"header:X-Ticket"}},
	{"name":"open","url":"/open/{steps.hello.id}","body":"query","method":"GET","params":{"ticket":"{steps.hello.ticket}"},"take":{"session":"/session"}}],
	"token":{"url":"https://login.test/token","body":"json","headers":{"X-Session":"{steps.open.session}"}}}`

func TestStepsFeedTheTokenRequest(t *testing.T) {
	s := &sequence{t: t,
		want: []string{
			`POST /hello  {"key":"K"}`, "GET /open/17?ticket=T7  ", "POST /token S-1 {}",
		},
		reply: []string{`{"data":{"id":17}}`, `{"session":"S-1"}`, `{"access_token":"a"}`},
	}
	v := serve(t, s.ServeHTTP)
	got, err := at(parse(t, twoSteps), Client{Secrets: secrets("key", "K")}, v.hc).Exchange(t.Context(),
		TokenRequest{Grant: descriptor.Login})
	if err != nil || got.Access.Reveal() != "a" || len(s.want) != 0 {
		t.Errorf("Exchange = %v, %v, with %d requests left, want the token", got, err, len(s.want))
	}
}

func TestStepsThatFail(t *testing.T) {
	for _, c := range []struct {
		name, answer string
		status       int
		kind         Kind
	}{
		{"a refusal", `{"error":"invalid_client","error_description":"no K-SECRET-99"}`, 401, Rejected},
		{"no value", `{"data":{}}`, 200, Malformed},
		{"a path in the place of a segment", `{"data":{"id":"../admin"}}`, 200, Misconfigured},
		{"a value with a line end", `{"data":{"id":"1\r\nX: y"}}`, 200, Malformed},
		{"an outage", ``, 503, Unavailable},
	} {
		t.Run(c.name, func(t *testing.T) {
			v := serve(t, says(c.status, c.answer, "X-Ticket", "T7"))
			client := Client{Secrets: secrets("key", "K-SECRET-99")}
			_, err := at(parse(t, twoSteps), client, v.hc).Exchange(context.Background(),
				TokenRequest{Grant: descriptor.Login})
			e := must(t, asError(t, err), c.kind)
			if strings.Contains(e.Error(), "K-SECRET") || v.requests.Load() != 1 {
				t.Errorf("Exchange = %v after %d requests, want the key masked after 1", e, v.requests.Load())
			}
		})
	}
}

// The secret stands in a header, and no method of client authentication is
// named: a bare 401 is a refusal of the client nevertheless.
func TestSecretInAHeaderAuthenticates(t *testing.T) {
	v := serve(t, says(401, `{"message":"bad key pw"}`, "WWW-Authenticate", "ApiKey"))
	d := parse(t, `{"grants":["login"],"token":{"url":"https://login.test/t","headers":{"X-Key":"{secrets.key}"}}}`)
	_, err := at(d, Client{Secrets: secrets("key", "pw")}, v.hc).Exchange(t.Context(),
		TokenRequest{Grant: descriptor.Login})
	e := must(t, asError(t, err), Rejected)
	if !e.Client || strings.Contains(e.Error(), "pw") {
		t.Errorf("Exchange = %v of the client %t, want true and the short secret masked", e, e.Client)
	}
}

func TestRevocationByHeader(t *testing.T) {
	v := serve(t, says(204, ""))
	d := parse(t, `{"token":{"url":"https://login.test/token"},"revoke":{"url":"/session","method":"GET","body":"query",
		"auth":"none","fields":{"token":"","client_id":""},"headers":{"Authorization":"Session {access_token}"}}}`)
	if err := at(d, alice, v.hc).RevokeToken(t.Context(), redact.New("TOKEN")); err != nil {
		t.Fatalf("RevokeToken failed: %v", err)
	}
	const want = "GET https://login.test/session\nAuthorization: Session TOKEN\n\n"
	if got := wire(v.lastRequest()); got != want {
		t.Errorf("RevokeToken sent\n%s\nwant\n%s", got, want)
	}
}

// A random UUID is the same all over one request, and another in the next.
func TestUUIDIsOneOfARequest(t *testing.T) {
	v := serve(t, says(200, `{"access_token":"a"}`))
	d := parse(t, `{"grants":["login"],"token":{"url":"https://login.test/t","params":{"a":"{uuid}","b":"{uuid}"}}}`)
	seen := map[string]bool{}
	form := regexp.MustCompile(`\n\na=([0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12})&b=(.*)$`)
	for range 2 {
		if _, err := at(d, Client{}, v.hc).Exchange(t.Context(), TokenRequest{Grant: descriptor.Login}); err != nil {
			t.Fatal(err)
		}
		ids := form.FindStringSubmatch(v.lastRequest())
		if ids == nil || ids[1] != ids[2] || seen[ids[1]] {
			t.Fatalf("Exchange sent %s, want one new UUID twice", v.lastRequest())
		}
		seen[ids[1]] = true
	}
}

// A signature over the time and the field that has the time agree. Of so many
// requests, some would be built while the millisecond changes.
func TestTimeIsOneOfARequest(t *testing.T) {
	d := parse(t, `{"grants":["login"],"token":{"url":"https://login.test/t","headers":{"X-A":"{time('unix_ms')}"},`+
		`"params":{"b":"{time('unix_ms')}"}}}`)
	for range 3000 {
		build := at(d, Client{}, nil).builder(t.Context())
		q, err := build.Token(TokenRequest{Grant: descriptor.Login}, skew.Skew{}, nil)
		if err != nil {
			t.Fatal(err)
		}
		if in := q.Header.Get("X-A"); "b="+in != string(q.Body) {
			t.Fatalf("Token() = X-A %s and body %s, want the same time twice", in, q.Body)
		}
	}
}

// What a value could do to a header field or a claim ends before a byte is
// sent.
func TestValuesThatNoRequestCanCarry(t *testing.T) {
	v := serve(t, says(200, `{"access_token":"a"}`))
	const header = `{"grants":["login"],"variables":{"x":{}},
		"token":{"url":"https://login.test/t","headers":{"X-A":"v {variables.x}"}}}`
	const claim = `{"grants":["urn:ietf:params:oauth:grant-type:jwt-bearer"],"variables":{"x":{}},
		"token":{"url":"https://login.test/t","auth":"none","fields":{"client_id":""}},
		"assertion":{"claims":{"sub":"{variables.x}"}}}`
	for _, c := range []struct{ text, value, want string }{
		{header, "a\r\nX-B: 1", "headers.X-A: expected printable ASCII"},
		{header, "é", "headers.X-A: expected printable ASCII"},
		{claim, "a\nb", "assertion.claims.sub: expected no control characters"},
		{header, strings.Repeat("a", 1<<17), "headers.X-A: at most 65536 bytes"},
	} {
		d := parse(t, c.text)
		client := Client{ID: "id", Key: newKey(t), Variables: map[string]string{"x": c.value}}
		_, err := at(d, client, v.hc).Exchange(t.Context(), TokenRequest{Grant: d.DirectGrant()})
		if e := must(t, asError(t, err), Misconfigured); e.Description != c.want || v.requests.Load() != 0 {
			t.Errorf("Exchange with %.9q = %v after %d requests, want %q after none", c.value, e, v.requests.Load(), c.want)
		}
	}
}

// An RSA signature is over the text of one request, and of the credential's
// key.
func TestRSASignatureOfAText(t *testing.T) {
	key, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		t.Fatal(err)
	}
	const text = `{"grants":["login"],"token":{"url":"https://login.test/token",
		"headers":{"X-Time":"{time('unix_ms')}","X-Signature":"{base64(rsa_sha256(client_id '|' time('unix_ms')))}"}}}`
	v := serve(t, says(200, `{"access_token":"a"}`))
	login := TokenRequest{Grant: descriptor.Login}
	signer := Client{ID: "id", Key: key}
	if _, err := at(parse(t, text), signer, v.hc).Exchange(t.Context(), login); err != nil {
		t.Fatal(err)
	}
	written := strings.Replace(v.lastRequest(), "\n", " HTTP/1.1\n", 1)
	sent, err := http.ReadRequest(bufio.NewReader(strings.NewReader(written)))
	if err != nil {
		t.Fatal(err)
	}
	digest := sha256.Sum256([]byte("id|" + sent.Header.Get("X-Time")))
	signature, _ := base64.StdEncoding.DecodeString(sent.Header.Get("X-Signature"))
	if err := rsa.VerifyPKCS1v15(&key.PublicKey, crypto.SHA256, digest[:], signature); err != nil {
		t.Errorf("VerifyPKCS1v15(%s) = %v, want no error", sent.Header, err)
	}
	others := map[string]Client{"no key": {ID: "id"}, "another kind of key": {ID: "id", Key: newKey(t)}}
	for name, client := range others {
		_, err := at(parse(t, text), client, v.hc).Exchange(t.Context(), login)
		if !strings.Contains(fmt.Sprint(err), "private_key: ") {
			t.Errorf("Exchange with %s = %v, want an error of private_key", name, err)
		}
	}
}
