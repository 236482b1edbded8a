package grant

import (
	"cmp"

	"github.com/tokenvend/tokenvend/pkg/descriptor"
)

// Strategy is how the tokens of one grant type of a credential are obtained.
// The zero value is the safe one: a refresh token is all there is.
type Strategy struct {
	// Name is the value of "grant" in a credential's secret.
	Name descriptor.Grant
	// Direct is the grant type of a token request that needs no refresh token.
	// "": there is none, so that the grant is lost with its refresh token.
	Direct descriptor.Grant
	// ByUser reports whether a user gives the grant by connecting an account.
	ByUser bool
	// Signed reports whether the client signs an assertion for the direct token
	// request.
	Signed bool
}

// Names returns the names of all strategies.
func Names() []string {
	var all []string
	for _, g := range descriptor.GrantTypes() {
		all = append(all, string(g))
	}
	return all
}

// Of returns the strategy of a name; "" is client credentials. The strategy of
// an unknown name, which a newer program wrote, loses no refresh token.
func Of(name descriptor.Grant) Strategy {
	name = cmp.Or(name, descriptor.ClientCredentials)
	s := Strategy{Name: name, ByUser: name == descriptor.AuthorizationCode, Signed: name.IsSigned()}
	if name.IsDirect() {
		s.Direct = name
	}
	return s
}

// CanBeLost reports whether the grant is lost with its refresh token.
func (s Strategy) CanBeLost() bool { return s.Direct == "" }

// Requests returns the grant types of the token requests to try in turn:
// refresh reports whether there is a refresh token that may be sent.
func (s Strategy) Requests(refresh bool) []descriptor.Grant {
	var all []descriptor.Grant
	if refresh {
		all = append(all, descriptor.RefreshToken)
	}
	if s.Direct != "" {
		all = append(all, s.Direct)
	}
	return all
}

// RenewedBy returns the grant type that renews a token; refresh reports whether
// there is a refresh token.
func (s Strategy) RenewedBy(refresh bool) descriptor.Grant {
	if refresh {
		return descriptor.RefreshToken
	}
	return cmp.Or(s.Direct, descriptor.ClientCredentials)
}

// SendsScope reports whether a request of a grant type sends scope and
// audience. A grant that a user gave has the scope that the user granted
// (RFC 6749 §§4.1.3, 6).
func (s Strategy) SendsScope(g descriptor.Grant) bool {
	switch g {
	case descriptor.AuthorizationCode:
		return false
	case descriptor.RefreshToken:
		return !s.ByUser
	}
	return true
}
