package descriptor

import (
	"cmp"
	"time"
)

// defaultMaxLifetime is the longest that any token is trusted to live unless its descriptor says otherwise.
const defaultMaxLifetime = 24 * time.Hour

// NeedsTokenURL says whether each credential has to bring its own token_url, since the vendor publishes none.
func (d *Descriptor) NeedsTokenURL() bool { return d.Token.URL == "" }

// Overlap is what a new access token, had by that grant, does to the one before; [OverlapUnknown] where the descriptor is silent.
func (d *Descriptor) Overlap(g Grant) Overlap { return cmp.Or(d.Overlaps[g], OverlapUnknown) }

// MaxLifetime is the longest that a token is trusted to live, whatever the server says: 24 hours unless the descriptor says otherwise.
func (d *Descriptor) MaxLifetime() time.Duration {
	return cmp.Or(time.Duration(d.Response.MaxLifetime), defaultMaxLifetime)
}

// DefaultLifetime is how long a token lives where its answer names no expiry; 0: the descriptor does not know.
func (d *Descriptor) DefaultLifetime() time.Duration {
	return time.Duration(d.Response.DefaultLifetime)
}

// Refreshes says whether the provider redeems refresh tokens.
func (d *Descriptor) Refreshes() bool { return d.Refresh != nil }

// SingleUse says whether a refresh token has to be taken for one that works once: unless it is known not to rotate.
func (d *Descriptor) SingleUse() bool { return d.Refresh == nil || d.Refresh.Rotates != RotatesNo }

// Reuse is what happens to those who send a refresh token once more; [ReuseUnknown] where the descriptor is silent.
func (d *Descriptor) Reuse() Reuse {
	if d.Refresh == nil {
		return ReuseUnknown
	}
	return cmp.Or(d.Refresh.Reuse, ReuseUnknown)
}

// request is how the endpoint for that grant is spoken to: token's words, with refresh's in the place of those it has.
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

// merge lays over on base; neither is changed.
func merge[K comparable](base, over map[K]string) map[K]string {
	all := make(map[K]string, len(base)+len(over))
	for _, m := range []map[K]string{base, over} {
		for k, v := range m {
			all[k] = v
		}
	}
	return all
}

// name is what the endpoint calls a standard parameter; "" where it takes none.
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
