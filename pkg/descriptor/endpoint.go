package descriptor

import (
	"cmp"
	"net/http"

	"github.com/tokenvend/tokenvend/pkg/jws"
)

// TokenEndpoint describes a token request (RFC 6749 §4.4.2). Where its URL is
// empty, each credential needs a token_url.
type TokenEndpoint struct {
	Request
	// ScopeSep separates the values of a scope. "" is a space.
	ScopeSep string `json:"scope_separator,omitempty"`
	// Alg is the older form of Algorithm of [Assertion], for private_key_jwt.
	// [Descriptor.SignedBy] reads it. It stays, because digests that are stored
	// have it.
	Alg jws.Algorithm `json:"algorithm,omitempty"`
	// Audience is the older form of the claim aud of [Assertion], as Alg is.
	Audience string `json:"assertion_audience,omitempty"`
}

// Step is a request before the token request.
type Step struct {
	Name string `json:"name"`
	Request
	// Take names values of the answer by JSON Pointers, for {steps.STEP.NAME}.
	Take map[string]string `json:"take"`
}

// Full returns the request of a step with defaults filled in. It has no
// standard parameters but those of a client authentication that it names.
func (s Step) Full() Request {
	r := s.Request.asLogin()
	r.Method = cmp.Or(r.Method, http.MethodPost)
	r.Body = cmp.Or(r.Body, BodyForm)
	return r
}

// Then is a request after each token request, with its access token: for a
// session, or for values that callers need beside the token. All refresh
// requests have it too.
type Then struct {
	// Request has no standard parameters but those of a client authentication
	// that it names. Its URL may be relative to the token URL.
	Request
	// Access is the place of the token that callers get in place of the token
	// request's. "" is none.
	Access string `json:"access_token,omitempty"`
	// Expiry is that of Access. It has no default place.
	Expiry Instant `json:"expiry,omitzero"`
	// Extra has the places of further values, as [Response] does.
	Extra map[string]string `json:"extra,omitempty"`
}

// Full returns the request with defaults filled in.
func (t Then) Full() Request { return Step{Request: t.Request}.Full() }

// Refresh describes a refresh request. Its zero fields are as in
// [TokenEndpoint].
type Refresh struct {
	// Request replaces parts of the token request. Its URL may be relative to
	// the token URL; "" is the token URL. Its Params replace all parameters; {}
	// means none.
	Request
	Rotates Rotates `json:"rotates,omitempty"`
	Reuse   Reuse   `json:"reuse,omitempty"`
}

// Rotates is whether a refresh brings a new refresh token. Unknown counts as
// yes.
type Rotates string

// The values of [Rotates]. The first is the default.
const (
	RotatesUnknown Rotates = "unknown"
	RotatesYes     Rotates = "yes"
	RotatesNo      Rotates = "no"
)

// Reuse is what the provider does when a refresh token is sent again.
type Reuse string

// The values of [Reuse]. The first is the default.
const (
	ReuseUnknown Reuse = "unknown"
	// it works again, at least for a while
	ReuseTolerated Reuse = "tolerated"
	// invalid_grant, without other effect
	ReuseRefused Reuse = "refused"
	// every token of the grant is revoked
	ReuseRevokesFamily Reuse = "revokes_family"
)

// Authorize describes the authorization endpoint (RFC 6749 §4.1.1).
type Authorize struct {
	// URL is https, or relative to the token URL.
	URL    string `json:"url"`
	Params Params `json:"params,omitempty"`
	// Fields renames client_id, redirect_uri, scope, audience and
	// response_type, as in [Request]. Without its own name, the audience has
	// that of the token request.
	Fields map[Field]string `json:"fields,omitempty"`
	// PKCE is S256 by default: a server that does not know it ignores it.
	PKCE PKCE `json:"pkce,omitempty"`
	// Code is the parameter of the authorization response that has the code. ""
	// is "code".
	Code string `json:"code,omitempty"`
	// Extra has further parameters of the authorization response, whose values
	// callers get beside the token, by the names that they get them by.
	Extra map[string]string `json:"extra,omitempty"`
}

// AuthorizeFields are the fields of an authorization request that can be
// renamed.
var AuthorizeFields = []Field{FieldClientID, FieldRedirectURI, FieldScope, FieldAudience, FieldResponseType}

// ParamName returns the authorization request's name for a field; "" means that
// it has none.
func (a *Authorize) ParamName(f Field) string { return Request{Fields: a.Fields}.ParamName(f) }

// PKCE is a code challenge method (RFC 7636).
type PKCE string

// The code challenge methods. The first is the default.
const (
	PKCES256  PKCE = "S256"
	PKCEPlain PKCE = "plain"
	PKCENone  PKCE = "none"
)

// Revoke describes a revocation request (RFC 7009). Its zero fields are as in
// [TokenEndpoint], but for the parameters, of which it has only its own. Its
// URL may be relative to the token URL.
type Revoke struct {
	Request
}

// Verify describes a GET that answers 2xx to an access token that works, and
// 401 to one that does not.
type Verify struct {
	// URL is https, or relative to the token URL.
	URL     string            `json:"url"`
	Headers map[string]string `json:"headers,omitempty"`
	// Minted asks for the verification of every new token before it is vended,
	// at the cost of one request for each.
	Minted bool `json:"minted,omitempty"`
	// Refused lists the statuses that mean, like 401, that the token is not
	// accepted. RFC 6750 §3.1 uses 403 for a token that lacks a scope.
	Refused []int `json:"refused,omitempty"`
}
