package template

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"net/url"
	"slices"
	"strings"
	"time"
)

// function is what may stand in a placeholder with arguments in parentheses.
type function struct {
	args int
	// binary reports whether the result is bytes, and not text.
	binary bool
	// takesBytes reports whether the arguments may be bytes.
	takesBytes bool
	apply      func(args []string) (string, error)
}

var functions = map[string]function{
	"base64":    {args: 1, takesBytes: true, apply: text(base64.StdEncoding.EncodeToString)},
	"base64url": {args: 1, takesBytes: true, apply: text(base64.RawURLEncoding.EncodeToString)},
	"hex":       {args: 1, takesBytes: true, apply: text(hex.EncodeToString)},
	"unhex": {args: 1, binary: true, apply: decode(hex.DecodeString,
		"unhex: the value is not hexadecimal")},
	"unbase64": {args: 1, binary: true, apply: decode(base64.StdEncoding.DecodeString,
		"unbase64: the value is not base64")},
	"sha256": {args: 1, binary: true, takesBytes: true, apply: func(args []string) (string, error) {
		sum := sha256.Sum256([]byte(args[0]))
		return string(sum[:]), nil
	}},
	"hmac_sha256": {args: 2, binary: true, takesBytes: true, apply: func(args []string) (string, error) {
		mac := hmac.New(sha256.New, []byte(args[0]))
		mac.Write([]byte(args[1]))
		return string(mac.Sum(nil)), nil
	}},
	"urlencode": {args: 1, apply: func(args []string) (string, error) {
		return strings.ReplaceAll(url.QueryEscape(args[0]), "+", "%20"), nil
	}},
	"lower": {args: 1, apply: func(args []string) (string, error) { return strings.ToLower(args[0]), nil }},
	"upper": {args: 1, apply: func(args []string) (string, error) { return strings.ToUpper(args[0]), nil }},
	numberFunction: {args: 1, apply: func(args []string) (string, error) {
		if !isNumber(args[0]) {
			return "", errors.New("number: the value is not a number of JSON")
		}
		return args[0], nil
	}},
	// eval handles these two: the argument of one is a text, the other needs a
	// key.
	timeFunction: {args: 1},
	signFunction: {args: 1, binary: true, takesBytes: true},
}

func text(encode func([]byte) string) func([]string) (string, error) {
	return func(args []string) (string, error) { return encode([]byte(args[0])), nil }
}

// decode returns a function whose error does not quote the value, which may be
// a secret.
func decode(read func(string) ([]byte, error), problem string) func([]string) (string, error) {
	return func(args []string) (string, error) {
		data, err := read(args[0])
		if err != nil {
			return "", errors.New(problem)
		}
		return string(data), nil
	}
}

// Functions returns the names of all functions, sorted.
func Functions() []string { return slices.Sorted(maps.Keys(functions)) }

// formatted returns a time in UTC in a layout, or by the name of one.
func formatted(t time.Time, layout string) string {
	switch layout {
	case "unix":
		return fmt.Sprint(t.Unix())
	case "unix_ms":
		return fmt.Sprint(t.UnixMilli())
	case "rfc3339":
		layout = time.RFC3339
	}
	return t.UTC().Format(layout)
}

const (
	timeFunction   = "time"
	numberFunction = "number"
	signFunction   = "rsa_sha256"
)

// Signature is how [Template.Uses] lists rsa_sha256, which uses the private
// key. No value can have that name.
const Signature = signFunction + "()"

// isNumber reports whether a text is a number of JSON (RFC 8259 §6).
func isNumber(text string) bool {
	return strings.Trim(text, "0123456789+-.eE") == "" && json.Valid([]byte(text))
}
