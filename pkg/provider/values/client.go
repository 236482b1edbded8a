// Package values has what stands in the place of the placeholders of a
// descriptor in one request: values of the client, of the request, and of the
// steps before it.
package values

import (
	"crypto"
	"crypto/tls"

	"github.com/tokenvend/tokenvend/pkg/descriptor"
	"github.com/tokenvend/tokenvend/pkg/proof"
	"github.com/tokenvend/tokenvend/pkg/provider/response"
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

// Variable returns the value of a variable, or its default. An error is a
// [*response.Error].
func Variable(d *descriptor.Descriptor, c Client, name string) (string, error) {
	if value, given := c.Variables[name]; given {
		return value, nil
	}
	if usual := d.Variables[name].Default; usual != nil {
		return *usual, nil
	}
	return "", response.ClientMisconfiguration("variables.%s: missing", name)
}
