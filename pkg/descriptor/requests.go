package descriptor

import (
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strings"

	"github.com/tokenvend/tokenvend/pkg/descriptor/template"
	"github.com/tokenvend/tokenvend/pkg/redact"
)

// request checks a request as it is written, and as it is with its defaults.
// further are parameters that it has besides the usual ones.
func (p *problems) request(path string, r, full Request, further ...Field) {
	p.url(path+".url", r.URL, path != "token")
	oneOf(p, path+".method", r.Method, http.MethodPost, http.MethodGet, http.MethodPut)
	oneOf(p, path+".body", r.Body, BodyForm, BodyJSON, BodyQuery)
	if r.Method == http.MethodGet && full.Body != BodyQuery {
		p.add(path+".method", "GET needs %s.body to be query", path)
	}
	p.auths(path+".auth", r.Auth)
	p.fields(path, full, r.Fields, further)
	p.authFields(path, full)
	p.params(path+".params", full, r.Params, further)
	p.headers(path+".headers", r.Headers, !full.Auth.usesHeader())
	p.contentType(path, full)
}

// usesHeader reports whether the methods set the Authorization header field.
func (a Auths) usesHeader() bool { return a.Has(AuthBasic) || a.Has(AuthBasicEncoded) }

// auths checks a set of methods of client authentication.
func (p *problems) auths(path string, methods Auths) {
	if methods != nil && len(methods) == 0 {
		p.add(path, "expected at least one method; none is one")
	}
	var known []Auth
	for _, a := range auths {
		known = append(known, a.method)
	}
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
	if len(methods) > 1 && methods.Has(AuthNone) {
		p.add(path, "expected none alone")
	}
}

// authFields refuses names that leave a part of the client authentication out.
func (p *problems) authFields(path string, full Request) {
	needed := map[Auth][]Field{
		AuthPost: {FieldClientID, FieldClientSecret}, AuthPrivateKey: {FieldAssertion, FieldAssertionType},
	}
	for _, method := range full.Auth {
		for _, field := range needed[method] {
			if full.ParamName(field) == "" {
				p.add(path+".fields."+string(field), "is left out, but auth %s sends it", method)
			}
		}
	}
}

// url accepts a template of an https URL, "" and, where relative is true, a
// reference relative to the token URL.
func (p *problems) url(path, raw string, relative bool) {
	if raw == "" {
		return
	}
	t, err := template.Parse(raw)
	if err != nil {
		return // the check of templates says so
	}
	sample, _ := t.Expand(template.Values{Value: func(string) (string, error) { return "x", nil }})
	u, err := url.Parse(sample)
	if err == nil && relative && u.Scheme == "" && u.Host == "" && u.Fragment == "" {
		return
	}
	if err == nil {
		err = CheckURL(u)
	}
	if err != nil {
		p.add(path, "expected an https URL without user, password and fragment")
	}
}

// params refuses a parameter that the request has already: servers differ in
// how they read two values of one name.
func (p *problems) params(path string, r Request, params Params, further []Field) {
	for name, value := range params {
		at := path + "." + redact.Name(name)
		if r.uses(name, further) {
			p.add(at, "is a standard parameter; leave that out by fields first")
		}
		if r.Body != BodyJSON && !isFormValue(value) {
			p.add(at, "expected a string, a number, true, false, or an array of them; others need a body of json")
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

// uses reports whether the request has that name for a standard parameter.
func (r Request) uses(name string, further []Field) bool {
	return slices.ContainsFunc(slices.Concat(standardFields, further), func(f Field) bool {
		return r.ParamName(f) == name
	})
}

// headers checks header fields. Authorization is allowed where nothing else
// sets it.
func (p *problems) headers(path string, headers map[string]string, authorization bool) {
	for name, value := range headers {
		canonical := http.CanonicalHeaderKey(name)
		isFree := canonical == "Authorization" && authorization ||
			canonical == contentType && path != "verify.headers"
		if !isHeader(name) || reservedHeader(canonical) && !isFree {
			p.add(path+"."+redact.Name(name), "expected the name of a header that the request does not set itself")
		}
		if strings.ContainsFunc(value, func(r rune) bool { return r < ' ' || r > '~' }) {
			p.add(path+"."+redact.Name(name), "expected printable ASCII")
		}
	}
}

const contentType = "Content-Type"

// contentType refuses a media type that is not of the request's body.
func (p *problems) contentType(path string, full Request) {
	for name, value := range full.Headers {
		if http.CanonicalHeaderKey(name) != contentType {
			continue
		}
		media := strings.ToLower(value)
		isJSON := strings.HasPrefix(media, "application/") && strings.Contains(media, "json")
		isForm := strings.HasPrefix(media, "application/x-www-form-urlencoded")
		if full.Body == BodyJSON && !isJSON || full.Body != BodyJSON && !isForm {
			p.add(path+".headers."+redact.Name(name), "expected a media type of the body, which is %s", full.Body)
		}
	}
}

// reservedHeader reports whether a header field belongs to the client
// authentication, the body or the connection.
func reservedHeader(name string) bool {
	reserved := []string{
		"Authorization", "Connection", "Content-Length", contentType, "Cookie", "Host", "Accept-Encoding",
		"Idempotency-Key", "X-Idempotency-Key", "Transfer-Encoding", "Upgrade", "Trailer", "Te", "Expect",
	}
	return slices.Contains(reserved, name)
}

// listed returns words with commas between them.
func listed[S ~string](words []S) string {
	texts := make([]string, len(words))
	for i, word := range words {
		texts[i] = string(word)
	}
	return strings.Join(texts, ", ")
}

// grantFields returns the standard parameters that only some grants have.
func (d *Descriptor) grantFields() []Field {
	if slices.Contains(d.Grants, Password) {
		return []Field{FieldUsername, FieldPassword}
	}
	return nil
}

// oneOfGrants checks grant types.
func oneOfGrants(p *problems, path string, given []Grant, allowed ...Grant) {
	for i, g := range given {
		if g == "" || !slices.Contains(allowed, g) {
			p.add(fmt.Sprintf("%s[%d]", path, i), "expected one of %s", listed(allowed))
		}
		if slices.Contains(given[:i], g) {
			p.add(fmt.Sprintf("%s[%d]", path, i), "stands twice")
		}
	}
}
