package descriptor

import (
	"cmp"
	"maps"
	"net/http"
	"time"

	"github.com/tokenvend/tokenvend/pkg/descriptor/clientauth"
)

// defaultMaxLifetime is the longest lifetime that is believed where the
// descriptor has no other.
const defaultMaxLifetime = 24 * time.Hour

// NeedsTokenURL reports whether each credential needs a token_url, because the
// vendor publishes none.
func (d *Descriptor) NeedsTokenURL() bool {
	return d.Token.URL == "" && d.DirectGrant() != SelfSigned
}

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

// MaxConcurrency is the largest Concurrency that a descriptor may have.
const MaxConcurrency = 1000

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

// DirectGrant returns the grant type of a credential that names none.
func (d *Descriptor) DirectGrant() Grant {
	if len(d.Grants) > 0 {
		return d.Grants[0]
	}
	return ClientCredentials
}

// EndpointFor returns the token endpoint for a grant, with defaults filled in.
// For a refresh, the fields of [Refresh] replace those of the token request.
func (d *Descriptor) EndpointFor(g Grant) TokenEndpoint {
	t := d.Token
	if g == Login || d.DirectGrant() == Login {
		t.Request = t.Request.asLogin()
	}
	if g == RefreshToken && d.Refresh != nil {
		t.Request = t.Request.with(d.Refresh.Request)
	}
	t.Method = cmp.Or(t.Method, http.MethodPost)
	if t.Auth == nil {
		t.Auth = clientauth.Methods{clientauth.Basic}
	}
	t.Body = cmp.Or(t.Body, BodyForm)
	t.ScopeSep = cmp.Or(t.ScopeSep, " ")
	return t
}

// RevokeRequest returns the revocation request with defaults filled in. It must
// not be called where [Descriptor.Revokes] is false.
func (d *Descriptor) RevokeRequest() Request {
	r := d.EndpointFor(d.DirectGrant()).Request.with(d.Revoke.Request)
	r.Params = d.Revoke.Params
	r.Method = cmp.Or(d.Revoke.Method, http.MethodPost)
	return r
}

// SignedBy returns the assertion with what older descriptors say of it in
// token.
func (d *Descriptor) SignedBy() Assertion {
	var a Assertion
	if d.Assertion != nil {
		a = *d.Assertion
	}
	a.Algorithm = cmp.Or(a.Algorithm, d.Token.Alg)
	if _, given := a.Claims["aud"]; !given && d.Token.Audience != "" {
		claims := maps.Clone(a.Claims)
		if claims == nil {
			claims = Params{}
		}
		claims["aud"] = d.Token.Audience
		a.Claims = claims
	}
	a.Lifetime = cmp.Or(a.Lifetime, Duration(time.Minute))
	a.Backdate = cmp.Or(a.Backdate, Duration(time.Minute))
	return a
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

// CodeParameter returns the parameter of the authorization response that has
// the code. It must not be called where [Descriptor.Connects] is false.
func (d *Descriptor) CodeParameter() string { return cmp.Or(d.Authorize.Code, string(FieldCode)) }

// Revokes reports whether tokens can be revoked at the provider.
func (d *Descriptor) Revokes() bool { return d.Revoke != nil }

// Verifies reports whether the provider has a request that verifies a token.
func (d *Descriptor) Verifies() bool { return d.Verify != nil }

// VerifiesMinted reports whether every new token is to be verified before it is
// vended.
func (d *Descriptor) VerifiesMinted() bool { return d.Verify != nil && d.Verify.Minted }

// AllGrants returns the grant types by which tokens are obtained, those of a
// user's account and of a refresh token last.
func (d *Descriptor) AllGrants() []Grant {
	var all []Grant
	all = append(all, d.Grants...)
	if len(d.Grants) == 0 && d.Example["grant"] == nil {
		all = append(all, ClientCredentials)
	}
	if d.Connects() {
		all = append(all, AuthorizationCode)
	}
	if d.Refreshes() {
		all = append(all, RefreshToken)
	}
	return all
}
