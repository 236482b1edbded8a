package mint

import (
	"encoding/base64"
	"encoding/json"
	"strings"
)

// jwtClaim reads one numeric claim of a compact JWT (RFC 7519); false for anything that is none.
func jwtClaim(compact, name string) (float64, bool) {
	parts := strings.Split(compact, ".")
	if len(parts) != 3 {
		return 0, false
	}
	raw, err := base64.RawURLEncoding.DecodeString(strings.TrimRight(parts[1], "="))
	if err != nil {
		return 0, false
	}
	var claims map[string]json.RawMessage
	if json.Unmarshal(raw, &claims) != nil {
		return 0, false
	}
	var n float64
	if json.Unmarshal(claims[name], &n) != nil || string(claims[name]) == "null" {
		return 0, false
	}
	return n, true
}
