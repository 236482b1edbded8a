package descriptor

import (
	"cmp"
	"maps"
	"time"
)

// defaultMaxLifetime is the longest lifetime that is believed where the
// descriptor has no other.
const defaultMaxLifetime = 24 * time.Hour

// NeedsTokenURL reports whether each credential needs a token_url, because the
// vendor publishes none.
func (d *Descriptor) NeedsTokenURL() bool { return d.Token.URL == "" }

// Overlap returns what a new access token, obtained by that grant, does to the
// one before it. [OverlapUnknown] is the default.
func (d *Descriptor) Overlap(g Grant) Overlap { return cmp.Or(d.Overlaps[g], OverlapUnknown) }

// MaxLifetime returns the longest lifetime that is believed, whatever the
// provider answers: 24 hours by default.
func (d *Descriptor) MaxLifetime() time.Duration {
	return cmp.Or(time.Duration(d.Response.MaxLifetime), defaultMaxLifetime)
}

// DefaultLifetime returns the lifetime of a token whose response has no expiry;
// 0 means that it is not known.
func (d *Descriptor) DefaultLifetime() time.Duration {
	return time.Duration(d.Response.DefaultLifetime)
}

// defaultConcurrency is the Concurrency of a descriptor that has none.
const defaultConcurrency = 32

// maxConcurrency is the largest Concurrency that a descriptor may have.
const maxConcurrency = 1000

// Concurrency returns how many renewals the provider takes at once: 32 by
// default. Requests of callers are not counted.
func (d *Descriptor) Concurrency() int { return cmp.Or(d.Renew.Concurrency, defaultConcurrency) }

// Refreshes reports whether the provider has refresh tokens.
func (d *Descriptor) Refreshes() bool { return d.Refresh != nil }

// SingleUse reports whether a refresh token must be treated as usable once:
// unless the provider is known not to rotate it.
func (d *Descriptor) SingleUse() bool { return d.Refresh == nil || d.Refresh.Rotates != RotatesNo }

// Reuse returns what the provider does when a refresh token is sent again.
// [ReuseUnknown] is the default.
func (d *Descriptor) Reuse() Reuse {
	if d.Refresh == nil {
		return ReuseUnknown
	}
	return cmp.Or(d.Refresh.Reuse, ReuseUnknown)
}

// EndpointFor returns the token endpoint for a grant, with defaults filled in.
// For a refresh, the fields of [Refresh] replace those of the token request.
func (d *Descriptor) EndpointFor(g Grant) TokenEndpoint {
	t := d.Token
	if g == RefreshToken && d.Refresh != nil {
		t.Auth = cmp.Or(d.Refresh.Auth, t.Auth)
		t.Body = cmp.Or(d.Refresh.Body, t.Body)
		t.Fields = merge(t.Fields, d.Refresh.Fields)
		if d.Refresh.Params != nil {
			t.Params = d.Refresh.Params
		}
	}
	t.Method = cmp.Or(t.Method, "POST")
	t.Auth = cmp.Or(t.Auth, AuthBasic)
	t.Body = cmp.Or(t.Body, BodyForm)
	t.ScopeSep = cmp.Or(t.ScopeSep, " ")
	return t
}

// merge returns a map with the entries of both; those of over win.
func merge[K comparable](base, over map[K]string) map[K]string {
	all := make(map[K]string, len(base)+len(over))
	for _, m := range []map[K]string{base, over} {
		maps.Copy(all, m)
	}
	return all
}

// ParamName returns the endpoint's name for a standard parameter; "" means that
// it takes none.
func (t TokenEndpoint) ParamName(f Field) string {
	if renamed, ok := t.Fields[f]; ok {
		return renamed
	}
	return string(f)
}

// Connects reports whether resource owners can connect their accounts.
func (d *Descriptor) Connects() bool { return d.Authorize != nil }

// CodeChallenge returns the code challenge method that the provider is sent
// (RFC 7636 §4.3): [PKCENone] where no accounts can be connected.
func (d *Descriptor) CodeChallenge() PKCE {
	if d.Authorize == nil {
		return PKCENone
	}
	return cmp.Or(d.Authorize.PKCE, PKCES256)
}

// Revokes reports whether tokens can be revoked at the provider.
func (d *Descriptor) Revokes() bool { return d.Revoke != nil }

// Verifies reports whether the provider has a request that verifies a token.
func (d *Descriptor) Verifies() bool { return d.Verify != nil }

// VerifiesMinted reports whether every new token is to be verified before it is
// vended.
func (d *Descriptor) VerifiesMinted() bool { return d.Verify != nil && d.Verify.Minted }
