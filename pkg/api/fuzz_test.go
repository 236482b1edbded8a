package api_test

import (
	"encoding/json"
	"strings"
	"testing"

	"github.com/tokenvend/tokenvend/pkg/api"
)

// A request that was decoded is decoded again from what it is encoded to. An
// error is short and printable, and shows no value.
func FuzzDecodeRequest(f *testing.F) {
	for _, seed := range []string{
		`{}`,
		`{"credential":"minut","scope":"a b","audience":"","account":"ann","min_ttl":60,"rejected":"9f86d081884c7d65",` +
			`"action":"status","after":"x","limit":3}`,
		`{"min_ttl":-1}`, `{"min_ttl":1e9}`, `{"min_ttl":"60"}`, `{"limit":1.5}`, `{"a":1}`,
		`{"credential":"a","credential":"b"}`, `{"CREDENTIAL":"x"}`, `{} {}`, ` [`, "{\"scope\":\"\xff\"}",
		`{"action":"connect","code":"c","code_verifier":"v","redirect_uri":"https://a.test/"}`, strings.Repeat(`{"a":`, 50),
	} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, body []byte) {
		r, err := api.DecodeRequest(body)
		if err != nil {
			text := err.Error()
			isControl := func(c rune) bool { return c < ' ' || c > '~' }
			if len(text) > 120 || strings.ContainsFunc(text, isControl) || r != (api.Request{}) {
				t.Fatalf("DecodeRequest(%q) = %+v, %q, want no request and a short printable error", body, r, text)
			}
			return
		}
		again, err := json.Marshal(r)
		if err != nil {
			t.Fatal(err)
		}
		if same, err := api.DecodeRequest(again); err != nil || same != r {
			t.Fatalf("DecodeRequest(%s) = %+v, %v, want %+v", again, same, err, r)
		}
	})
}
