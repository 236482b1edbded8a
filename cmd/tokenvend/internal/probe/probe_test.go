package probe_test

import (
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/tokenvend/tokenvend/cmd/tokenvend/internal/probe"
	"github.com/tokenvend/tokenvend/pkg/credential/secret"
	"github.com/tokenvend/tokenvend/pkg/encoded"
	"github.com/tokenvend/tokenvend/pkg/outbound"
)

// secrets are values that a probe must not show. They are hexadecimal and
// base64, so that every function of templates takes them.
var secrets = []string{
	"aaaaaaaaaaaa1111", "bbbbbbbbbbbb2222", "cccccccccccc3333", "dddddddddddd4444", "eeeeeeeeeeee5555",
	"abababababab6666", "acacacacacac7777",
}

// run probes a descriptor, "{server}" in which is a server that answers every
// request with that text.
func run(t *testing.T, descriptor, fields, answer string) (probe.Result, error) {
	t.Helper()
	return runWith(t, descriptor, fields, func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "application/json")
		w.Header().Set("X-Session", secrets[4])
		if strings.Contains(answer, `"error"`) {
			w.WriteHeader(http.StatusUnauthorized)
		}
		_, _ = io.WriteString(w, answer)
	})
}

// runWith probes a descriptor, "{server}" in which is a server with that
// handler.
func runWith(t *testing.T, descriptor, fields string, handler http.HandlerFunc) (probe.Result, error) {
	t.Helper()
	server := httptest.NewServer(handler)
	defer server.Close()
	descriptor = strings.ReplaceAll(descriptor, "{server}", server.URL)
	c, err := secret.Parse("probe", "", fmt.Appendf(nil, `{"descriptor":%s,%s}`, descriptor, fields))
	if err != nil {
		t.Fatal(err)
	}
	hc := outbound.NewClient(outbound.Config{AllowPrivate: true, PlainLoopback: true})
	defer hc.CloseIdleConnections()
	return probe.Run(t.Context(), c, hc)
}

// checkShowsNoSecret searches a result for secrets, in every encoding.
func checkShowsNoSecret(t *testing.T, r probe.Result) string {
	t.Helper()
	text, err := json.Marshal(r)
	if err != nil {
		t.Fatal(err)
	}
	readings := encoded.New(string(text))
	for _, secret := range secrets {
		if readings.Holds(secret) {
			t.Errorf("Run() = %s\nwant it without %s", text, secret)
		}
	}
	return string(text)
}

const answer = `{"access_token":"aaaaaaaaaaaa1111","session":"eeeeeeeeeeee5555","expires_in":60,"x":{"y":[{"z":null}]}}`

func TestRunShowsNoSecret(t *testing.T) {
	named := `"secrets":{"a":"` + secrets[2] + `","b":"` + secrets[3] + `"}`
	for name, c := range map[string]struct{ descriptor, fields, want string }{
		"basic": {
			`{"token":{"url":"{server}/t"}}`, `"client_id":"me","client_secret":"` + secrets[1] + `"`,
			"Basic base64(me:[client_secret])",
		},
		"basic_encoded": {
			`{"token":{"url":"{server}/t","auth":"basic_encoded"}}`,
			`"client_id":"me","client_secret":"` + secrets[1] + `"`,
			"Basic base64(me:%5Bclient_secret%5D)",
		},
		"post": {
			`{"token":{"url":"{server}/t","auth":"post","body":"json"}}`,
			`"client_id":"me","client_secret":"` + secrets[1] + `"`, `client_secret\": \"[client_secret]`,
		},
		"parameters of the credential, and of its URL": {
			`{"token":{"auth":"none"}}`,
			`"client_id":"me","params":{"p":"` + secrets[1] + `","q":["` + secrets[2] + `"]},"token_url":"https://` +
				`nobody.invalid/t?k=` + secrets[3] + `"`, "k=[token_url]",
		},
		"templates": {
			`{"grants":["login"],"token":{"url":"{server}/t","headers":{"X-A":"{base64(secrets.a)}",
				"X-B":"{hex(hmac_sha256(unhex(secrets.b), secrets.a))}","X-C":"{base64(unbase64(secrets.b))}"},
				"params":{"p":["{upper(secrets.a)}","{urlencode(secrets.a)}"]}}}`, named, "[SECRETS.A]",
		},
		"an assertion": {
			`{"grants":["urn:ietf:params:oauth:grant-type:jwt-bearer"],"token":{"url":"{server}/t","auth":"none"},
				"assertion":{"algorithm":"HS256","key":"{client_secret}","claims":{"c":"{secrets.a}"}}}`,
			`"client_id":"me","client_secret":"` + secrets[1] + `","secrets":{"a":"` + secrets[2] + `"}`,
			`\"c\":\"[secrets.a]\"`,
		},
		"steps": {
			`{"grants":["login"],"token":{"url":"{server}/t","headers":{"X-S":"{steps.s.session}","X-H":"{steps.s.head}"}},
				"steps":[{"name":"s","url":"/s","params":{"user":"{secrets.a}"},
				"take":{"session":"/session","head":"header:X-Session"}}]}`,
			`"secrets":{"a":"` + secrets[2] + `"}`, "[steps.s.session]",
		},
		"the request after the token request": {
			`{"token":{"url":"{server}/t","auth":"post"},"then":{"url":"/session","headers":{"X-Token":"{access_token}",
				"X-Hex":"{hex(unhex(access_token))}"},"body":"query","params":{"key":"{secrets.a}"},
				"access_token":"/session","extra":{"session":"/session"}}}`,
			`"client_id":"me","client_secret":"` + secrets[1] + `","secrets":{"a":"` + secrets[2] + `"}`, `"then":true`,
		},
		"literals of the descriptor": {
			`{"grants":["login"],"token":{"url":"{server}/t?code=` + secrets[1] + `","body":"json",
				"headers":{"X-API-Key":"` + secrets[5] + `"},"params":{"password":"` + secrets[6] + `"}}}`,
			`"keep_warm":false`, "[not shown]",
		},
	} {
		t.Run(name, func(t *testing.T) {
			result, err := run(t, c.descriptor, c.fields, answer)
			if err != nil && !strings.Contains(c.fields, "nobody.invalid") {
				t.Errorf("Run() = %v, want a token", err)
			}
			if text := checkShowsNoSecret(t, result); !strings.Contains(text, c.want) {
				t.Errorf("Run() = %s\nwant it to have %s", text, c.want)
			}
		})
	}
}

