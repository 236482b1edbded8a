package placeholder

import (
	"slices"
	"strings"

	"github.com/tokenvend/tokenvend/pkg/descriptor/template"
	"github.com/tokenvend/tokenvend/pkg/redact"
)

// Prefixes of the names of values.
const (
	SecretPrefix   = "secrets."
	VariablePrefix = "variables."
	StepPrefix     = "steps."
)

// Names of values that templates use.
const (
	ClientID     = "client_id"
	ClientSecret = "client_secret" // #nosec G101 -- a name
	KeyID        = "key_id"
	Scope        = "scope"
	Audience     = "audience"
	RefreshToken = "refresh_token"
	Code         = "code"
	AccessToken  = "access_token"
	Assertion    = "assertion"
	TokenURL     = "token_url"
	UUID         = "uuid"
	// PublicKey is the SHA-256 of the client's public key, in base64.
	PublicKey = "public_key_sha256"
	// Signature is no value, but the use of the private key by rsa_sha256.
	Signature = template.Signature
)

// Values that the templates of a request may use: names, and prefixes of names.
var (
	claimValues = []string{
		ClientID, KeyID, SecretPrefix, VariablePrefix, Scope, Audience, TokenURL, UUID,
	}
	tokenValues   = slices.Concat(claimValues, []string{ClientSecret, Assertion, Signature, Code, StepPrefix})
	refreshValues = slices.Concat(claimValues, []string{ClientSecret, Assertion, Signature, RefreshToken})
	// of requests about an access token: revocation and verification
	accessValues = []string{
		ClientID, ClientSecret, KeyID, SecretPrefix, VariablePrefix, Assertion, TokenURL,
		UUID, AccessToken,
	}
	// of what the browser of a resource owner is sent to
	authorizeValues = []string{ClientID, VariablePrefix, Scope, Audience, UUID}
	keyValues       = []string{ClientSecret, SecretPrefix}
	urlValues       = []string{ClientID, VariablePrefix}
	tokenURLValues  = []string{ClientID, VariablePrefix, StepPrefix}
)

// Shown returns the name of a value as an error may show it: a secret may
// stand in braces by mistake.
func Shown(name string) string {
	if name == Signature {
		return name
	}
	kind, inner, dotted := strings.Cut(name, ".")
	if !dotted {
		return redact.Name(name)
	}
	return redact.Name(kind) + "." + redact.Name(inner)
}
