// Package request builds the requests to a provider: token requests and those
// before them, revocation, verification and the authorization request. It
// follows a [descriptor.Descriptor], authenticates the client, and sends
// nothing.
package request

import (
	"crypto"
	"crypto/tls"

	"github.com/tokenvend/tokenvend/pkg/descriptor"
	"github.com/tokenvend/tokenvend/pkg/proof"
	"github.com/tokenvend/tokenvend/pkg/redact"
)

// Client is one OAuth client registered at one provider, with its
// authentication.
type Client struct {
	// Credential is the name of the client's credential. Proofs are bound to
	// it.
	Credential string
	ID         string
	Secret     redact.String
	// EmptySecret reports whether the client secret is the empty text (RFC 6749
	// §2.3.1).
	EmptySecret bool
	// Secrets are the named secrets.
	Secrets map[string]redact.String
	// Variables are the values of the descriptor's variables. The descriptor's
	// default counts where one is missing.
	Variables map[string]string
	// TokenURL replaces the descriptor's where it is not empty.
	TokenURL string
	// Params are additional parameters: texts, or arrays of texts. They are no
	// templates.
	Params map[string]any
	// Key is for private_key_jwt; nil means none.
	Key crypto.Signer
	// Proof is a kind of proof in the place of Key. "" is none.
	Proof       proof.Kind
	KeyID       string
	Certificate *tls.Certificate // for tls and assertions; nil means none
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
