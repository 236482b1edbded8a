package response

import (
	"bytes"
	"compress/gzip"
	"encoding/base64"
	"fmt"
	"io"
	"math"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/tokenvend/tokenvend/pkg/descriptor"
	"github.com/tokenvend/tokenvend/pkg/provider/body"
	"github.com/tokenvend/tokenvend/pkg/provider/expiry"
	"github.com/tokenvend/tokenvend/pkg/token"
)

func TestFault16_RefreshTokenComesBesideTheError(t *testing.T) {
	for name, body := range map[string]string{
		"no access token":     `{"refresh_token":"NEW","expires_in":1}`,
		"header splitter":     `{"access_token":"a\r\nb","refresh_token":"NEW"}`,
		"wrong type":          `{"access_token":"a","token_type":"mac","refresh_token":"NEW"}`,
		"cut short after it":  `{"refresh_token":"NEW","access_tok`,
		"cut short in a list": `{"refresh_token":"NEW","scopes":["a","b`,
		"trailing bytes":      `{"access_token":"a","refresh_token":"NEW"}x`,
		"an error too":        `{"access_token":"","refresh_token":"NEW","error":"oops"}`,
	} {
		answer, e := exchange(t, again, says(200, body))
		if e == nil || answer.Refresh.Reveal() != "NEW" || !answer.Access.IsZero() {
			t.Errorf(`%s: %v with refresh token %q, want an error and answer.Refresh.Reveal() = "NEW" and answer.Access.IsZero()`, name, e, answer.Refresh.Reveal())
		}
		if answer.SentAt.IsZero() || !answer.Clock.Known() {
			t.Errorf("%s: no times beside the error, want not answer.SentAt.IsZero() and answer.Clock.Known()", name)
		}
	}
}

func TestFault16_HalfARefreshTokenIsNone(t *testing.T) {
	answer, e := exchange(t, again, says(200, `{"access_token":"a","refresh_token":"NE`))
	must(t, e, Malformed)
	if !answer.Refresh.IsZero() {
		t.Errorf("half a refresh token came back, want answer.Refresh.IsZero()")
	}
}

func TestFault16_RefreshTokenComesWithItsExpiry(t *testing.T) {
	text := `{"token":{"url":"https://login.test/token"},"refresh":{},"response":{"refresh_expiry":{"at":"/refresh_expires_in"}}}`
	answer, e := exchangeBy(t, text, again, says(200, `{"refresh_token":"NEW","refresh_expires_in":60}`))
	must(t, e, Malformed)
	if answer.Refresh.Reveal() != "NEW" || answer.RefreshExpiry != (expiry.Expiry{Given: true, In: time.Minute}) {
		t.Errorf("got %+v", answer)
	}
	answer, e = exchangeBy(
		t,
		text,
		again,
		says(200, `{"access_token":"a","refresh_token":"NEW","refresh_expires_in":"soon"}`),
	)
	if e != nil || answer.RefreshExpiry.Given {
		t.Errorf("an unreadable end of the refresh token: %v, %+v; want one not given", e, answer.RefreshExpiry)
	}
}

func TestFault19_ExpiresInMissingOrNull(t *testing.T) {
	for _, rest := range []string{``, `,"expires_in":null`, `,"expires_in":""`, `,"expires_in":" "`} {
		answer, e := exchange(t, creds, says(200, `{"access_token":"a"`+rest+`}`))
		if e != nil || answer.Expiry != (expiry.Expiry{}) || answer.Access.Reveal() != "a" {
			t.Errorf("%s: %+v, %v", rest, answer, e)
		}
	}
}

func TestFault20_ZeroIsZero(t *testing.T) {
	for _, zero := range []string{`0`, `"0"`, `0.0`, `-0`} {
		answer, e := exchange(t, creds, says(200, `{"access_token":"a","expires_in":`+zero+`}`))
		if e != nil || answer.Expiry != (expiry.Expiry{Given: true}) {
			t.Errorf("%s: %+v, %v", zero, answer.Expiry, e)
		}
	}
}

