package descriptor

import (
	"encoding/json"
	"time"
)

// Grant is an OAuth 2.0 grant type by its wire name (RFC 6749).
type Grant string

// The grant types that a descriptor can describe.
const (
	ClientCredentials Grant = "client_credentials"
	RefreshToken      Grant = "refresh_token"
	AuthorizationCode Grant = "authorization_code"
)

// Descriptor is how one vendor's token endpoint speaks. It is data: a file in catalog/, or the "descriptor" of a credential's secret. descriptor.schema.json describes the same JSON for editors.
// Every zero value is the usual or the careful choice: a descriptor of {"token":{"url":"https://…"}} is RFC 6749 with HTTP Basic. Make one with [Parse] or [Catalog]; both refuse what is inconsistent.
type Descriptor struct {
	Schema    string            `json:"$schema,omitempty"` // for editors; not looked at
	Name      string            `json:"name,omitempty"`    // the catalogue's name for it; "" in an inline descriptor is fine
	Docs      string            `json:"docs,omitempty"`    // the vendor's page that all of this was taken from
	Checked   string            `json:"checked,omitempty"` // the day somebody last compared the two, "2026-11-22"
	Notes     []string          `json:"notes,omitempty"`   // what a reader should know besides
	Token     TokenEndpoint     `json:"token,omitzero"`
	Response  Response          `json:"response,omitzero"`
	Refresh   *Refresh          `json:"refresh,omitempty"`   // nil: there is nothing to refresh with; ask again
	Authorize *Authorize        `json:"authorize,omitempty"` // nil: people cannot connect their accounts
	Revoke    *Revoke           `json:"revoke,omitempty"`    // nil: tokens cannot be revoked
	Verify    *Verify           `json:"verify,omitempty"`    // nil: there is no request that proves a token
	Overlaps  map[Grant]Overlap `json:"overlap,omitempty"`   // ask [Descriptor.Overlap]
	Renew     Renew             `json:"renew,omitzero"`
	Limits    Limits            `json:"limits,omitzero"`
	Permanent Permanent         `json:"permanent,omitzero"`
	Errors    Errors            `json:"errors,omitzero"`
}

// TokenEndpoint is how a token is asked for (RFC 6749 §4.4.2).
type TokenEndpoint struct {
	URL      string            `json:"url,omitempty"`     // https; "": each credential has to bring its token_url
	Method   string            `json:"method,omitempty"`  // POST, or GET with a query body; "" is POST
	Auth     Auth              `json:"auth,omitempty"`    // "" is basic
	Body     Body              `json:"body,omitempty"`    // "" is form
	Params   map[string]string `json:"params,omitempty"`  // further parameters; a credential's own take their place
	Headers  map[string]string `json:"headers,omitempty"` // further headers
	Fields   map[Field]string  `json:"fields,omitempty"`  // other names for standard parameters; "" leaves one out
	ScopeSep string            `json:"scope_separator,omitempty"`
	Alg      Algorithm         `json:"algorithm,omitempty"`          // of private_key_jwt; "" is ES256 or RS256, as the key is
	Audience string            `json:"assertion_audience,omitempty"` // "aud" of private_key_jwt; "" is the URL asked
}

// Auth is how a client proves itself to the token endpoint.
type Auth string

// The ways of client authentication. The first is the default.
const (
	AuthBasic        Auth = "basic"           // RFC 7617: base64(id:secret), as they are
	AuthBasicEncoded Auth = "basic_encoded"   // RFC 6749 §2.3.1: id and secret form-encoded, then base64
	AuthPost         Auth = "post"            // client_id and client_secret among the parameters
	AuthPrivateKey   Auth = "private_key_jwt" // RFC 7523 §2.2
	AuthTLS          Auth = "tls"             // RFC 8705 §2: a client certificate, and client_id among the parameters
	AuthNone         Auth = "none"            // client_id alone
)

// Body is where a request's parameters go.
type Body string

// The places of parameters. The first is the default.
const (
	BodyForm  Body = "form"  // application/x-www-form-urlencoded
	BodyJSON  Body = "json"  // an object of strings
	BodyQuery Body = "query" // the URL: secrets in it end up in servers' logs, so only where nothing else is understood
)

// Field is a standard parameter by its name in the RFCs.
type Field string

// The standard parameters that a descriptor may rename or leave out.
const (
	FieldGrantType     Field = "grant_type"
	FieldClientID      Field = "client_id"
	FieldClientSecret  Field = "client_secret"
	FieldScope         Field = "scope"
	FieldAudience      Field = "audience" // RFC 8707 calls it "resource"
	FieldRefreshToken  Field = "refresh_token"
	FieldAssertion     Field = "client_assertion"
	FieldAssertionType Field = "client_assertion_type"
	FieldCode          Field = "code"
	FieldRedirectURI   Field = "redirect_uri"
	FieldCodeVerifier  Field = "code_verifier"
)

// Algorithm is a signature of RFC 7518 §3.1.
type Algorithm string

// The signatures of a private_key_jwt assertion.
const (
	ES256 Algorithm = "ES256"
	RS256 Algorithm = "RS256"
	PS256 Algorithm = "PS256"
)

// Response is where in an answer things stand, as JSON Pointers (RFC 6901). "" is the standard name at the top, "/access_token" and so on.
type Response struct {
	Access          string   `json:"access_token,omitempty"`
	Type            string   `json:"token_type,omitempty"`
	Scope           string   `json:"scope,omitempty"`
	Refresh         string   `json:"refresh_token,omitempty"`
	Expiry          Instant  `json:"expiry,omitzero"`         // of the access token; at "" is "/expires_in"
	RefreshExpiry   Instant  `json:"refresh_expiry,omitzero"` // of the refresh token; at "": the server does not say
	Error           string   `json:"error,omitempty"`
	Description     string   `json:"error_description,omitempty"`
	DefaultLifetime Duration `json:"default_lifetime,omitzero"` // where neither the answer nor the credential says one; 0: nothing is known
	MaxLifetime     Duration `json:"max_lifetime,omitzero"`     // ask [Descriptor.MaxLifetime]
}

