package descriptor

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"reflect"
	"slices"
	"strings"
	"time"

	"github.com/tokenvend/tokenvend/pkg/redact"
)

// Error lists everything that is wrong with a descriptor, each problem as
// "path: what was expected", with a path such as "token.auth".
type Error struct {
	Problems []string
}

// Error returns all problems in one line.
func (e *Error) Error() string { return "descriptor: " + strings.Join(e.Problems, "; ") }

// Parse reads a descriptor strictly: unknown fields, repeated fields, nulls,
// wrong types and inconsistent values are errors. One [*Error] lists them all.
func Parse(data []byte) (*Descriptor, error) {
	d := new(Descriptor)
	if err := d.UnmarshalJSON(data); err != nil {
		return nil, err
	}
	return d, nil
}

// UnmarshalJSON is [Parse], so that a descriptor inside a secret is read as
// strictly as one of the catalogue.
func (d *Descriptor) UnmarshalJSON(data []byte) error {
	type plain Descriptor // without UnmarshalJSON
	var p problems
	p.syntax(data)
	if p.list == nil {
		p.shape(data, reflect.TypeFor[Descriptor]())
		*d = Descriptor{}
		// The errors are those that shape reports with their paths. What could
		// be read is validated too.
		_ = json.Unmarshal(data, (*plain)(d))
		d.validate(&p)
	}
	if p.list != nil {
		*d = Descriptor{}
		return &Error{Problems: p.list}
	}
	return nil
}

// problems collects what is wrong.
type problems struct {
	list []string
}

func (p *problems) add(path, format string, args ...any) {
	problem := fmt.Sprintf(format, args...)
	if path != "" {
		problem = path + ": " + problem
	}
	if !slices.Contains(p.list, problem) {
		p.list = append(p.list, problem)
	}
}

// syntax checks that data is one JSON value.
func (p *problems) syntax(data []byte) {
	var value json.RawMessage
	var at *json.SyntaxError
	switch err := json.Unmarshal(data, &value); {
	case errors.As(err, &at):
		p.add("", "not JSON: %v at byte %d", at, at.Offset)
	case err != nil:
		p.add("", "not JSON")
	}
}

// shape compares valid JSON with the Go type that it is decoded into.
func (p *problems) shape(data []byte, t reflect.Type) {
	dec := json.NewDecoder(bytes.NewReader(data))
	dec.UseNumber()
	p.value(dec, "", t)
}

// value checks the next value against t. Where t is nil, it skips the value.
func (p *problems) value(dec *json.Decoder, path string, t reflect.Type) {
	token, err := dec.Token()
	if err != nil {
		return
	}
	if t != nil && t.Kind() == reflect.Pointer {
		t = t.Elem()
	}
	if t != nil && !fits(token, t) {
		p.add(path, "expected %s", expected(t))
		t = nil
	}
	switch token {
	case json.Delim('{'):
		p.object(dec, path, t)
	case json.Delim('['):
		p.array(dec, path, t)
	}
}

func (p *problems) object(dec *json.Decoder, path string, t reflect.Type) {
	seen := map[string]bool{}
	for dec.More() {
		token, err := dec.Token()
		if err != nil {
			return
		}
		key, _ := token.(string)
		inner, known := member(t, key)
		here := strings.TrimPrefix(path+"."+nameOf(key, t, known), ".")
		switch {
		case !known:
			p.add(here, "unknown field")
		case seen[key]:
			p.add(here, "given twice")
		}
		seen[key] = true
		p.value(dec, here, inner)
	}
	_, _ = dec.Token()
}

func (p *problems) array(dec *json.Decoder, path string, t reflect.Type) {
	var inner reflect.Type
	if t != nil {
		inner = t.Elem()
	}
	for i := 0; dec.More(); i++ {
		p.value(dec, fmt.Sprintf("%s[%d]", path, i), inner)
	}
	_, _ = dec.Token()
}

// nameOf returns a member's name as an error shows it: unknown names are
// redacted.
func nameOf(key string, of reflect.Type, known bool) string {
	if known && of != nil && of.Kind() == reflect.Struct {
		return key
	}
	return redact.Name(key)
}

// member returns the type of an object's member. Where t is nil, every member
// is known.
func member(t reflect.Type, key string) (inner reflect.Type, known bool) {
	if t == nil {
		return nil, true
	}
	if t.Kind() == reflect.Map {
		return t.Elem(), true
	}
	for i := range t.NumField() {
		name, _, _ := strings.Cut(t.Field(i).Tag.Get("json"), ",")
		if name == key {
			return t.Field(i).Type, true
		}
	}
	return nil, false
}

// fits reports whether a token can begin a value of type t.
func fits(token json.Token, t reflect.Type) bool {
	switch v := token.(type) {
	case string:
		if t == reflect.TypeFor[Duration]() {
			d, err := time.ParseDuration(v)
			return err == nil && d > 0
		}
		return t.Kind() == reflect.String
	case json.Number:
		_, err := v.Int64()
		return err == nil && t.Kind() == reflect.Int
	case bool:
		return t.Kind() == reflect.Bool
	case json.Delim:
		isObject := t.Kind() == reflect.Struct || t.Kind() == reflect.Map
		return v == '{' && isObject || v == '[' && t.Kind() == reflect.Slice
	}
	return false
}

func expected(t reflect.Type) string {
	switch {
	case t == reflect.TypeFor[Duration]():
		return `a duration above zero, such as "90m"`
	case t.Kind() == reflect.String:
		return "a string"
	case t.Kind() == reflect.Int:
		return "a whole number"
	case t.Kind() == reflect.Bool:
		return "true or false"
	case t.Kind() == reflect.Slice:
		return "an array"
	}
	return "an object"
}
