package main

import (
	"bytes"
	"encoding/json"
	"slices"
	"strings"

	"github.com/tokenvend/tokenvend/pkg/redact"
)

// fields are those of a secret, each as it stands: what is not changed is
// written as it was read.
type fields map[string]json.RawMessage

// readFields reads a secret's fields; none where it is no JSON object.
func readFields(text redact.String) (fields, bool) {
	var f fields
	if json.Unmarshal([]byte(text.Reveal()), &f) != nil || f == nil {
		return fields{}, false
	}
	return f, true
}

// text is the secret with these fields.
func (f fields) text() (redact.String, error) {
	var b bytes.Buffer
	enc := json.NewEncoder(&b)
	enc.SetEscapeHTML(false)
	enc.SetIndent("", "  ")
	err := enc.Encode(f)
	return redact.New(b.String()), err
}

// put sets a field to a text, a flag or a list.
func (f fields) put(name string, value any) {
	f[name], _ = json.Marshal(value) // none of these fails
}

// word is a field that is a text; "" where it is none.
func (f fields) word(name string) (text string) {
	_ = json.Unmarshal(f[name], &text)
	return text
}

// clear takes a field away, or one inside it: scope, allow.principals. It
// reports false where there is no such field.
func (f fields) clear(path string) bool {
	name, inner, nested := strings.Cut(path, ".")
	if _, has := f[name]; !has {
		return false
	}
	if !nested {
		delete(f, name)
		return true
	}
	in, ok := readFields(redact.New(string(f[name])))
	if !ok || !in.clear(inner) {
		return false
	}
	f.put(name, in)
	if len(in) == 0 {
		delete(f, name)
	}
	return true
}

// extend adds to the lists in allow, and leaves its other lists alone.
func (f fields) extend(more map[string][]string) error {
	if len(more) == 0 {
		return nil
	}
	in, ok := fields{}, true
	if standing, has := f["allow"]; has {
		in, ok = readFields(redact.New(string(standing)))
	}
	if !ok {
		return usage("allow: what stands there is no object: --clear allow takes it away")
	}
	for name, items := range more {
		var list []string
		if standing, has := in[name]; has && json.Unmarshal(standing, &list) != nil {
			return usage("allow.%s: what stands there is no list: --clear allow.%s takes it away", name, name)
		}
		for _, item := range items {
			if !slices.Contains(list, item) {
				list = append(list, item)
			}
		}
		in.put(name, list)
	}
	f.put("allow", in)
	return nil
}
