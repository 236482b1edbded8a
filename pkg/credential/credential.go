// Package credential knows what one OAuth client's secret may say: parsing, checking and finding it.
package credential

import (
	"context"
	"errors"

	"github.com/tokenvend/tokenvend/pkg/access"
	"github.com/tokenvend/tokenvend/pkg/descriptor"
	"github.com/tokenvend/tokenvend/pkg/provider"
	"github.com/tokenvend/tokenvend/pkg/redact"
)

// Credential is one secret, parsed and checked. Nothing that it holds and that is secret is printed by fmt, slog or JSON, its private key included.
type Credential struct {
	Terms
	provider.Client
	Refresh redact.String // a first refresh token, brought from elsewhere; zero: none
}

// Terms is all of a secret that is not secret. It is kept, sealed, in the credential's own row, so that vend can authorise without reading the secret. Its JSON is that row's.
type Terms struct {
	Name       string                 `json:"name"`
	Version    string                 `json:"version"`              // the secret's VersionId
	Provider   string                 `json:"provider,omitempty"`   // a name in the catalogue; "" with an inline descriptor
	Descriptor *descriptor.Descriptor `json:"descriptor,omitempty"` // inline only; ask [Terms.Speaks]
	ClientID   string                 `json:"client_id"`
	TokenURL   string                 `json:"token_url,omitempty"` // "" for the descriptor's
	Scope      string                 `json:"scope,omitempty"`     // the default; sorted, each once
	Audience   string                 `json:"audience,omitempty"`  // the default
	Grant      descriptor.Grant       `json:"grant,omitempty"`     // "" for client_credentials
	Lifetime   Duration               `json:"lifetime,omitzero"`   // where the provider says none; 0: the descriptor's default
	KeepWarm   bool                   `json:"keep_warm,omitzero"`  // renewed even if nobody asks
	IdleAfter  Duration               `json:"idle_after,omitzero"` // never 0 once parsed: 24 h unless said
	Allow      access.Rule            `json:"allow,omitzero"`
	Params     string                 `json:"params_digest,omitempty"` // digest of the further parameters; "": none
	Malformed  bool                   `json:"malformed,omitzero"`      // no version of the secret was ever readable: no rule is known, so operators alone may know of it

	MaxVariants int `json:"max_variants,omitzero"` // ask [Terms.VariantBound]
}

// Duration is a time.Duration that JSON spells as Go does: "24h", "90m". A bare number is not one: it would leave the unit to guesses.
type Duration = descriptor.Duration

// Stage is which version of a secret is meant.
type Stage string

// The stages of a secret under rotation, by the names of Secrets Manager.
const (
	Current  Stage = "AWSCURRENT"
	Pending  Stage = "AWSPENDING"
	Previous Stage = "AWSPREVIOUS"
)

var (
	// ErrUnknown: there is no such secret, or no such stage of it.
	ErrUnknown = errors.New("credential: no such secret")
	// ErrUnavailable: the secrets cannot be reached now.
	ErrUnavailable = errors.New("credential: the secrets cannot be reached")
)

// Listed is one secret that a [Source] holds.
type Listed struct {
	Name    string
	Version string // of its current stage
}

// Source finds credentials. All methods are safe for concurrent use. The contract's tests are package credentialtest.
type Source interface {
	// Read returns one credential afresh; its Version is that of what was read. Errors: ErrUnknown, ErrUnavailable, *Malformed.
	Read(ctx context.Context, name string, stage Stage) (Credential, error)

	// List returns every credential's name and version; an error means that it may be incomplete, and then nothing may be concluded from an absence. Names that no credential can have are left out; malformed secrets are not.
	List(ctx context.Context) ([]Listed, error)

	// Absent confirms, by asking for that one secret, that it does not exist. A malformed secret exists. Error: ErrUnavailable, and then nothing is confirmed.
	Absent(ctx context.Context, name string) (bool, error)
}