func TestRunDescribesTheAnswer(t *testing.T) {
	descriptor := `{"token":{"url":"{server}/t","auth":"none"},"response":{"extra":{"z":"/x/y/0/z"}}}`
	result, err := run(t, descriptor, `"client_id":"me"`, answer)
	if err != nil || len(result.Exchanges) != 1 || result.Exchanges[0].Answer == nil {
		t.Fatalf("Run() = %+v, %v, want one exchange", result, err)
	}
	var found []string
	const want = "/access_token string, /expires_in number, /session string, /x object of 1, /x/y array of 1, " +
		"/x/y/0 object of 1, /x/y/0/z null"
	if got := membersOf(result.Exchanges[0]); got != want {
		t.Errorf("Run() describes the answer as %s, want %s", got, want)
	}
	for _, r := range result.Read {
		found = append(found, fmt.Sprint(r.Field, " ", r.Place, " ", r.Found))
	}
	const wantFound = "access_token /access_token true, token_type /token_type false, expiry /expires_in true, " +
		"scope /scope false, refresh_token /refresh_token false, extra.z /x/y/0/z false"
	if got := strings.Join(found, ", "); got != wantFound {
		t.Errorf("Run() has read %s, want %s", got, wantFound)
	}
}

// The answer to the request after the token request is not shown as the token
// request's.
func TestRunDescribesThen(t *testing.T) {
	const withThen = `{"token":{"url":"{server}/t","auth":"none"},
		"then":{"url":"/session","headers":{"X-Token":"{access_token}"},
			"access_token":"/session","expiry":{"at":"/minutes","kind":"minutes"},"extra":{"url":"/url","none":"/none"}}}`
	const tokens = `{"access_token":"aaaaaaaaaaaa1111","token_type":"Bearer"}`
	for name, c := range map[string]struct{ answer, members, read string }{
		"a session": {
			`{"session":"eeeeeeeeeeee5555","minutes":20,"url":"https://eu.test"}`,
			"/minutes number, /session string, /url string",
			"access_token true, token_type true, expiry false, scope false, refresh_token false, " +
				"then.access_token true, then.expiry true in 20m0s, then.extra.none false, then.extra.url true",
		},
		"none": {
			`{"error":"denied"}`, "/error string", "error true denied, error_description false",
		},
	} {
		t.Run(name, func(t *testing.T) {
			result, err := runWith(t, withThen, `"client_id":"me"`, func(w http.ResponseWriter, r *http.Request) {
				text := c.answer
				if r.URL.Path == "/t" {
					text = tokens
				}
				if strings.Contains(text, `"error"`) {
					w.WriteHeader(http.StatusForbidden)
				}
				_, _ = io.WriteString(w, text)
			})
			if len(result.Exchanges) != 2 || result.Exchanges[0].Answer == nil || result.Exchanges[1].Answer == nil {
				t.Fatalf("Run() = %+v, %v, want two exchanges with answers", result, err)
			}
			token, then := result.Exchanges[0], result.Exchanges[1]
			if got, want := membersOf(token), "/access_token string, /token_type string"; got != want || token.Then {
				t.Errorf("Run() describes the answer to the token request as %s, want %s", got, want)
			}
			if got := membersOf(then); got != c.members || !then.Then {
				t.Errorf("Run() describes the answer to then as %s, want %s", got, c.members)
			}
			if got := then.Request.Header["X-Token"]; got != "[access_token]" {
				t.Errorf("Run() describes then with X-Token: %s, want [access_token]", got)
			}
			var read []string
			for _, r := range result.Read {
				text := fmt.Sprint(r.Field, " ", r.Found)
				if r.Value != "" && !strings.HasPrefix(r.Value, "fingerprint ") {
					text += " " + r.Value
				}
				read = append(read, text)
			}
			if got := strings.Join(read, ", "); got != c.read {
				t.Errorf("Run() has read %s, want %s", got, c.read)
			}
			checkShowsNoSecret(t, result)
		})
	}
}

