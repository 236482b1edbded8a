// Package clientauth names the methods of client authentication at a token
// endpoint, and what a client needs for each.
package clientauth

import (
	"encoding/json"
	"slices"
	"strings"
)

// Method is a method of client authentication at the token endpoint.
type Method string

// The methods of client authentication. The first is the default.
const (
	Basic Method = "basic" // RFC 7617: base64(id:secret)
	// RFC 6749 §2.3.1: form-encoded first
	BasicEncoded Method = "basic_encoded"
	// client_id and client_secret as parameters
	Post       Method = "post"
	PrivateKey Method = "private_key_jwt" // RFC 7523 §2.2
	// RFC 8705 §2, with client_id as a parameter
	TLS  Method = "tls"
	None Method = "none" // client_id alone
)

// Needs is what a client must have for a method of client authentication,
// besides its client_id.
type Needs struct {
	Secret      bool // a client secret
	Assertion   bool // a private key, by which it signs an assertion
	Certificate bool // a certificate, and its private key
}

// table lists the methods of client authentication with what they need.
var table = [...]struct {
	method Method
	needs  Needs
}{
	{Basic, Needs{Secret: true}},
	{BasicEncoded, Needs{Secret: true}},
	{Post, Needs{Secret: true}},
	{PrivateKey, Needs{Assertion: true}},
	{TLS, Needs{Certificate: true}},
	{None, Needs{}},
}

// All returns the methods of client authentication.
func All() []Method {
	all := make([]Method, len(table))
	for i, known := range table {
		all[i] = known.method
	}
	return all
}

// Needs returns what the method needs.
func (a Method) Needs() Needs {
	for _, known := range table {
		if known.method == a {
			return known.needs
		}
	}
	return Needs{}
}

// Methods is a set of methods of client authentication, all of which a request
// uses. JSON has one method as a string, several as an array. nil is the
// default.
type Methods []Method

// MarshalJSON writes one method as a string.
func (a Methods) MarshalJSON() ([]byte, error) {
	if len(a) == 1 {
		return json.Marshal(a[0])
	}
	return json.Marshal([]Method(a))
}

// UnmarshalJSON reads a string or an array of strings.
func (a *Methods) UnmarshalJSON(data []byte) error {
	var one Method
	if json.Unmarshal(data, &one) == nil {
		*a = Methods{one}
		return nil
	}
	return json.Unmarshal(data, (*[]Method)(a))
}

// CheckJSON implements [strictjson.Checker].
func (Methods) CheckJSON(token json.Token) (expected string, ok bool) {
	_, isText := token.(string)
	return "a string, or an array of strings", isText || token == json.Delim('[')
}

// String returns the methods with plus signs between them.
func (a Methods) String() string {
	words := make([]string, len(a))
	for i, method := range a {
		words[i] = string(method)
	}
	return strings.Join(words, "+")
}

// Has reports whether the methods contain one.
func (a Methods) Has(method Method) bool { return slices.Contains(a, method) }

// Needs returns what the methods need together.
func (a Methods) Needs() Needs {
	var all Needs
	for _, method := range a {
		n := method.Needs()
		all.Secret = all.Secret || n.Secret
		all.Assertion = all.Assertion || n.Assertion
		all.Certificate = all.Certificate || n.Certificate
	}
	return all
}

// UsesHeader reports whether the methods set the Authorization header field.
func (a Methods) UsesHeader() bool { return a.Has(Basic) || a.Has(BasicEncoded) }