// Instant is where a lifetime stands and how it is to be read.
type Instant struct {
	At   string     `json:"at,omitempty"`
	Kind ExpiryKind `json:"kind,omitempty"` // "" is seconds
}

// ExpiryKind is what a number or a text says about an end.
type ExpiryKind string

// The kinds of expiry. The first is the default.
const (
	Seconds      ExpiryKind = "seconds"      // from now
	Milliseconds ExpiryKind = "milliseconds" // from now
	Epoch        ExpiryKind = "epoch"        // seconds since 1970
	EpochMS      ExpiryKind = "epoch_ms"     // milliseconds since 1970
	RFC3339      ExpiryKind = "rfc3339"      // a text, with any number of digits after the second
)

// Refresh is how a refresh token is redeemed. What is left out is as in "token".
type Refresh struct {
	URL     string            `json:"url,omitempty"` // https, or relative to the token URL; "" is the token URL
	Auth    Auth              `json:"auth,omitempty"`
	Body    Body              `json:"body,omitempty"`
	Params  map[string]string `json:"params,omitempty"` // in the place of all of token's; {} for none
	Fields  map[Field]string  `json:"fields,omitempty"` // each in the place of token's
	Rotates Rotates           `json:"rotates,omitempty"`
	Reuse   Reuse             `json:"reuse,omitempty"`
}

// Rotates says whether redeeming a refresh token brings a new one. The zero value is RotatesUnknown, to be treated like yes.
type Rotates string

// What is known of rotation.
const (
	RotatesUnknown Rotates = "unknown"
	RotatesYes     Rotates = "yes"
	RotatesNo      Rotates = "no"
)

// Reuse is what happens to those who send a refresh token once more.
type Reuse string

// What is known of reuse. The first is the default.
const (
	ReuseUnknown       Reuse = "unknown"
	ReuseTolerated     Reuse = "tolerated"      // it works again, at least for a while
	ReuseRefused       Reuse = "refused"        // invalid_grant, and nothing worse
	ReuseRevokesFamily Reuse = "revokes_family" // every token of that grant dies
)

// Overlap is what a new access token does to the one before.
type Overlap string

// What is known of overlap. The first is the default.
const (
	OverlapUnknown Overlap = "unknown"
	OverlapKeeps   Overlap = "keeps"   // both work until they end
	OverlapRevokes Overlap = "revokes" // the old one stops working
)

// Authorize is where people are sent to connect their accounts (RFC 6749 §4.1.1).
type Authorize struct {
	URL    string            `json:"url"` // https, or relative to the token URL
	Params map[string]string `json:"params,omitempty"`
	PKCE   PKCE              `json:"pkce,omitempty"` // "" is S256: servers that do not know it ignore it
}

// PKCE is the code challenge (RFC 7636) sent along.
type PKCE string

// The code challenges. The first is the default.
const (
	PKCES256 PKCE = "S256"
	PKCENone PKCE = "none"
)

// Revoke is how a token is revoked (RFC 7009). What is left out is as in "token".
type Revoke struct {
	URL    string            `json:"url"` // https, or relative to the token URL
	Auth   Auth              `json:"auth,omitempty"`
	Body   Body              `json:"body,omitempty"`
	Params map[string]string `json:"params,omitempty"`
}

// Verify is a GET that answers 2xx to a token that works, and 401 to one that does not.
type Verify struct {
	URL     string            `json:"url"` // https, or relative to the token URL
	Headers map[string]string `json:"headers,omitempty"`
	Minted  bool              `json:"minted,omitempty"` // every new token is proven before it is handed out: one more request for each
}

// Renew bounds the time to renew, each as a time before the end. 0: the schedule's own (6 hours, and 2 minutes).
type Renew struct {
	Earliest Duration `json:"earliest,omitzero"` // not renewed earlier than this before the end
	Latest   Duration `json:"latest,omitzero"`   // nor later than this before it
}

// Limits names the headers that carry a rate limit, where they are not Retry-After, RateLimit, RateLimit-Remaining and -Reset, or these with X- before them, which are always read.
type Limits struct {
	Remaining string     `json:"remaining,omitempty"`  // how many requests are left; "": unknown
	Reset     string     `json:"reset,omitempty"`      // when there are more
	ResetKind ExpiryKind `json:"reset_kind,omitempty"` // "" is seconds
}

// Permanent lists what a server says for good, besides what the RFCs call so: invalid_client, unauthorized_client, unsupported_grant_type, invalid_scope, invalid_target, and any OAuth error with status 403.
type Permanent struct {
	Status []int    `json:"status,omitempty"` // 4xx, whatever the body
	Errors []string `json:"errors,omitempty"` // values of "error"
}

// Duration is a time.Duration that JSON spells as Go does: "24h", "90m".
type Duration time.Duration

// MarshalJSON writes the duration as Go does.
func (d Duration) MarshalJSON() ([]byte, error) { return json.Marshal(time.Duration(d).String()) }

// UnmarshalJSON reads what time.ParseDuration reads.
func (d *Duration) UnmarshalJSON(data []byte) error {
	var text string
	if err := json.Unmarshal(data, &text); err != nil {
		return err
	}
	parsed, err := time.ParseDuration(text)
	*d = Duration(parsed)
	return err
}
