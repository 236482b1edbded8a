package request

import (
	"encoding/base64"
	"net/url"
	"strings"

	"github.com/tokenvend/tokenvend/pkg/descriptor"
	"github.com/tokenvend/tokenvend/pkg/descriptor/clientauth"
	"github.com/tokenvend/tokenvend/pkg/provider/response"
)

// authenticate adds the client authentication.
func (b *building) authenticate(r descriptor.Request) *response.Error {
	if b.values.Client.ID == "" && r.NeedsClientID() {
		return response.ClientMisconfiguration("client_id: missing")
	}
	for _, method := range r.Auth {
		if err := b.authenticateBy(method, r); err != nil {
			return err
		}
	}
	return nil
}

func (b *building) authenticateBy(method clientauth.Method, r descriptor.Request) *response.Error {
	b.Authenticated = b.Authenticated || method != clientauth.None
	switch method {
	case clientauth.Basic, clientauth.BasicEncoded:
		return b.basic(method)
	case clientauth.Post:
		return b.post(r)
	case clientauth.PrivateKey:
		return b.assert(r)
	case clientauth.TLS:
		return b.certificate(r)
	case clientauth.None:
		b.set(r, descriptor.FieldClientID, b.values.Client.ID)
		return nil
	}
	return response.ClientMisconfiguration("auth %s is not implemented", method)
}

// basic is RFC 7617, or RFC 6749 §2.3.1. Most servers accept only one of the
// two forms.
func (b *building) basic(form clientauth.Method) *response.Error {
	if b.lacksSecret() {
		return response.ClientMisconfiguration("client_secret: missing")
	}
	id, secret := b.values.Client.ID, b.values.Client.Secret.Reveal()
	raw := id + ":" + secret
	encoded := formEncoded(id) + ":" + formEncoded(secret)
	sent, other := raw, clientauth.BasicEncoded
	if form == clientauth.BasicEncoded {
		sent, other = encoded, clientauth.Basic
	} else if strings.Contains(id, ":") {
		return response.ClientMisconfiguration(
			"client_id: holds a colon, which Basic cannot carry; does the provider take basic_encoded?")
	}
	if raw != encoded {
		b.AuthHint = "id or secret have characters that " + string(other) + " sends otherwise: perhaps that is expected"
	}
	value := base64.StdEncoding.EncodeToString([]byte(sent))
	b.Mask.Add(secret)
	b.Mask.Add(value)
	b.Header.Set("Authorization", "Basic "+value)
	return nil
}

func (b *building) lacksSecret() bool {
	return b.values.Client.Secret.IsZero() && !b.values.Client.EmptySecret
}

// formEncoded encodes one value as application/x-www-form-urlencoded, with a
// space as %20: every decoder of forms reads that, and servers that decode
// percent-encoding alone, such as Authlib's, read no plus sign.
func formEncoded(value string) string { return strings.ReplaceAll(url.QueryEscape(value), "+", "%20") }

func (b *building) post(r descriptor.Request) *response.Error {
	if b.lacksSecret() {
		return response.ClientMisconfiguration("client_secret: missing")
	}
	secret := b.values.Client.Secret.Reveal()
	b.Mask.Add(secret)
	if !b.set(r, descriptor.FieldClientID, b.values.Client.ID) || !b.set(r, descriptor.FieldClientSecret, secret) {
		return response.ClientMisconfiguration("fields: auth post needs client_id and client_secret")
	}
	return nil
}

// certificate is RFC 8705 §2: the connection authenticates the client, and a
// parameter names it.
func (b *building) certificate(r descriptor.Request) *response.Error {
	if b.values.Client.Certificate == nil {
		return response.ClientMisconfiguration("certificate: missing")
	}
	b.Cert = b.values.Client.Certificate
	b.set(r, descriptor.FieldClientID, b.values.Client.ID)
	return nil
}
