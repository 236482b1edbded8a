// Package placeholder knows where the templates of a descriptor stand, which
// values each may use, and how a value becomes a part of a URL. It does no I/O.
package placeholder

import (
	"fmt"
	"maps"
	"slices"

	"github.com/tokenvend/tokenvend/pkg/descriptor"
	"github.com/tokenvend/tokenvend/pkg/descriptor/template"
	"github.com/tokenvend/tokenvend/pkg/redact"
)

// Place is where a template stands in a descriptor.
type Place struct {
	Request string // such as "token"
	Path    string // such as "token.params.user"
	Text    string
	Allowed []string // names of values, and prefixes of names
	IsURL   bool
}

// Parse reads the template of a place.
func (p Place) Parse() (template.Template, error) {
	if p.Path == assertionKey {
		return template.ParseBytes(p.Text)
	}
	return template.Parse(p.Text)
}

// Places returns all templates of a descriptor.
func Places(d *descriptor.Descriptor) []Place {
	all := requestPlaces(d.Token.Request, "token", tokenValues, tokenURLValues)
	for i, s := range d.Steps {
		all = append(all, requestPlaces(s.Request, fmt.Sprintf("steps[%d]", i), tokenValues, tokenURLValues)...)
	}
	if d.Then != nil {
		all = append(all, requestPlaces(d.Then.Request, "then", accessValues, urlValues)...)
	}
	if r := d.Refresh; r != nil {
		all = append(all, RefreshPlaces(r.Request)...)
	}
	if a := d.Authorize; a != nil {
		request := descriptor.Request{URL: a.URL, Params: a.Params}
		all = append(all, requestPlaces(request, "authorize", authorizeValues, urlValues)...)
	}
	if r := d.Revoke; r != nil {
		all = append(all, requestPlaces(r.Request, "revoke", accessValues, urlValues)...)
	}
	if v := d.Verify; v != nil {
		request := descriptor.Request{URL: v.URL, Headers: v.Headers}
		all = append(all, requestPlaces(request, "verify", accessValues, urlValues)...)
	}
	return append(all, assertionPlaces(d)...)
}

func assertionPlaces(d *descriptor.Descriptor) []Place {
	all := []Place{{"assertion", "token.assertion_audience", d.Token.Audience, claimValues, false}}
	if a := d.Assertion; a != nil {
		withKey := append(slices.Clip(claimValues), PublicKey)
		all = append(all, texts("assertion", "assertion.claims", map[string]any(a.Claims), withKey)...)
		all = append(all, texts("assertion", "assertion.header", map[string]any(a.Header), withKey)...)
		all = append(all, Place{"assertion", assertionKey, a.Key, keyValues, false})
	}
	return all
}

const assertionKey = "assertion.key"

// RefreshPlaces returns the templates of a refresh request.
func RefreshPlaces(r descriptor.Request) []Place {
	return requestPlaces(r, "refresh", refreshValues, urlValues)
}

func requestPlaces(r descriptor.Request, name string, allowed, inURL []string) []Place {
	all := []Place{{name, name + ".url", r.URL, inURL, true}}
	all = append(all, texts(name, name+".params", map[string]any(r.Params), allowed)...)
	for _, header := range slices.Sorted(maps.Keys(r.Headers)) {
		all = append(all, Place{name, name + ".headers." + redact.Name(header), r.Headers[header], allowed, false})
	}
	return all
}

// texts returns the places of all texts in a value of JSON.
func texts(request, path string, value any, allowed []string) []Place {
	var all []Place
	switch value := value.(type) {
	case string:
		all = append(all, Place{request, path, value, allowed, false})
	case []any:
		for i, item := range value {
			all = append(all, texts(request, fmt.Sprintf("%s[%d]", path, i), item, allowed)...)
		}
	case map[string]any:
		for _, name := range slices.Sorted(maps.Keys(value)) {
			all = append(all, texts(request, path+"."+redact.Name(name), value[name], allowed)...)
		}
	}
	return all
}
