package request

import (
	"crypto/rand"
	"crypto/sha256"
	"crypto/x509"
	"encoding/base64"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/tokenvend/tokenvend/pkg/descriptor"
	"github.com/tokenvend/tokenvend/pkg/descriptor/placeholder"
	"github.com/tokenvend/tokenvend/pkg/descriptor/template"
	"github.com/tokenvend/tokenvend/pkg/redact"
)

// value returns the value of a placeholder, and masks it where it is a secret.
// Its errors are each an [*Error].
func (b *building) value(name string) (string, error) {
	b.used[name] = true
	kind, inner, _ := strings.Cut(name, ".")
	switch kind + "." {
	case placeholder.SecretPrefix:
		return b.namedSecret(inner)
	case placeholder.VariablePrefix:
		return b.variable(inner)
	case placeholder.StepPrefix:
		return b.secret(b.taken[inner], name)
	}
	switch name {
	case placeholder.ClientID:
		if b.client.ID == "" {
			return "", OfClient(Misconfigured("client_id: missing"))
		}
		return b.client.ID, nil
	case placeholder.ClientSecret:
		b.Authenticated = true
		if b.client.EmptySecret {
			return "", nil
		}
		return b.secret(b.client.Secret, name)
	case placeholder.KeyID:
		return b.client.KeyID, nil
	case placeholder.Scope:
		return b.scope, nil
	case placeholder.Audience:
		return b.audience, nil
	case placeholder.RefreshToken:
		return b.secret(b.Refresh, name)
	case placeholder.Code:
		return b.secret(b.authCode, name)
	case placeholder.AccessToken:
		return b.secret(b.access, name)
	case placeholder.TokenURL:
		return b.tokenURL, nil
	case placeholder.UUID:
		return b.uuid(), nil
	case placeholder.Assertion:
		return b.assertion()
	case placeholder.PublicKey:
		return b.publicKey()
	}
	return "", OfClient(Misconfigured("descriptor: no value %s", name))
}

// secret returns a secret that must not be missing.
func (b *building) secret(s redact.String, name string) (string, error) {
	if s.IsZero() {
		return "", OfClient(Misconfigured("%s: missing", name))
	}
	b.usedSecret = true
	b.Mask.Add(s.Reveal())
	return s.Reveal(), nil
}

func (b *building) namedSecret(name string) (string, error) {
	b.Authenticated = true
	value, given := b.client.Secrets[name]
	if !given && b.descriptor.Secrets[name].Optional {
		return "", nil
	}
	return b.secret(value, placeholder.SecretPrefix+name)
}

func (b *building) variable(name string) (string, error) {
	return variableOf(b.descriptor, b.client, name)
}

// variableOf returns the value of a variable, or its default.
func variableOf(d *descriptor.Descriptor, c Client, name string) (string, error) {
	if value, given := c.Variables[name]; given {
		return value, nil
	}
	if usual := d.Variables[name].Default; usual != nil {
		return *usual, nil
	}
	return "", OfClient(Misconfigured("variables.%s: missing", name))
}

// publicKey returns the SHA-256 of the client's public key, in base64: of its
// SubjectPublicKeyInfo in DER (RFC 5280 §4.1.2.7).
func (b *building) publicKey() (string, error) {
	if b.client.Key == nil {
		return "", OfClient(Misconfigured("private_key: missing"))
	}
	der, err := x509.MarshalPKIXPublicKey(b.client.Key.Public())
	if err != nil {
		return "", OfClient(Misconfigured("private_key: its public half cannot be encoded"))
	}
	sum := sha256.Sum256(der)
	return base64.StdEncoding.EncodeToString(sum[:]), nil
}

// now returns the time by the provider's clock, the same all over one request.
func (b *building) now() time.Time {
	if b.at.IsZero() {
		b.at = b.Clock.Theirs(wall())
	}
	return b.at
}

// uuid returns a random UUID (RFC 9562 §5.4), the same all over one request.
func (b *building) uuid() string {
	if b.random == "" {
		var id [16]byte
		_, _ = rand.Read(id[:]) // never fails
		id[6], id[8] = id[6]&0x0f|0x40, id[8]&0x3f|0x80
		b.random = fmt.Sprintf("%x-%x-%x-%x-%x", id[:4], id[4:6], id[6:8], id[8:10], id[10:])
	}
	return b.random
}

// expand returns the text of a template. A text with a secret in it is masked
// too, however it is computed.
func (b *building) expand(path, text string) (string, *Error) {
	return b.expanded(path, text, template.Parse)
}

func (b *building) expanded(path, text string, parse func(string) (template.Template, error)) (string, *Error) {
	t, err := parse(text)
	b.usedSecret = false
	result := ""
	if err == nil {
		result, err = t.Expand(template.Values{Value: b.value, Now: b.now()})
	}
	if err != nil {
		return "", asError(path, err)
	}
	if b.usedSecret {
		b.Mask.Add(result)
	}
	return result, nil
}

// asError returns an error of a template as one of the client.
func asError(path string, err error) *Error {
	if own, ok := errors.AsType[*Error](err); ok {
		return own
	}
	return OfClient(Misconfigured("%s: %v", path, err))
}

// expandValue expands all texts in a value of JSON. left reports whether there
// is a value: a text whose placeholders are all empty is none.
func (b *building) expandValue(path string, value any) (expanded any, left bool, err *Error) {
	switch value := value.(type) {
	case string:
		text, err := b.expand(path, value)
		return text, text != "" || value == "", err
	case []any:
		var all []any
		for i, item := range value {
			inner, left, err := b.expandValue(fmt.Sprintf("%s[%d]", path, i), item)
			if err != nil {
				return nil, false, err
			}
			if left {
				all = append(all, inner)
			}
		}
		return all, true, nil
	case map[string]any:
		all := map[string]any{}
		for name, item := range value {
			inner, left, err := b.expandValue(path+"."+redact.Name(name), item)
			if err != nil {
				return nil, false, err
			}
			if left {
				all[name] = inner
			}
		}
		return all, true, nil
	}
	return value, true, nil
}
