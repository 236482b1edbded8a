package descriptor

import (
	"slices"
	"strings"
)

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

// grantType is what is to be known of a grant type, besides the parameters of
// its token request, which package provider/request sets.
type grantType struct {
	name     Grant
	isDirect bool     // its tokens need no user
	isSigned bool     // the client signs an assertion for the token request
	isLogin  bool     // the client secret may be that of the account that the tokens are for
	secrets  []string // the named secrets that the token request has as parameters
}

var grantTypes = [...]grantType{
	{name: ClientCredentials, isDirect: true},
	{name: RefreshToken},
	{name: AuthorizationCode},
	{name: JWTBearer, isDirect: true, isSigned: true},
	{name: Password, isDirect: true, isLogin: true, secrets: []string{"username", "password"}},
	{name: TokenExchange, isDirect: true},
	{name: Login, isDirect: true, isLogin: true},
	{name: SelfSigned, isDirect: true, isSigned: true},
}

// known returns what is known of the grant type; of another one, nothing.
func (g Grant) known() grantType {
	for _, t := range grantTypes {
		if t.name == g {
			return t
		}
	}
	return grantType{}
}

// GrantTypes returns the grant types.
func GrantTypes() []Grant {
	all := make([]Grant, len(grantTypes))
	for i, t := range grantTypes {
		all[i] = t.name
	}
	return all
}

// DirectGrants returns the grant types that "grants" lists: those of tokens
// that need no user.
func DirectGrants() []Grant {
	return slices.DeleteFunc(GrantTypes(), func(g Grant) bool { return !g.IsDirect() })
}

// IsDirect reports whether the grant type is one of tokens that need no user.
func (g Grant) IsDirect() bool { return g.known().isDirect }

// IsSigned reports whether the client signs an assertion for a token request of
// the grant type.
func (g Grant) IsSigned() bool { return g.known().isSigned }

// IsLogin reports whether the client secret may be that of the account that the
// tokens of the grant type are for.
func (g Grant) IsLogin() bool { return g.known().isLogin }

// Secrets returns the named secrets that a token request of the grant type has
// as parameters of the same names.
func (g Grant) Secrets() []string { return g.known().secrets }

// Short returns a grant type without its namespace: "jwt-bearer".
func (g Grant) Short() string { return string(g[strings.LastIndexByte(string(g), ':')+1:]) }
