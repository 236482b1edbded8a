package response

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

	mostFields  = 64
	longestName = 63                      // bytes
	longestForm = 4 * jsonpointer.MaxText // bytes of all values
)

// isForm reports whether a body is form-encoded: by its content type, or by its
// form.
func (m Message) isForm() bool {
	body := bytes.TrimSpace(m.Body)
	if len(body) == 0 || body[0] == '{' || body[0] == '[' {
		return false // whatever the content type says
	}
	kind, _, _ := strings.Cut(m.Header.Get("Content-Type"), ";")
	if strings.EqualFold(strings.TrimSpace(kind), "application/x-www-form-urlencoded") {
		return true
	}
	name, _, found := bytes.Cut(body, []byte("="))
	if !found || !isFieldName(name) {
		return false
	}
	for _, c := range body {
		if c <= ' ' || c > '~' || c == '"' || c == '<' || c == '>' {
			return false
		}
	}
	return true
}

func isFieldName(name []byte) bool {
	return len(name) > 0 && len(name) <= longestName && len(bytes.Trim(name, lower+upper+digits+"_-.")) == 0
}

// formDocument returns the fields of a form as an object of strings. Of equal
// names the last one counts. It drops fields beyond the size of any token
// response.
func formDocument(body []byte) jsonpointer.Document {
	fields, room := map[string]string{}, longestForm
	for pair := range bytes.SplitSeq(bytes.TrimSpace(body), []byte("&")) {
		if len(pair) == 0 {
			continue
		}
		name, value, _ := bytes.Cut(pair, []byte("="))
		if !isFieldName(name) || len(value) > room || len(fields) == mostFields {
			continue
		}
		if decoded, err := url.QueryUnescape(string(value)); err == nil {
			room -= len(value)
			fields[string(name)] = decoded
		}
	}
	doc, _ := json.Marshal(fields) // a map of strings: cannot fail
	return doc
}
