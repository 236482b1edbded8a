package request

import (
	"maps"
	"net/url"
	"strings"

	"github.com/tokenvend/tokenvend/pkg/descriptor"
	"github.com/tokenvend/tokenvend/pkg/provider/response"
	"github.com/tokenvend/tokenvend/pkg/provider/skew"
)

// AuthorizeURL returns the URL where a resource owner authorizes the client
// (RFC 6749 §4.1.1). The provider then redirects to redirectURI. The caller
// adds state and the code challenge. Of the client, only the ID, the token URL
// and the variables are used. An error is a [*response.Error] of kind
// Misconfigured.
func (b Builder) AuthorizeURL(redirectURI, scope, audience string) (*url.URL, error) {
	d := b.Descriptor
	if d.Authorize == nil {
		return nil, response.Misconfiguration("authorize: this provider connects no accounts")
	}
	u, failure := b.relative("authorize.url", d.Authorize.URL, nil)
	if failure != nil {
		return nil, failure
	}
	t := d.EndpointFor(descriptor.AuthorizationCode)
	b.Clock = func(*url.URL) skew.Skew { return skew.Skew{} }
	page := b.start(descriptor.Request{}, descriptor.AuthorizationCode, u, skew.Skew{})
	page.values.Scope, page.values.Audience = strings.Join(strings.Fields(scope), t.ScopeSep), audience
	expanded, _, failure := page.values.ExpandValue("authorize.params", map[string]any(d.Authorize.Params))
	if failure != nil {
		return nil, failure
	}
	page.params, _ = expanded.(map[string]any)
	q := u.Query()
	maps.Copy(q, page.form())
	for field, value := range map[descriptor.Field]string{
		descriptor.FieldClientID: b.Client.ID, descriptor.FieldRedirectURI: redirectURI,
		descriptor.FieldScope: page.values.Scope, descriptor.FieldResponseType: "code",
	} {
		// An empty value is not valid: RFC 6749 §3.3, appendix A.
		if name := d.Authorize.ParamName(field); name != "" && value != "" {
			q.Set(name, value)
		}
	}
	if name := audienceName(d); audience != "" && name != "" {
		q.Set(name, audience)
	}
	u.RawQuery = q.Encode()
	return u, nil
}

// audienceName returns the name of the audience in the authorization request:
// that of the token request, where it has none of its own.
func audienceName(d *descriptor.Descriptor) string {
	if own, ok := d.Authorize.Fields[descriptor.FieldAudience]; ok {
		return own
	}
	return d.EndpointFor(descriptor.AuthorizationCode).ParamName(descriptor.FieldAudience)
}
