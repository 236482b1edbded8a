package credential

import (
	"encoding/json"
	"errors"
	"maps"
	"net/url"
	"slices"
	"strings"

	"github.com/tokenvend/tokenvend/pkg/access"
	"github.com/tokenvend/tokenvend/pkg/descriptor"
	"github.com/tokenvend/tokenvend/pkg/descriptor/catalog"
	"github.com/tokenvend/tokenvend/pkg/grant"
	"github.com/tokenvend/tokenvend/pkg/loopback"
	"github.com/tokenvend/tokenvend/pkg/provider"
	"github.com/tokenvend/tokenvend/pkg/redact"
)

// MaxSize is the maximum size of a secret in bytes, as in Secrets Manager.
const MaxSize = 64 << 10

// Parse parses a secret strictly. A [*Malformed] names everything at once:
// unknown and repeated fields, wrong types, missing fields, and contradictions
// within the secret or with the provider's descriptor.
func Parse(name, version string, data []byte) (Credential, error) {
	w := &faults{version: version}
	if !ValidName(name) {
		w.add("name", "a lower-case letter or digit, then at most 62 more, _ or -")
	}
	f := openSecret(data, w)
	if f.fields == nil {
		return Credential{}, w.of(name)
	}
	c := Credential{Terms: f.terms(), Client: f.client(), Refresh: redact.New(f.text("refresh_token"))}
	f.rest()
	c.Name, c.Version = name, version
	c.Client.Credential = name
	c.ClientID, c.Terms.TokenURL, c.Terms.Params = c.ID, c.Client.TokenURL, paramsDigest(c.Client.Params)
	c.Terms.Variables = c.Client.Variables
	if d, err := c.ProviderDescriptor(); err == nil {
		if c.Grant == "" && d.DirectGrant() != descriptor.ClientCredentials {
			c.Grant = d.DirectGrant()
		}
		f.fit(c, d)
	} else if c.ID == "" {
		f.wrong("client_id", "required")
	}
	if err := w.of(name); err != nil {
		return Credential{}, err
	}
	return c, nil
}

// provider takes either a name in the catalogue or an inline descriptor. It
// omits an invalid one.
func (f *form) provider() (string, *descriptor.Descriptor) {
	_, inline := f.fields["descriptor"]
	d := f.descriptor()
	_, named := f.fields["provider"]
	name := f.text("provider")
	if inline && named {
		f.wrong("descriptor", "not given beside provider: one of the two")
		return "", nil
	}
	if inline {
		return "", d
	}
	if _, err := catalog.Get(name); err != nil {
		f.wrong("provider", "one of "+strings.Join(catalog.Names(), ", ")+"; or instead of it a descriptor")
		return "", nil
	}
	return name, nil
}

func (f *form) grant() descriptor.Grant {
	g := descriptor.Grant(f.text("grant"))
	if g != "" && !slices.Contains(grant.Names(), string(g)) {
		f.wrong("grant", "one of "+strings.Join(grant.Names(), ", "))
	}
	return g
}

func (f *form) allow() access.Rule {
	in := f.object("allow")
	filled := func(s string) bool { return s != "" && s == strings.TrimSpace(s) && !strings.ContainsFunc(s, odd) }
	oneScope := func(s string) bool { return filled(s) && !strings.Contains(s, " ") }
	rule := access.Rule{
		Principals: in.list("principals", access.CheckPrincipal),
		Aliases:    in.list("aliases", expecting("a Lambda alias, and none of api, admin and c-…", access.ValidAlias)),
		Scopes:     in.list("scopes", expecting("one scope", oneScope)),
		Audiences:  in.list("audiences", expecting("one audience", filled)),
		Accounts:   in.list("accounts", expecting("an account, or a pattern with * and ?", filled)),
	}
	in.rest()
	return rule
}

// expecting returns a check whose error is the expectation.
func expecting(expected string, valid func(string) bool) func(string) error {
	err := errors.New(expected)
	return func(s string) error {
		if valid(s) {
			return nil
		}
		return err
	}
}

// client takes the OAuth client's ID and its means of authentication.
func (f *form) client() provider.Client {
	emptySecret := string(f.fields["client_secret"]) == `""`
	c := provider.Client{
		ID:          f.text("client_id"),
		Secret:      redact.New(f.text("client_secret")),
		EmptySecret: emptySecret,
		Secrets:     f.secrets(),
		Variables:   f.variables(),
		TokenURL:    f.tokenURL(),
		Params:      f.params(),
		KeyID:       f.text("key_id"),
		Proof:       f.proof(),
	}
	c.Key, c.Certificate = f.keys(c.Proof)
	return c
}

// secrets takes the named secrets.
func (f *form) secrets() map[string]redact.String {
	secrets := map[string]redact.String{}
	for name, value := range f.named("secrets") {
		secrets[name] = redact.New(value)
	}
	return secrets
}

// variables takes the values of variables, or nil if there are none.
func (f *form) variables() map[string]string { return f.named("variables") }

// named takes an object of texts that are not empty.
func (f *form) named(name string) map[string]string {
	in := f.object(name)
	var texts map[string]string
	for _, inner := range slices.Sorted(maps.Keys(in.fields)) {
		if redact.Name(inner) != inner {
			continue // rest refuses it
		}
		text := in.text(inner)
		if text == "" {
			in.wrong(inner, "a text that is not empty")
			continue
		}
		if texts == nil {
			texts = map[string]string{}
		}
		texts[inner] = text
	}
	in.rest()
	return texts
}

// params takes the additional parameters: texts, or arrays of texts.
func (f *form) params() map[string]any {
	in := f.object("params")
	params := make(map[string]any, len(in.fields))
	for name, raw := range in.fields {
		var several []string
		if json.Unmarshal(raw, &several) != nil || several == nil {
			params[name], _ = take[string](&in, name, "a string, or an array of strings")
			continue
		}
		all := make([]any, len(several))
		for i, text := range several {
			all[i] = text
		}
		params[name] = all
	}
	return params
}

func (f *form) tokenURL() string {
	raw := f.text("token_url")
	if raw == "" {
		return ""
	}
	u, err := url.Parse(raw)
	if err != nil || u.Hostname() == "" || u.User != nil || u.Fragment != "" ||
		u.Scheme != "https" && !(u.Scheme == "http" && loopback.IsHost(u.Hostname())) {
		f.wrong("token_url", "an https URL without user, password and fragment (http for a loopback host only)")
		return ""
	}
	return raw
}