func TestFault21_SpellingsOf3600(t *testing.T) {
	for _, spelling := range []string{`3600`, `"3600"`, `3600.0`, `3.6e3`, `" 3600 "`, `"3600.0"`, `36e2`, `3.6E+3`} {
		answer, e := exchange(t, creds, says(200, `{"access_token":"a","expires_in":`+spelling+`}`))
		if e != nil || answer.Expiry != (expiry.Expiry{Given: true, In: time.Hour}) {
			t.Errorf("%s: %+v, %v", spelling, answer.Expiry, e)
		}
	}
}

// An expiry is no reason to lose a token: what cannot be read counts as not
// given, a negative one as 0, and what is beyond any clock is capped.
func TestFault22_AbsurdExpiresIn(t *testing.T) {
	unread, zero, far := expiry.Expiry{}, expiry.Expiry{Given: true}, expiry.Expiry{Given: true, In: math.MaxInt64}
	for absurd, want := range map[string]struct {
		expiry expiry.Expiry
		odd    expiry.Oddity
	}{
		`"NaN"`: {unread, expiry.Unreadable}, `"Infinity"`: {unread, expiry.Unreadable},
		`true`: {unread, expiry.Unreadable}, `false`: {unread, expiry.Unreadable},
		`"0x10"`: {unread, expiry.Unreadable}, `"1_000"`: {unread, expiry.Unreadable},
		`"+5"`: {unread, expiry.Unreadable}, `"soon"`: {unread, expiry.Unreadable},
		`[3600]`: {unread, expiry.Unreadable}, `{"seconds":3600}`: {unread, expiry.Unreadable},
		`"0001-01-01T00:00:00Z"`:              {unread, expiry.Unreadable},
		`"` + strings.Repeat("9", 5000) + `"`: {unread, expiry.Unreadable},
		`-1`:                                  {zero, expiry.Negative}, `"-3600"`: {zero, expiry.Negative},
		`"-1h"`: {zero, expiry.Negative}, `-1e400`: {zero, expiry.Negative},
		`1180591620717411303424`: {far, expiry.Beyond}, `1e400`: {far, expiry.Beyond},
	} {
		answer, e := exchange(t, creds, says(200, `{"access_token":"a","expires_in":`+absurd+`}`))
		if e != nil || answer.Access.Reveal() != "a" || answer.Expiry != want.expiry {
			t.Errorf("expires_in %.40s: %+v, %v; want a token with %+v", absurd, answer.Expiry, e, want.expiry)
		}
		if warning := "the expiry " + string(want.odd); !slices.Contains(answer.Warnings, warning) {
			t.Errorf("expires_in %.40s: warnings %q, want %q", absurd, answer.Warnings, warning)
		}
	}
}

func TestFault23_HundredYearsAreReadAsTheyAre(t *testing.T) {
	for spelling, want := range map[string]time.Duration{`3155760000`: 3155760000 * time.Second,
		`9007199254740992`: math.MaxInt64} {
		answer, e := exchange(t, creds, says(200, `{"access_token":"a","expires_in":`+spelling+`}`))
		if e != nil || answer.Expiry.In != want {
			t.Errorf("%s: %v, %v, want no error and answer.Expiry.In = %v", spelling, answer.Expiry.In, e, want)
		}
	}
}

func TestFault26_FractionalTimesInAJWT(t *testing.T) {
	jwt := func(claims string) string {
		return "e30." + base64.RawURLEncoding.EncodeToString([]byte(claims)) + ".sig"
	}
	answer, e := exchange(
		t,
		creds,
		says(200, `{"access_token":"`+jwt(`{"iat":1700000000.123456,"nbf":1700000000.1,"exp":1700003600.5}`)+`"}`),
	)
	if e != nil {
		t.Fatalf("%v, want no error", e)
	}
	if got, want := answer.JWTExpiry(), time.UnixMilli(1700003600500); !got.Given || !got.At.Equal(want) {
		t.Errorf("exp %v, want %v", got, want)
	}
	for _, token := range []string{"opaque", "a.b.c", jwt(`{}`), jwt(`{"exp":"x"}`), jwt(`not JSON`),
		jwt(`{"exp":-1}`)} {
		answer, e = exchange(t, creds, says(200, `{"access_token":"`+token+`"}`))
		if e != nil || answer.JWTExpiry().Given {
			t.Errorf("%s: %v, %v, want no error and not answer.JWTExpiry().Given", token, answer.JWTExpiry(), e)
		}
	}
}

