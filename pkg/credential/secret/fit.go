package secret

import (
	"cmp"
	"slices"
	"strings"

	"github.com/tokenvend/tokenvend/pkg/credential"
	"github.com/tokenvend/tokenvend/pkg/descriptor"
	"github.com/tokenvend/tokenvend/pkg/descriptor/clientauth"
	"github.com/tokenvend/tokenvend/pkg/descriptor/placeholder"
	"github.com/tokenvend/tokenvend/pkg/grant"
	"github.com/tokenvend/tokenvend/pkg/jws"
	"github.com/tokenvend/tokenvend/pkg/redact"
)

// fit checks a secret against the descriptor of its provider.
func (f *form) fit(c credential.Credential, d *descriptor.Descriptor) {
	f.fitTokenURL(c, d)
	if c.Quota != nil && c.Grant == descriptor.SelfSigned {
		f.wrong("quota", "not given: no token request is sent")
	}
	f.fitGrant(c, d)
	f.fitScope(c, d)
	f.fitAuth(c, d)
	f.fitVariables(c, d)
	taken := standard
	for _, name := range d.Token.Fields {
		taken = append(slices.Clip(taken), name)
	}
	taken = append(slices.Clip(taken), c.Grant.Secrets()...)
	for name := range c.Client.Params {
		if slices.Contains(taken, name) {
			f.wrong("params."+redact.Name(name), "no parameter that has its own place in a request")
		}
	}
}

func (f *form) fitTokenURL(c credential.Credential, d *descriptor.Descriptor) {
	if c.Client.TokenURL == "" && d.NeedsTokenURL() {
		f.wrong("token_url", "required: the provider publishes none")
	}
	if c.Client.TokenURL != "" && c.Grant == descriptor.SelfSigned {
		f.wrong("token_url", "not given: no token request is sent")
	}
}

// standard lists the parameters that are set from other fields of a secret or
// by the grant. In params they would be sent twice, and params is no place for
// secrets.
var standard = []string{
	"grant_type", "client_id", "client_secret", "client_assertion", "client_assertion_type", "scope", "refresh_token",
	"code", "code_verifier", "redirect_uri", "assertion",
}

func (f *form) fitGrant(c credential.Credential, d *descriptor.Descriptor) {
	if !c.Refresh.IsZero() && !d.Refreshes() {
		f.wrong("refresh_token", "not given: the provider redeems none")
	}
	needsListing := d.Grants != nil || c.Grant == descriptor.Login || c.Grant == descriptor.SelfSigned
	if g := grant.Of(c.Grant); g.Direct != "" && needsListing && !slices.Contains(d.Grants, g.Direct) {
		f.wrong("grant", "a grant that the provider has")
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

// fitScope refuses a scope and an audience that no request sends.
func (f *form) fitScope(c credential.Credential, d *descriptor.Descriptor) {
	t := d.EndpointFor(cmp.Or(grant.Of(c.Grant).Direct, descriptor.RefreshToken))
	sends := func(field descriptor.Field, value string) bool {
		return d.Authorize != nil || t.ParamName(field) != "" || placeholder.Uses(d)[value]
	}
	if c.Scope != "" && !sends(descriptor.FieldScope, placeholder.Scope) {
		f.wrong("scope", "not given: the provider takes none")
	}
	if c.Audience != "" && !sends(descriptor.FieldAudience, placeholder.Audience) {
		f.wrong("audience", "not given: the provider takes none")
	}
}

func (f *form) fitAuth(c credential.Credential, d *descriptor.Descriptor) {
	needed := NeededBeside(d, c.Grant, c.Proof)
	f.fitProof(c, d, needed)
	if needed.ClientID && c.ID == "" {
		f.wrong("client_id", "required")
	}
	usesBasic := func(r descriptor.Request) bool { return r.Auth.Has(clientauth.Basic) }
	if strings.Contains(c.ID, ":") && slices.ContainsFunc(requests(d, c.Grant), usesBasic) {
		f.wrong("client_id", "no colon: the provider takes Basic, which cannot carry one")
	}
	f.wants("client_secret", needed.ClientSecret, !c.Secret.IsZero() || c.EmptySecret)
	f.wants("certificate", needed.Certificate, c.Certificate != nil)
	f.wants("private_key", needed.PrivateKey, c.Client.Key != nil)
	if c.KeyID != "" {
		f.wants("key_id", needed.KeyID, true)
	}
	if placeholder.Uses(d)[placeholder.Signature] && c.Client.Key != nil {
		f.fitKey(c, jws.RS256)
	}
	if needed.Signs && c.Client.Key != nil {
		f.fitKey(c, d.SignedBy().Algorithm)
	}
	for _, name := range needed.Secrets {
		if _, given := c.Client.Secrets[name]; !given && !d.Secrets[name].Optional {
			f.wants("secrets."+redact.Name(name), true, false)
		}
	}
	for name := range c.Client.Secrets {
		f.wants("secrets."+redact.Name(name), slices.Contains(needed.Secrets, name), true)
	}
}

// fitVariables checks the variables, and that URLs can be made of them.
func (f *form) fitVariables(c credential.Credential, d *descriptor.Descriptor) {
	isWrong := false
	wrong := func(name, expected string) {
		f.wrong("variables."+redact.Name(name), expected)
		isWrong = true
	}
	for name, v := range d.Variables {
		value, given := c.Client.Variables[name]
		if !given && placeholder.NeedsVariable(d, name, c.Client.TokenURL != "") {
			wrong(name, "required by the provider")
		}
		if expected := v.Expects(value); given && expected != "" {
			wrong(name, expected)
		}
	}
	for name := range c.Client.Variables {
		if _, known := d.Variables[name]; !known {
			wrong(name, "no such variable of the provider")
		}
	}
	if isWrong {
		return
	}
	rest := *d
	if c.Client.TokenURL != "" {
		rest.Token.URL = ""
	}
	for _, raw := range placeholder.URLs(&rest) {
		_, err := placeholder.ExpandURL(d, raw, func(name string) (string, error) {
			if variable, ok := strings.CutPrefix(name, placeholder.VariablePrefix); ok {
				return c.Variable(d, variable), nil
			}
			return cmp.Or(c.ID, name), nil
		})
		if err != nil {
			field, expected, _ := strings.Cut(err.Error(), ": expected ")
			f.wrong(field, expected)
		}
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
func (f *form) fitKey(c credential.Credential, alg jws.Algorithm) {
	public := c.Client.Key.Public()
	if expected := cmp.Or(alg, jws.Usual(public)).Expects(public); expected != "" {
		f.wrong("private_key", expected)
	}
}
