// Package api holds what callers see: the table of operations, the JSON of
// requests and answers, and the errors. It promises stability.
package api

import (
	"time"

	"github.com/tokenvend/tokenvend/pkg/quota"
)

// Request asks something of one credential.
type Request struct {
	Action     string  `json:"action,omitempty"`     // "": vend
	Credential string  `json:"credential,omitempty"` // a credential's name
	Scope      string  `json:"scope,omitempty"`      // separated by spaces, in any order; "": the credential's default
	Audience   string  `json:"audience,omitempty"`   // "": the credential's default
	Account    string  `json:"account,omitempty"`    // whose grant; "": the client's own
	MinTTL     Seconds `json:"min_ttl,omitzero"`     // how long the token must live at least; 0: no minimum
	Rejected   string  `json:"rejected,omitempty"`   // fingerprint of a token that the API answered 401 to
	After      string  `json:"after,omitempty"`      // list, accounts: the page before's next
	Limit      int     `json:"limit,omitzero"`       // list, accounts: how many at most; 0: 100
	Verify     bool    `json:"verify,omitzero"`      // status: the provider is asked whether the token works

	RedirectURI string `json:"redirect_uri,omitempty"` // authorize, connect: where the provider sends the browser
	Code        string `json:"code,omitempty"`         // connect: the authorization code

	CodeVerifier string `json:"code_verifier,omitempty"` // connect: RFC 7636 §4.1; "": there was no challenge

	// AuthorizationResponse has, for connect, the parameters that the
	// [Authorization] names, in the form of a query: "realmId=1".
	AuthorizationResponse string `json:"authorization_response,omitempty"`

	Recovery    string `json:"recovery,omitempty"`    // recover: the blob from the log
	Destination string `json:"destination,omitempty"` // connect: that of the [Authorization]; "": not known
	Accept      string `json:"accept,omitempty"`      // accept: the destination in the [StatusReport]
	Renew       bool   `json:"renew,omitzero"`        // renew, over HTTP
}

// Token is a vended access token.
type Token struct {
	AccessToken string    `json:"access_token"` // the secret itself
	TokenType   string    `json:"token_type"`   // "Bearer"
	ExpiresIn   Seconds   `json:"expires_in"`   // what is left now
	ExpiresAt   time.Time `json:"expires_at"`
	CacheUntil  time.Time `json:"cache_until"` // how long the caller may keep it: from now to ExpiresAt
	Scope       string    `json:"scope,omitempty"`
	Fingerprint string    `json:"fingerprint"` // names the token in logs and reports

	// Extra has further values that the provider gave with the token, such as
	// the URL of its API, by the names of the credential's descriptor. They are
	// treated as secrets. nil: none.
	Extra map[string]string `json:"extra,omitempty"`
	// Use is how the provider's API expects the token. The zero value is
	// "Authorization: Bearer TOKEN".
	Use Use `json:"use,omitzero"`
}

// Use is how an API expects a token: in the header field Header, with Prefix
// before it, or in the parameter Query of the URL.
type Use struct {
	Header string `json:"header,omitempty"`
	Prefix string `json:"prefix,omitempty"`
	Query  string `json:"query,omitempty"`
}

// State is the state of an entry.
type State string

// The states of an entry.
const (
	Fresh       State = "fresh"       // a living token whose time to renew has not come
	Stale       State = "stale"       // a living token past its time to renew
	Failing     State = "failing"     // no living token, and the last attempt to get one failed
	Reauthorize State = "reauthorize" // a grant has ended
	Revoking    State = "revoking"    // forgotten here, not yet revoked at the provider

	// DestinationChanged: a grant was given at other endpoints than the secret
	// names now. It is kept and sent nowhere until an operator accepts them.
	DestinationChanged State = "destination_changed"

	Idle State = "idle" // no longer renewed, since nobody asks
	Gone State = "gone" // its secret was removed
	None State = "none" // never minted
)

