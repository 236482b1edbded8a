package parser

import (
	"slices"

	"github.com/tokenvend/tokenvend/pkg/descriptor"
	"github.com/tokenvend/tokenvend/pkg/redact"
)

// authorizeParams refuses parameters that an authorization request has anyway,
// and names of its fields that another parameter has.
func (p *problems) authorizeParams(a *descriptor.Authorize) {
	names := slices.Clone(reservedNames)
	if a.ParamName(descriptor.FieldResponseType) == "" {
		names = slices.DeleteFunc(names, func(name string) bool { return name == string(descriptor.FieldResponseType) })
	}
	for field, name := range a.Fields {
		oneOf(p, "authorize.fields", field, descriptor.AuthorizeFields...)
		sameName := func(other descriptor.Field) bool { return other != field && a.ParamName(other) == name }
		isReserved := slices.Contains(reservedNames, name) && name != string(field)
		if name != "" && (isReserved || slices.ContainsFunc(descriptor.AuthorizeFields, sameName)) {
			p.add("authorize.fields."+redact.Name(string(field)), "expected a name that no other parameter has")
		}
	}
	own := []descriptor.Field{descriptor.FieldClientID, descriptor.FieldRedirectURI, descriptor.FieldScope}
	for _, field := range own {
		names = append(names, a.ParamName(field), string(field))
	}
	for name, value := range a.Params {
		path := "authorize.params." + redact.Name(name)
		if slices.Contains(names, name) {
			p.add(path, "expected a parameter that the request does not set itself, and no request object")
		}
		if !isFormValue(value) {
			p.add(path, "expected a string, a number, true, false, or an array of them")
		}
	}
}

// authorizeResponse checks what is read of the authorization response.
func (p *problems) authorizeResponse(d *descriptor.Descriptor) {
	a := d.Authorize
	if a.Code != "" && !isResponseParameter(a.Code) {
		p.add("authorize.code", "expected the name of a parameter, and not one of %s", listed(responseNames))
	}
	if len(a.Extra) > maxExtra {
		p.add("authorize.extra", "expected at most %d names", maxExtra)
	}
	for name, parameter := range a.Extra {
		path := "authorize.extra." + redact.Name(name)
		switch {
		case !isExtraName(name):
			p.add(path, "expected a name of letters, digits, _, . and -, the first a letter or _")
		case d.NamesExtra(name):
			p.add(path, "expected a name that response.extra and then.extra have not")
		case !isResponseParameter(parameter) || parameter == d.CodeParameter():
			p.add(path, "expected the name of a parameter, and not the code nor one of %s", listed(responseNames))
		}
	}
}

// responseNames are the parameters of an authorization response that are read
// anyway (RFC 6749 §4.1.2).
var responseNames = []string{"state", "error", "error_description"}

// isResponseParameter reports whether a parameter of an authorization response
// can have that name.
func isResponseParameter(name string) bool {
	return isExtraName(name) && !slices.Contains(responseNames, name)
}
