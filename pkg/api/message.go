package api

import (
	"cmp"
	"encoding/json"
	"fmt"
	"iter"
	"net/http"
	"net/url"
	"strings"
)

// MaxBody is the largest body of a request, in bytes.
const MaxBody = 8 << 10

// Message is a request as it is sent over HTTP.
type Message struct {
	Method string
	Path   string
	Query  string // encoded, without the question mark
	Body   []byte // JSON; nil: none
}

// Encode returns the message for a request: that of the first operation with
// its action that takes all its parameters.
func (t Table) Encode(r Request) (Message, error) {
	action := cmp.Or(r.Action, Vend)
	for i := range t.all {
		if o := &t.all[i]; o.Action == action && o.takesAll(&r) {
			return o.encode(r)
		}
	}
	if _, known := t.Operation(action); known {
		return Message{}, fmt.Errorf("the API's action %s does not take all the fields of the request", action)
	}
	return Message{}, fmt.Errorf("the API has no such action: expected one of %s", strings.Join(t.Actions(), ", "))
}

func (o *Operation) encode(r Request) (m Message, err error) {
	m = Message{Method: o.Method, Path: strings.Replace(o.Path, pathParameter, url.PathEscape(r.Credential), 1)}
	if !o.HasBody() {
		m.Query = o.query(&r)
		return m, nil
	}
	r.Action, r.Credential = "", "" // the method and the path say it
	if o.Marker != "" {
		err = parameterOf(o.Marker).set(&r, "true")
	}
	if err == nil {
		m.Body, err = json.Marshal(r)
	}
	return m, err
}

// query returns the parameters that are set in r, encoded. Signature Version 4
// does not know + for a space.
func (o *Operation) query(r *Request) string {
	values := url.Values{}
	for _, name := range o.Parameters {
		if value := parameterOf(name).get(r); value != "" {
			values.Set(name, value)
		}
	}
	return strings.ReplaceAll(values.Encode(), "+", "%20")
}

// Route is where a path leads.
type Route struct {
	Credential string // as the path names it; "": the path names none

	table Table
	path  string // as the table has it
}

// Route returns the route of a path. The path must be written as in the table:
// IAM has authorised that path and no other spelling of it.
func (t Table) Route(path string) (Route, bool) {
	for i := range t.all {
		if name, ok := t.all[i].match(path); ok {
			return Route{Credential: name, table: t, path: t.all[i].Path}, true
		}
	}
	return Route{}, false
}

// match reports whether a path is that of the operation, and returns the
// credential that it names.
func (o *Operation) match(path string) (credential string, ok bool) {
	before, after, has := strings.Cut(o.Path, pathParameter)
	if !has {
		return "", path == o.Path
	}
	if credential, ok = strings.CutPrefix(path, before); ok {
		credential, ok = strings.CutSuffix(credential, after)
	}
	return credential, ok && credential != "" && !strings.Contains(credential, "/")
}

// Decode returns the request of a method, a query and a body at the route. Its
// errors are of type [*Error] and show no value.
func (r Route) Decode(method, query string, body []byte) (Request, error) {
	for o := range r.operations(method) {
		if o.HasBody() {
			return r.decodeBody(method, query, body)
		}
		return o.decodeQuery(r.Credential, query)
	}
	return Request{}, r.methodNotAllowed()
}

// operations returns the operations at the route with this method.
func (r Route) operations(method string) iter.Seq[*Operation] {
	return func(yield func(*Operation) bool) {
		for i := range r.table.all {
			if o := &r.table.all[i]; o.Path == r.path && o.Method == method && !yield(o) {
				return
			}
		}
	}
}

// methods are the methods that an operation may have, in the order in which the
// Allow header lists them.
var methods = [...]string{http.MethodGet, http.MethodPost, http.MethodPut, http.MethodPatch, http.MethodDelete}

func (r Route) methodNotAllowed() error {
	var allowed []string
	for _, method := range methods {
		for range r.operations(method) {
			allowed = append(allowed, method)
			break
		}
	}
	allow := strings.Join(allowed, ", ")
	return &Error{Code: MethodNotAllowed, Detail: "expected one of " + allow, Allow: allow}
}

func (o *Operation) decodeQuery(credential, query string) (Request, error) {
	values, err := url.ParseQuery(query)
	if err != nil {
		return Request{}, invalid("the query: expected name=value pairs, percent-encoded")
	}
	r := Request{Action: o.Action, Credential: credential}
	for name, all := range values {
		if !o.Takes(name) {
			return Request{}, invalid("the query: a parameter that is not known here")
		}
		if len(all) != 1 {
			return Request{}, invalid(name + ": expected one value")
		}
		if err := parameterOf(name).set(&r, all[0]); err != nil {
			return Request{}, invalid(name + ": " + err.Error())
		}
	}
	return r, nil
}

// decodeBody reads the parameters of a body. What the path and the method say
// must not stand in it.
func (r Route) decodeBody(method, query string, body []byte) (Request, error) {
	if query != "" {
		return Request{}, invalid("the query: expected the parameters in the body")
	}
	if len(body) > MaxBody {
		return Request{}, invalid("the body: expected at most 8 KiB")
	}
	if len(body) == 0 {
		body = []byte("{}")
	}
	request, err := DecodeRequest(body)
	if err != nil {
		return Request{}, invalid(err.Error())
	}
	if request.Action == "" && request.Credential == "" {
		for o := range r.operations(method) {
			if o.takesAll(&request) {
				return o.complete(request, r.Credential), nil
			}
		}
	}
	return Request{}, invalid("the body: expected " + r.expectedBody(method))
}

// complete adds to a body's request what the method and the path say.
func (o *Operation) complete(r Request, credential string) Request {
	r.Action, r.Credential = o.Action, credential
	if o.Marker != "" {
		parameterOf(o.Marker).clear(&r)
	}
	return r
}

// expectedBody says which fields a body may have.
func (r Route) expectedBody(method string) string {
	var several, single []string
	for o := range r.operations(method) {
		last := len(o.Parameters) - 1
		if last == 0 {
			single = append(single, o.Parameters[0])
			continue
		}
		several = append(several, strings.Join(o.Parameters[:last], ", ")+" and "+o.Parameters[last])
	}
	switch {
	case len(several) == 1 && len(single) == 0:
		return "no fields but " + several[0]
	case len(single) > 0:
		several = append(several, strings.Join(single, " or ")+" alone")
	}
	return strings.Join(several, "; or ")
}

func invalid(detail string) *Error { return &Error{Code: InvalidRequest, Detail: detail} }
