package expiry

import (
	"encoding/base64"
	"encoding/json"
	"strings"

	"github.com/tokenvend/tokenvend/pkg/jsonpointer"
)

// OfJWT returns the "exp" of a JWT (RFC 7519 §4.1.4), on the provider's clock.
// It is not given where the text is no JWT, or where the claim is no time. The
// JWT is not verified: its claim may shorten a lifetime, and proves nothing.
func OfJWT(text string) Expiry {
	parts := strings.Split(text, ".")
	if len(parts) != 3 {
		return Expiry{}
	}
	claims, err := base64.RawURLEncoding.DecodeString(strings.TrimRight(parts[1], "="))
	if err != nil {
		return Expiry{}
	}
	doc, err := jsonpointer.Read(claims)
	exp := doc.Lookup("/exp")
	number, isNumber := exp.(json.Number)
	if text, isText := exp.(string); isText {
		number, isNumber = json.Number(strings.TrimSpace(text)), true
	}
	amount, ok := parseNumber(number.String())
	if err != nil || !isNumber || !ok || amount < 0 {
		return Expiry{}
	}
	return Expiry{Given: true, At: sinceEpoch(amount)}
}
