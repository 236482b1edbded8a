// Package credential parses and checks the secret of one OAuth client and
// defines where secrets come from.
package credential

import (
	"context"
	"errors"

	"github.com/tokenvend/tokenvend/pkg/access"
	"github.com/tokenvend/tokenvend/pkg/descriptor"
	"github.com/tokenvend/tokenvend/pkg/provider"
	"github.com/tokenvend/tokenvend/pkg/redact"
)

// Credential is one parsed and checked secret. fmt, slog and JSON print none of
// its secret values, nor its private key.
type Credential struct {
	Terms
	provider.Client
	Refresh redact.String // an initial refresh token from elsewhere; zero if none
}

// Terms holds the non-secret part of a secret. It is stored, sealed, in the
// credential record, so that vend can authorise without reading the secret. Its
// JSON is the record's.
type Terms struct {
	Name    string `json:"name"`
	Version string `json:"version"` // the secret's VersionId
	// a name in the catalogue; "" with an inline descriptor
	Provider   string                 `json:"provider,omitempty"`
	Descriptor *descriptor.Descriptor `json:"descriptor,omitempty"` // inline only; see [Terms.Speaks]
	ClientID   string                 `json:"client_id"`
	TokenURL   string                 `json:"token_url,omitempty"` // "" for the descriptor's
	Scope      string                 `json:"scope,omitempty"`     // the default; sorted, each once
	Audience   string                 `json:"audience,omitempty"`  // the default
	Grant      descriptor.Grant       `json:"grant,omitempty"`     // "" for client_credentials
	// if the provider names none; 0: the descriptor's default
	Lifetime  Duration    `json:"lifetime,omitzero"`
	KeepWarm  bool        `json:"keep_warm,omitzero"`  // renewed without requests
	IdleAfter Duration    `json:"idle_after,omitzero"` // 24 h by default; never 0 after Parse
	Allow     access.Rule `json:"allow,omitzero"`
	// digest of the other parameters; "" if none
	Params string `json:"params_digest,omitempty"`
	// no version of the secret was ever readable, so no rule is known: only
	// operators are admitted
	Malformed bool `json:"malformed,omitzero"`

	MaxVariants int `json:"max_variants,omitzero"` // see [Terms.VariantBound]
}

// Duration is a time.Duration in Go's notation in JSON: "24h", "90m". A bare
// number is an error, because its unit would be a guess.
type Duration = descriptor.Duration

// Stage names a version of a secret.
type Stage string

// The stages of a secret in rotation, named as in Secrets Manager.
const (
	Current  Stage = "AWSCURRENT"
	Pending  Stage = "AWSPENDING"
	Previous Stage = "AWSPREVIOUS"
)

var (
	// ErrUnknown means that there is no such secret, or no such stage of it.
	ErrUnknown = errors.New("credential: no such secret")
	// ErrUnavailable means that the secrets cannot be reached now.
	ErrUnavailable = errors.New("credential: the secrets cannot be reached")
)

// Listed is one secret of a [Source].
type Listed struct {
	Name    string
	Version string // of its current stage
}

// Source reads credentials. All methods are safe for concurrent use. The
// contract's tests are in package credentialtest.
type Source interface {
	// Read reads one credential; its Version is that of the secret that was
	// read. Errors: ErrUnknown, ErrUnavailable, *Malformed.
	Read(ctx context.Context, name string, stage Stage) (Credential, error)

	// List returns every credential's name and version. An error means that the
	// list may be incomplete, so that an absence proves nothing. Invalid names
	// are omitted; malformed secrets are not.
	List(ctx context.Context) ([]Listed, error)

	// Absent requests this one secret and reports whether it does not exist. A
	// malformed secret exists. Its error is ErrUnavailable, which proves
	// nothing.
	Absent(ctx context.Context, name string) (bool, error)
}
