package api

import (
	"encoding/json"
	"strconv"
	"time"
)

// AppendJSON appends what json.Marshal makes of t. It is written by hand, since
// every vend needs one.
func (t Token) AppendJSON(to []byte) []byte {
	to = appendText(append(to, `{"access_token":`...), t.AccessToken)
	to = appendText(append(to, `,"token_type":`...), t.TokenType)
	to = strconv.AppendInt(append(to, `,"expires_in":`...), int64(time.Duration(t.ExpiresIn)/time.Second), 10)
	to = appendTime(append(to, `,"expires_at":`...), t.ExpiresAt)
	to = appendTime(append(to, `,"cache_until":`...), t.CacheUntil)
	if t.Scope != "" {
		to = appendText(append(to, `,"scope":`...), t.Scope)
	}
	to = appendText(append(to, `,"fingerprint":`...), t.Fingerprint)
	if len(t.Extra) > 0 {
		to = appendJSON(append(to, `,"extra":`...), t.Extra)
	}
	if t.Use != (Use{}) {
		to = appendJSON(append(to, `,"use":`...), t.Use)
	}
	return append(to, '}')
}

func appendJSON(to []byte, v any) []byte {
	data, _ := json.Marshal(v) // a string, or a value of strings: cannot fail
	return append(to, data...)
}

func appendTime(to []byte, at time.Time) []byte {
	return append(at.AppendFormat(append(to, '"'), time.RFC3339Nano), '"')
}

// appendText appends s as a JSON string. What is not plain ASCII is left to
// json.Marshal.
func appendText(to []byte, s string) []byte {
	for i := range len(s) {
		if c := s[i]; c < ' ' || c >= 0x7f || c == '"' || c == '\\' || c == '<' || c == '>' || c == '&' {
			return appendJSON(to, s)
		}
	}
	return append(append(append(to, '"'), s...), '"')
}
