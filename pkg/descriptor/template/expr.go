package template

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"
)

// The bounds of a placeholder.
const (
	maxDepth  = 8        // functions within functions
	maxResult = 64 << 10 // bytes, also of the whole text
)

// expr is what stands in a placeholder: one value, one text, one call of a
// function, or several of them side by side, which are joined.
type expr struct {
	name     string // of a value
	text     string // in single quotes
	function string
	args     []*expr
	joined   []*expr
}

// reader reads one placeholder.
type reader struct {
	rest string
}

// placeholder reads from behind "{" to behind "}".
func placeholder(text string) (e *expr, after string, err error) {
	r := reader{rest: text}
	e, err = r.sequence(0)
	if err != nil {
		return nil, "", err
	}
	if !r.take('}') {
		return nil, "", fmt.Errorf("expected } after a placeholder; a literal brace before a letter is {{")
	}
	return e, r.rest, nil
}

// sequence reads terms side by side.
func (r *reader) sequence(depth int) (*expr, error) {
	var all []*expr
	for {
		r.spaces()
		if r.rest == "" || !isLetter(r.rest[0]) && r.rest[0] != '\'' {
			break
		}
		e, err := r.term(depth)
		if err != nil {
			return nil, err
		}
		all = append(all, e)
	}
	switch len(all) {
	case 0:
		return nil, fmt.Errorf("expected a value, a function or a text in single quotes")
	case 1:
		return all[0], nil
	}
	return &expr{joined: all}, nil
}

func (r *reader) term(depth int) (*expr, error) {
	if depth > maxDepth {
		return nil, fmt.Errorf("at most %d functions within each other", maxDepth)
	}
	if r.take('\'') {
		text, rest, ended := strings.Cut(r.rest, "'")
		if !ended {
			return nil, fmt.Errorf("expected ' at the end of a text")
		}
		r.rest = rest
		return &expr{text: text}, nil
	}
	name := r.word()
	if !r.take('(') {
		return &expr{name: name}, nil
	}
	return r.call(name, depth)
}

func (r *reader) call(name string, depth int) (*expr, error) {
	e := &expr{function: name}
	for {
		arg, err := r.sequence(depth + 1)
		if err != nil {
			return nil, err
		}
		e.args = append(e.args, arg)
		r.spaces()
		if r.take(')') {
			return e, e.check()
		}
		if !r.take(',') {
			return nil, fmt.Errorf("expected ) at the end of %s(…)", shown(name))
		}
	}
}

func (r *reader) take(c byte) bool {
	if r.rest == "" || r.rest[0] != c {
		return false
	}
	r.rest = r.rest[1:]
	return true
}

func (r *reader) spaces() { r.rest = strings.TrimLeft(r.rest, " ") }

// word reads the name of a value or a function.
func (r *reader) word() string {
	end := 0
	for end < len(r.rest) && isWord(r.rest[end]) {
		end++
	}
	word := r.rest[:end]
	r.rest = r.rest[end:]
	return word
}

func isLetter(c byte) bool { return c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' }

func isWord(c byte) bool {
	return isLetter(c) || c >= '0' && c <= '9' || c == '_' || c == '-' || c == '.'
}

// shown returns a name as an error may show it.
func shown(name string) string { return name[:min(len(name), 40)] }

func (e *expr) uses(all map[Use]bool, plain bool) {
	if e.name != "" {
		all[Use{Name: e.name, Plain: plain}] = true
	}
	if e.function == signFunction {
		all[Use{Name: Signature}] = true
	}
	for _, inner := range e.joined {
		inner.uses(all, plain)
	}
	for _, arg := range e.args {
		arg.uses(all, false)
	}
}

func (e *expr) eval(v Values) (string, error) {
	switch {
	case e.name != "":
		return v.Value(e.name)
	case e.function == timeFunction:
		return formatted(v.Now.Add(e.offset()), e.args[0].text), nil
	case e.function == signFunction:
		return e.sign(v)
	case e.function != "":
		return e.apply(v)
	case e.joined == nil:
		return e.text, nil
	}
	joined := ""
	for _, inner := range e.joined {
		text, err := inner.eval(v)
		if err != nil {
			return "", err
		}
		if joined += text; len(joined) > maxResult {
			return "", fmt.Errorf("at most %d bytes", maxResult)
		}
	}
	return joined, nil
}

func (e *expr) sign(v Values) (string, error) {
	text, err := e.args[0].eval(v)
	if err != nil {
		return "", err
	}
	if v.Sign == nil {
		return "", errors.New(signFunction + ": nothing signs here")
	}
	return v.Sign(text)
}

func (e *expr) apply(v Values) (string, error) {
	args := make([]string, len(e.args))
	for i, arg := range e.args {
		var err error
		if args[i], err = arg.eval(v); err != nil {
			return "", err
		}
		if len(args[i]) > maxResult {
			return "", fmt.Errorf("at most %d bytes", maxResult)
		}
	}
	return functions[e.function].apply(args)
}

// offset returns how far from now the time of a time function is.
func (e *expr) offset() time.Duration {
	if len(e.args) < 2 {
		return 0
	}
	offset, _ := time.ParseDuration(e.args[1].text) // [expr.checkTime] has read it
	return offset
}

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

// Use is how a template uses a value.
type Use struct {
	Name string // such as "client_id" or "secrets.api_key"
	// Plain reports whether the value stands as it is, under no function.
	Plain bool
}

// Values is where the values of placeholders come from.
type Values struct {
	// Value returns the value of a name. Its errors say which value is missing.
	Value func(name string) (string, error)
	// Sign returns the bytes of a signature for rsa_sha256: RSASSA-PKCS1-v1_5
	// with SHA-256 (RFC 8017 §8.2). nil: nothing signs.
	Sign func(text string) (string, error)
	// Now is the time of {time(…)}.
	Now time.Time
}