func TestEveryKindOfExpiry(t *testing.T) {
	at := time.Date(2026, 11, 22, 7, 0, 0, 0, time.UTC)
	for _, c := range []struct {
		kind  descriptor.ExpiryKind
		value string
		want  expiry.Expiry
	}{
		{descriptor.Seconds, `60`, expiry.Expiry{Given: true, In: time.Minute}},
		{descriptor.Milliseconds, `60000`, expiry.Expiry{Given: true, In: time.Minute}},
		{descriptor.Milliseconds, `"1.5"`, expiry.Expiry{Given: true, In: 1500 * time.Microsecond}},
		{descriptor.Epoch, `1795330800`, expiry.Expiry{Given: true, At: at}},
		{descriptor.Epoch, `1795330800.25`, expiry.Expiry{Given: true, At: at.Add(250 * time.Millisecond)}},
		{descriptor.Epoch, `0`, expiry.Expiry{Given: true, At: time.Unix(0, 0).UTC()}},
		{descriptor.EpochMS, `1795330800001`, expiry.Expiry{Given: true, At: at.Add(time.Millisecond)}},
		{descriptor.RFC3339, `"2026-11-22T07:00:00Z"`, expiry.Expiry{Given: true, At: at}},
		{descriptor.RFC3339, `"2026-11-22T07:00:00.123456789Z"`, expiry.Expiry{Given: true, At: at.Add(123456789)}},
		{descriptor.RFC3339, `" 2026-11-22t07:00:00z "`, expiry.Expiry{Given: true, At: at}},
		{descriptor.RFC3339, `"2026-11-22T08:00:00+01:00"`, expiry.Expiry{Given: true, At: at}},
	} {
		text := fmt.Sprintf(
			`{"token":{"url":"https://login.test/"},"response":{"expiry":{"at":"/data/0/until","kind":%q},"access_token":"/data/0/a~1b"}}`,
			c.kind,
		)
		answer, e := exchangeBy(t, text, creds, says(200, `{"data":[{"a/b":"t","until":`+c.value+`}]}`))
		if got := answer.Expiry; e != nil || got.Given != c.want.Given || got.In != c.want.In ||
			!got.At.Equal(c.want.At) {
			t.Errorf("%s %s: %+v, %v, want no error and got.Given = %v and got.In = %v and got.At.Equal(c.want.At)",
				c.kind, c.value, got, e, c.want.Given, c.want.In)
		}
	}
	if e, odd := expiry.Read("2026-11-22", descriptor.RFC3339, at); e.Given || odd != expiry.Unreadable {
		t.Errorf("readExpiry of a day = %+v, %q; want one not given, for a day has no hour", e, odd)
	}
}

