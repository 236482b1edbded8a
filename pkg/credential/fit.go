package credential

import (
	"cmp"
	"errors"
	"slices"
	"strings"

	"github.com/tokenvend/tokenvend/pkg/descriptor"
	"github.com/tokenvend/tokenvend/pkg/grant"
	"github.com/tokenvend/tokenvend/pkg/jws"
	"github.com/tokenvend/tokenvend/pkg/redact"
)

// descriptor takes an inline descriptor, or nil if it is absent or wrong.
func (f *form) descriptor() *descriptor.Descriptor {
	raw, given := f.fields["descriptor"]
	if !given {
		return nil
	}
	delete(f.fields, "descriptor")
	d, err := descriptor.Parse(raw)
	if problems, ok := errors.AsType[*descriptor.Error](err); ok {
		for _, problem := range problems.Problems {
			f.inDescriptor(problem)
		}
		return nil
	}
	if err != nil {
		f.wrong("descriptor", "a provider's descriptor")
		return nil
	}
	return d
}

// inDescriptor reports a problem in the form "path: what", or "what".
func (f *form) inDescriptor(problem string) {
	path, what, ok := strings.Cut(problem, ": ")
	if !ok {
		f.wrong("descriptor", problem)
		return
	}
	f.wrong("descriptor."+path, what)
}

// fit checks a secret against the descriptor of its provider.
func (f *form) fit(c Credential, d *descriptor.Descriptor) {
	if c.Client.TokenURL == "" && d.NeedsTokenURL() {
		f.wrong("token_url", "required: the provider publishes none")
	}
	f.fitGrant(c, d)
	f.fitAuth(c, d)
	taken := standard
	for _, name := range d.Token.Fields {
		taken = append(slices.Clip(taken), name)
	}
	for name := range c.Client.Params {
		if slices.Contains(taken, name) {
			f.wrong("params."+redact.Name(name), "no parameter that has its own place in a request")
		}
	}
}

// standard lists the parameters that are set from other fields of a secret or
// by the grant. In params they would be sent twice, and params is no place for
// secrets.
var standard = []string{
	"grant_type", "client_id", "client_secret", "client_assertion", "client_assertion_type", "scope", "refresh_token",
	"code", "code_verifier", "redirect_uri", "assertion",
}

func (f *form) fitGrant(c Credential, d *descriptor.Descriptor) {
	if !c.Refresh.IsZero() && !d.Refreshes() {
		f.wrong("refresh_token", "not given: the provider redeems none")
	}
	switch c.Grant {
	case descriptor.RefreshToken:
		if c.Refresh.IsZero() {
			f.wrong("refresh_token", "required by this grant")
		}
	case descriptor.AuthorizationCode:
		if d.Authorize == nil {
			f.wrong("grant", "not authorization_code: the provider connects no accounts")
		}
	}
}

func (f *form) fitAuth(c Credential, d *descriptor.Descriptor) {
	auths := auths(d)
	needs := func(need func(descriptor.Needs) bool) bool {
		return slices.ContainsFunc(auths, func(a descriptor.Auth) bool { return need(a.Needs()) })
	}
	if needs(func(n descriptor.Needs) bool { return n.Secret }) {
		f.wants("client_secret", true, !c.Secret.IsZero())
	}
	if slices.Contains(auths, descriptor.AuthBasic) && strings.Contains(c.ID, ":") {
		f.wrong("client_id", "no colon: the provider takes Basic, which cannot carry one")
	}
	signed := needs(func(n descriptor.Needs) bool { return n.Assertion }) || grant.Of(c.Grant).Signed
	tls := needs(func(n descriptor.Needs) bool { return n.Certificate })
	f.wants("certificate", tls, c.Certificate != nil)
	f.wants("private_key", signed || tls, c.Client.Key != nil)
	f.wants("key_id", signed, c.KeyID != "")
	if signed && c.Client.Key != nil {
		f.fitKey(c, d.Token.Alg)
	}
}

// wants reports a field that the provider needs and that is missing, and a
// field that is present and never used.
func (f *form) wants(name string, needed, given bool) {
	switch {
	case needed && !given:
		f.wrong(name, "required by the provider")
	case !needed && given:
		f.wrong(name, "not given: the provider does not take it")
	}
}

// fitKey checks that the key can sign by the provider's algorithm.
func (f *form) fitKey(c Credential, alg jws.Algorithm) {
	public := c.Client.Key.Public()
	if expected := cmp.Or(alg, jws.Usual(public)).Expects(public); expected != "" {
		f.wrong("private_key", expected)
	}
}

// auths returns the methods by which the client authenticates at the provider's
// endpoints.
func auths(d *descriptor.Descriptor) []descriptor.Auth {
	token := cmp.Or(d.Token.Auth, descriptor.AuthBasic)
	all := []descriptor.Auth{token}
	if d.Refresh != nil {
		all = append(all, cmp.Or(d.Refresh.Auth, token))
	}
	if d.Revoke != nil {
		all = append(all, cmp.Or(d.Revoke.Auth, token))
	}
	return all
}
