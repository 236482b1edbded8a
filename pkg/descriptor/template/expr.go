package template

import (
	"fmt"
	"strings"
	"time"
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

const timeFunction = "time"

// offset returns how far from now the time of a time function is.
func (e *expr) offset() time.Duration {
	if len(e.args) < 2 {
		return 0
	}
	offset, _ := time.ParseDuration(e.args[1].text) // [expr.checkTime] has read it
	return offset
}

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
