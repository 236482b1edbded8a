// Package secret parses and checks the secret of one OAuth client.
package secret

import (
	"github.com/tokenvend/tokenvend/pkg/credential"
	"github.com/tokenvend/tokenvend/pkg/descriptor"
	"github.com/tokenvend/tokenvend/pkg/redact"
)

// Parse parses a secret strictly. A [*Malformed] names everything at once:
// unknown and repeated fields, wrong types, missing fields, and contradictions
// within the secret or with the provider's descriptor.
func Parse(name, version string, data []byte) (credential.Credential, error) {
	w := &faults{version: version}
	if !credential.ValidName(name) {
		w.add("name", "a lower-case letter or digit, then at most 62 more, _ or -")
	}
	f := openSecret(data, w)
	if f.fields == nil {
		return credential.Credential{}, w.of(name)
	}
	c := credential.Credential{Terms: f.terms(), Client: f.client(), Refresh: redact.New(f.text("refresh_token"))}
	f.rest()
	c.Name, c.Version = name, version
	c.Client.Credential = name
	c.ClientID, c.Terms.TokenURL, c.Terms.Params = c.ID, c.Client.TokenURL, credential.ParamsDigest(c.Client.Params)
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
		return credential.Credential{}, err
	}
	return c, nil
}