// membersOf returns the members of the answer in an exchange.
func membersOf(x probe.Exchange) string {
	var members []string
	for _, m := range x.Answer.Members {
		members = append(members, m.Place+" "+m.Type)
	}
	return strings.Join(members, ", ")
}

func TestRunDescribesARefusal(t *testing.T) {
	result, err := run(t, `{"token":{"url":"{server}/t","auth":"post"}}`,
		`"client_id":"me","client_secret":"`+secrets[1]+`"`,
		`{"error":"invalid_client","error_description":"not `+secrets[1]+`"}`)
	if err == nil || result.Problem == "" || len(result.Read) != 2 || result.Read[0].Value != "invalid_client" {
		t.Errorf("Run() = %+v, %v, want the refusal", result, err)
	}
	checkShowsNoSecret(t, result)
}

// Names of members, of fields of a form and of header fields are the server's,
// and so are a scope and a content type: none shows a token or a secret.
func TestRunShowsNoSecretInANameOfTheAnswer(t *testing.T) {
	access, client, session := secrets[0], secrets[1], "s-0123456789abcdefghij"
	token := `{"access_token":"` + access + `"}`
	for name, c := range map[string]struct{ contentType, field, answer, want string }{
		"a member": {
			"application/json", "X-A",
			`{"access_token":"` + access + `","` + client + `":1,"s":{"` + access + `":{"a":1}}}`,
			"/access_token string, /[not shown] number, /s object of 1, /s/[not shown] object of 1, " +
				"/s/[not shown]/a number",
		},
		"a token that is nowhere else": {
			"application/json", "X-A", `{"sessions":{"` + session + `":1}}`,
			"/sessions object of 1, /sessions/[not shown] number",
		},
		"a token alone, as a form": {"application/x-www-form-urlencoded", "X-A", access, "/[not shown] string"},
		"a token with padding":     {"text/plain", "X-A", access + "==", "/[not shown] string"},
		"a header field":           {"application/json", client, token, "/access_token string"},
		"the content type":         {"a/b; c=" + client, "X-A", token, "/access_token string"},
		"the scope": {
			"application/json", "X-A", `{"access_token":"` + access + `","scope":"a ` + client + `"}`,
			"/access_token string, /scope string",
		},
		"an array in an array": {
			"application/json", "X-A", "[[[]]]", " array of 1, /0 array of 1, /0/0 array of 0",
		},
		"a mark of the byte order, and a number beyond float64": {
			"application/json", "X-A", "\ufeff" + `{"access_token":"` + access + `","expires_in":1e400}`,
			"/access_token string, /expires_in number",
		},
	} {
		t.Run(name, func(t *testing.T) {
			result, _ := runWith(t, `{"token":{"url":"{server}/t","auth":"post"}}`,
				`"client_id":"me","client_secret":"`+client+`"`, func(w http.ResponseWriter, _ *http.Request) {
					w.Header().Set("Content-Type", c.contentType)
					w.Header().Set(c.field, "1")
					_, _ = io.WriteString(w, c.answer)
				})
			text := strings.ToLower(checkShowsNoSecret(t, result))
			if strings.Contains(text, client) || strings.Contains(text, session) {
				t.Errorf("Run() = %s\nwant no secret, in any case", text)
			}
			if got := membersOf(result.Exchanges[0]); got != c.want {
				t.Errorf("Run() describes the answer as %q, want %q", got, c.want)
			}
		})
	}
}

// A token that add would refuse is no success.
func TestRunRefusesATokenThatIsOver(t *testing.T) {
	for expiry, want := range map[string]bool{"60": false, "null": false, "0": true, "-1": true} {
		result, err := run(t, `{"token":{"url":"{server}/t","auth":"none"}}`, `"client_id":"me"`,
			`{"access_token":"aaaaaaaaaaaa1111","expires_in":`+expiry+`}`)
		if (err != nil) != want || (result.Problem != "") != want {
			t.Errorf("Run() with expires_in %s = %v, problem %q; want an error: %t", expiry, err, result.Problem, want)
		}
	}
}
