// Package provider calls token endpoints: it sends what package request builds
// from a [descriptor.Descriptor], and returns what package response reads. All
// differences between providers are in the descriptor. Lifetimes are returned
// as the server gave them, and failures are classified; callers decide what
// follows.
package provider

import (
	"context"
	"net/http"
	"net/url"

	"github.com/tokenvend/tokenvend/pkg/descriptor"
	"github.com/tokenvend/tokenvend/pkg/proof"
	"github.com/tokenvend/tokenvend/pkg/provider/expiry"
	"github.com/tokenvend/tokenvend/pkg/provider/request"
	"github.com/tokenvend/tokenvend/pkg/provider/response"
	"github.com/tokenvend/tokenvend/pkg/provider/values"
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
	// Prover authenticates a client whose Proof names a kind. nil: it is
	// refused.
	Prover *proof.Prover
	// Clocks remembers the clocks of providers between requests. nil: each
	// request knows only what its own responses show.
	Clocks *Clocks
	// Observe is called with each request that was answered and the response.
	// It is for a diagnosis: the response is not masked. Once Exchange has
	// returned, the request's Mask has the tokens of the response too. nil:
	// nobody observes.
	Observe func(q *Call, m Message)
	// Sent is called after each token request that may have reached the
	// provider. Steps, and requests after it, are none. nil: nobody counts.
	Sent func()
}

func (e Endpoint) builder(ctx context.Context) request.Builder {
	return request.Builder{
		Descriptor: e.Descriptor, Client: e.Client, Clock: e.Clocks.at,
		Prove: func(u proof.Use) (proof.Proof, error) { return e.Prover.Prove(ctx, u) },
	}
}

// AuthorizeURL is [request.Builder.AuthorizeURL].
func (e Endpoint) AuthorizeURL(redirectURI, scope, audience string) (*url.URL, error) {
	return e.builder(context.Background()).AuthorizeURL(redirectURI, scope, audience)
}

// Requests are built by package request, of the values of a client.
type (
	Client       = values.Client
	TokenRequest = request.TokenRequest
	Call         = request.Call
)

// What a token endpoint answers is read by packages response and expiry.
// Callers of this package need these names of them.
type (
	Expiry        = expiry.Expiry
	TokenResponse = response.TokenResponse
	RateLimit     = response.RateLimit
	Message       = response.Message
	Error         = response.Error
	Kind          = response.Kind
)

// The kinds of errors.
const (
	Unavailable   = response.Unavailable
	Malformed     = response.Malformed
	Rejected      = response.Rejected
	Misconfigured = response.Misconfigured
	Unproven      = response.Unproven
)

// HoldsRefreshToken is [response.HoldsRefreshToken].
func HoldsRefreshToken(access redact.String, refresh ...redact.String) bool {
	return response.HoldsRefreshToken(access, refresh...)
}
