package parser

import (
	"encoding/json"
	"net/http"
	"slices"

	"github.com/tokenvend/tokenvend/pkg/descriptor"
	"github.com/tokenvend/tokenvend/pkg/descriptor/clientauth"
	"github.com/tokenvend/tokenvend/pkg/redact"
)

// request checks a request as it is written, and as it is with its defaults.
// further are parameters that it has besides the usual ones.
func (p *problems) request(path string, r, full descriptor.Request, further ...descriptor.Field) {
	p.url(path+".url", r.URL, path != "token")
	oneOf(p, path+".method", r.Method, http.MethodPost, http.MethodGet, http.MethodPut)
	oneOf(p, path+".body", r.Body, descriptor.BodyForm, descriptor.BodyJSON, descriptor.BodyQuery)
	if r.Method == http.MethodGet && full.Body != descriptor.BodyQuery {
		p.add(path+".method", "GET needs %s.body to be query", path)
	}
	p.auths(path+".auth", r.Auth)
	p.fields(path, full, r.Fields, further)
	p.authFields(path, full)
	p.params(path+".params", full, r.Params, further)
	p.headers(path+".headers", r.Headers, !full.Auth.UsesHeader())
	p.contentType(path, full)
}

// auths checks a set of methods of client authentication.
func (p *problems) auths(path string, methods clientauth.Methods) {
	if methods != nil && len(methods) == 0 {
		p.add(path, "expected at least one method; none is one")
	}
	known := clientauth.All()
	secrets := 0
	for i, method := range methods {
		if method == "" {
			p.add(path, "expected one of %s", listed(known))
		}
		oneOf(p, path, method, known...)
		if slices.Contains(methods[:i], method) {
			p.add(path, "has %s twice", redact.Name(string(method)))
		}
		if method.Needs().Secret {
			secrets++
		}
	}
	if secrets > 1 {
		p.add(path, "expected at most one of basic, basic_encoded and post, which send the same secret")
	}
	if len(methods) > 1 && methods.Has(clientauth.None) {
		p.add(path, "expected none alone")
	}
}

// params refuses a parameter that the request has already: servers differ in
// how they read two values of one name.
func (p *problems) params(path string, r descriptor.Request, params descriptor.Params, further []descriptor.Field) {
	for name, value := range params {
		at := path + "." + redact.Name(name)
		if isStandard(r, name, further) {
			p.add(at, "is a standard parameter; leave that out by fields first")
		}
		if r.Body != descriptor.BodyJSON && !isFormValue(value) {
			p.add(at, "expected a string, a number, true, false, or an array of them; others need a body of json")
		}
	}
}

// withoutNull refuses members that are null.
func (p *problems) withoutNull(path string, members map[string]any) {
	for name, value := range members {
		if value == nil {
			p.add(path+"."+redact.Name(name), "expected a value other than null")
		}
	}
}

// isFormValue reports whether a value can stand in a form or a query.
func isFormValue(value any) bool {
	switch value := value.(type) {
	case string, bool, json.Number:
		return true
	case []any:
		return !slices.ContainsFunc(value, func(item any) bool {
			_, nested := item.([]any)
			return nested || !isFormValue(item)
		})
	}
	return false
}

// isStandard reports whether a request has that name for a standard
// parameter.
func isStandard(r descriptor.Request, name string, further []descriptor.Field) bool {
	return slices.ContainsFunc(slices.Concat(descriptor.StandardFields(), further), func(f descriptor.Field) bool {
		return r.ParamName(f) == name
	})
}
