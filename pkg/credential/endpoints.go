package credential

import (
	"cmp"
	"fmt"
	"net/url"
	"slices"
	"strings"

	"github.com/tokenvend/tokenvend/pkg/descriptor"
	"github.com/tokenvend/tokenvend/pkg/descriptor/placeholder"
)

// Destination returns the credential's destination, or nil if this program does
// not know its provider.
func (t Terms) Destination() Destination {
	d, err := t.ProviderDescriptor()
	if err != nil {
		return nil
	}
	if t.Descriptor == nil {
		own := t.TokenURL
		if own == d.Token.URL {
			own = ""
		}
		return append(parts(
			Part{"provider", t.Provider},
			Part{"token_url", own},
			Part{"client_id", t.ClientID},
		), t.urlVariables(d)...)
	}
	return t.inlineDestination(d)
}

// urlVariables lists the variables that decide where a provider of the
// catalogue is.
func (t Terms) urlVariables(d *descriptor.Descriptor) Destination {
	var all Destination
	for _, name := range placeholder.URLVariables(d) {
		all = append(all, parts(Part{"variables." + name, t.Variable(d, name)})...)
	}
	return all
}

// Variable returns the value of a variable, or its default.
func (t Terms) Variable(d *descriptor.Descriptor, name string) string {
	if value, given := t.Variables[name]; given {
		return value
	}
	if usual := d.Variables[name].Default; usual != nil {
		return *usual
	}
	return ""
}

func (t Terms) inlineDestination(d *descriptor.Descriptor) Destination {
	at := t.TokenEndpoint(d)
	resolved := func(raw string) string { return resolved(at, t.expanded(d, raw)) }
	audience, _ := d.SignedBy().Claims["aud"].(string) // of another type: none
	all := parts(
		Part{"token_url", at},
		Part{"client_id", t.ClientID},
		Part{"descriptor.token.auth", d.EndpointFor(d.DirectGrant()).Auth.String()},
		Part{"descriptor.token.assertion_audience", audience},
	)
	for i, s := range d.Steps {
		all = append(all, parts(
			Part{fmt.Sprintf("descriptor.steps[%d].url", i), resolved(s.URL)},
			Part{fmt.Sprintf("descriptor.steps[%d].auth", i), s.Auth.String()},
		)...)
	}
	if t := d.Then; t != nil {
		all = append(all, parts(
			Part{"descriptor.then.url", resolved(t.URL)},
			Part{"descriptor.then.auth", t.Auth.String()},
			Part{"descriptor.then.access_token", t.Access},
		)...)
	}
	if r := d.Refresh; r != nil {
		all = append(all, parts(
			Part{"descriptor.refresh.url", resolved(r.URL)},
			Part{"descriptor.refresh.auth", r.Auth.String()},
		)...)
	}
	if d.Authorize != nil {
		all = append(all, parts(
			Part{"descriptor.authorize.url", resolved(d.Authorize.URL)},
		)...)
	}
	if r := d.Revoke; r != nil {
		all = append(all, parts(
			Part{"descriptor.revoke.url", resolved(r.URL)},
			Part{"descriptor.revoke.auth", r.Auth.String()},
		)...)
	}
	if d.Verify != nil {
		all = append(all, parts(
			Part{"descriptor.verify.url", resolved(d.Verify.URL)},
		)...)
	}
	return append(all, pointers(d.Response)...)
}

// TokenEndpoint returns the URL of the token endpoint, with its variables
// filled in.
func (t Terms) TokenEndpoint(d *descriptor.Descriptor) string {
	return cmp.Or(t.TokenURL, t.expanded(d, d.Token.URL))
}

// expanded returns a URL of a descriptor with its variables filled in, and
// every other placeholder by its name.
func (t Terms) expanded(d *descriptor.Descriptor, raw string) string {
	text, err := placeholder.ExpandURL(d, raw, func(name string) (string, error) {
		if variable, ok := strings.CutPrefix(name, placeholder.VariablePrefix); ok {
			return t.Variable(d, variable), nil
		}
		return name, nil
	})
	if err != nil {
		return raw
	}
	return text
}

// pointers lists what decides which part of a response is taken as a token, as
// far as it differs from the standard.
func pointers(r descriptor.Response) Destination {
	all := parts(
		Part{"access_token", r.Access}, Part{"refresh_token", r.Refresh},
		Part{"token_type", r.Type}, Part{"scope", r.Scope},
		Part{"expiry.at", r.Expiry.At}, Part{"refresh_expiry.at", r.RefreshExpiry.At},
		Part{"error", r.Error}, Part{"error_description", r.Description},
		Part{"format", string(r.Format)}, Part{"success.at", r.Success.At},
	)
	all = slices.DeleteFunc(all, func(p Part) bool { return p.Value == "/"+p.Name })
	for i := range all {
		all[i].Name = "descriptor.response." + all[i].Name
	}
	return all
}

// resolved returns a URL of a descriptor, which may be relative to the token
// URL.
func resolved(base, raw string) string {
	b, err := url.Parse(base)
	if err != nil {
		return raw
	}
	u, err := b.Parse(raw)
	if err != nil {
		return raw
	}
	return u.String()
}
