package secret

import (
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	"github.com/tokenvend/tokenvend/pkg/credential"
	"github.com/tokenvend/tokenvend/pkg/redact"
	"github.com/tokenvend/tokenvend/pkg/strictjson"
)

// form is a JSON object that is being parsed. Each field is taken once; the
// rest is unknown at the end. Field names are matched exactly, while
// encoding/json ignores case.
type form struct {
	*faults
	prefix string // prefix of the field names in errors: "allow."
	fields map[string]json.RawMessage
}

// openSecret parses a secret as a form.
func openSecret(data []byte, w *faults) form {
	f := form{faults: w}
	switch {
	case len(data) > credential.MaxSize:
		w.add(whole, fmt.Sprintf("at most %d bytes", credential.MaxSize))
	case !utf8.Valid(data):
		w.add(whole, "UTF-8")
	default:
		f.open(whole, data)
	}
	if f.fields != nil {
		for _, path := range strictjson.Repeated(data) { // either could be meant
			f.add(path, "given once, not twice")
		}
	}
	return f
}

func (f *form) open(name string, data []byte) {
	err := json.Unmarshal(data, &f.fields)
	if at, ok := errors.AsType[*json.SyntaxError](err); ok {
		// the error's own text quotes the secret
		f.add(name, fmt.Sprintf("one JSON object and nothing after it; broken at byte %d", at.Offset))
		return
	}
	if err != nil || f.fields == nil {
		f.add(name, "a JSON object")
	}
}

// wrong reports a wrong field of this form. Its name must be safe to show.
func (f *form) wrong(name, expected string) { f.add(f.prefix+name, expected) }

// take parses a field as a T. null is an error for every type.
func take[T any](f *form, name, expected string) (value T, given bool) {
	raw, given := f.fields[name]
	if !given {
		return value, false
	}
	delete(f.fields, name)
	if string(raw) == "null" || json.Unmarshal(raw, &value) != nil {
		f.wrong(redact.Name(name), expected) // the names of parameters are the secret's own
		return *new(T), false
	}
	return value, true
}

// rest reports the fields that were not taken.
func (f *form) rest() {
	for _, name := range slices.Sorted(maps.Keys(f.fields)) {
		f.wrong(redact.Name(name), "no such field")
	}
}

// text takes a line of text. It refuses a line ending, which is easily pasted
// along and would make every request fail.
func (f *form) text(name string) string {
	const expected = "a string without line ends, control characters and white space around it"
	s, _ := take[string](f, name, expected)
	if s != strings.TrimSpace(s) || strings.ContainsFunc(s, odd) {
		f.wrong(name, expected)
		return ""
	}
	return s
}

// odd reports whether r is a control character or unicode.ReplacementChar,
// which encoding/json returns for an invalid escape.
func odd(r rune) bool { return unicode.IsControl(r) || r == unicode.ReplacementChar }

// lines takes a text of several lines.
func (f *form) lines(name string) string {
	s, _ := take[string](f, name, "a string, its line ends written as \\n")
	return s
}

// list takes an array of strings. check returns nil for a valid item. Its
// errors complete the sentence "expected …" and show nothing of the item.
func (f *form) list(name string, check func(string) error) []string {
	items, _ := take[[]string](f, name, "an array of strings")
	for i, item := range items {
		if err := check(item); err != nil {
			f.wrong(fmt.Sprintf("%s[%d]", name, i), err.Error())
		}
	}
	return items
}

// object takes an inner object as a form, or an empty form if it is absent.
func (f *form) object(name string) form {
	inner := form{faults: f.faults, prefix: f.prefix + name + "."}
	if raw, given := f.fields[name]; given {
		delete(f.fields, name)
		inner.open(f.prefix+name, raw)
	}
	return inner
}

// number takes an integer between two bounds, or 0 if it is absent.
func (f *form) number(name string, atLeast, atMost int) int {
	expected := fmt.Sprintf("a whole number from %d to %d", atLeast, atMost)
	n, given := take[int](f, name, expected)
	if given && (n < atLeast || n > atMost) {
		f.wrong(name, expected)
	}
	return n
}

// duration takes a duration between two bounds, or 0 if it is absent.
func (f *form) duration(name string, atLeast, atMost time.Duration) credential.Duration {
	expected := fmt.Sprintf(`a duration such as "90m", from %v to %v`, atLeast, atMost)
	d, given := take[credential.Duration](f, name, expected)
	if given && (time.Duration(d) < atLeast || time.Duration(d) > atMost) {
		f.wrong(name, expected)
	}
	return d
}
