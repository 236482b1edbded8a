package provider

import (
	"cmp"
	"net/url"
)

// Connects says whether people can connect their accounts.
func (d *Descriptor) Connects() bool { return d.Authorize != nil }

// CodeChallenge is the code challenge that the provider is sent (RFC 7636 §4.3); [PKCENone] where people cannot connect accounts.
func (d *Descriptor) CodeChallenge() PKCE {
	if d.Authorize == nil {
		return PKCENone
	}
	return cmp.Or(d.Authorize.PKCE, PKCES256)
}

// AuthorizeURL is where a person grants the client access (RFC 6749 §4.1.1), to be sent back to redirectURI. Of c, the id and the token URL are looked at. state and the code challenge are for the caller to add.
// An error is an [*Error] of kind Misconfigured.
func (d *Descriptor) AuthorizeURL(c Client, redirectURI, scope, audience string) (*url.URL, error) {
	if d.Authorize == nil {
		return nil, misconfigured("authorize: this provider connects no accounts")
	}
	u, failure := d.relative(c, d.Authorize.URL, "authorize.url")
	if failure != nil {
		return nil, failure
	}
	q := u.Query()
	for name, value := range d.Authorize.Params {
		q.Set(name, value)
	}
	q.Set("response_type", "code")
	q.Set("client_id", c.ID)
	q.Set("redirect_uri", redirectURI)
	q.Set("scope", scope)
	if name := d.request(AuthorizationCode).name(FieldAudience); audience != "" && name != "" {
		q.Set(name, audience)
	}
	u.RawQuery = q.Encode()
	return u, nil
}
