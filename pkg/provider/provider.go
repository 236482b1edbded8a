// Package provider knows how token endpoints speak. How one vendor's endpoint differs from another's is data (a [Descriptor], JSON in catalog/), never code. What a server said comes back unjudged, as an [TokenResponse]; when a token is over, and what to do about a failure, is decided elsewhere.
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
	// HTTP carries the requests: outbound.NewClient makes a careful one. Its
	// Transport is used, and its Timeout where it has one; its cookies and its
	// redirect policy are not.
	HTTP *http.Client
}

// Client is one OAuth client registered at one provider, with what it proves itself by.
type Client struct {
	ID          string
	Secret      redact.String
	TokenURL    string            // takes the descriptor's place where not empty
	Params      map[string]string // extra token-request parameters
	Key         crypto.Signer     // private_key_jwt, and with Certificate mTLS; nil: none
	KeyID       string
	Certificate *tls.Certificate // mTLS; nil: none
}

// TokenRequest is what one token request is about.
type TokenRequest struct {
	Grant    descriptor.Grant
	Scope    string // space-separated
	Audience string
	Refresh  redact.String // for RefreshToken; needless otherwise

	Code        redact.String // for AuthorizationCode: what the person came back with
	Verifier    redact.String // for AuthorizationCode: what the code challenge was made of (RFC 7636 §4.1); zero: none was sent
	RedirectURI string        // for AuthorizationCode: the one that the code was asked for with
}

// What a token endpoint answers is read by packages response and expiry. Callers
// of this package need these names of them.
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
