package values

import (
	"crypto"
	"crypto/rand"
	"crypto/sha256"
	"crypto/x509"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/tokenvend/tokenvend/pkg/descriptor/placeholder"
	"github.com/tokenvend/tokenvend/pkg/descriptor/template"
	"github.com/tokenvend/tokenvend/pkg/jws"
	"github.com/tokenvend/tokenvend/pkg/provider/response"
	"github.com/tokenvend/tokenvend/pkg/redact"
)

// Values are the values of one request. Those that are secrets are masked in
// its response.
type Values struct {
	Request  *response.Request // that the values are for
	Client   Client
	Scope    string // separated as the provider expects it
	Audience string
	TokenURL string
	Code     redact.String            // the authorization code
	Access   redact.String            // the access token
	Taken    map[string]redact.String // of earlier steps, by STEP.NAME
	Now      time.Time                // by the provider's clock

	// Assertion returns the signed assertion of the request. nil: it has none.
	Assertion func() (string, error)

	used       map[string]bool // names of placeholders
	usedSecret bool            // by the template that is expanded
	random     string          // the UUID
}

// HasUsed reports whether a template has used a placeholder.
func (v *Values) HasUsed(name string) bool { return v.used[name] }

// value returns the value of a placeholder, and masks it where it is a secret.
// Its errors are each a [*response.Error].
func (v *Values) value(name string) (string, error) {
	if v.used == nil {
		v.used = map[string]bool{}
	}
	v.used[name] = true
	kind, inner, _ := strings.Cut(name, ".")
	switch kind + "." {
	case placeholder.SecretPrefix:
		return v.NamedSecret(inner)
	case placeholder.VariablePrefix:
		return Variable(v.Request.Descriptor, v.Client, inner)
	case placeholder.StepPrefix:
		return v.secret(v.Taken[inner], name)
	}
	switch name {
	case placeholder.ClientID:
		if v.Client.ID == "" {
			return "", response.ClientMisconfiguration("client_id: missing")
		}
		return v.Client.ID, nil
	case placeholder.ClientSecret:
		v.Request.Authenticated = true
		if v.Client.EmptySecret {
			return "", nil
		}
		return v.secret(v.Client.Secret, name)
	case placeholder.KeyID:
		return v.Client.KeyID, nil
	case placeholder.Scope:
		return v.Scope, nil
	case placeholder.Audience:
		return v.Audience, nil
	case placeholder.RefreshToken:
		return v.secret(v.Request.Refresh, name)
	case placeholder.Code:
		return v.secret(v.Code, name)
	case placeholder.AccessToken:
		return v.secret(v.Access, name)
	case placeholder.TokenURL:
		return v.TokenURL, nil
	case placeholder.UUID:
		return v.uuid(), nil
	case placeholder.Assertion:
		if v.Assertion != nil {
			signed, err := v.Assertion()
			v.usedSecret = true
			return signed, err
		}
	case placeholder.PublicKey:
		return v.publicKey()
	}
	return "", response.ClientMisconfiguration("descriptor: no value %s", name)
}

// secret returns a secret that must not be missing.
func (v *Values) secret(s redact.String, name string) (string, error) {
	if s.IsZero() {
		return "", response.ClientMisconfiguration("%s: missing", name)
	}
	v.usedSecret = true
	v.Request.Mask.Add(s.Reveal())
	return s.Reveal(), nil
}

// NamedSecret returns a named secret. An optional one may be "".
func (v *Values) NamedSecret(name string) (string, error) {
	v.Request.Authenticated = true
	value, given := v.Client.Secrets[name]
	if !given && v.Request.Descriptor.Secrets[name].Optional {
		return "", nil
	}
	return v.secret(value, placeholder.SecretPrefix+name)
}

// publicKey returns the SHA-256 of the client's public key, in base64: of its
// SubjectPublicKeyInfo in DER (RFC 5280 §4.1.2.7).
func (v *Values) publicKey() (string, error) {
	if v.Client.Key == nil {
		return "", response.ClientMisconfiguration("private_key: missing")
	}
	der, err := x509.MarshalPKIXPublicKey(v.Client.Key.Public())
	if err != nil {
		return "", response.ClientMisconfiguration("private_key: its public half cannot be encoded")
	}
	sum := sha256.Sum256(der)
	return base64.StdEncoding.EncodeToString(sum[:]), nil
}

// sign returns the signature of the client's key over a text, for rsa_sha256.
func (v *Values) sign(text string) (string, error) {
	if v.Client.Key == nil {
		return "", response.ClientMisconfiguration("private_key: missing")
	}
	if expected := jws.RS256.Expects(v.Client.Key.Public()); expected != "" {
		return "", response.ClientMisconfiguration("private_key: expected %s", expected)
	}
	v.Request.Authenticated, v.usedSecret = true, true
	digest := sha256.Sum256([]byte(text))
	signature, err := v.Client.Key.Sign(rand.Reader, digest[:], crypto.SHA256)
	if err != nil {
		return "", response.ClientMisconfiguration("private_key: it does not sign")
	}
	return string(signature), nil
}

// uuid returns a random UUID (RFC 9562 §5.4), the same all over one request.
func (v *Values) uuid() string {
	if v.random == "" {
		var id [16]byte
		_, _ = rand.Read(id[:]) // never fails
		id[6], id[8] = id[6]&0x0f|0x40, id[8]&0x3f|0x80
		v.random = fmt.Sprintf("%x-%x-%x-%x-%x", id[:4], id[4:6], id[6:8], id[8:10], id[10:])
	}
	return v.random
}

// Expand returns the text of a template. A text with a secret in it is masked
// too, however it is computed.
func (v *Values) Expand(path, text string) (string, *response.Error) {
	return v.expanded(path, text, template.Parse)
}

// ExpandBytes returns the bytes of a template whose texts may be of any bytes.
func (v *Values) ExpandBytes(path, text string) (string, *response.Error) {
	return v.expanded(path, text, template.ParseBytes)
}

func (v *Values) expanded(path, text string, parse func(string) (template.Template, error)) (string, *response.Error) {
	t, err := parse(text)
	v.usedSecret = false
	result := ""
	if err == nil {
		result, err = t.Expand(template.Values{Value: v.value, Sign: v.sign, Now: v.Now})
	}
	if err != nil {
		return "", AsError(path, err)
	}
	if v.usedSecret {
		v.Request.Mask.Add(result)
	}
	return result, nil
}

// AsError returns an error of a template as one of the client.
func AsError(path string, err error) *response.Error {
	if own, ok := errors.AsType[*response.Error](err); ok {
		return own
	}
	return response.ClientMisconfiguration("%s: %v", path, err)
}

// ExpandValue expands all texts in a value of JSON. left reports whether there
// is a value: a text whose placeholders are all empty is none. A text that is
// one call of number becomes a number.
func (v *Values) ExpandValue(path string, value any) (expanded any, left bool, err *response.Error) {
	switch value := value.(type) {
	case string:
		text, err := v.Expand(path, value)
		if t, _ := template.Parse(value); err == nil && t.IsNumber() {
			return json.Number(text), true, nil
		}
		return text, text != "" || value == "", err
	case []any:
		var all []any
		for i, item := range value {
			inner, left, err := v.ExpandValue(fmt.Sprintf("%s[%d]", path, i), item)
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
			inner, left, err := v.ExpandValue(path+"."+redact.Name(name), item)
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
