// Package strictjson finds what encoding/json accepts silently: fields that are
// unknown, repeated or in another letter case, and nulls. It reports values of
// a wrong type with their paths.
package strictjson

import (
	"bytes"
	"encoding/json"
	"fmt"
	"reflect"
	"strings"

	"github.com/tokenvend/tokenvend/pkg/redact"
)

// Problem is one problem of a document. It quotes no value.
type Problem struct {
	Path string // such as "token.fields[0]"; "" is the whole document
	Text string // what is wrong or what was expected
}

// Checker is implemented by types that have a JSON form of their own.
type Checker interface {
	// CheckJSON reports whether a token is a value of the type, and what is
	// expected otherwise.
	CheckJSON(token json.Token) (expected string, ok bool)
}

// Check compares a document of valid JSON with the type that it is decoded
// into: structs, maps, slices, strings, ints, bools, interfaces, which take any
// value, and types that implement [Checker].
func Check(data []byte, t reflect.Type) []Problem {
	c := newChecker(data)
	c.value("", t)
	return c.problems
}

// Repeated returns the paths of all fields that occur twice in one object of a
// document of valid JSON.
func Repeated(data []byte) []string {
	c := newChecker(data)
	c.value("", nil)
	var paths []string
	for _, p := range c.problems {
		paths = append(paths, p.Path)
	}
	return paths
}

// checker reads a document once.
type checker struct {
	dec      *json.Decoder
	problems []Problem
}

func newChecker(data []byte) *checker {
	dec := json.NewDecoder(bytes.NewReader(data))
	dec.UseNumber()
	return &checker{dec: dec}
}

func (c *checker) add(path, text string) { c.problems = append(c.problems, Problem{path, text}) }

// value checks the next value against t. Where t is nil, any type fits.
func (c *checker) value(path string, t reflect.Type) {
	token, err := c.dec.Token()
	if err != nil {
		return
	}
	if t != nil && t.Kind() == reflect.Pointer {
		t = t.Elem()
	}
	if t != nil {
		expected, ok := fits(token, t)
		if !ok {
			c.add(path, "expected "+expected)
		}
		if !ok || t.Kind() == reflect.Interface {
			t = nil
		}
	}
	switch token {
	case json.Delim('{'):
		c.object(path, t)
	case json.Delim('['):
		c.array(path, t)
	}
}

func (c *checker) object(path string, t reflect.Type) {
	seen := map[string]bool{}
	for c.dec.More() {
		token, err := c.dec.Token()
		if err != nil {
			return
		}
		key, _ := token.(string)
		inner, known := member(t, key)
		here := strings.TrimPrefix(path+"."+shown(key, t, known), ".")
		switch {
		case !known:
			c.add(here, "unknown field")
		case seen[key]:
			c.add(here, "given twice")
		}
		seen[key] = true
		c.value(here, inner)
	}
	_, _ = c.dec.Token()
}

func (c *checker) array(path string, t reflect.Type) {
	var inner reflect.Type
	if t != nil {
		inner = t.Elem()
	}
	for i := 0; c.dec.More(); i++ {
		c.value(fmt.Sprintf("%s[%d]", path, i), inner)
	}
	_, _ = c.dec.Token()
}

// shown returns a member's name as a path shows it: names that are not of a
// struct are redacted.
func shown(key string, of reflect.Type, known bool) string {
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
	for _, field := range reflect.VisibleFields(t) {
		name, _, _ := strings.Cut(field.Tag.Get("json"), ",")
		if name == key {
			return field.Type, true
		}
	}
	return nil, false
}

// fits reports whether a token can begin a value of type t, and what can.
func fits(token json.Token, t reflect.Type) (expected string, ok bool) {
	if c, is := reflect.TypeAssert[Checker](reflect.Zero(t)); is {
		return c.CheckJSON(token)
	}
	switch t.Kind() {
	case reflect.String:
		_, ok = token.(string)
		return "a string", ok
	case reflect.Int:
		number, isNumber := token.(json.Number)
		_, err := number.Int64()
		return "a whole number", isNumber && err == nil
	case reflect.Bool:
		_, ok = token.(bool)
		return "true or false", ok
	case reflect.Interface:
		return "", true
	case reflect.Slice:
		return "an array", token == json.Delim('[')
	}
	return "an object", token == json.Delim('{')
}
