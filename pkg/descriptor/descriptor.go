// Package descriptor is the data language of providers: how the token endpoint
// of one vendor differs from that of another. A [Descriptor] is JSON: a file in
// catalog/, or the field "descriptor" of a credential's secret. The file
// descriptor.schema.json describes the same JSON for editors.
//
// The package parses and validates. It does no I/O.
package descriptor

import (
	"encoding/json"
	"time"

	"github.com/tokenvend/tokenvend/pkg/jws"
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

// grants lists the grant types.
var grants = [...]Grant{
	ClientCredentials, RefreshToken, AuthorizationCode, JWTBearer, Password, TokenExchange, Login, SelfSigned,
}

// Descriptor describes the protocol of one vendor's token endpoint. Every zero
// value is the usual or the safe choice: {"token":{"url":"https://…"}} is RFC
// 6749 with HTTP Basic. [Parse] and [Catalog] return descriptors; both refuse
// an inconsistent one.
type Descriptor struct {
	// Schema names the JSON schema for editors, and is ignored.
	Schema string `json:"$schema,omitempty"`
	// Name is the name in the catalogue. An inline descriptor needs none.
	Name string `json:"name,omitempty"`
	// Title is the name for people: "Salesforce (JWT bearer)".
	Title string `json:"title,omitempty"`
	// Docs is the URL of the vendor's page that the descriptor was taken from.
	Docs string `json:"docs,omitempty"`
	// Checked is the day on which the descriptor was last compared with a copy
	// of that page, "2026-11-22", or [NotRead].
	Checked string `json:"checked,omitempty"`
	// Setup tells an operator how to get credentials, in two or three
	// sentences.
	Setup string `json:"setup,omitempty"`
	// Notes tell a reader what else to know.
	Notes []string `json:"notes,omitempty"`
	// Example is the secret of a credential, without real secrets.
	Example Example `json:"example,omitempty"`

	// Secrets are the named secrets that a credential has. An inline descriptor
	// need not list them: a placeholder is enough.
	Secrets map[string]NamedSecret `json:"secrets,omitempty"`
	// Variables are the variables that a credential gives.
	Variables map[string]Variable `json:"variables,omitempty"`
	// Grants are the grant types of tokens that need no user. The first one is
	// that of a credential without "grant". nil is [ClientCredentials] for
	// those, and any other that a credential names.
	Grants []Grant `json:"grants,omitempty"`

	Token TokenEndpoint `json:"token,omitzero"`
	// Assertion is nil where [TokenEndpoint] and the defaults say all.
	Assertion *Assertion `json:"assertion,omitempty"`
	// Steps are requests before each token request that is no refresh request.
	Steps    []Step   `json:"steps,omitempty"`
	Response Response `json:"response,omitzero"`
	// Use is how an API expects the access token.
	Use Use `json:"use,omitzero"`
	// Refresh is nil where the provider has no refresh tokens.
	Refresh *Refresh `json:"refresh,omitempty"`
	// Authorize is nil where resource owners cannot connect their accounts.
	Authorize *Authorize `json:"authorize,omitempty"`
	// Revoke is nil where tokens cannot be revoked.
	Revoke *Revoke `json:"revoke,omitempty"`
	// Verify is nil where no request verifies a token.
	Verify *Verify `json:"verify,omitempty"`
	// Overlaps is read by [Descriptor.Overlap].
	Overlaps  map[Grant]Overlap `json:"overlap,omitempty"`
	Renew     Renew             `json:"renew,omitzero"`
	Limits    Limits            `json:"limits,omitzero"`
	Permanent Permanent         `json:"permanent,omitzero"`
	Errors    Errors            `json:"errors,omitzero"`
}

// NotRead is [Descriptor.Checked] of an entry that was written without the
// vendor's page: everything in it is assumed.
const NotRead = "not read"

// Example is an object of JSON.
type Example map[string]any

// TokenEndpoint describes a token request (RFC 6749 §4.4.2). Where its URL is
// empty, each credential needs a token_url.
type TokenEndpoint struct {
	Request
	// ScopeSep separates the values of a scope. "" is a space.
	ScopeSep string `json:"scope_separator,omitempty"`
	// Alg is the algorithm of private_key_jwt. "" is the usual one of the key.
	Alg jws.Algorithm `json:"algorithm,omitempty"`
	// Audience is the "aud" of private_key_jwt. "" is the URL of the request.
	Audience string `json:"assertion_audience,omitempty"`
}

// Auth is a method of client authentication at the token endpoint.
type Auth string

// The methods of client authentication. The first is the default.
const (
	AuthBasic Auth = "basic" // RFC 7617: base64(id:secret)
	// RFC 6749 §2.3.1: form-encoded first
	AuthBasicEncoded Auth = "basic_encoded"
	// client_id and client_secret as parameters
	AuthPost       Auth = "post"
	AuthPrivateKey Auth = "private_key_jwt" // RFC 7523 §2.2
	// RFC 8705 §2, with client_id as a parameter
	AuthTLS  Auth = "tls"
	AuthNone Auth = "none" // client_id alone
)

// Needs is what a client must have for a method of client authentication,
// besides its client_id.
type Needs struct {
	Secret      bool // a client secret
	Assertion   bool // a private key, by which it signs an assertion
	Certificate bool // a certificate, and its private key
}

// auths lists the methods of client authentication with what they need.
var auths = [...]struct {
	method Auth
	needs  Needs
}{
	{AuthBasic, Needs{Secret: true}},
	{AuthBasicEncoded, Needs{Secret: true}},
	{AuthPost, Needs{Secret: true}},
	{AuthPrivateKey, Needs{Assertion: true}},
	{AuthTLS, Needs{Certificate: true}},
	{AuthNone, Needs{}},
}

// Needs returns what the method needs.
func (a Auth) Needs() Needs {
	for _, known := range auths {
		if known.method == a {
			return known.needs
		}
	}
	return Needs{}
}

// Body is where a request carries its parameters.
type Body string

// The bodies. The first is the default. The parameters of a query, secrets
// among them, end up in logs of servers: use it only where the provider has no
// other.
const (
	BodyForm  Body = "form"  // application/x-www-form-urlencoded
	BodyJSON  Body = "json"  // an object
	BodyQuery Body = "query" // the query of the URL
)

// Field is a standard parameter by its name in the RFCs.
type Field string

// The standard parameters that a descriptor may rename or leave out. RFC 8707
// calls the audience "resource".
const (
	FieldGrantType     Field = "grant_type"
	FieldClientID      Field = "client_id"
	FieldClientSecret  Field = "client_secret"
	FieldScope         Field = "scope"
	FieldAudience      Field = "audience"
	FieldRefreshToken  Field = "refresh_token"
	FieldAssertion     Field = "client_assertion"
	FieldAssertionType Field = "client_assertion_type"
	FieldCode          Field = "code"
	FieldRedirectURI   Field = "redirect_uri"
	FieldCodeVerifier  Field = "code_verifier"
	// FieldJWT is the assertion of [JWTBearer].
	FieldJWT Field = "assertion"
	// FieldUsername and FieldPassword are parameters of [Password] alone.
	FieldUsername Field = "username"
	FieldPassword Field = "password"
)

// standardFields lists the standard parameters.
var standardFields = []Field{
	FieldGrantType, FieldClientID, FieldClientSecret, FieldScope, FieldAudience, FieldRefreshToken,
	FieldAssertion, FieldAssertionType, FieldCode, FieldRedirectURI, FieldCodeVerifier, FieldJWT,
}

// FieldToken is the parameter of the token to revoke (RFC 7009 §2.1).
const FieldToken = "token"

// Duration is a time.Duration that JSON spells as Go does: "24h", "90m".
type Duration time.Duration

// MarshalJSON writes the duration as [time.Duration.String] does.
func (d Duration) MarshalJSON() ([]byte, error) { return json.Marshal(time.Duration(d).String()) }

// UnmarshalJSON reads what [time.ParseDuration] reads.
func (d *Duration) UnmarshalJSON(data []byte) error {
	var text string
	if err := json.Unmarshal(data, &text); err != nil {
		return err
	}
	parsed, err := time.ParseDuration(text)
	*d = Duration(parsed)
	return err
}

// CheckJSON implements [strictjson.Checker].
func (Duration) CheckJSON(token json.Token) (expected string, ok bool) {
	text, isText := token.(string)
	d, err := time.ParseDuration(text)
	return `a duration above zero, such as "90m"`, isText && err == nil && d > 0
}