func TestFault31_NoUsableToken(t *testing.T) {
	const canary = "eyJCANARY"
	for name, handler := range map[string]http.HandlerFunc{
		"HTML":            says(200, "<html>"+canary+"</html>", "Content-Type", "text/html"),
		"HTML as JSON":    says(200, "<html>"+canary, "Content-Type", "application/json"),
		"empty":           says(200, ""),
		"blank":           says(200, " \r\n"),
		"{}":              says(200, "{}"),
		"null":            says(200, "null"),
		"a list":          says(200, `["`+canary+`"]`),
		"a text":          says(200, `"`+canary+`"`),
		"204":             says(204, ""),
		"cut short":       says(200, `{"access_token":"`+canary),
		"cut on the wire": says(200, `{"access_token":"`+canary, "Content-Length", "500"),
		"token null":      says(200, `{"access_token":null}`),
		"token empty":     says(200, `{"access_token":""}`),
		"token a number":  says(200, `{"access_token":12345678}`),
		"token a list":    says(200, `{"access_token":["`+canary+`"]}`),
		"too deep":        says(200, strings.Repeat(`{"a":`, 100)+`"`+canary+`"`+strings.Repeat(`}`, 100)),
		"brotli":          says(200, squeezed(`{"access_token":"`+canary+`"}`), "Content-Encoding", "br"),
		"token too long":  says(200, `{"access_token":"`+strings.Repeat("x", maxToken+1)+`"}`),
	} {
		answer, e := exchange(t, creds, handler)
		must(t, e, Malformed)
		if !answer.Access.IsZero() || e.Permanent || e.Client || !e.Sent || e.Status/100 != 2 ||
			strings.Contains(e.Error(), canary) {
			t.Errorf("%s: %+v, want answer.Access.IsZero() and not e.Permanent and not e.Client and e.Sent and e.Status/100 = 2 and not canary in e.Error()", name, e)
		}
	}
}

func squeezed(text string) string {
	var b bytes.Buffer
	w := gzip.NewWriter(&b)
	_, _ = io.WriteString(w, text)
	_ = w.Close()
	return b.String()
}

func TestFault31_OtherSuccessStatusAndContentType(t *testing.T) {
	for _, status := range []int{200, 201, 202, 203} {
		answer, e := exchange(
			t,
			creds,
			says(status, `{"access_token":"a"}`, "Content-Type", "text/html; charset=iso-8859-1"),
		)
		if e != nil || answer.Access.Reveal() != "a" {
			t.Errorf(`%d: %v, want no error and answer.Access.Reveal() = "a"`, status, e)
		}
	}
}

func TestFault32_ErrorObjectWith200(t *testing.T) {
	for _, c := range []struct {
		body      string
		kind      Kind
		code      string
		permanent bool
	}{
		{`{"error":"invalid_client","error_description":"no"}`, Rejected, "invalid_client", true},
		{`{"error":"invalid_grant"}`, Rejected, "invalid_grant", false},
		{`{"error":"temporarily_unavailable"}`, Unavailable, "temporarily_unavailable", false},
		{`{"error":{"code":"invalid_scope","message":"no such scope"}}`, Rejected, "invalid_scope", true},
		{`{"error":{"code":401,"message":"no"}}`, Rejected, "", false},
		{`{"error":"something else"}`, Rejected, "", false},
		{`{"access_token":"","error":"oops"}`, Rejected, "oops", false},
		{`{"access_token":"a\n","error":"oops"}`, Rejected, "oops", false},
		{`{"access_token":"a","token_type":"DPoP","error":"oops"}`, Rejected, "oops", false},
		{`{"error":{}}`, Malformed, "", false},
		{`{"error":""}`, Malformed, "", false},
		{`{"error":false}`, Malformed, "", false},
	} {
		answer, e := exchange(t, creds, says(200, c.body))
		if must(t, e, c.kind); e.Code != c.code || e.Permanent != c.permanent || e.Status != 200 ||
			!answer.Access.IsZero() {
			t.Errorf("%s: %+v, want e.Code = %v and e.Permanent = %v and status 200 and answer.Access.IsZero()",
				c.body, e, c.code, c.permanent)
		}
	}
	if answer, e := exchange(t, creds, says(200, `{"access_token":"a","error":null}`)); e != nil ||
		answer.Access.Reveal() != "a" {
		t.Errorf(`error null: %v, want no error and answer.Access.Reveal() = "a"`, e)
	}
}

func TestFault40_BOM(t *testing.T) {
	if answer, e := exchange(t, creds, says(200, "\xef\xbb\xbf"+`{"access_token":"a"}`)); e != nil ||
		answer.Access.Reveal() != "a" {
		t.Errorf(`exchange() = %v, want no error and answer.Access.Reveal() = "a"`, e)
	}
}

