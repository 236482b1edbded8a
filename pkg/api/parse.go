package api

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"reflect"
	"regexp"
	"strings"
	"sync"
)

// DecodeRequest reads a request strictly: one JSON object, nothing after it,
// and no unknown field. Its errors name the field and show no value.
func DecodeRequest(body []byte) (Request, error) {
	var r Request
	if trimmed := bytes.TrimLeft(body, " \t\r\n"); len(trimmed) == 0 || trimmed[0] != '{' {
		return Request{}, errors.New("the body: expected one JSON object")
	}
	dec := json.NewDecoder(bytes.NewReader(body))
	dec.DisallowUnknownFields()
	if err := dec.Decode(&r); err != nil {
		return Request{}, decodeError(err)
	}
	if _, err := dec.Token(); !errors.Is(err, io.EOF) {
		return Request{}, errors.New("the body: expected nothing after the JSON object")
	}
	return r, nil
}

// plainField matches a field's name that an error may repeat. One with digits
// or dots may be a secret in the wrong place.
var plainField = sync.OnceValue(func() *regexp.Regexp { return regexp.MustCompile(`^"[A-Za-z_$-]{1,40}"$`) })

// decodeError returns which field was wrong, and nothing of its value.
func decodeError(err error) error {
	var wrong *json.UnmarshalTypeError
	if errors.As(err, &wrong) && wrong.Field != "" {
		return fmt.Errorf("%s: expected %s", wrong.Field, kindName(wrong.Type))
	}
	if field, ok := strings.CutPrefix(err.Error(), "json: unknown field "); ok {
		if plainField().MatchString(field) {
			return fmt.Errorf("%s: no such field", field)
		}
		return errors.New("the body: a field that is not known")
	}
	return errors.New("the body: expected one well-formed JSON object")
}

func kindName(t reflect.Type) string {
	switch {
	case t == secondsType:
		return fmt.Sprintf("a whole number of seconds from 0 to %d", MaxSeconds)
	case t.Kind() == reflect.Int:
		return "a whole number"
	case t.Kind() == reflect.Bool:
		return "true or false"
	default:
		return "a string"
	}
}
