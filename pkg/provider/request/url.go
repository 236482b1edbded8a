package request

import (
	"cmp"
	"net/url"
	"strings"

	"github.com/tokenvend/tokenvend/pkg/descriptor"
	"github.com/tokenvend/tokenvend/pkg/descriptor/placeholder"
	"github.com/tokenvend/tokenvend/pkg/provider/response"
	"github.com/tokenvend/tokenvend/pkg/provider/values"
	"github.com/tokenvend/tokenvend/pkg/redact"
)

const expectedURL = "expected an https URL without user, password and fragment"

// url returns the URL of the endpoint for a grant. taken are the values of
// earlier steps.
func (b Builder) url(g descriptor.Grant, taken map[string]redact.String) (*url.URL, *response.Error) {
	raw, problem := b.Client.TokenURL, (*response.Error)(nil)
	if raw == "" {
		if raw, problem = b.expandURL("token.url", b.Descriptor.Token.URL, taken); problem != nil {
			return nil, problem
		}
	}
	if raw == "" {
		return nil, response.ClientMisconfiguration("token_url: missing, and the vendor publishes none")
	}
	u, err := url.Parse(raw)
	if err == nil && g == descriptor.RefreshToken && b.Descriptor.Refresh.URL != "" {
		if raw, problem = b.expandURL("refresh.url", b.Descriptor.Refresh.URL, nil); problem != nil {
			return nil, problem
		}
		u, err = u.Parse(raw)
	}
	if err == nil {
		err = descriptor.CheckURL(u)
	}
	if err != nil {
		return nil, response.ClientMisconfiguration("token_url: " + expectedURL)
	}
	return u, nil
}

// relative returns a URL of the descriptor that may be relative to the token
// URL.
func (b Builder) relative(field, raw string, taken map[string]redact.String) (*url.URL, *response.Error) {
	raw, failure := b.expandURL(field, raw, taken)
	if failure != nil {
		return nil, failure
	}
	u, err := url.Parse(raw)
	if err == nil && !u.IsAbs() {
		base, failure := b.url(descriptor.ClientCredentials, taken)
		if failure != nil {
			return nil, failure
		}
		u, err = base.Parse(raw)
	}
	if err == nil {
		err = descriptor.CheckURL(u)
	}
	if err != nil {
		return nil, response.Misconfiguration("%s: "+expectedURL, field)
	}
	return u, nil
}

// expandURL replaces the placeholders of a URL.
func (b Builder) expandURL(field, raw string, taken map[string]redact.String) (string, *response.Error) {
	expanded, err := placeholder.ExpandURL(b.Descriptor, raw, func(name string) (string, error) {
		if variable, ok := strings.CutPrefix(name, placeholder.VariablePrefix); ok {
			return values.Variable(b.Descriptor, b.Client, variable)
		}
		if step, ok := strings.CutPrefix(name, placeholder.StepPrefix); ok {
			return taken[step].Reveal(), nil
		}
		return b.Client.ID, nil
	})
	if err != nil {
		return "", values.AsError(field, err)
	}
	return cmp.Or(expanded, raw), nil
}
