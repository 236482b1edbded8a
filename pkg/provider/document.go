package provider

import (
	"bytes"
	"encoding/json"
	"errors"
	"io"
	"strconv"
	"strings"
)

// deepest is how far objects and arrays of an answer may stand in each other.
const deepest = 32

var errTooDeep = errors.New("too deep")

// parseJSON reads one JSON value: objects as map[string]any, where the last of equal names counts, and numbers as json.Number. problem says what is wrong, without quoting; what came before it is returned all the same.
func parseJSON(data []byte) (doc any, problem string) {
	data = bytes.TrimPrefix(data, []byte("\xef\xbb\xbf")) // a byte order mark, which RFC 8259 §8.1 lets readers ignore
	if len(bytes.TrimSpace(data)) == 0 {
		return nil, "the answer is empty"
	}
	dec := json.NewDecoder(bytes.NewReader(data))
	dec.UseNumber()
	doc, err := readValue(dec, 0)
	switch {
	case errors.Is(err, errTooDeep):
		return doc, "the answer is nested too deep"
	case errors.Is(err, io.EOF), errors.Is(err, io.ErrUnexpectedEOF):
		return doc, "the answer was cut short"
	case err != nil:
		return doc, "the answer is not JSON"
	case len(bytes.TrimSpace(data[dec.InputOffset():])) > 0:
		return doc, "bytes follow the JSON of the answer"
	}
	return doc, ""
}

func readValue(dec *json.Decoder, depth int) (any, error) {
	token, err := dec.Token()
	if err != nil {
		return nil, err
	}
	if _, nested := token.(json.Delim); nested && depth == deepest {
		return nil, errTooDeep
	}
	switch token {
	case json.Delim('{'):
		return readObject(dec, depth+1)
	case json.Delim('['):
		return readArray(dec, depth+1)
	}
	return token, nil
}

func readObject(dec *json.Decoder, depth int) (map[string]any, error) {
	object := map[string]any{}
	for dec.More() {
		name, err := dec.Token()
		if err != nil {
			return object, err
		}
		value, err := readValue(dec, depth)
		if value != nil || err == nil {
			object[name.(string)] = value // the decoder has seen to it that a name is a string
		}
		if err != nil {
			return object, err
		}
	}
	_, err := dec.Token()
	return object, err
}

func readArray(dec *json.Decoder, depth int) ([]any, error) {
	array := []any{}
	for dec.More() {
		value, err := readValue(dec, depth)
		if err != nil {
			return array, err
		}
		array = append(array, value)
	}
	_, err := dec.Token()
	return array, err
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

// lookup is what a pointer points at; nil: nothing, or null.
func lookup(doc any, pointer string) any {
	parts, err := parsePointer(pointer)
	if err != nil {
		return nil
	}
	for _, part := range parts {
		switch v := doc.(type) {
		case map[string]any:
			doc = named(v, part)
		case []any:
			i, err := strconv.Atoi(part)
			if err != nil || i < 0 || i >= len(v) {
				return nil
			}
			doc = v[i]
		default:
			return nil
		}
	}
	return doc
}

// named is an object's member by its exact name. Where there is none, a single one that differs in ASCII case alone will do; of several, none.
func named(object map[string]any, name string) any {
	if value, ok := object[name]; ok {
		return value
	}
	var found any
	matches := 0
	for other, value := range object {
		if lowerASCII(other) == lowerASCII(name) {
			found = value
			matches++
		}
	}
	if matches != 1 {
		return nil
	}
	return found
}

// lowerASCII leaves all other letters alone: in Unicode, the Kelvin sign is a k.
func lowerASCII(s string) string {
	return strings.Map(func(r rune) rune {
		if 'A' <= r && r <= 'Z' {
			return r + 'a' - 'A'
		}
		return r
	}, s)
}
