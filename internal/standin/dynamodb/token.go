package dynamodb

import (
	_ "embed"
	"regexp"
	"strings"
	"sync"
)

// reservedText lists the words that no expression may use as a name, from the
// page "Reserved words in DynamoDB" of its developer guide.
//
//go:embed reserved.txt
var reservedText string

var reserved = sync.OnceValue(func() map[string]bool {
	words := map[string]bool{}
	for word := range strings.FieldsSeq(reservedText) {
		words[word] = true
	}
	return words
})

var tokens = regexp.MustCompile(`\s+|[#:]?[A-Za-z0-9_]+|<>|<=|>=|[=<>(),+\-.\[\]]`)

// placeholders are what a request's expressions may name, and what they used.
type placeholders struct {
	names  map[string]string
	values map[string]value
	used   map[string]bool
}

func newPlaceholders(names map[string]string, values map[string]value) *placeholders {
	return &placeholders{names: names, values: values, used: map[string]bool{}}
}

// unused returns the error for a placeholder that no expression used, and for
// maps of placeholders that are there and empty.
func (p *placeholders) unused() error {
	if p.names != nil && len(p.names) == 0 {
		return invalid("ExpressionAttributeNames must not be empty")
	}
	if p.values != nil && len(p.values) == 0 {
		return invalid("ExpressionAttributeValues must not be empty")
	}
	for name := range p.names {
		if !p.used[name] {
			return invalid("Value provided in ExpressionAttributeNames unused in expressions: keys: {%s}", name)
		}
	}
	for name := range p.values {
		if !p.used[name] {
			return invalid("Value provided in ExpressionAttributeValues unused in expressions: keys: {%s}", name)
		}
	}
	return nil
}

// parser reads one expression. Its first error stays in err, and everything
// after it is meaningless.
type parser struct {
	*placeholders
	parameter string // the request's parameter, for messages
	rest      []string
	err       error
}

func (p *placeholders) parser(parameter, text string) *parser {
	x := &parser{placeholders: p, parameter: parameter}
	if strings.TrimSpace(text) == "" {
		x.fail("The expression can not be empty;")
	}
	for at := 0; at < len(text); {
		found := tokens.FindStringIndex(text[at:])
		if found == nil || found[0] != 0 {
			x.fail("Syntax error; token: %q", text[at:at+1])
			break
		}
		if token := text[at : at+found[1]]; strings.TrimSpace(token) != "" {
			x.rest = append(x.rest, token)
		}
		at += found[1]
	}
	return x
}

func (x *parser) fail(format string, args ...any) {
	if x.err == nil {
		x.err = invalid("Invalid "+x.parameter+": "+format, args...)
	}
}

// peek returns the next token; "" at the end and after an error.
func (x *parser) peek() string {
	if x.err != nil || len(x.rest) == 0 {
		return ""
	}
	return x.rest[0]
}

func (x *parser) next() string {
	token := x.peek()
	if token != "" {
		x.rest = x.rest[1:]
	}
	return token
}

// word consumes a token if it is that keyword, in whatever case.
func (x *parser) word(keyword string) bool {
	if strings.EqualFold(x.peek(), keyword) {
		x.next()
		return true
	}
	return false
}

// want consumes a token that has to be there.
func (x *parser) want(token string) {
	if got := x.next(); got != token {
		x.fail("Syntax error; token: %q, want %q", got, token)
	}
}

// end returns the first error, which may be that something is left.
func (x *parser) end() error {
	if len(x.rest) > 0 {
		x.fail("Syntax error; token: %q", x.peek())
	}
	return x.err
}

// name reads the name of an attribute. Nested paths are not implemented.
func (x *parser) name() string {
	token := x.next()
	switch next := x.peek(); {
	case next == "." || next == "[":
		x.fail("the stand-in implements no nested attributes, such as %s%s", token, next)
	case strings.HasPrefix(token, "#"):
		full, defined := x.names[token]
		if !defined {
			x.fail("An expression attribute name used in the document path is not defined; attribute name: %s", token)
		}
		x.used[token] = true
		return full
	case token == "" || !isLetter(token[0]):
		x.fail("Syntax error; token: %q, want a name", token)
	case reserved()[strings.ToUpper(token)]:
		x.fail("Attribute name is a reserved keyword; reserved keyword: %s", token)
	}
	return token
}

func isLetter(c byte) bool { return c|0x20 >= 'a' && c|0x20 <= 'z' }

// value reads a placeholder for a value.
func (x *parser) value() value {
	token := x.next()
	v, defined := x.values[token]
	if !defined {
		x.fail("An expression attribute value used in expression is not defined; attribute value: %s", token)
	}
	x.used[token] = true
	return v
}
