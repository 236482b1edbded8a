package encoded_test

import (
	"encoding/base64"
	"encoding/hex"
	"net/url"
	"testing"

	"github.com/tokenvend/tokenvend/pkg/encoded"
)

func TestHolds(t *testing.T) {
	const token = "r/secret-token+1"
	escaped := `r\/secret-token+1`
	for name, c := range map[string]struct {
		text, token string
		want        bool
	}{
		"the token itself": {token, token, true},
		"in a text":        {"a|" + token + "|b", token, true},
		"percent-encoded":  {url.QueryEscape(token), token, true},
		"escaped JSON":     {escaped, token, true},
		"hexadecimal":      {hex.EncodeToString([]byte(token)), token, true},
		"base64":           {base64.StdEncoding.EncodeToString([]byte("x" + token)), token, true},
		"base64 twice":     {base64.StdEncoding.EncodeToString([]byte(base64.URLEncoding.EncodeToString([]byte(token)))), token, true},
		"a claim of a JWT": {"e30." + base64.RawURLEncoding.EncodeToString([]byte(`{"rt":"`+token+`"}`)) + ".x",
			token, true},
		"another text":      {"nothing of it", token, false},
		"a part of it":      {token[:12], token, false},
		"a token too short": {"ab", "ab", false},
		"no token":          {"text", "", false},
		"a broken encoding": {"%zz", token, false},
	} {
		if got := encoded.New(c.text).Holds(c.token); got != c.want {
			t.Errorf("%s: New(%s).Holds(%s) = %t, want %t", name, c.text, c.token, got, c.want)
		}
	}
}
