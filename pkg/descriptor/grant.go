package descriptor

import "slices"

// Grant is an OAuth 2.0 grant type by its wire name (RFC 6749).
type Grant string

// The grant types that a descriptor can describe.
const (
	ClientCredentials Grant = "client_credentials"
	RefreshToken      Grant = "refresh_token"
	AuthorizationCode Grant = "authorization_code"
	// JWTBearer is an assertion that the client signs (RFC 7523 §2.1).
	JWTBearer Grant = "urn:ietf:params:oauth:grant-type:jwt-bearer" // #nosec G101 -- a name
	// Password sends the named secrets "username" and "password" (RFC 6749
	// §4.3).
	Password Grant = "password"
	// TokenExchange is RFC 8693: params have the subject token.
	TokenExchange Grant = "urn:ietf:params:oauth:grant-type:token-exchange" // #nosec G101 -- a name
	// Login is a request without standard parameters, such as one for a session
	// or one that takes an API key: params and headers have everything.
	Login Grant = "login"
	// SelfSigned sends no request: the client's assertion is the access token.
	SelfSigned Grant = "self_signed"
)

// GrantTypes returns the grant types.
func GrantTypes() []Grant {
	return []Grant{
		ClientCredentials, RefreshToken, AuthorizationCode, JWTBearer, Password, TokenExchange, Login, SelfSigned,
	}
}

// DirectGrants returns the grant types that "grants" lists: those of tokens
// that need no user.
func DirectGrants() []Grant {
	return []Grant{ClientCredentials, JWTBearer, Password, TokenExchange, Login, SelfSigned}
}

// IsDirect reports whether the grant type is one of tokens that need no user.
func (g Grant) IsDirect() bool { return slices.Contains(DirectGrants(), g) }

// PasswordSecrets are the named secrets that [Password] sends.
var PasswordSecrets = []string{"username", "password"}
