package provider

import (
	"encoding/base64"
	"net/url"
	"strings"

	"github.com/tokenvend/tokenvend/pkg/descriptor"
)

// authenticate adds the client authentication.
func (q *call) authenticate(t descriptor.TokenEndpoint, c Client) *Error {
	if c.ID == "" && (t.Auth != descriptor.AuthNone || t.ParamName(descriptor.FieldClientID) != "") {
		return ofClient(misconfigured("client_id: missing"))
	}
	q.Authenticated = t.Auth != descriptor.AuthNone
	switch t.Auth {
	case descriptor.AuthBasic, descriptor.AuthBasicEncoded:
		return q.basic(t.Auth, c)
	case descriptor.AuthPost:
		return q.post(t, c)
	case descriptor.AuthPrivateKey:
		return q.assert(t, c)
	case descriptor.AuthTLS:
		return q.certificate(t, c)
	case descriptor.AuthNone:
		q.set(t, descriptor.FieldClientID, c.ID)
		return nil
	}
	return ofClient(misconfigured("auth %s is not implemented", t.Auth))
}

// basic is RFC 7617, or RFC 6749 §2.3.1. Most servers accept only one of the
// two forms.
func (q *call) basic(form descriptor.Auth, c Client) *Error {
	if c.Secret.IsZero() {
		return ofClient(misconfigured("client_secret: missing"))
	}
	id, secret := c.ID, c.Secret.Reveal()
	raw := id + ":" + secret
	encoded := formEncoded(id) + ":" + formEncoded(secret)
	sent, other := raw, descriptor.AuthBasicEncoded
	if form == descriptor.AuthBasicEncoded {
		sent, other = encoded, descriptor.AuthBasic
	} else if strings.Contains(id, ":") {
		return ofClient(misconfigured(
			"client_id: holds a colon, which Basic cannot carry; does the provider take basic_encoded?"))
	}
	if raw != encoded {
		q.AuthHint = "id or secret have characters that " + string(other) + " sends otherwise: perhaps that is expected"
	}
	value := base64.StdEncoding.EncodeToString([]byte(sent))
	q.Mask.Add(secret)
	q.Mask.Add(value)
	q.header.Set("Authorization", "Basic "+value)
	return nil
}

// formEncoded encodes one value as application/x-www-form-urlencoded, with a
// space as %20: every decoder of forms reads that, and servers that decode
// percent-encoding alone, such as Authlib's, read no plus sign.
func formEncoded(value string) string { return strings.ReplaceAll(url.QueryEscape(value), "+", "%20") }

func (q *call) post(t descriptor.TokenEndpoint, c Client) *Error {
	if c.Secret.IsZero() {
		return ofClient(misconfigured("client_secret: missing"))
	}
	q.Mask.Add(c.Secret.Reveal())
	if !q.set(t, descriptor.FieldClientID, c.ID) || !q.set(t, descriptor.FieldClientSecret, c.Secret.Reveal()) {
		return ofClient(misconfigured("fields: auth post needs client_id and client_secret"))
	}
	return nil
}

// certificate is RFC 8705 §2: the connection authenticates the client, and a
// parameter names it.
func (q *call) certificate(t descriptor.TokenEndpoint, c Client) *Error {
	if c.Certificate == nil {
		return ofClient(misconfigured("certificate: missing"))
	}
	q.cert = c.Certificate
	q.set(t, descriptor.FieldClientID, c.ID)
	return nil
}
