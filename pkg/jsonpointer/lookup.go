package jsonpointer

import (
	"bytes"
	"encoding/json"
	"errors"
	"strconv"
	"strings"
)

// maxName is the longest member name that a pointer finds where the document
// spells that name with escapes, in bytes.
const maxName = 63

// Read checks that data is one JSON value, and returns it. The errors
// quote nothing of it. The part before an error is returned with the error.
func Read(data []byte) (Document, error) {
	// RFC 8259 §8.1 lets readers ignore a byte order mark.
	data = bytes.TrimSpace(bytes.TrimPrefix(data, []byte("\xef\xbb\xbf")))
	if len(data) == 0 {
		return nil, ErrEmpty
	}
	if json.Valid(data) {
		return data, nil
	}
	var at *json.SyntaxError
	if err := json.Unmarshal(data, new(json.RawMessage)); !errors.As(err, &at) {
		return nil, ErrSyntax
	}
	if strings.HasPrefix(at.Error(), "unexpected end") {
		return data, ErrTruncated
	}
	doc := Document(data[:max(at.Offset-1, 0)])
	if _, whole := doc.valueEnd(0); whole {
		return doc, ErrTrailing
	}
	return doc, ErrSyntax
}

// The errors of [Read].
var (
	ErrEmpty     = errors.New("empty")
	ErrSyntax    = errors.New("not JSON")
	ErrTruncated = errors.New("cut short")
	ErrTrailing  = errors.New("bytes follow the JSON")
)

// Parse splits a JSON Pointer (RFC 6901) into its reference tokens.
func Parse(pointer string) ([]string, error) {
	if pointer == "" {
		return nil, nil
	}
	path, ok := strings.CutPrefix(pointer, "/")
	if !ok {
		return nil, errors.New("no slash in front")
	}
	parts := strings.Split(path, "/")
	for i, part := range parts {
		if !strings.Contains(part, "~") {
			continue
		}
		if rest := strings.NewReplacer("~0", "", "~1", "").Replace(part); strings.Contains(rest, "~") {
			return nil, errors.New("a tilde that is neither ~0 nor ~1")
		}
		parts[i] = strings.NewReplacer("~1", "/", "~0", "~").Replace(part)
	}
	return parts, nil
}

// Lookup returns the value at a JSON Pointer, as [Document.Value] does. It
// returns nil where there is none. Of equal names the last one counts.
func (doc Document) Lookup(pointer string) any {
	parts, err := Parse(pointer)
	if err != nil {
		return nil
	}
	for _, part := range parts {
		switch {
		case doc.IsObject():
			doc = doc.member(part)
		case doc.IsArray():
			doc = doc.element(part)
		default:
			return nil
		}
	}
	return doc.Value()
}

// member returns an object's member by its exact name. Without one, it returns
// the only member whose name differs in ASCII case; of several, none.
func (doc Document) member(name string) Document {
	var buffer [maxName]byte
	var exact, folded Document
	spelling, several := "", false
	for quoted, value := range doc.members {
		if len(quoted) < len(name)+len(`""`) || name != "" && !quoted.beginsLike(name[0]) {
			continue
		}
		other := quoted.name(buffer[:0])
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
func (doc Document) element(index string) Document {
	wanted, err := strconv.Atoi(index)
	if err != nil {
		return nil
	}
	i := 0
	for value := range doc.Elements {
		if i == wanted {
			return value
		}
		i++
	}
	return nil
}

// IsEmpty reports whether an object or an array holds nothing.
func (doc Document) IsEmpty() bool {
	i := doc.next(1)
	return i < len(doc) && (doc[i] == '}' || doc[i] == ']')
}

// equalFoldASCII reports whether two names of equal length are equal in ASCII
// letters of any case. Other letters must be the same: in Unicode, the Kelvin
// sign folds to k.
func equalFoldASCII(a []byte, b string) bool {
	for i := range a {
		if lowerASCII(a[i]) != lowerASCII(b[i]) {
			return false
		}
	}
	return true
}
