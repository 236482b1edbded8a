// Package request builds the requests to a provider: token requests and those
// before them, revocation, verification and the authorization request. It
// follows a [descriptor.Descriptor], authenticates the client, and sends
// nothing.
package request

import (
	"net/url"

	"github.com/tokenvend/tokenvend/pkg/descriptor"
	"github.com/tokenvend/tokenvend/pkg/proof"
	"github.com/tokenvend/tokenvend/pkg/provider/skew"
	"github.com/tokenvend/tokenvend/pkg/provider/values"
	"github.com/tokenvend/tokenvend/pkg/redact"
)

// Builder builds the requests of one client. Its errors are all of kind
// Misconfigured, but for those of kind Unproven.
type Builder struct {
	Descriptor *descriptor.Descriptor
	Client     values.Client
	// Clock returns the clock of the host of a URL.
	Clock func(*url.URL) skew.Skew
	// Prove returns the proof for a use, as [proof.Prover.Prove] does. It is
	// called where the client's Proof names a kind, and only for the request
	// that sends the proof.
	Prove func(proof.Use) (proof.Proof, error)
	// Before is the request before this one in the same exchange; nil: none.
	Before *Call
}

// building is a request that is being built.
type building struct {
	*Call
	values        values.Values
	prove         func(proof.Use) (proof.Proof, error)
	assertionText string // "": it is not signed yet
}

// TokenRequest is what varies between the token requests of one client.
type TokenRequest struct {
	Grant    descriptor.Grant
	Scope    string // space-separated
	Audience string
	Refresh  redact.String // for RefreshToken

	// Code is for AuthorizationCode, from the authorization response.
	Code redact.String
	// Verifier is for AuthorizationCode: the code verifier (RFC 7636 §4.1).
	// Zero means that no code challenge was sent.
	Verifier redact.String
	// RedirectURI is for AuthorizationCode: that of the authorization request.
	RedirectURI string
}
