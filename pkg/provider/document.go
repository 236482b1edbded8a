package provider

import (
	"bytes"
	"encoding/json"
	"errors"
	"strconv"
	"strings"
)

// document is a JSON value as it arrived, or the beginning of one. Members are
// looked up in place: an answer of a million members takes no memory.
type document []byte

// parseJSON checks that data is one JSON value. problem says what is wrong,
// without quoting. What came before it is returned all the same.
func parseJSON(data []byte) (doc document, problem string) {
	// RFC 8259 §8.1 lets readers ignore a byte order mark.
	data = bytes.TrimSpace(bytes.TrimPrefix(data, []byte("\xef\xbb\xbf")))
	if len(data) == 0 {
		return nil, "the answer is empty"
	}
	if json.Valid(data) {
		return data, ""
	}
	var at *json.SyntaxError
	if err := json.Unmarshal(data, new(json.RawMessage)); !errors.As(err, &at) {
		return nil, "the answer is not JSON"
	}
	if strings.HasPrefix(at.Error(), "unexpected end") {
		return data, "the answer was cut short"
	}
	doc = document(data[:max(at.Offset-1, 0)])
	if _, whole := doc.valueEnd(0); whole {
		return doc, "bytes follow the JSON of the answer"
	}
	return doc, "the answer is not JSON"
}

// parsePointer takes a JSON Pointer (RFC 6901) apart.
func parsePointer(pointer string) ([]string, error) {
	if pointer == "" {
		return nil, nil
	}
	path, ok := strings.CutPrefix(pointer, "/")
	if !ok {
		return nil, errors.New("no slash in front")
	}
	parts := strings.Split(path, "/")
	for i, part := range parts {
		if rest := strings.NewReplacer("~0", "", "~1", "").Replace(part); strings.Contains(rest, "~") {
			return nil, errors.New("a tilde that is neither ~0 nor ~1")
		}
		parts[i] = strings.NewReplacer("~1", "/", "~0", "~").Replace(part)
	}
	return parts, nil
}

// lookup returns what a pointer points at: a string, a json.Number, a bool, a
// document for an object or an array, or nil for nothing and for null. Of equal
// names the last one counts. Strings are cut after longestText bytes.
func lookup(doc document, pointer string) any {
	parts, err := parsePointer(pointer)
	if err != nil {
		return nil
	}
	for _, part := range parts {
		switch {
		case doc.begins('{'):
			doc = doc.member(part)
		case doc.begins('['):
			doc = doc.element(part)
		default:
			return nil
		}
	}
	return doc.value()
}

func (doc document) begins(with byte) bool { return len(doc) > 0 && doc[0] == with }

// member returns an object's member by its exact name. Where there is none, a
// single one that differs in ASCII case alone is returned; of several, none.
func (doc document) member(name string) document {
	var room [longestName]byte
	var exact, folded document
	spelling, several := "", false
	for quoted, value := range doc.members {
		if len(quoted) < len(name)+len(`""`) {
			continue
		}
		other := quoted.name(room[:0])
		switch {
		case len(other) != len(name):
		case string(other) == name:
			exact = value
		case !several && equalFoldASCII(other, name):
			several = folded != nil && string(other) != spelling
			folded, spelling = value, string(other)
		}
	}
	if exact != nil {
		return exact
	}
	if several {
		return nil
	}
	return folded
}

// element returns an array's element by its index in decimal.
func (doc document) element(index string) document {
	wanted, err := strconv.Atoi(index)
	if err != nil {
		return nil
	}
	i := 0
	for value := range doc.elements {
		if i == wanted {
			return value
		}
		i++
	}
	return nil
}

// isEmpty reports whether an object or an array holds nothing.
func (doc document) isEmpty() bool {
	i := doc.next(1)
	return i < len(doc) && (doc[i] == '}' || doc[i] == ']')
}

// equalFoldASCII leaves all other letters alone: in Unicode, the Kelvin sign is
// a k.
func equalFoldASCII(a []byte, b string) bool {
	for i := range a {
		if lowerASCII(a[i]) != lowerASCII(b[i]) {
			return false
		}
	}
	return true
}

func lowerASCII(c byte) byte {
	if 'A' <= c && c <= 'Z' {
		return c + 'a' - 'A'
	}
	return c
}
