package descriptor

import (
	"bytes"
	"encoding/json"
	"maps"

	"github.com/tokenvend/tokenvend/pkg/descriptor/clientauth"
)

// Body is where a request carries its parameters.
type Body string

// The bodies. The first is the default. The parameters of a query, secrets
// among them, end up in logs of servers: use it only where the provider has no
// other.
const (
	BodyForm  Body = "form"  // application/x-www-form-urlencoded
	BodyJSON  Body = "json"  // an object
	BodyQuery Body = "query" // the query of the URL
)

// Request is the form that all requests of a descriptor share. The texts of
// URL, Params and Headers are templates (package template).
type Request struct {
	// URL is https.
	URL string `json:"url,omitempty"`
	// Method is POST, PUT, or GET with a query body. "" is POST.
	Method string             `json:"method,omitempty"`
	Auth   clientauth.Methods `json:"auth,omitempty"`
	Body   Body               `json:"body,omitempty"`
	// Params are additional parameters. A credential's own replace them.
	Params Params `json:"params,omitempty"`
	// Headers are additional header fields.
	Headers map[string]string `json:"headers,omitempty"`
	// Fields renames standard parameters. "" leaves one out.
	Fields map[Field]string `json:"fields,omitempty"`
}

// ParamName returns the request's name for a standard parameter; "" means that
// it has none.
func (r Request) ParamName(f Field) string {
	if renamed, ok := r.Fields[f]; ok {
		return renamed
	}
	return string(f)
}

// NeedsClientID reports whether the request sends the client ID.
func (r Request) NeedsClientID() bool { return r.Auth.UsesHeader() || r.ParamName(FieldClientID) != "" }

// with returns the request with what another one gives in its place. Fields are
// replaced one by one. The URL is not replaced.
func (r Request) with(over Request) Request {
	if over.Method != "" {
		r.Method = over.Method
	}
	if over.Auth != nil {
		r.Auth = over.Auth
	}
	if over.Body != "" {
		r.Body = over.Body
	}
	if over.Params != nil {
		r.Params = over.Params
	}
	if over.Headers != nil {
		r.Headers = over.Headers
	}
	r.Fields = merge(r.Fields, over.Fields)
	return r
}

// asLogin returns a request without standard parameters, but for those that it
// renames and those of a client authentication that it names.
func (r Request) asLogin() Request {
	leftOut := map[Field]string{}
	for _, f := range StandardFields() {
		leftOut[f] = ""
	}
	if r.Auth == nil {
		r.Auth = clientauth.Methods{clientauth.None}
	} else {
		for _, f := range []Field{FieldClientID, FieldClientSecret, FieldAssertion, FieldAssertionType} {
			delete(leftOut, f)
		}
	}
	r.Fields = merge(leftOut, r.Fields)
	return r
}

// merge returns a map with the entries of both; those of over win.
func merge[K comparable](base, over map[K]string) map[K]string {
	all := make(map[K]string, len(base)+len(over))
	for _, m := range []map[K]string{base, over} {
		maps.Copy(all, m)
	}
	return all
}

// Params are parameters by name. Each value is one of JSON: a string, which is
// a template, a number, a boolean, an array or an object.
type Params map[string]any

// UnmarshalJSON keeps numbers as they are written.
func (p *Params) UnmarshalJSON(data []byte) error {
	dec := json.NewDecoder(bytes.NewReader(data))
	dec.UseNumber()
	var all map[string]any
	err := dec.Decode(&all)
	*p = all
	return err
}