func TestFault40_LastDuplicateWins(t *testing.T) {
	answer, e := exchange(
		t,
		creds,
		says(200, `{"access_token":"first","expires_in":1,"access_token":"last","expires_in":2}`),
	)
	if e != nil || answer.Access.Reveal() != "last" || answer.Expiry.In != 2*time.Second {
		t.Errorf("%+v, %v", answer, e)
	}
}

func TestFault40_OtherCase(t *testing.T) {
	for _, c := range []struct{ body, want string }{
		{`{"Access_Token":"other"}`, "other"},
		{`{"ACCESS_TOKEN":"other","access_token":"exact"}`, "exact"},
		{`{"access_token":"exact","ACCESS_TOKEN":"other"}`, "exact"},
		{`{"Access_Token":"one","ACCESS_TOKEN":"two"}`, ""}, // which?
		// the exact one says: none
		{`{"access_token":null,"ACCESS_TOKEN":"other"}`, ""},
		// long s and Kelvin sign, which encoding/json takes for s and k
		{"{\"acce\u017f\u017f_to\u212aen\":\"folded\"}", ""},
		// other than by case
		{`{"accesstoken":"near"}`, ""},
		// not where the descriptor points
		{`{"data":{"access_token":"deep"}}`, ""},
		{`{"access_token ":"padded","x":{"access_token":1}}`, ""}, // nor this
	} {
		answer, _ := exchange(t, creds, says(200, c.body))
		if got := answer.Access.Reveal(); got != c.want {
			t.Errorf("%s: %q, want %q", c.body, got, c.want)
		}
	}
}

func TestFault40_TrailingBytes(t *testing.T) {
	for _, rest := range []string{"x", "{}", "\x00", "<!-- ok -->", `,"a":1`} {
		_, e := exchange(t, creds, says(200, `{"access_token":"a"}`+rest))
		if must(t, e, Malformed); e.Description != "bytes follow the JSON of the answer" {
			t.Errorf(`%v, want e.Description = "bytes follow the JSON of the answer"`, e)
		}
	}
	if _, e := exchange(t, creds, says(200, "{\"access_token\":\"a\"}\r\n \t")); e != nil {
		t.Errorf("exchange() = %v, want no error", e)
	}
}

func TestFault41_TokenThatWouldBreakAHeader(t *testing.T) {
	for _, bad := range []string{`\r`, `\n`, `\r\nX-Evil: 1`, `\u0000`, `\t`, ` `, `é`, `\u2028`, `\u007f`, "\xff"} {
		_, e := exchange(t, creds, says(200, `{"access_token":"aaa`+bad+`bbb"}`))
		if must(t, e, Malformed); strings.Contains(e.Error(), "aaa") {
			t.Errorf(`%v, want not "aaa" in e.Error()`, e)
		}
		answer, e := exchange(t, creds, says(200, `{"access_token":"a","refresh_token":"rrr`+bad+`"}`))
		if e != nil || answer.Access.Reveal() != "a" || !answer.Refresh.IsZero() || len(answer.Warnings) != 1 {
			t.Errorf("a bad refresh token beside a good token: %+v, %v; want the token, and a warning", answer, e)
		}
	}
	if answer, e := exchange(t, creds, says(200, `{"access_token":"1|aB-._~+/=!:,"}`)); e != nil ||
		answer.Access.Reveal() != "1|aB-._~+/=!:," {
		t.Errorf(`exchange() = %v, want no error and answer.Access.Reveal() = "1|aB-._~+/=!:,"`, e)
	}
}

func TestFault42_TokenType(t *testing.T) {
	for _, c := range []struct{ kind, want string }{{`"Bearer"`, "Bearer"}, {`"bearer"`, "Bearer"},
		{`" BEARER "`, "Bearer"}, {`""`, ""}, {`null`, ""}} {
		answer, e := exchange(t, creds, says(200, `{"access_token":"a","token_type":`+c.kind+`}`))
		if e != nil || answer.Type != c.want {
			t.Errorf("%s: %q, %v, want no error and answer.Type = %v", c.kind, answer.Type, e, c.want)
		}
	}
	for _, kind := range []string{`"mac"`, `"DPoP"`, `" pop "`, `"HMAC-SHA-256"`, `"Bearer; PoP"`} {
		_, e := exchange(t, creds, says(200, `{"access_token":"a","token_type":`+kind+`}`))
		if must(t, e, Malformed); !strings.HasPrefix(e.Description, "the token type at /token_type needs more") {
			t.Errorf(`token_type %s: %v, want e.Description with the prefix "the token type at /token_type needs more"`, kind, e)
		}
	}
}

