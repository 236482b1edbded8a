// Package jsonscan reads one JSON document in one pass: it keeps the values
// that its caller asks for and skips the rest.
//
// Package encoding/json reads a document twice and by reflection. For an event
// of API Gateway that costs more than everything else that is done to answer
// it from memory. A [Scanner] accepts what encoding/json accepts, with two
// differences: names must match exactly, and a document may be nested at most
// [MaxDepth] deep. As there, null stands for the zero value.
package jsonscan

import (
	"bytes"
	"encoding/json"
)

// MaxDepth is how deep a document may be nested.
const MaxDepth = 1000

// New returns a scanner at the start of a document.
func New(data []byte) Scanner { return Scanner{data: data} }

// End reports whether the document has ended and everything read was
// well-formed and of the expected type.
func (s *Scanner) End() bool { return s.next() == 0 && s.at == len(s.data) && !s.failed }

// Object reads an object. It calls member for each member; member must read or
// skip the value. Object reports whether there is an object: null is none.
func (s *Scanner) Object(member func(name []byte)) bool {
	if s.Null() {
		return false
	}
	s.list('{', '}', func() {
		raw := s.rawString()
		if bytes.IndexByte(raw, '\\') >= 0 {
			raw = []byte(unquote(raw))
		} else if len(raw) > 1 {
			raw = raw[1 : len(raw)-1]
		}
		if s.expect(':'); !s.failed {
			member(raw)
		}
	})
	return true
}

// ObjectWith reads an object with the string member name into value, and skips
// all other members. It reports whether there is an object.
func (s *Scanner) ObjectWith(name string, value *string) bool {
	return s.Object(func(found []byte) {
		if string(found) == name {
			*value = s.Text()
			return
		}
		s.Skip()
	})
}

// TextLists reads an object whose members are lists of strings.
func (s *Scanner) TextLists() map[string][]string {
	all := map[string][]string{}
	s.Object(func(name []byte) {
		var values []string
		if !s.Null() {
			values = []string{}
			s.list('[', ']', func() { values = append(values, s.Text()) })
		}
		all[string(name)] = values
	})
	return all
}

// Text reads a string; null is "".
func (s *Scanner) Text() string {
	if s.Null() {
		return ""
	}
	raw := s.rawString()
	if s.failed {
		return ""
	}
	for _, c := range raw {
		if c == '\\' || c >= 0x80 {
			return unquote(raw)
		}
	}
	return string(raw[1 : len(raw)-1])
}

// Bool reads true or false; null is false.
func (s *Scanner) Bool() bool {
	if s.Null() {
		return false
	}
	if s.next() == 't' {
		s.word("true")
		return true
	}
	s.word("false")
	return false
}

// Null reads null if that is the next value, and reports whether it is.
func (s *Scanner) Null() bool {
	if s.failed || s.next() != 'n' {
		return false
	}
	s.word("null")
	return true
}

// Skip reads a value of any type.
func (s *Scanner) Skip() {
	if s.failed {
		return
	}
	switch c := s.next(); c {
	case '{':
		s.Object(func([]byte) { s.Skip() })
	case '[':
		s.list('[', ']', s.Skip)
	case '"':
		s.rawString()
	case 't':
		s.word("true")
	case 'f':
		s.word("false")
	case 'n':
		s.word("null")
	default:
		s.number()
	}
}

// list reads what stands between two brackets, separated by commas. Each call
// of read reads one element.
func (s *Scanner) list(from, to byte, read func()) {
	s.expect(from)
	if s.depth++; s.depth > MaxDepth {
		s.failed = true
	}
	if !s.accept(to) {
		for read(); s.accept(','); read() {
		}
		s.expect(to)
	}
	s.depth--
}

// unquote decodes a string with escapes, or with bytes that may not be UTF-8.
func unquote(raw []byte) (text string) {
	_ = json.Unmarshal(raw, &text) // it is a well-formed string
	return text
}
