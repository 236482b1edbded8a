package probe

import (
	"encoding/json"
	"fmt"
	"maps"
	"net/url"
	"slices"
	"strings"

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
}

// Member is a member of the answer's body.
type Member struct {
	Place string `json:"place"` // a JSON Pointer
	Type  string `json:"type"`
}

func describe(m provider.Message) Response {
	a := Response{
		Status: m.Status, ContentType: m.Header.Get("Content-Type"), Header: slices.Sorted(maps.Keys(m.Header)),
		Members: []Member{},
	}
	var value any
	_, isForm, _ := m.Body.Document()
	switch form, err := url.ParseQuery(strings.TrimSpace(string(m.Body.Text))); {
	case json.Unmarshal(m.Body.Text, &value) == nil:
		a.Format = "JSON"
		a.add("", value)
	case isForm && err == nil:
		a.Format = "a form"
		for _, name := range slices.Sorted(maps.Keys(form)) {
			a.Members = append(a.Members, Member{"/" + escape(name), "string"})
		}
	default:
		a.Format = fmt.Sprintf("neither JSON nor a form, %d bytes", len(m.Body.Text))
	}
	if len(a.Members) > maxMembers {
		a.Members = append(a.Members[:maxMembers:maxMembers], Member{"…", "and more"})
	}
	return a
}

// add adds a value and what is in it. Of an array, the first item stands for
// all.
func (a *Response) add(place string, value any) {
	a.Members = append(a.Members, Member{place, typeOf(value)})
	switch value := value.(type) {
	case map[string]any:
		if place == "" {
			a.Members = a.Members[:0]
		}
		for _, name := range slices.Sorted(maps.Keys(value)) {
			if len(a.Members) <= maxMembers {
				a.add(place+"/"+escape(name), value[name])
			}
		}
	case []any:
		if len(value) > 0 {
			a.add(place+"/0", value[0])
		}
	}
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
	case float64:
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
