package provider

import (
	"encoding/base64"
	"strings"
)

// JWTExpiry is the "exp" of an access token that is a JWT (RFC 7519 §4.1.4), on the provider's clock; not given where the token is no JWT or has none. Nothing is verified: it may shorten a lifetime, and proves nothing. Fractions are read as they are.
func (a Answer) JWTExpiry() Expiry {
	parts := strings.Split(a.Access.Reveal(), ".")
	if len(parts) != 3 {
		return Expiry{}
	}
	claims, err := base64.RawURLEncoding.DecodeString(strings.TrimRight(parts[1], "="))
	if err != nil {
		return Expiry{}
	}
	doc, problem := parseJSON(claims)
	exp, ok := readExpiry(lookup(doc, "/exp"), Epoch)
	if problem != "" || !ok {
		return Expiry{}
	}
	return exp
}
