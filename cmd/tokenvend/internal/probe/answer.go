package probe

import (
	"bytes"
	"encoding/json"
	"fmt"
	"maps"
	"net/url"
	"slices"
	"strings"

	"github.com/tokenvend/tokenvend/pkg/mask"
	"github.com/tokenvend/tokenvend/pkg/provider"
)

// maxMembers bounds how many members of an answer are described.
const maxMembers = 100

// Response is the form of an answer: names and types, and no value.
type Response struct {
	Status      int      `json:"status"`
	ContentType string   `json:"content_type,omitempty"`
	Header      []string `json:"header"` // names of fields, sorted
	Format      string   `json:"format"`
	Members     []Member `json:"members"`

	secrets *mask.Set // which no name may hold
}

// Member is a member of the answer's body.
type Member struct {
	Place string `json:"place"` // a JSON Pointer
	Type  string `json:"type"`
}

// describe describes an answer. Its names are the server's, which may repeat
// one of the secrets in a name.
func describe(m provider.Message, secrets *mask.Set) Response {
	a := Response{Status: m.Status, Members: []Member{}, Header: []string{}, secrets: secrets}
	a.ContentType = secrets.Line(m.Header.Get("Content-Type"), longestType)
	for _, name := range slices.Sorted(maps.Keys(m.Header)) {
		a.Header = append(a.Header, a.legible(name))
	}
	_, isForm, problem := m.Body.Document()
	form, err := url.ParseQuery(strings.TrimSpace(string(m.Body.Text)))
	value, isJSON := decode(m.Body.Text)
	switch {
	case isJSON && (isForm || problem == ""):
		a.Format = "JSON"
		a.add("", value)
	case isForm && err == nil:
		a.Format = "a form"
		for _, name := range slices.Sorted(maps.Keys(form)) {
			a.addField(name, form.Get(name))
		}
	default:
		a.Format = fmt.Sprintf("neither JSON nor a form, %d bytes", len(m.Body.Text))
	}
	if len(a.Members) > maxMembers {
		a.Members = append(a.Members[:maxMembers:maxMembers], Member{"…", "and more"})
	}
	return a
}

// decode returns the value of a text in JSON, with its numbers as they stand.
func decode(text []byte) (value any, ok bool) {
	dec := json.NewDecoder(bytes.NewReader(bytes.TrimPrefix(text, []byte("\ufeff"))))
	dec.UseNumber()
	ok = dec.Decode(&value) == nil && !dec.More()
	return value, ok
}

// addField adds a field of a form. A token alone, in a body that counts as a
// form, is read as the name of a field without a value.
func (a *Response) addField(name, value string) {
	if strings.Trim(value, "=") == "" {
		name = hidden
	}
	a.Members = append(a.Members, Member{"/" + escape(a.legible(name)), "string"})
}

// add adds a value and what is in it. Of an array, the first item stands for
// all.
func (a *Response) add(place string, value any) {
	if len(a.Members) > maxMembers {
		return
	}
	a.Members = append(a.Members, Member{place, typeOf(value)})
	switch value := value.(type) {
	case map[string]any:
		if place == "" {
			a.Members = a.Members[:0]
		}
		for _, name := range slices.Sorted(maps.Keys(value)) {
			a.add(place+"/"+escape(a.legible(name)), value[name])
		}
	case []any:
		if len(value) > 0 {
			a.add(place+"/0", value[0])
		}
	}
}

const (
	longestType = 200 // bytes of a content type
	longestName = 64  // bytes of a name
	longWord    = 20  // bytes from which a name with many digits may be a token
	manyDigits  = 4
)

// legible returns a name as it is shown: not one that holds a secret, nor one
// that may be a token itself, as where sessions are listed by their tokens.
func (a *Response) legible(name string) string {
	digits := 0
	for _, c := range name {
		if '0' <= c && c <= '9' {
			digits++
		}
	}
	mayBeToken := len(name) >= longWord && digits >= manyDigits
	if len(name) > longestName || mayBeToken || strings.Contains(a.secrets.Line(name, longestType), mask.Mark) {
		return hidden
	}
	return name
}

// escape writes a name as a reference token of a JSON Pointer (RFC 6901 §3).
func escape(name string) string { return strings.NewReplacer("~", "~0", "/", "~1").Replace(name) }

func typeOf(value any) string {
	switch value := value.(type) {
	case string:
		if value == "" {
			return "string, empty"
		}
		return "string"
	case json.Number:
		return "number"
	case bool:
		return "boolean"
	case map[string]any:
		return fmt.Sprintf("object of %d", len(value))
	case []any:
		return fmt.Sprintf("array of %d", len(value))
	}
	return "null"
}
