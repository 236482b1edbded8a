package provider

import (
	"encoding/base64"
	"encoding/json"
	"strings"

	"github.com/tokenvend/tokenvend/pkg/jsonpointer"
)

// JWTExpiry is the "exp" of an access token that is a JWT (RFC 7519 §4.1.4), on
// the provider's clock. It is not given where the token is no JWT, or where the
// claim is no time. Nothing is verified: it may shorten a lifetime, and proves
// nothing. Fractions are read as they are.
func (a TokenResponse) JWTExpiry() Expiry {
	parts := strings.Split(a.Access.Reveal(), ".")
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
	amount, ok := readNumber(number.String())
	if err != nil || !isNumber || !ok || amount < 0 {
		return Expiry{}
	}
	return Expiry{Given: true, At: sinceEpoch(amount)}
}
