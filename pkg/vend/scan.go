package vend

import (
	"bytes"
	"encoding/json"
	"net/url"
)

// scan reads one JSON document in one pass, keeping what is asked for and passing over the rest. Encoding/json goes over an event twice and by reflection, which costs more than all else that a vend from memory does.
//
// It takes what encoding/json takes, but that names count to the letter; null stands for the zero value here as there. bad says that the document is malformed, or not of the shape that was asked for; from then on nothing moves.
type scan struct {
	data  []byte
	at    int
	depth int
	bad   bool
}

// deepest is how deep a document may be nested.
const deepest = 1000

// next passes over white space and returns the byte that follows; 0: the end.
func (s *scan) next() byte {
	for ; s.at < len(s.data); s.at++ {
		switch c := s.data[s.at]; c {
		case ' ', '\t', '\r', '\n':
		default:
			return c
		}
	}
	return 0
}

// take passes over c if it is what comes next.
func (s *scan) take(c byte) bool {
	if s.bad || s.next() != c {
		return false
	}
	s.at++
	return true
}

// must is take for what has to be there.
func (s *scan) must(c byte) {
	if !s.take(c) {
		s.bad = true
	}
}

// end says whether the document is over, and was well-formed.
func (s *scan) end() bool { return s.next() == 0 && s.at == len(s.data) && !s.bad }

// list reads what stands between two brackets, with commas between, each part by one call of read.
func (s *scan) list(from, to byte, read func()) {
	s.must(from)
	if s.depth++; s.depth > deepest {
		s.bad = true
	}
	if !s.take(to) {
		for read(); s.take(','); read() {
		}
		s.must(to)
	}
	s.depth--
}

// object reads an object: member is called for each of its members, and must read or skip the value. It says whether there is one: null is none.
func (s *scan) object(member func(name []byte)) bool {
	if s.null() {
		return false
	}
	s.list('{', '}', func() {
		raw := s.raw()
		if bytes.IndexByte(raw, '\\') >= 0 {
			raw = []byte(unquoted(raw))
		} else if len(raw) > 1 {
			raw = raw[1 : len(raw)-1]
		}
		if s.must(':'); !s.bad {
			member(raw)
		}
	})
	return true
}

// null passes over null if it is what comes next.
func (s *scan) null() bool {
	if s.bad || s.next() != 'n' {
		return false
	}
	s.word("null")
	return true
}

// raw reads a string and returns it as it is spelt, quotation marks included.
func (s *scan) raw() []byte {
	s.must('"')
	from := s.at - 1
	for !s.bad && s.at < len(s.data) {
		switch c := s.data[s.at]; {
		case c == '"':
			s.at++
			return s.data[from:s.at]
		case c < ' ':
			s.bad = true
		case c == '\\':
			s.escape()
		default:
			s.at++
		}
	}
	s.bad = true
	return nil
}

// escape passes over one.
func (s *scan) escape() {
	rest := s.data[s.at+1:]
	switch {
	case len(rest) > 0 && bytes.IndexByte([]byte(`"\/bfnrt`), rest[0]) >= 0:
		s.at += 2
	case len(rest) > 4 && rest[0] == 'u' && isHex(rest[1:5]):
		s.at += 6
	default:
		s.bad = true
	}
}

func isHex(digits []byte) bool {
	for _, c := range digits {
		if (c < '0' || c > '9') && (c < 'a' || c > 'f') && (c < 'A' || c > 'F') {
			return false
		}
	}
	return true
}

// text reads a string, or null for "".
func (s *scan) text() string {
	if s.null() {
		return ""
	}
	raw := s.raw()
	if s.bad {
		return ""
	}
	for _, c := range raw {
		if c == '\\' || c >= 0x80 {
			return unquoted(raw)
		}
	}
	return string(raw[1 : len(raw)-1])
}

// unquoted is a string with escapes, or with bytes that may not be UTF-8.
func unquoted(raw []byte) (text string) {
	_ = json.Unmarshal(raw, &text) // it is a well-formed string
	return text
}

// only is a member for object that reads one string into the field, and skips all else.
func (s *scan) only(wanted string, into *string) func(name []byte) {
	return func(name []byte) {
		if string(name) == wanted {
			*into = s.text()
			return
		}
		s.skip()
	}
}

// lists reads an object of lists of strings.
func (s *scan) lists() url.Values {
	all := url.Values{}
	s.object(func(name []byte) {
		var values []string
		if !s.null() {
			s.list('[', ']', func() { values = append(values, s.text()) })
		}
		all[string(name)] = values
	})
	return all
}

// flag reads true or false, or null for false.
func (s *scan) flag() bool {
	if s.null() {
		return false
	}
	if s.next() == 't' {
		s.word("true")
		return true
	}
	s.word("false")
	return false
}

// skip passes over a value of any kind.
func (s *scan) skip() {
	if s.bad {
		return
	}
	switch c := s.next(); c {
	case '{':
		s.object(func([]byte) { s.skip() })
	case '[':
		s.list('[', ']', s.skip)
	case '"':
		s.raw()
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

func (s *scan) word(word string) {
	if !bytes.HasPrefix(s.data[s.at:], []byte(word)) {
		s.bad = true
		return
	}
	s.at += len(word)
}

// number passes over one, as JSON spells them.
func (s *scan) number() {
	s.sign("-")
	if s.digit('0') {
		s.at++
	} else {
		s.digits()
	}
	if s.digit('.') {
		s.at++
		s.digits()
	}
	if s.digit('e') || s.digit('E') {
		s.at++
		s.sign("+-")
		s.digits()
	}
}

func (s *scan) sign(any string) {
	if s.at < len(s.data) && bytes.IndexByte([]byte(any), s.data[s.at]) >= 0 {
		s.at++
	}
}

// digit says whether that very byte comes next.
func (s *scan) digit(c byte) bool { return s.at < len(s.data) && s.data[s.at] == c }

func (s *scan) digits() {
	from := s.at
	for s.at < len(s.data) && s.data[s.at] >= '0' && s.data[s.at] <= '9' {
		s.at++
	}
	if s.at == from {
		s.bad = true
	}
}
