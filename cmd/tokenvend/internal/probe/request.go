package probe

import (
	"bytes"
	"encoding/json"
	"maps"
	"net/url"
	"slices"
	"strings"

	"github.com/tokenvend/tokenvend/pkg/descriptor"
	"github.com/tokenvend/tokenvend/pkg/descriptor/placeholder"
	"github.com/tokenvend/tokenvend/pkg/provider"
	"github.com/tokenvend/tokenvend/pkg/provider/request"
	"github.com/tokenvend/tokenvend/pkg/provider/skew"
	"github.com/tokenvend/tokenvend/pkg/redact"
)

// Request is a request without its secrets.
type Request struct {
	Method string `json:"method"`
	URL    string `json:"url"`
	// Header has the fields without those that every request has.
	Header map[string]string `json:"header"`
	// Body is a line NAME=VALUE for each parameter of a form, or JSON.
	Body string `json:"body,omitempty"`
	// Certificate reports whether a client certificate is shown.
	Certificate bool `json:"client_certificate,omitempty"`
	// Problem is why the request cannot be described.
	Problem string `json:"problem,omitempty"`
}

// requests describes the requests of one token, and a token that is signed
// without one.
func requests(d *descriptor.Descriptor, c provider.Client, req provider.TokenRequest) ([]Exchange, string) {
	all, signed, err := requestsBy(d, c, req, byName)
	for _, mask := range zeroMasks(d) { // a template decodes a secret, and a name is no code
		if err == nil {
			break
		}
		all, signed, err = requestsBy(d, c, req, mask)
	}
	if err != nil && len(all) == 0 {
		all = []Exchange{{Request: Request{Problem: err.Error()}}}
	}
	return all, signed
}

func requestsBy(
	d *descriptor.Descriptor, c provider.Client, req provider.TokenRequest, mask func(string) string,
) (all []Exchange, signed string, failure error) {
	builder := request.Builder{
		Descriptor: d, Client: masked(c, mask), Clock: func(*url.URL) skew.Skew { return skew.Skew{} },
	}
	if req.Grant == descriptor.SelfSigned {
		token, _, err := builder.SelfSigned(req)
		if err != nil {
			return nil, "", err
		}
		return nil, legible(token.Reveal()), nil
	}
	taken := takenOf(d, mask)
	for i, step := range d.Steps {
		q, err := builder.Step(i, req, taken)
		all = append(all, exchange(Exchange{Step: step.Name}, q, err))
		if err != nil {
			return all, "", err
		}
	}
	q, err := builder.Token(req, skew.Skew{}, taken)
	all = append(all, exchange(Exchange{}, q, err))
	if err != nil {
		return all, "", err
	}
	if d.Then != nil {
		q, err = builder.Then(req.Grant, redact.New(mask(placeholder.AccessToken)))
		all = append(all, exchange(Exchange{Then: true}, q, err))
		if err != nil {
			return all, "", err
		}
	}
	return all, "", nil
}

// exchange returns x with its request, or why that cannot be built.
func exchange(x Exchange, q *request.Call, err *provider.Error) Exchange {
	if err != nil {
		x.Request.Problem = err.Error()
		return x
	}
	x.name, x.Request = q.Name, shown(q)
	return x
}

// unremarkable are header fields that every request has.
var unremarkable = []string{"Accept-Encoding", "User-Agent"}

// shown describes a request that was built without secrets.
func shown(q *request.Call) Request {
	r := Request{Method: q.Method, URL: shownURL(q.URL), Header: map[string]string{}, Certificate: q.Cert != nil}
	for name, values := range q.Header {
		if !slices.Contains(unremarkable, name) {
			r.Header[name] = legibleOf(name, strings.Join(values, ", "))
		}
	}
	r.Body = shownBody(q.Header.Get("Content-Type"), q.Body)
	return r
}

func shownURL(u *url.URL) string {
	query := u.Query()
	if len(query) == 0 {
		return u.String()
	}
	at := *u
	at.RawQuery = ""
	return at.String() + "?" + strings.Join(parameters(query), "&")
}

// parameters returns a line for each value of a form or a query, decoded.
func parameters(values url.Values) (lines []string) {
	for _, name := range slices.Sorted(maps.Keys(values)) {
		for _, value := range values[name] {
			lines = append(lines, name+"="+legibleOf(name, value))
		}
	}
	return lines
}

func shownBody(contentType string, body []byte) string {
	if strings.Contains(contentType, "json") {
		return shownJSON(body)
	}
	form, err := url.ParseQuery(string(body))
	if err != nil {
		return string(body)
	}
	return strings.Join(parameters(form), "\n")
}

func shownJSON(body []byte) string {
	var value any
	dec := json.NewDecoder(bytes.NewReader(body))
	dec.UseNumber()
	if dec.Decode(&value) != nil {
		return string(body)
	}
	var b strings.Builder
	enc := json.NewEncoder(&b)
	enc.SetEscapeHTML(false)
	enc.SetIndent("", "  ")
	_ = enc.Encode(legibleJSON("", value)) // a value of JSON: cannot fail
	return strings.TrimSpace(b.String())
}

// legibleJSON makes the texts of a JSON value legible.
func legibleJSON(name string, value any) any {
	switch value := value.(type) {
	case string:
		return legibleOf(name, value)
	case []any:
		for i, item := range value {
			value[i] = legibleJSON(name, item)
		}
	case map[string]any:
		for name, item := range value {
			value[name] = legibleJSON(name, item)
		}
	}
	return value
}

// Exchange is a request, and what was answered.
type Exchange struct {
	Step string `json:"step,omitempty"` // its name; "": no step
	// Then reports whether the request is the one after the token request.
	Then    bool    `json:"then,omitempty"`
	Request Request `json:"request"`
	// Answer is nil where none arrived.
	Answer *Response `json:"answer,omitempty"`

	name string // of the request: see [request.Call]
}
