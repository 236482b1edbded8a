package provider

import (
	"net/url"

	"github.com/tokenvend/tokenvend/pkg/descriptor"
)

// AuthorizeURL is where a person grants the client access (RFC 6749 §4.1.1), to be sent back to redirectURI. Of c, the id and the token URL are looked at. state and the code challenge are for the caller to add.
// An error is an [*Error] of kind Misconfigured.
func (e Endpoint) AuthorizeURL(redirectURI, scope, audience string) (*url.URL, error) {
	d := e.Descriptor
	if d.Authorize == nil {
		return nil, misconfigured("authorize: this provider connects no accounts")
	}
	u, failure := e.relative(d.Authorize.URL, "authorize.url")
	if failure != nil {
		return nil, failure
	}
	q := u.Query()
	for name, value := range d.Authorize.Params {
		q.Set(name, value)
	}
	q.Set("response_type", "code")
	q.Set("client_id", e.Client.ID)
	q.Set("redirect_uri", redirectURI)
	q.Set("scope", scope)
	if name := d.EndpointFor(descriptor.AuthorizationCode).ParamName(descriptor.FieldAudience); audience != "" && name != "" {
		q.Set(name, audience)
	}
	u.RawQuery = q.Encode()
	return u, nil
}
