package request

import (
	"net/url"

	"github.com/tokenvend/tokenvend/pkg/descriptor"
)

// AuthorizeURL returns the URL where a resource owner authorizes the client
// (RFC 6749 §4.1.1). The provider then redirects to redirectURI. The caller
// adds state and the code challenge. Of the client, only the ID, the token URL
// and the variables are used. An error is an [*Error] of kind Misconfigured.
func (b Builder) AuthorizeURL(redirectURI, scope, audience string) (*url.URL, error) {
	d := b.Descriptor
	if d.Authorize == nil {
		return nil, Misconfigured("authorize: this provider connects no accounts")
	}
	u, failure := b.relative("authorize.url", d.Authorize.URL, nil)
	if failure != nil {
		return nil, failure
	}
	q := u.Query()
	for name, value := range d.Authorize.Params {
		q.Set(name, formText(value))
	}
	q.Set("response_type", "code")
	q.Set("client_id", b.Client.ID)
	q.Set("redirect_uri", redirectURI)
	q.Set("scope", scope)
	t := d.EndpointFor(descriptor.AuthorizationCode)
	if name := t.ParamName(descriptor.FieldAudience); audience != "" && name != "" {
		q.Set(name, audience)
	}
	u.RawQuery = q.Encode()
	return u, nil
}
