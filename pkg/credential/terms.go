package credential

import (
	"cmp"

	"github.com/tokenvend/tokenvend/pkg/access"
	"github.com/tokenvend/tokenvend/pkg/descriptor"
	"github.com/tokenvend/tokenvend/pkg/descriptor/catalog"
	"github.com/tokenvend/tokenvend/pkg/grant"
	"github.com/tokenvend/tokenvend/pkg/quota"
	"github.com/tokenvend/tokenvend/pkg/token"
)

// Terms holds the non-secret part of a secret. It is stored, sealed, in the
// credential record, so that vend can authorise without reading the secret. Its
// JSON is the record's.
type Terms struct {
	Name    string `json:"name"`
	Version string `json:"version"` // the secret's VersionId
	// a name in the catalogue; "" with an inline descriptor
	Provider string `json:"provider,omitempty"`
	// inline only; [Terms.ProviderDescriptor] has that of the catalogue too
	Descriptor *descriptor.Descriptor `json:"descriptor,omitempty"`
	ClientID   string                 `json:"client_id"`
	TokenURL   string                 `json:"token_url,omitempty"` // "" for the descriptor's
	Scope      string                 `json:"scope,omitempty"`     // the default; sorted, each once
	Audience   string                 `json:"audience,omitempty"`  // the default
	Grant      descriptor.Grant       `json:"grant,omitempty"`     // "" for client_credentials
	// Variables are the values of the descriptor's variables.
	Variables map[string]string `json:"variables,omitempty"`
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

	// of the secret; [Terms.StatedQuota] has that of the descriptor too
	Quota *quota.Quota `json:"quota,omitempty"`
}

// Duration is a time.Duration in Go's notation in JSON: "24h", "90m". A bare
// number is an error, because its unit would be a guess.
type Duration = descriptor.Duration

// ProviderDescriptor returns the descriptor of the credential's provider: the
// inline one, or the catalogue's. An error means that this program does not
// know the provider.
func (t Terms) ProviderDescriptor() (*descriptor.Descriptor, error) {
	if t.Descriptor != nil {
		return t.Descriptor, nil
	}
	return catalog.Get(t.Provider)
}

// StatedQuota returns the quota of token requests that the secret states, else
// that of the descriptor. nil: none is known.
func (t Terms) StatedQuota() *quota.Quota {
	if t.Quota != nil {
		return t.Quota
	}
	d, err := t.ProviderDescriptor()
	if err != nil || t.Grant == descriptor.SelfSigned {
		return nil
	}
	return d.Quota
}

// Admits reports whether a caller may learn of the credential. If no version of
// its secret was ever readable, no rule is known and only operators may.
func (t Terms) Admits(c access.Caller) bool {
	if t.Malformed {
		return c.IsOperator()
	}
	return t.Allow.Admits(c, t.Name)
}

// Key returns the key for a request. A request for a default by its name has
// the key of the default.
func (t Terms) Key(account, audience, scope string) token.Key {
	v := token.NewVariant(account, audience, scope)
	if v.Audience == t.Audience {
		v.Audience = ""
	}
	if v.Scope == t.defaults().Scope {
		v.Scope = ""
	}
	return token.Key{Credential: t.Name, Variant: v}
}

// ScopeAndAudience returns the scope and the audience that are requested from
// the provider for a variant; "" if none is.
func (t Terms) ScopeAndAudience(v token.Variant) (scope, audience string) {
	return cmp.Or(v.Scope, t.defaults().Scope), cmp.Or(v.Audience, t.Audience)
}

// Strategy returns how a variant's tokens are obtained: an account's by the
// grant of its user, all others by the credential's grant type.
func (t Terms) Strategy(v token.Variant) grant.Strategy {
	if v.Account != "" {
		return grant.Of(descriptor.AuthorizationCode)
	}
	return grant.Of(t.Grant)
}

// Granted reports whether a variant's tokens are obtained by a grant that is
// lost with its refresh token: a user's, or an initial refresh token.
func (t Terms) Granted(v token.Variant) bool { return t.Strategy(v).CanBeLost() }

// Connected reports whether a variant's grant is given by a user who connects
// an account.
func (t Terms) Connected(v token.Variant) bool { return t.Strategy(v).ByUser }

// defaultMaxVariants applies if a secret names no bound.
const defaultMaxVariants = 100

// VariantBound returns how many variants callers may request by scope and
// audience, in addition to the default. Connected accounts do not count.
func (t Terms) VariantBound() int {
	if t.MaxVariants <= 0 {
		return defaultMaxVariants
	}
	return t.MaxVariants
}

func (t Terms) defaults() token.Variant { return token.NewVariant("", t.Audience, t.Scope) }