func TestFault42_ScopeIsTheGrantedOne(t *testing.T) {
	for _, c := range []struct{ text, scope, want string }{
		{plain, `"read"`, "read"},
		{plain, `" write  read "`, "write read"},
		{plain, `["read","write"]`, "read write"},
		{plain, `null`, ""},
		{plain, `7`, ""},
		{plain, `"lesen ändern"`, ""},
		{`{"token":{"url":"https://login.test/","scope_separator":","}}`, `"read,write"`, "read write"},
	} {
		answer, e := exchangeBy(
			t,
			c.text,
			creds,
			says(200, `{"access_token":"a","scope":`+c.scope+`}`),
		)
		if e != nil || answer.Scope != c.want {
			t.Errorf("%s: %q, %v, want no error and answer.Scope = %v", c.scope, answer.Scope, e, c.want)
		}
	}
}

// anyPlace is a descriptor that reads a response in every way but as a text.
const anyPlace = `{"token":{"url":"https://login.test/token"},"refresh":{},"response":{
	"access_token":"header:X-Token","refresh_token":"/refresh_token","expiry":{"at":"header:X-Token","kind":"hours"},
	"success":{"at":"/code","values":["0"]},"extra":{"a":"/a","b":"/b/0","c":"header:X-Token"}}}`

func FuzzTokenResponse(f *testing.F) {
	descriptors := []string{plain, text, feishu, anyPlace}
	for _, seed := range []string{`{"access_token":"a","expires_in":3600}`,
		`{"error":{"code":"x","message":"\u0000"}}`, `[[[[`, `"`, "\xef\xbb\xbf{}",
		`{"access_token":"a","expires_in":1e999,"refresh_token":"r"`, `{"expires_in":"` + strings.Repeat("9", 400) +
			`"}`} {
		for by := range descriptors {
			f.Add([]byte(seed), 200, by, "a")
			f.Add([]byte(seed), 401, by, "Bearer b")
		}
	}
	f.Fuzz(func(t *testing.T, data []byte, status, by int, header string) {
		m := Message{Status: status, SentAt: time.Unix(0, 0), At: time.Unix(0, 0)}
		m.Header = http.Header{"X-Token": {header}}
		m.Body, _ = body.Read(m.Header, bytes.NewReader(data))
		answer, e := newRequest(t, descriptors[uint(by)%uint(len(descriptors))], again).Token(m)
		if (e == nil) == answer.Access.IsZero() {
			t.Fatalf("%v with access token %q, want (e == nil) other than %v", e, answer.Access.Reveal(),
				answer.Access.IsZero())
		}
		if e != nil &&
			(len(e.Description) > MaxDescription || unprintable(e.Error()) ||
				strings.Contains(e.Error(), "CLIENT_SECRET")) {
			t.Fatalf("%q", e.Error())
		}
		if s := answer.Access.Reveal() + answer.Refresh.Reveal(); len(s) < maxToken &&
			strings.ContainsFunc(s, func(r rune) bool { return r <= ' ' || r > '~' }) {
			t.Fatalf("token %q", s)
		}
		size := 0
		for name, value := range answer.Extra {
			size += len(name) + len(value.Reveal())
		}
		if size > token.MaxExtra || e != nil && size > 0 {
			t.Fatalf("extra values of %d bytes, %v", size, e)
		}
		if answer.Expiry.In < 0 || status/100 != 2 && e == nil {
			t.Fatalf("%+v", answer)
		}
	})
}

func unprintable(s string) bool {
	return strings.ContainsFunc(s, func(r rune) bool { return r < ' ' || r > '~' })
}
