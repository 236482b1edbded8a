package secret

import (
	"cmp"
	"slices"

	"github.com/tokenvend/tokenvend/pkg/descriptor"
	"github.com/tokenvend/tokenvend/pkg/descriptor/placeholder"
	"github.com/tokenvend/tokenvend/pkg/grant"
	"github.com/tokenvend/tokenvend/pkg/jws"
	"github.com/tokenvend/tokenvend/pkg/proof"
)

// Needed is what a credential has to have for a provider. What is not needed is
// not accepted, but for the client ID.
type Needed struct {
	ClientID     bool
	ClientSecret bool
	PrivateKey   bool
	Certificate  bool
	// KeyID reports whether a key ID is sent. It is never required.
	KeyID bool
	// Signs reports whether the private key signs an assertion.
	Signs bool
	// Asserts reports whether an assertion is sent that a key signs, or a proof
	// in its place.
	Asserts bool
	// Secrets are the names of the named secrets, sorted, also of optional
	// ones.
	Secrets []string
}

// NeededFor returns what a credential of a grant type needs. "" is the grant
// type that the provider has first.
func NeededFor(d *descriptor.Descriptor, g descriptor.Grant) Needed { return NeededBeside(d, g, "") }

// NeededBeside is [NeededFor] for a credential with a kind of proof, which
// takes the place of the private key.
func NeededBeside(d *descriptor.Descriptor, g descriptor.Grant, kind proof.Kind) Needed {
	g = cmp.Or(g, d.DirectGrant())
	used, assertion := placeholder.Uses(d), d.SignedBy()
	n := Needed{
		ClientID:     used[placeholder.ClientID] || d.Authorize != nil,
		ClientSecret: used[placeholder.ClientSecret],
		Secrets:      secretsOf(d, g),
	}
	signs := used[placeholder.Assertion] || grant.Of(g).Signed
	for _, r := range requests(d, g) {
		needs := r.Auth.Needs()
		n.ClientSecret = n.ClientSecret || needs.Secret
		n.Certificate = n.Certificate || needs.Certificate
		n.ClientID = n.ClientID || r.NeedsClientID()
		signs = signs || needs.Assertion
	}
	n.Asserts = signs && assertion.Algorithm != jws.HS256
	n.Signs = n.Asserts && kind == ""
	n.PrivateKey = n.Signs || n.Certificate || used[placeholder.Signature] // a certificate: of the connection
	n.KeyID = used[placeholder.KeyID]
	if signs && (kind == "" || kind.Signs()) {
		n.Certificate = n.Certificate || len(assertion.Certificate) > 0
		n.ClientID = n.ClientID || defaultsToClientID(assertion)
		n.KeyID = true
	}
	n.PrivateKey = n.PrivateKey || n.Certificate && kind == ""
	return n
}

// secretsOf returns the named secrets that templates and the grant send.
func secretsOf(d *descriptor.Descriptor, g descriptor.Grant) []string {
	names := placeholder.UsesOf(d, placeholder.SecretPrefix)
	for _, name := range g.Secrets() {
		if d.EndpointFor(g).ParamName(descriptor.Field(name)) != "" {
			names = append(names, name)
		}
	}
	slices.Sort(names)
	return slices.Compact(names)
}

// requests returns the requests in which the client may authenticate.
func requests(d *descriptor.Descriptor, g descriptor.Grant) []descriptor.Request {
	var all []descriptor.Request
	if direct := grant.Of(g).Direct; direct != descriptor.SelfSigned {
		all = append(all, d.EndpointFor(direct).Request)
	}
	for _, s := range d.Steps {
		all = append(all, s.Full())
	}
	if d.Then != nil {
		all = append(all, d.Then.Full())
	}
	if d.Refresh != nil {
		all = append(all, d.EndpointFor(descriptor.RefreshToken).Request)
	}
	if d.Revoke != nil {
		all = append(all, d.RevokeRequest())
	}
	return all
}

// defaultsToClientID reports whether a claim of an assertion is the client ID
// because the descriptor says nothing else.
func defaultsToClientID(a descriptor.Assertion) bool {
	_, issuer := a.Claims["iss"]
	_, subject := a.Claims["sub"]
	return !issuer || !subject
}
