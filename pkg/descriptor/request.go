package descriptor

import (
	"bytes"
	"encoding/json"
	"slices"
	"strings"
)

// Request is the form that all requests of a descriptor share. The texts of
// URL, Params and Headers are templates (package template).
type Request struct {
	// URL is https.
	URL string `json:"url,omitempty"`
	// Method is POST, PUT, or GET with a query body. "" is POST.
	Method string `json:"method,omitempty"`
	Auth   Auths  `json:"auth,omitempty"`
	Body   Body   `json:"body,omitempty"`
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

// Auths is a set of methods of client authentication, all of which a request
// uses. JSON has one method as a string, several as an array. nil is the
// default.
type Auths []Auth

// MarshalJSON writes one method as a string.
func (a Auths) MarshalJSON() ([]byte, error) {
	if len(a) == 1 {
		return json.Marshal(a[0])
	}
	return json.Marshal([]Auth(a))
}

// UnmarshalJSON reads a string or an array of strings.
func (a *Auths) UnmarshalJSON(data []byte) error {
	var one Auth
	if json.Unmarshal(data, &one) == nil {
		*a = Auths{one}
		return nil
	}
	return json.Unmarshal(data, (*[]Auth)(a))
}

// CheckJSON implements [strictjson.Checker].
func (Auths) CheckJSON(token json.Token) (expected string, ok bool) {
	_, isText := token.(string)
	return "a string, or an array of strings", isText || token == json.Delim('[')
}

// String returns the methods with plus signs between them.
func (a Auths) String() string {
	words := make([]string, len(a))
	for i, method := range a {
		words[i] = string(method)
	}
	return strings.Join(words, "+")
}

// Has reports whether the methods contain one.
func (a Auths) Has(method Auth) bool { return slices.Contains(a, method) }

// Needs returns what the methods need together.
func (a Auths) Needs() Needs {
	var all Needs
	for _, method := range a {
		n := method.Needs()
		all.Secret = all.Secret || n.Secret
		all.Assertion = all.Assertion || n.Assertion
		all.Certificate = all.Certificate || n.Certificate
	}
	return all
}

// NeedsClientID reports whether the request sends the client ID.
func (r Request) NeedsClientID() bool { return r.Auth.usesHeader() || r.ParamName(FieldClientID) != "" }
