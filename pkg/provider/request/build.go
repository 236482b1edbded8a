package request

import (
	"cmp"
	"maps"
	"net/http"
	"net/url"
	"slices"
	"strings"

	"github.com/tokenvend/tokenvend/pkg/clock"
	"github.com/tokenvend/tokenvend/pkg/descriptor"
	"github.com/tokenvend/tokenvend/pkg/provider/response"
	"github.com/tokenvend/tokenvend/pkg/provider/skew"
	"github.com/tokenvend/tokenvend/pkg/provider/values"
	"github.com/tokenvend/tokenvend/pkg/redact"
)

// start returns a request to a URL.
func (b Builder) start(r descriptor.Request, g descriptor.Grant, u *url.URL, now skew.Skew) *building {
	if !now.Known() {
		now = b.Clock(u)
	}
	q := &Call{
		Request: response.Request{Descriptor: b.Descriptor, Grant: g},
		Method:  r.Method,
		URL:     u,
		Header:  http.Header{},
		params:  map[string]any{},
		Clock:   now,
	}
	if b.Before != nil {
		q.Follow(&b.Before.Request)
	}
	q.maskQuery()
	at, _ := b.url(descriptor.ClientCredentials, nil)
	tokenURL := ""
	if at != nil {
		tokenURL = at.String()
	}
	building := &building{Call: q, prove: b.Prove, values: values.Values{
		Request: &q.Request, Client: b.Client, TokenURL: tokenURL, Now: now.Theirs(clock.Now()),
	}}
	building.values.Assertion = building.assertion
	return building
}

// finish adds the client authentication, headers and parameters, and encodes
// them.
func (b *building) finish(r descriptor.Request, own map[string]any) (*Call, *response.Error) {
	err := cmp.Or(b.setHeaders(r.Headers), b.authenticate(r), b.extra(r.Params, own))
	if err != nil {
		return nil, err
	}
	b.encode(r.Body)
	return b.Call, nil
}

// setHeaders sets the header fields.
func (b *building) setHeaders(own map[string]string) *response.Error {
	b.Header.Set("Accept", "application/json")
	b.Header.Set("User-Agent", "tokenvend")
	for name, text := range own {
		path := "headers." + redact.Name(name)
		value, err := b.values.Expand(path, text)
		if err != nil {
			return err
		}
		if value == "" && text != "" {
			continue // its placeholders are all empty
		}
		if strings.ContainsFunc(value, func(r rune) bool { return r < ' ' || r > '~' }) {
			return response.ClientMisconfiguration("%s: expected printable ASCII", path)
		}
		b.Header.Set(name, value)
		b.Mask.AddValue(value)
	}
	// set, so that no transport decompresses
	b.Header.Set("Accept-Encoding", "identity")
	return nil
}

// extra adds the additional parameters of the descriptor and of the credential.
func (b *building) extra(params descriptor.Params, own map[string]any) *response.Error {
	for _, name := range slices.Sorted(maps.Keys(own)) {
		if _, taken := b.params[name]; taken {
			return response.ClientMisconfiguration(
				"params.%s: the request has that parameter already", redact.Name(name))
		}
	}
	all := map[string]any{}
	for name, value := range params {
		if _, replaced := own[name]; replaced {
			continue
		}
		expanded, left, err := b.values.ExpandValue("params."+redact.Name(name), value)
		if err != nil {
			return err
		}
		if left {
			all[name] = expanded
		}
	}
	maps.Copy(all, own)
	maps.Copy(b.params, all)
	b.maskValue(all)
	return nil
}
