// Package provider calls token endpoints: it builds a request from a
// [descriptor.Descriptor], authenticates the client, sends the request, and
// returns what package response reads. All differences between providers are in
// the descriptor. Lifetimes are returned as the server gave them, and failures
// are classified; callers decide what follows.
package provider

import (
	"crypto"
	"crypto/tls"
	"net/http"

	"github.com/tokenvend/tokenvend/pkg/descriptor"
	"github.com/tokenvend/tokenvend/pkg/provider/expiry"
	"github.com/tokenvend/tokenvend/pkg/provider/response"
	"github.com/tokenvend/tokenvend/pkg/redact"
)

// Endpoint is the token endpoint of one provider, as one client uses it.
type Endpoint struct {
	Descriptor *descriptor.Descriptor
	Client     Client
	// HTTP sends the requests: [outbound.NewClient] makes a suitable client.
	// Its Transport is used, and its Timeout if it has one; its cookie jar and
	// its redirect policy are not.
	HTTP *http.Client
	// Clocks remembers the clocks of providers between requests. nil: each
	// request knows only what its own responses show.
	Clocks *Clocks
}

// Client is one OAuth client registered at one provider, with its
// authentication.
type Client struct {
	ID     string
	Secret redact.String
	// TokenURL replaces the descriptor's where it is not empty.
	TokenURL string
	Params   map[string]string // additional parameters
	// Key is for private_key_jwt; nil means none.
	Key         crypto.Signer
	KeyID       string
	Certificate *tls.Certificate // for tls; nil means none
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

// What a token endpoint answers is read by packages response and expiry.
// Callers of this package need these names of them.
type (
	Expiry        = expiry.Expiry
	TokenResponse = response.TokenResponse
	RateLimit     = response.RateLimit
	Error         = response.Error
	Kind          = response.Kind
)

// The kinds of errors.
const (
	Unavailable   = response.Unavailable
	Malformed     = response.Malformed
	Rejected      = response.Rejected
	Misconfigured = response.Misconfigured
)

// HoldsRefreshToken is [response.HoldsRefreshToken].
func HoldsRefreshToken(access redact.String, refresh ...redact.String) bool {
	return response.HoldsRefreshToken(access, refresh...)
}
