package secretinput

import (
	"bytes"
	"encoding/json"
	"slices"
	"strings"

	"github.com/tokenvend/tokenvend/cmd/tokenvend/internal/clierror"
	"github.com/tokenvend/tokenvend/pkg/redact"
)

// Fields holds the fields of a secret. A field that is not changed is written
// as it was read.
type Fields map[string]json.RawMessage

// ReadFields reads a secret's fields. ok is false for a text that is no JSON
// object.
func ReadFields(text redact.String) (f Fields, ok bool) {
	if json.Unmarshal([]byte(text.Reveal()), &f) != nil || f == nil {
		return Fields{}, false
	}
	return f, true
}

// Text returns the secret with these fields.
func (f Fields) Text() (redact.String, error) {
	var b bytes.Buffer
	enc := json.NewEncoder(&b)
	enc.SetEscapeHTML(false)
	enc.SetIndent("", "  ")
	err := enc.Encode(f)
	return redact.New(b.String()), err
}

// Put sets a field to a value that can be marshalled.
func (f Fields) Put(name string, value any) {
	f[name], _ = json.Marshal(value)
}

// word returns a field that is a string; "" if it is none.
func (f Fields) word(name string) (text string) {
	_ = json.Unmarshal(f[name], &text)
	return text
}

// Clear removes a field, or one inside it, such as scope or allow.principals.
// It returns false if there is no such field.
func (f Fields) Clear(path string) bool {
	name, inner, nested := strings.Cut(path, ".")
	if _, has := f[name]; !has {
		return false
	}
	if !nested {
		delete(f, name)
		return true
	}
	object, ok := ReadFields(redact.New(string(f[name])))
	if !ok || !object.Clear(inner) {
		return false
	}
	f.Put(name, object)
	if len(object) == 0 {
		delete(f, name)
	}
	return true
}

// object returns a field that is an object, empty if it is absent.
func (f Fields) object(name string) (Fields, error) {
	standing, has := f[name]
	if !has {
		return Fields{}, nil
	}
	object, ok := ReadFields(redact.New(string(standing)))
	if !ok {
		return nil, clierror.Usage("%s: what stands there is no object: --clear %s takes it away", name, name)
	}
	return object, nil
}

// extendAllow adds to the lists in allow, and keeps its other lists.
func (f Fields) extendAllow(more map[string][]string) error {
	if len(more) == 0 {
		return nil
	}
	allow, err := f.object("allow")
	if err != nil {
		return err
	}
	for name, items := range more {
		var list []string
		if standing, has := allow[name]; has && json.Unmarshal(standing, &list) != nil {
			return clierror.Usage("allow.%s: what stands there is no list: --clear allow.%s takes it away", name, name)
		}
		for _, item := range items {
			if !slices.Contains(list, item) {
				list = append(list, item)
			}
		}
		allow.Put(name, list)
	}
	f.Put("allow", allow)
	return nil
}

// extend sets some members of an object, such as params, and keeps the others.
func (f Fields) extend(field string, more map[string]string) error {
	if len(more) == 0 {
		return nil
	}
	object, err := f.object(field)
	if err != nil {
		return err
	}
	for name, value := range more {
		object.Put(name, value)
	}
	f.Put(field, object)
	return nil
}

// has reports whether the secret has a field, such as "variables.tenant".
func (f Fields) has(path string) (bool, error) {
	object, name, nested := strings.Cut(path, ".")
	if !nested {
		_, given := f[path]
		return given, nil
	}
	members, err := f.object(object)
	_, given := members[name]
	return given, err
}

// set sets a field, such as "variables.tenant", to a text.
func (f Fields) set(path, value string) error {
	object, name, nested := strings.Cut(path, ".")
	if !nested {
		f.Put(path, value)
		return nil
	}
	return f.extend(object, map[string]string{name: value})
}

// Value returns the value of a field; nil if it cannot be read.
func (f Fields) Value(name string) (value any) {
	_ = json.Unmarshal(f[name], &value)
	return value
}
