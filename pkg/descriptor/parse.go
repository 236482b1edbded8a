package descriptor

import (
	"encoding/json"
	"errors"
	"fmt"
	"reflect"
	"slices"
	"strings"

	"github.com/tokenvend/tokenvend/pkg/strictjson"
)

// Error lists everything that is wrong with a descriptor, each problem as
// "path: what was expected", with a path such as "token.auth".
type Error struct {
	Problems []string
}

// Error returns all problems in one line.
func (e *Error) Error() string { return "descriptor: " + strings.Join(e.Problems, "; ") }

// Parse reads a descriptor strictly: unknown fields, repeated fields, nulls,
// wrong types and inconsistent values are errors. One [*Error] lists them all.
func Parse(data []byte) (*Descriptor, error) {
	d := new(Descriptor)
	if err := d.UnmarshalJSON(data); err != nil {
		return nil, err
	}
	return d, nil
}

// UnmarshalJSON is [Parse], so that a descriptor inside a secret is read as
// strictly as one of the catalogue.
func (d *Descriptor) UnmarshalJSON(data []byte) error {
	type plain Descriptor // without UnmarshalJSON
	var p problems
	p.syntax(data)
	if p.list == nil {
		for _, found := range strictjson.Check(data, reflect.TypeFor[Descriptor]()) {
			p.add(found.Path, "%s", found.Text)
		}
		*d = Descriptor{}
		// The errors are those that Check reports with their paths. What could
		// be read is validated too.
		_ = json.Unmarshal(data, (*plain)(d))
		d.validate(&p)
	}
	if p.list != nil {
		*d = Descriptor{}
		return &Error{Problems: p.list}
	}
	return nil
}

// problems collects what is wrong.
type problems struct {
	list []string
}

func (p *problems) add(path, format string, args ...any) {
	problem := fmt.Sprintf(format, args...)
	if path != "" {
		problem = path + ": " + problem
	}
	if !slices.Contains(p.list, problem) {
		p.list = append(p.list, problem)
	}
}

// syntax checks that data is one JSON value.
func (p *problems) syntax(data []byte) {
	var value json.RawMessage
	var at *json.SyntaxError
	switch err := json.Unmarshal(data, &value); {
	case errors.As(err, &at):
		p.add("", "not JSON: %v at byte %d", at, at.Offset)
	case err != nil:
		p.add("", "not JSON")
	}
}
