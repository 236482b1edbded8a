package template

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
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
	// Its argument is a text, and eval handles it.
	timeFunction: {args: 1},
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

// check reports what is wrong with a call.
func (e *expr) check() error {
	name := shown(e.function)
	f, known := functions[e.function]
	if !known {
		return fmt.Errorf("no function %s: known are %s", name, strings.Join(Functions(), ", "))
	}
	if e.function == timeFunction && len(e.args) == 2 {
		return e.checkTime()
	}
	if len(e.args) != f.args {
		return fmt.Errorf("expected %d arguments of %s, which has %d", f.args, name, len(e.args))
	}
	if e.function == timeFunction {
		return e.args[0].checkLayout()
	}
	for _, arg := range e.args {
		if !f.takesBytes && arg.isBinary() {
			return fmt.Errorf("expected a text in %s, not bytes", name)
		}
	}
	return nil
}

// checkTime checks a time with an offset.
func (e *expr) checkTime() error {
	offset := e.args[1]
	_, err := time.ParseDuration(offset.text)
	if offset.name != "" || offset.function != "" || offset.joined != nil || err != nil {
		return errors.New("expected a duration as the offset of a time, such as '24h'")
	}
	return e.args[0].checkLayout()
}

// checkLayout refuses a layout that formats different times alike: it is a
// misspelled name.
func (e *expr) checkLayout() error {
	isText := e.name == "" && e.function == "" && e.joined == nil
	one := time.Date(2001, 1, 1, 1, 1, 1, 1, time.UTC)
	other := time.Date(2012, 12, 12, 12, 12, 12, 12, time.UTC)
	if !isText || formatted(one, e.text) == formatted(other, e.text) {
		return errors.New("expected time('unix'), time('unix_ms'), time('rfc3339') or a layout of Go's package time")
	}
	return nil
}

// isBinary reports whether the value is bytes that need an encoding.
func (e *expr) isBinary() bool {
	return functions[e.function].binary || slices.ContainsFunc(e.joined, (*expr).isBinary)
}
