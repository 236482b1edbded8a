package probe

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/rsa"
	"encoding/asn1"
	"io"
	"math/big"
	"net/url"

	"github.com/tokenvend/tokenvend/pkg/descriptor"
	"github.com/tokenvend/tokenvend/pkg/descriptor/placeholder"
	"github.com/tokenvend/tokenvend/pkg/provider"
	"github.com/tokenvend/tokenvend/pkg/redact"
)

// masked returns a client whose secrets are replaced: a request that is built
// of it holds none, however a template computes with them. mask returns the
// text in the place of a secret, by its name.
func masked(c provider.Client, mask func(name string) string) provider.Client {
	if !c.Secret.IsZero() {
		c.Secret = redact.New(mask("client_secret"))
	}
	secrets := map[string]redact.String{}
	for name := range c.Secrets {
		secrets[name] = redact.New(mask("secrets." + name))
	}
	params := map[string]any{}
	for name, value := range c.Params {
		params[name] = mask("params." + name)
		if _, several := value.([]any); several {
			params[name] = []any{mask("params." + name)}
		}
	}
	c.Secrets, c.Params, c.TokenURL = secrets, params, withoutQueryValues(c.TokenURL, mask("token_url"))
	if c.Key != nil {
		c.Key = unsigned{c.Key}
	}
	return c
}

// withoutQueryValues replaces the values in the query of a URL, any of which
// may be a secret.
func withoutQueryValues(raw, mask string) string {
	u, err := url.Parse(raw)
	if err != nil || u.RawQuery == "" {
		return raw
	}
	query := u.Query()
	for name := range query {
		query[name] = []string{mask}
	}
	u.RawQuery = query.Encode()
	return u.String()
}

// byName is the usual text in the place of a secret.
func byName(name string) string { return "[" + name + "]" }

// zeroMasks returns what to try where a template decodes a secret, which fails
// for a name: zeros, which are hexadecimal and base64, for each secret alone,
// and at last for all.
func zeroMasks(d *descriptor.Descriptor) (masks []func(string) string) {
	const zeros = "00000000"
	names := []string{"client_secret"}
	for _, name := range placeholder.UsesOf(d, placeholder.SecretPrefix) {
		names = append(names, placeholder.SecretPrefix+name)
	}
	for _, zeroed := range names {
		masks = append(masks, func(name string) string {
			if name == zeroed {
				return zeros
			}
			return byName(name)
		})
	}
	return append(masks, func(string) string { return zeros })
}

// takenOf returns values in the place of those that steps take.
func takenOf(d *descriptor.Descriptor, mask func(string) string) map[string]redact.String {
	taken := map[string]redact.String{}
	for _, step := range d.Steps {
		for name := range step.Take {
			taken[step.Name+"."+name] = redact.New(mask(placeholder.StepPrefix + step.Name + "." + name))
		}
	}
	return taken
}

// unsigned is a private key whose signatures are not valid.
type unsigned struct{ crypto.Signer }

// Sign implements crypto.Signer.
func (u unsigned) Sign(io.Reader, []byte, crypto.SignerOpts) ([]byte, error) {
	switch public := u.Public().(type) {
	case *rsa.PublicKey:
		return make([]byte, public.Size()), nil
	case *ecdsa.PublicKey:
		return asn1.Marshal(struct{ R, S *big.Int }{big.NewInt(1), big.NewInt(1)})
	}
	return make([]byte, ed25519.SignatureSize), nil
}
