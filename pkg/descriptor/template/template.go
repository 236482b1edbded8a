// Package template reads the templates of descriptors: texts with placeholders
// in braces, such as "ID {client_id}" or "{base64(client_id ':' secrets.key)}".
// It does no I/O.
//
// A "{" that a letter follows begins a placeholder. "{{" that a letter follows
// is one literal brace. Every other brace is literal, so that JSON needs no
// escape. A value is never expanded twice.
package template

import (
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
)

// The bounds of a template.
const (
	maxText         = 16 << 10 // bytes of a text with placeholders
	maxPlaceholders = 32
)

// Template is a text that was read. The zero value is the empty text.
type Template struct {
	parts []part
}

// part is a literal text, or a placeholder.
type part struct {
	text string
	expr *expr // nil for a literal text
}

// Parse reads a text. Its errors quote nothing of the text but the names of
// values and functions.
func Parse(text string) (Template, error) {
	t, err := parse(text)
	if err != nil {
		return Template{}, err
	}
	for _, p := range t.parts {
		if p.expr != nil && p.expr.isBinary() {
			return Template{}, errors.New("a placeholder of bytes needs hex, base64 or base64url around it")
		}
	}
	return t, nil
}

// IsNumber reports whether a text is one call of number and nothing else: in
// JSON, its value is a number.
func (t Template) IsNumber() bool {
	calls := 0
	for _, p := range t.parts {
		if p.text != "" || p.expr != nil && p.expr.function != numberFunction {
			return false
		}
		if p.expr != nil {
			calls++
		}
	}
	return calls == 1
}

// ParseBytes reads a text whose placeholders may be bytes, such as a key.
func ParseBytes(text string) (Template, error) { return parse(text) }

func parse(text string) (Template, error) {
	var t Template
	var literal strings.Builder
	rest := text
	for rest != "" {
		at := strings.IndexByte(rest, '{')
		if at < 0 {
			break
		}
		literal.WriteString(rest[:at])
		rest = rest[at:]
		switch {
		case len(rest) > 2 && rest[1] == '{' && isLetter(rest[2]):
			literal.WriteByte('{')
			rest = rest[2:]
		case len(rest) > 1 && isLetter(rest[1]):
			e, after, err := placeholder(rest[1:])
			if err != nil {
				return Template{}, err
			}
			t.parts = append(t.parts, part{text: literal.String()}, part{expr: e})
			literal.Reset()
			rest = after
		default:
			literal.WriteByte('{')
			rest = rest[1:]
		}
	}
	literal.WriteString(rest)
	t.parts = append(t.parts, part{text: literal.String()})
	if len(t.parts) > 2*maxPlaceholders+1 || len(t.parts) > 1 && len(text) > maxText {
		return Template{}, fmt.Errorf("at most %d placeholders and %d bytes", maxPlaceholders, maxText)
	}
	return t, nil
}

// Literal returns what stands outside of placeholders.
func (t Template) Literal() string {
	var text strings.Builder
	for _, p := range t.parts {
		text.WriteString(p.text)
	}
	return text.String()
}

// IsLiteral reports whether the template has no placeholder.
func (t Template) IsLiteral() bool { return len(t.parts) <= 1 }

// Uses returns the values that the template uses, sorted by name. A value that
// stands both plain and under a function has two entries, the plain one first.
func (t Template) Uses() []Use {
	all := map[Use]bool{}
	for _, p := range t.parts {
		if p.expr != nil {
			p.expr.uses(all, true)
		}
	}
	return slices.SortedFunc(maps.Keys(all), func(a, b Use) int {
		if order := strings.Compare(a.Name, b.Name); order != 0 || a.Plain == b.Plain {
			return order
		}
		if a.Plain {
			return -1
		}
		return 1
	})
}

// Expand returns the text with all placeholders replaced. Each value is used
// once as it is: braces in it mean nothing.
func (t Template) Expand(v Values) (string, error) {
	return t.ExpandEach(v, func(_, value string) (string, error) { return value, nil })
}

// ExpandEach is [Template.Expand] with a function for the result of each
// placeholder. before is the literal text in front of it.
func (t Template) ExpandEach(v Values, encode func(before, value string) (string, error)) (string, error) {
	var out strings.Builder
	literal := ""
	for _, p := range t.parts {
		if p.expr == nil {
			literal += p.text
			out.WriteString(p.text)
			continue
		}
		value, err := p.expr.eval(v)
		if err == nil {
			value, err = encode(literal, value)
		}
		if err != nil {
			return "", err
		}
		out.WriteString(value)
		if out.Len() > maxResult {
			return "", fmt.Errorf("at most %d bytes", maxResult)
		}
	}
	return out.String(), nil
}

// Places returns where the placeholders stand, in the order of the text.
func (t Template) Places() []Place {
	var all []Place
	for i, p := range t.parts {
		if p.expr == nil {
			continue
		}
		place := Place{Name: p.expr.name}
		for _, before := range t.parts[:i] {
			place.Before += before.source()
		}
		for _, after := range t.parts[i+1:] {
			place.After += after.source()
		}
		all = append(all, place)
	}
	return all
}

// source returns a part as text: a placeholder by the name of its value.
func (p part) source() string {
	if p.expr == nil {
		return p.text
	}
	return "{" + p.expr.name + "}"
}

// Place is where a placeholder stands. Name is "" where it is not the plain
// name of a value. Before and After are the rest of the template, with its
// other placeholders as {NAME}.
type Place struct{ Name, Before, After string }
