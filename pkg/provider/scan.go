package provider

import (
	"bytes"
	"encoding/json"
	"strings"
	"unicode/utf8"
)

// longestText is as much as is read of any text in an answer, in bytes: more
// than the longest token, so that what is longer is seen to be.
const longestText = longestToken + 1

// The functions below read a document that is valid JSON up to its end, which
// may come early.

// members calls yield with the name, in quotes, and the value of each member
// of an object. A scalar that is cut short is not yielded.
func (doc document) members(yield func(name, value document) bool) {
	for i := doc.next(1); i < len(doc) && doc[i] == '"'; i = doc.next(i) {
		end, whole := doc.stringEnd(i)
		if !whole {
			return
		}
		name := doc[i:end]
		begin := doc.next(end)
		end, whole = doc.valueEnd(begin)
		value := doc[begin:end]
		if !whole && !value.begins('{') && !value.begins('[') || !yield(name, value) {
			return
		}
		i = end
	}
}

// elements calls yield with each element of an array.
func (doc document) elements(yield func(value document) bool) {
	for i := doc.next(1); i < len(doc) && doc[i] != ']'; i = doc.next(i) {
		end, whole := doc.valueEnd(i)
		value := doc[i:end]
		if !whole && !value.begins('{') && !value.begins('[') || !yield(value) {
			return
		}
		i = end
	}
}

// next returns the position after white space, a comma and a colon: what stands
// between values.
func (doc document) next(i int) int {
	for i < len(doc) && (doc[i] <= ' ' || doc[i] == ',' || doc[i] == ':') {
		i++
	}
	return i
}

// valueEnd returns where the value ends that begins at i. whole is false where
// the document ends first, or may.
func (doc document) valueEnd(i int) (end int, whole bool) {
	if i >= len(doc) {
		return i, false
	}
	switch doc[i] {
	case '"':
		return doc.stringEnd(i)
	case '{', '[':
		return doc.nestEnd(i)
	}
	for i < len(doc) && doc[i] > ' ' && doc[i] != ',' && doc[i] != ']' && doc[i] != '}' {
		i++
	}
	return i, i < len(doc)
}

func (doc document) stringEnd(i int) (end int, whole bool) {
	for i++; i < len(doc); i++ {
		switch doc[i] {
		case '"':
			return i + 1, true
		case '\\':
			i++
		}
	}
	return len(doc), false
}

func (doc document) nestEnd(i int) (end int, whole bool) {
	depth := 0
	for i < len(doc) {
		switch doc[i] {
		case '"':
			if i, whole = doc.stringEnd(i); !whole {
				return i, false
			}
			continue
		case '{', '[':
			depth++
		case '}', ']':
			depth--
			if depth == 0 {
				return i + 1, true
			}
		}
		i++
	}
	return i, false
}

// value returns a scalar as [lookup] does, and an object or an array as it is.
func (doc document) value() any {
	if len(doc) == 0 {
		return nil
	}
	switch doc[0] {
	case '"':
		return doc.text()
	case '{', '[':
		return doc
	case 't', 'f':
		return doc[0] == 't'
	case 'n':
		return nil
	}
	return json.Number(doc[:min(len(doc), longestText)])
}

// name decodes the name of a member: in place, or into room where it has
// escapes. One that does not fit is no name that anybody looks for.
func (doc document) name(room []byte) []byte {
	raw := doc[1 : len(doc)-1]
	escape := bytes.IndexByte(raw, '\\')
	if escape < 0 {
		return raw
	}
	for ; escape >= 0; escape = bytes.IndexByte(raw, '\\') {
		if len(room)+escape+utf8.UTFMax > cap(room) {
			return nil
		}
		char, size := raw[escape:].escape()
		room = utf8.AppendRune(append(room, raw[:escape]...), char)
		raw = raw[escape+size:]
	}
	if len(room)+len(raw) > cap(room) {
		return nil
	}
	return append(room, raw...)
}

// escape reads an escape of JSON (RFC 8259 §7). Halves of a surrogate pair are
// not joined: no name that anybody looks for has one.
func (doc document) escape() (char rune, size int) {
	switch doc[1] {
	case 'u':
		for _, c := range doc[2:6] {
			char = char<<4 | rune(strings.IndexByte("0123456789abcdef", c|0x20)) // #nosec G115 -- four hexadecimal digits
		}
		return char, 6
	case 'n':
		return '\n', 2
	case 'r':
		return '\r', 2
	case 't':
		return '\t', 2
	case 'b':
		return '\b', 2
	case 'f':
		return '\f', 2
	}
	return rune(doc[1]), 2
}

// text decodes a string, at most longestText bytes of it.
func (doc document) text() string {
	raw := doc[1 : len(doc)-1]
	if bytes.IndexByte(raw, '\\') < 0 {
		raw = raw[:min(len(raw), longestText)]
	} else {
		raw = raw[:raw.cutEscaped()]
	}
	var text string
	// A string that was valid stays valid: no error is possible.
	_ = json.Unmarshal(append(append([]byte{'"'}, raw...), '"'), &text)
	return text
}

// cutEscaped returns where a string with escapes can be cut, so that no escape
// is: after longestText characters.
func (doc document) cutEscaped() int {
	i := 0
	for n := 0; i < len(doc) && n < longestText; n++ {
		switch {
		case doc[i] != '\\':
			i++
		case doc[i+1] == 'u':
			i += len(`\u0000`)
		default:
			i += len(`\n`)
		}
	}
	return i
}