// StatusReport is everything about an entry but its token. Times that are not
// known are left out.
type StatusReport struct {
	Credential   string    `json:"credential"`
	Provider     string    `json:"provider"`
	Version      string    `json:"version,omitempty"` // of the secret that is in use
	Scope        string    `json:"scope,omitempty"`
	Audience     string    `json:"audience,omitempty"`
	Account      string    `json:"account,omitempty"`
	State        State     `json:"state"`
	Stale        bool      `json:"stale"`
	Generation   int64     `json:"generation"`
	Fingerprint  string    `json:"fingerprint,omitempty"`
	IssuedAt     time.Time `json:"issued_at,omitzero"`
	ExpiresAt    time.Time `json:"expires_at,omitzero"`
	CacheUntil   time.Time `json:"cache_until,omitzero"`
	NextAt       time.Time `json:"next_at,omitzero"` // when it is renewed or tried again
	AskedAt      time.Time `json:"asked_at,omitzero"`
	LifetimeFrom string    `json:"lifetime_from,omitempty"` // who named the lifetime: "provider"

	// GrantUntil is the refresh token's end, where the provider tells it, and
	// the access token's end where there is no refresh token.
	GrantUntil time.Time `json:"grant_until,omitzero"`

	Failure  *Failure  `json:"failure,omitempty"`
	Verified *Verified `json:"verified,omitempty"` // only where it was asked for

	// Quota is what all accounts of the credential have used of its quota of
	// token requests, where one is stated. A list of accounts leaves it out.
	Quota *quota.Use `json:"quota,omitempty"`

	// Warning is what will go wrong though nothing has yet, such as a grant
	// without a refresh token.
	Warning string `json:"warning,omitempty"`
	// Warnings are what was odd about the response that had the token.
	Warnings []string `json:"warnings,omitempty"`

	// Destination and Changes are set in the state [DestinationChanged], for
	// operators: what a [Request.Accept] has to name, and what changed.
	Destination string   `json:"destination,omitempty"`
	Changes     []Change `json:"changes,omitempty"`
}

// Change is a part of a credential's destination that was changed.
type Change struct {
	Part string `json:"part"`          // as in the secret: "token_url"
	Old  string `json:"old,omitempty"` // "": it was not there
	New  string `json:"new,omitempty"`
}

// Verified is what the provider answers when it is asked about a token.
type Verified struct {
	Works bool      `json:"works"` // it accepts the token
	At    time.Time `json:"at"`
}

// Failure is what went wrong at the last attempts.
type Failure struct {
	Code    Code      `json:"code"`
	Detail  string    `json:"detail"`
	Since   time.Time `json:"since"`
	Count   int       `json:"count"`
	RetryAt time.Time `json:"retry_at,omitzero"`
}

// Authorization is where a user grants access (RFC 6749 §4.1.1). The caller
// adds state to the URL and, where PKCE is set, code_challenge and
// code_challenge_method (RFC 7636).
type Authorization struct {
	URL  string `json:"url"`            // with client_id, response_type, redirect_uri and scope
	PKCE string `json:"pkce,omitempty"` // "S256" or "plain"; "": the provider takes no code challenge
	// Destination is to be sent with the code. A code of another provider or
	// another client is then not sent to this one.
	Destination string `json:"destination,omitempty"`
	// CodeParameter is the parameter of the authorization response that has the
	// code; "": it is "code".
	CodeParameter string `json:"code_parameter,omitempty"`
	// ResponseParameters are further parameters of the authorization response,
	// which are to be sent with the code; nil: none.
	ResponseParameters []string `json:"response_parameters,omitempty"`
}

// Forgotten answers a revocation.
type Forgotten struct {
	Revoked     bool      `json:"revoked"`      // the provider has confirmed it
	MemoryUntil time.Time `json:"memory_until"` // until then an instance may still vend the token from memory
}

// Page is a part of the list of credentials that the caller may have.
type Page struct {
	Credentials []Listed `json:"credentials"`
	Next        string   `json:"next,omitempty"` // the next page's "after"; "": this was the last
}

// AccountPage is a part of the list of a credential's accounts: of each
// combination of account, scope and audience that is kept.
type AccountPage struct {
	Accounts []StatusReport `json:"accounts"`
	Next     string         `json:"next,omitempty"` // the next page's "after"; "": this was the last
}

// Listed is one credential of a [Page].
type Listed struct {
	Credential string `json:"credential"`
	Provider   string `json:"provider"`
}
