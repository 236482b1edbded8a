package response

import (
	"encoding/json"
	"net/http"
	"strings"

	"github.com/tokenvend/tokenvend/pkg/descriptor"
	"github.com/tokenvend/tokenvend/pkg/jsonpointer"
)

// values are the values of a response, in its body and in its header.
type values struct {
	jsonpointer.Document
	header http.Header
}

// Lookup returns the value at a place of a descriptor, as
// [jsonpointer.Document.Lookup] does.
func (v values) Lookup(place string) any {
	name, isHeader := descriptor.HeaderPlace(place)
	if !isHeader {
		return v.Document.Lookup(place)
	}
	if fields := v.header[name]; len(fields) > 0 {
		return strings.TrimSpace(fields[0])
	}
	return nil
}

// token returns the text at the place of a token. A header field may have it
// in the form of a request (RFC 6750 §2.1).
func (v values) token(place string) string {
	const scheme = "Bearer "
	text, _ := v.Lookup(place).(string)
	_, isHeader := descriptor.HeaderPlace(place)
	if isHeader && len(text) > len(scheme) && strings.EqualFold(text[:len(scheme)], scheme) {
		return strings.TrimSpace(text[len(scheme):])
	}
	return text
}

// asText returns a string, a number or a boolean as text.
func asText(value any) (text string, ok bool) {
	switch v := value.(type) {
	case string:
		return v, true
	case json.Number:
		return v.String(), true
	case bool:
		if v {
			return "true", true
		}
		return "false", true
	}
	return "", false
}

// ofError returns the values of a response without success, and what is wrong
// with its body.
func (m Message) ofError() values {
	doc, _, _ := m.Body.Document()
	return values{doc, m.Header}
}

// ofSuccess returns the values of a response with success. problem says why
// its body cannot be read; isForm reports whether it was a form.
func (q *Request) ofSuccess(m Message) (v values, isForm bool, problem string) {
	v.header = m.Header
	if q.Descriptor.Response.Format == descriptor.FormatText {
		v.Document, problem = m.Body.TextDocument("access_token")
	} else {
		v.Document, isForm, problem = m.Body.Document()
	}
	if cut := m.Body.Problem(q.code); cut != "" {
		problem = cut
	}
	if _, apart := descriptor.HeaderPlace(q.Descriptor.Response.Access); apart {
		problem = "" // the token does not stand in the body
	}
	return v, isForm, problem
}
