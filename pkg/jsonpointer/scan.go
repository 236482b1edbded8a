package jsonpointer

import (
	"bytes"
	"encoding/json"
	"unicode/utf8"
)

// The functions below read a document that is valid JSON up to its end. The end
// may come early.

// members calls yield with the name, in quotes, and the value of each member
// of an object. A scalar that is cut short is not yielded.
func (doc Document) members(yield func(name, value Document) bool) {
	for i := doc.next(1); i < len(doc) && doc[i] == '"'; i = doc.next(i) {
		end, whole := doc.stringEnd(i)
		if !whole {
			return
		}
		name := doc[i:end]
		begin := doc.next(end)
		end, whole = doc.valueEnd(begin)
		value := doc[begin:end]
		if !whole && !value.IsObject() && !value.IsArray() || !yield(name, value) {
			return
		}
		i = end
	}
}

// Elements calls yield with each element of an array.
func (doc Document) Elements(yield func(value Document) bool) {
	for i := doc.next(1); i < len(doc) && doc[i] != ']'; i = doc.next(i) {
		end, whole := doc.valueEnd(i)
		value := doc[i:end]
		if !whole && !value.IsObject() && !value.IsArray() || !yield(value) {
			return
		}
		i = end
	}
}

// next returns the position after white space, commas and colons, which stand
// between values.
func (doc Document) next(i int) int {
	for i < len(doc) && (doc[i] <= ' ' || doc[i] == ',' || doc[i] == ':') {
		i++
	}
	return i
}

// valueEnd returns the end of the value that begins at i. whole is false where
// the document ends before the value, or may do so.
func (doc Document) valueEnd(i int) (end int, whole bool) {
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

func (doc Document) stringEnd(i int) (end int, whole bool) {
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

func (doc Document) nestEnd(i int) (end int, whole bool) {
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

// Value returns a string, a [json.Number], a bool, nil for null, or a Document
// for an object or an array. Strings and numbers are cut after [MaxText] bytes.
func (doc Document) Value() any {
	if len(doc) == 0 {
		return nil
	}
	switch doc[0] {
	case '"':
		return doc.Text()
	case '{', '[':
		return doc
	case 't', 'f':
		return doc[0] == 't'
	case 'n':
		return nil
	}
	return json.Number(doc[:min(len(doc), MaxText)])
}

// beginsLike reports whether the name of a member may begin with a byte, in
// either case. It spares the decoding of names in escapes, which costs most.
func (doc Document) beginsLike(first byte) bool {
	begins := rune(doc[1])
	if begins == '\\' {
		begins, _ = doc[1:].escape()
	}
	return begins >= utf8.RuneSelf || lowerASCII(byte(begins)) == lowerASCII(first) // #nosec G115 -- below 0x80
}

// name decodes the name of a member: in place, or into buffer where it has
// escapes. It returns nil where buffer is too small.
func (doc Document) name(buffer []byte) []byte {
	raw := doc[1 : len(doc)-1]
	escape := bytes.IndexByte(raw, '\\')
	if escape < 0 {
		return raw
	}
	for ; escape >= 0; escape = bytes.IndexByte(raw, '\\') {
		if len(buffer)+escape+utf8.UTFMax > cap(buffer) {
			return nil
		}
		char, size := raw[escape:].escape()
		buffer = utf8.AppendRune(append(buffer, raw[:escape]...), char)
		raw = raw[escape+size:]
	}
	if len(buffer)+len(raw) > cap(buffer) {
		return nil
	}
	return append(buffer, raw...)
}

// escape reads an escape of JSON (RFC 8259 §7). It does not join surrogate
// pairs: no pointer of a descriptor needs one.
func (doc Document) escape() (char rune, size int) {
	switch doc[1] {
	case 'u':
		for _, c := range doc[2:6] {
			char = char<<4 | hexDigit(c)
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

// hexDigit returns the value of a hexadecimal digit.
func hexDigit(c byte) rune {
	if c <= '9' {
		return rune(c - '0')
	}
	return rune(c|0x20) - 'a' + 10
}

// Text decodes a string, at most [MaxText] bytes of it as it is written, where
// an escape counts as one.
func (doc Document) Text() string {
	raw := doc[1 : len(doc)-1]
	if bytes.IndexByte(raw, '\\') < 0 {
		raw = raw[:min(len(raw), MaxText)]
	} else {
		raw = raw[:raw.cutEscaped()]
	}
	var text string
	// A string that was valid stays valid: no error is possible.
	_ = json.Unmarshal(append(append([]byte{'"'}, raw...), '"'), &text)
	return text
}

// cutEscaped returns where a string can be cut after MaxText bytes, of which an
// escape counts as one, without cutting an escape.
func (doc Document) cutEscaped() int {
	i := 0
	for n := 0; i < len(doc) && n < MaxText; n++ {
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

// StringMembers calls yield with the name, in quotes, and the value, in quotes,
// of each member whose value is a string, at any depth.
func (doc Document) StringMembers(yield func(name, value Document) bool) {
	for i := 0; i < len(doc); {
		if doc[i] != '"' {
			i++
			continue
		}
		end, whole := doc.stringEnd(i)
		name := doc[i:end]
		colon := end
		for colon < len(doc) && doc[colon] <= ' ' {
			colon++
		}
		if !whole || colon >= len(doc) || doc[colon] != ':' {
			i = end
			continue
		}
		i = doc.next(colon)
		if i >= len(doc) || doc[i] != '"' {
			continue
		}
		if end, whole = doc.stringEnd(i); whole && !yield(name, doc[i:end]) {
			return
		}
	}
}

func lowerASCII(c byte) byte {
	if 'A' <= c && c <= 'Z' {
		return c + 'a' - 'A'
	}
	return c
}
