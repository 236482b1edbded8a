package body

import (
	"bytes"
	"encoding/json"
	"net/url"
	"strings"

	"github.com/tokenvend/tokenvend/pkg/jsonpointer"
)

const (
	lower  = "abcdefghijklmnopqrstuvwxyz"
	upper  = "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
	digits = "0123456789"

	maxFields = 64
	maxName   = 63                      // bytes
	maxForm   = 4 * jsonpointer.MaxText // bytes of all values
)

// isFormEncoded reports whether a body is form-encoded: by its content type, or
// by its form.
func isFormEncoded(contentType string, body []byte) bool {
	text := bytes.TrimSpace(body)
	if len(text) == 0 || text[0] == '{' || text[0] == '[' {
		return false // whatever the content type says
	}
	kind, _, _ := strings.Cut(contentType, ";")
	if strings.EqualFold(strings.TrimSpace(kind), "application/x-www-form-urlencoded") {
		return true
	}
	name, _, found := bytes.Cut(text, []byte("="))
	if !found || !isFieldName(name) {
		return false
	}
	for _, c := range text {
		if c <= ' ' || c > '~' || c == '"' || c == '<' || c == '>' {
			return false
		}
	}
	return true
}

func isFieldName(name []byte) bool {
	return len(name) > 0 && len(name) <= maxName && len(bytes.Trim(name, lower+upper+digits+"_-.")) == 0
}

// formDocument returns the fields of a form as an object of strings. Of equal
// names the last one counts. It drops fields beyond the size of any token
// response.
func formDocument(text []byte) jsonpointer.Document {
	fields, left := map[string]string{}, maxForm
	for pair := range bytes.SplitSeq(bytes.TrimSpace(text), []byte("&")) {
		if len(pair) == 0 {
			continue
		}
		name, value, _ := bytes.Cut(pair, []byte("="))
		if !isFieldName(name) || len(value) > left || len(fields) == maxFields {
			continue
		}
		if decoded, err := url.QueryUnescape(string(value)); err == nil {
			left -= len(value)
			fields[string(name)] = decoded
		}
	}
	doc, _ := json.Marshal(fields) // a map of strings: cannot fail
	return doc
}
