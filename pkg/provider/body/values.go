package body

import (
	"encoding/json"
	"net/http"
	"strings"

	"github.com/tokenvend/tokenvend/pkg/descriptor"
	"github.com/tokenvend/tokenvend/pkg/jsonpointer"
)

// Values are the values of a response, in its body and in its header.
type Values struct {
	jsonpointer.Document
	Header http.Header
}

// Lookup returns the value at a place of a descriptor, as
// [jsonpointer.Document.Lookup] does. It returns nil for "", which is no place.
func (v Values) Lookup(place string) any {
	if place == "" {
		return nil
	}
	name, isHeader := descriptor.HeaderPlace(place)
	if !isHeader {
		return v.Document.Lookup(place)
	}
	if fields := v.Header[name]; len(fields) > 0 {
		return strings.TrimSpace(fields[0])
	}
	return nil
}

// Token returns the text at the place of a token. A header field may have it
// in the form of a request (RFC 6750 §2.1).
func (v Values) Token(place string) string {
	const scheme = "Bearer "
	text, _ := v.Lookup(place).(string)
	_, isHeader := descriptor.HeaderPlace(place)
	if isHeader && len(text) > len(scheme) && strings.EqualFold(text[:len(scheme)], scheme) {
		return strings.TrimSpace(text[len(scheme):])
	}
	return text
}

// AsText returns a string, a number or a boolean as text.
func AsText(value any) (text string, ok bool) {
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
