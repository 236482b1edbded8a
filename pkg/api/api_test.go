package api

import (
	"encoding/json"
	"reflect"
	"strings"
	"testing"
	"time"
)

func TestDecodeRequestIsStrict(t *testing.T) {
	for body, want := range map[string]string{
		``:                               "one JSON object",
		`[]`:                             "one JSON object",
		`null`:                           "one JSON object",
		`"minut"`:                        "one JSON object",
		`{`:                              "well-formed",
		`{"credential":"minut"} x`:       "nothing after",
		`{"credential":"minut"}{}`:       "nothing after",
		`{"credential":7}`:               "credential: expected a string",
		`{"scope":["read"]}`:             "scope: expected a string",
		`{"min_ttl":"60"}`:               "min_ttl: expected a whole number of seconds",
		`{"min_ttl":-1}`:                 "min_ttl: expected a whole number of seconds",
		`{"min_ttl":1.5}`:                "min_ttl: expected a whole number of seconds",
		`{"min_ttl":1e9}`:                "min_ttl: expected a whole number of seconds",
		`{"limit":"x"}`:                  "limit: expected a whole number",
		`{"clientsecret":"hush"}`:        `"clientsecret": no such field`,
		`{"hush hush, a secret":"hush"}`: "a field that is not known",
	} {
		_, err := DecodeRequest([]byte(body))
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("DecodeRequest(%s) = %v, want an error with %q", body, err, want)
		}
		if err != nil && strings.Contains(err.Error(), "hush") {
			t.Errorf("DecodeRequest(%s) = %v, want no value in it", body, err)
		}
	}
}

func TestDecodeRequestReadsEveryField(t *testing.T) {
	const body = `{"action":"vend","credential":"minut","scope":"b a","audience":"x","account":"alice","min_ttl":90,` +
		`"rejected":"9f86d081884c7d65","after":"a","limit":3}`
	got, err := DecodeRequest([]byte(body))
	want := Request{
		Action: "vend", Credential: "minut", Scope: "b a", Audience: "x", Account: "alice",
		MinTTL: Seconds(90 * time.Second), Rejected: "9f86d081884c7d65", After: "a", Limit: 3,
	}
	if err != nil || got != want {
		t.Errorf("DecodeRequest(%s) = %+v, %v, want %+v", body, got, err, want)
	}
}

func TestProblemDocument(t *testing.T) {
	e := &Error{
		Code: ProviderUnavailable, Detail: "the provider answered 503", Credential: "minut", RequestID: "r1",
		RetryAfter: 1500 * time.Millisecond,
	}
	got, err := json.Marshal(e)
	const want = `{"type":"urn:tokenvend:error:provider_unavailable","title":"The provider can't be asked now",` +
		`"status":503,"detail":"the provider answered 503","code":"provider_unavailable","credential":"minut",` +
		`"request_id":"r1","retry_after":2}`
	if err != nil || string(got) != want {
		t.Errorf("Marshal(%v) = %s, %v, want %s", e, got, err, want)
	}
	var back Error
	if err := json.Unmarshal(got, &back); err != nil || back.Code != e.Code || back.RetryAfter != 2*time.Second {
		t.Errorf("Unmarshal(%s) = %+v, %v, want %s with a retry after 2 seconds", got, back, err, e.Code)
	}
}

func TestEveryCodeHasATitle(t *testing.T) {
	for code, known := range codes {
		if known.title == "" || known.status < 400 {
			t.Errorf("codes[%s] = %+v, want a title and a status of 400 or more", code, known)
		}
	}
	if got := Code("of tomorrow").Status(); got != 500 {
		t.Errorf("Status() of an unknown code = %d, want 500", got)
	}
}

func TestTokenJSON(t *testing.T) {
	at := time.Date(2026, 11, 22, 7, 0, 0, 0, time.UTC)
	token := Token{
		AccessToken: "a", TokenType: "Bearer", ExpiresIn: Seconds(2874*time.Second + 999*time.Millisecond),
		ExpiresAt: at, CacheUntil: at.Add(-12 * time.Minute), Fingerprint: "9f86d081884c7d65",
	}
	const want = `{"access_token":"a","token_type":"Bearer","expires_in":2874,"expires_at":"2026-11-22T07:00:00Z",` +
		`"cache_until":"2026-11-22T06:48:00Z","fingerprint":"9f86d081884c7d65"}`
	if got, err := json.Marshal(token); err != nil || string(got) != want {
		t.Errorf("Marshal(%+v) = %s, %v, want %s", token, got, err, want)
	}
}

func TestAppendJSONAgreesWithEncodingJSON(t *testing.T) {
	at := time.Date(2026, 11, 22, 7, 0, 0, 5e6, time.UTC)
	for _, token := range []Token{
		{}, filled(),
		{
			AccessToken: "a", TokenType: "Bearer", ExpiresIn: Seconds(90*time.Second - 1), ExpiresAt: at,
			CacheUntil: at.Add(-time.Hour), Scope: "read write", Fingerprint: "9f86d081884c7d65",
		},
		{
			AccessToken: "a", Extra: map[string]string{"b": "https://x", "a": `"\<>&`},
			Use: Use{Header: "X", Prefix: "T "},
		},
		{AccessToken: "a", Use: Use{Query: "access_token"}},
		{AccessToken: `"\<>&` + "é\u2028\x7f\x00\xff", Scope: "\n"},
	} {
		want, err := json.Marshal(token)
		if got := token.AppendJSON(nil); err != nil || string(got) != string(want) {
			t.Errorf("AppendJSON() = %s, want %s, %v", got, want, err)
		}
	}
}

// filled returns a token of which no field is empty, whatever fields there are.
func filled() (t Token) {
	v := reflect.ValueOf(&t).Elem()
	for i := range v.NumField() {
		switch field := v.Field(i); field.Interface().(type) {
		case string:
			field.SetString("x")
		case Seconds:
			field.SetInt(int64(time.Minute))
		case map[string]string:
			field.Set(reflect.ValueOf(map[string]string{"x": "x"}))
		case Use:
			field.Set(reflect.ValueOf(Use{Header: "x", Prefix: "x", Query: "x"}))
		case time.Time:
			field.Set(reflect.ValueOf(time.Unix(1795330326, 0).UTC()))
		default:
			panic("a field of a new kind")
		}
	}
	return t
}
