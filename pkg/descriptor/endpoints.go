package descriptor

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

// Overlap is what a new access token does to the one before it.
type Overlap string

// The values of [Overlap]. The first is the default.
const (
	OverlapUnknown Overlap = "unknown"
	OverlapKeeps   Overlap = "keeps"   // both work until they expire
	OverlapRevokes Overlap = "revokes" // the old one stops working
)

// Authorize describes the authorization endpoint (RFC 6749 §4.1.1).
type Authorize struct {
	// URL is https, or relative to the token URL.
	URL    string `json:"url"`
	Params Params `json:"params,omitempty"`
	// Fields renames client_id, redirect_uri, scope and audience, as in
	// [Request]. Without its own name, the audience has that of the token
	// request.
	Fields map[Field]string `json:"fields,omitempty"`
	// PKCE is S256 by default: a server that does not know it ignores it.
	PKCE PKCE `json:"pkce,omitempty"`
}

// PKCE is a code challenge method (RFC 7636).
type PKCE string

// The code challenge methods. The first is the default.
const (
	PKCES256 PKCE = "S256"
	PKCENone PKCE = "none"
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

// Renew bounds the time of a renewal, as times before the expiry. 0 is the
// default of the schedule: 6 hours, and 2 minutes.
type Renew struct {
	// Earliest is the longest time before the expiry.
	Earliest Duration `json:"earliest,omitzero"`
	// Latest is the shortest time before the expiry.
	Latest Duration `json:"latest,omitzero"`
	// Concurrency is read by [Descriptor.Concurrency].
	Concurrency int `json:"concurrency,omitzero"`
}

// Limits names the header fields of a rate limit. Retry-After, RateLimit,
// RateLimit-Remaining, RateLimit-Reset, and the last two with X- before them
// are always read.
type Limits struct {
	// Remaining is the number of requests left. "" means unknown.
	Remaining string `json:"remaining,omitempty"`
	// Reset is the time at which there are more.
	Reset     string     `json:"reset,omitempty"`
	ResetKind ExpiryKind `json:"reset_kind,omitempty"`
}

// Permanent lists errors that retrying does not help, besides those of the
// RFCs: invalid_client, unauthorized_client, unsupported_grant_type,
// invalid_scope, invalid_target, and any OAuth error with status 403.
type Permanent struct {
	// Status lists statuses 4xx that are permanent with any body.
	Status []int `json:"status,omitempty"`
	// Errors lists values of "error".
	Errors []string `json:"errors,omitempty"`
}
