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
	for field, name := range a.Fields {
		oneOf(p, "authorize.fields", field, descriptor.AuthorizeFields...)
		sameName := func(other descriptor.Field) bool { return other != field && a.ParamName(other) == name }
		if name != "" &&
			(slices.Contains(reservedNames, name) || slices.ContainsFunc(descriptor.AuthorizeFields, sameName)) {
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
