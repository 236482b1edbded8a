package main

import (
	"crypto"
	"encoding/json"
	"fmt"
	"maps"
	"mime"
	"net/http"
	"net/textproto"
	"net/url"
	"slices"
	"strings"
	"time"
)

// checking compares one request with the shape.
type checking struct {
	shape  shape
	rules  map[string]rule
	roles  map[string]string // of this authorization: state, code, verifier, challenge
	public crypto.PublicKey  // of the credential
	since  time.Time         // when the exchange began
	got    *http.Request
	body   []byte

	problems []string
}

func (c *checking) add(format string, args ...any) {
	c.problems = append(c.problems, fmt.Sprintf(format, args...))
}

// request compares everything that a request has.
func (c *checking) request(want request) {
	u, err := url.Parse(want.URL)
	if err != nil {
		c.add("the shape's URL: %v", err)
		return
	}
	got := c.got
	wanted := strings.ToLower(u.Host) + u.EscapedPath()
	if address := got.Host + got.URL.EscapedPath(); got.Method != want.Method || address != wanted {
		c.add("sent %s %s, want %s %s", got.Method, address, want.Method, wanted)
		return
	}
	c.members("query", texts(want.Query), single(got.URL.Query()))
	c.headers(want)
	c.content(want)
	if shown := got.TLS != nil && len(got.TLS.PeerCertificates) > 0; shown != want.needsCertificate() {
		c.add("client certificate shown: %t, want %t", shown, want.needsCertificate())
	}
}

// needsCertificate reports whether the vendor wants a client certificate.
func (r request) needsCertificate() bool {
	return strings.Contains(strings.ToLower(r.TLS+r.Note), "client certificate required")
}

// unnamed are header fields that every request has.
var unnamed = []string{"Accept-Encoding", "Content-Length", "User-Agent", "Connection"}

func (c *checking) headers(want request) {
	wanted, got := map[string]any{}, map[string]any{}
	for name, value := range want.Headers {
		wanted[textproto.CanonicalMIMEHeaderKey(name)] = value
	}
	for name, values := range c.got.Header {
		value := strings.Join(values, ", ")
		_, named := wanted[name]
		if !named && (slices.Contains(unnamed, name) || name == "Accept" && value == "application/json") {
			continue
		}
		got[name] = value
	}
	if text, isText := wanted["Content-Type"].(string); isText {
		wanted["Content-Type"], got["Content-Type"] = mediaType(text), mediaType(got["Content-Type"])
	} else if usual := usualType(want.BodyKind); usual != "" {
		wanted["Content-Type"] = usual
	}
	c.members("header", wanted, got)
}

// mediaType returns a media type in one spelling.
func mediaType(value any) any {
	text, _ := value.(string)
	media, params, err := mime.ParseMediaType(text)
	if err != nil {
		return value
	}
	return strings.ToLower(mime.FormatMediaType(media, params))
}

func usualType(bodyKind string) string {
	return map[string]string{"form": "application/x-www-form-urlencoded", "json": "application/json"}[bodyKind]
}

// content compares the body.
func (c *checking) content(want request) {
	switch want.BodyKind {
	case "form":
		form, err := url.ParseQuery(string(c.body))
		if err != nil {
			c.add("body: %v", err)
		}
		c.members("body", texts(want.Body), single(form))
	case "json":
		var got any
		d := json.NewDecoder(strings.NewReader(string(c.body)))
		d.UseNumber()
		if err := d.Decode(&got); err != nil {
			c.add("body: %v", err)
		}
		c.value("body", want.Body, got)
	default:
		if len(c.body) > 0 {
			c.add("body = %q, want none", c.body)
		}
	}
}

// texts returns parameters as a form has them.
func texts(params map[string]any) map[string]any {
	all := map[string]any{}
	for name, value := range params {
		all[name] = fmt.Sprint(value)
	}
	return all
}

// single returns parameters of a form, each of which has one value.
func single(form url.Values) map[string]any {
	all := map[string]any{}
	for name, values := range form {
		all[name] = strings.Join(values, " AND ")
	}
	return all
}

// members compares two objects: a missing member and one too many are problems.
func (c *checking) members(path string, want, got map[string]any) {
	for _, name := range slices.Sorted(maps.Keys(want)) {
		value, given := got[name]
		if !given {
			if text, _ := want[name].(string); !c.rules[text].Optional {
				c.add("%s.%s is missing", path, name)
			}
			continue
		}
		if name == "scope" {
			c.value(path+"."+name, sorted(want[name]), sorted(value))
			continue
		}
		c.value(path+"."+name, want[name], value)
	}
	for _, name := range slices.Sorted(maps.Keys(got)) {
		if _, wanted := want[name]; !wanted {
			c.add("%s.%s = %v is not expected", path, name, got[name])
		}
	}
}

// value compares two values of JSON, or a value with a rule.
func (c *checking) value(path string, want, got any) {
	switch want := want.(type) {
	case map[string]any:
		if members, ok := got.(map[string]any); ok {
			c.members(path, want, members)
			return
		}
	case []any:
		items, ok := got.([]any)
		if ok && len(items) == len(want) {
			for i := range want {
				c.value(fmt.Sprintf("%s[%d]", path, i), want[i], items[i])
			}
			return
		}
	case string:
		if r, isRule := c.rules[want]; isRule {
			if problem := r.check(got, c); problem != "" {
				c.add("%s %s", path, problem)
			}
			return
		}
	}
	if problem := equal(got, want); problem != "" {
		c.add("%s %s", path, problem)
	}
}

// sorted returns a scope with its values in order: it is a set (RFC 6749 §3.3).
// The separator stays.
func sorted(value any) any {
	text, isText := value.(string)
	if !isText {
		return value
	}
	for _, separator := range []string{" ", ","} {
		if values := strings.Split(text, separator); len(values) > 1 {
			slices.Sort(values)
			return strings.Join(values, separator)
		}
	}
	return text
}
