package secret

import (
	"errors"
	"strings"

	"github.com/tokenvend/tokenvend/pkg/descriptor"
	"github.com/tokenvend/tokenvend/pkg/descriptor/parser"
)

// descriptor takes an inline descriptor, or nil if it is absent or wrong.
func (f *form) descriptor() *descriptor.Descriptor {
	raw, given := f.fields["descriptor"]
	if !given {
		return nil
	}
	delete(f.fields, "descriptor")
	d, err := parser.Parse(raw)
	if problems, ok := errors.AsType[*parser.Error](err); ok {
		for _, problem := range problems.Problems {
			f.wrong(strings.TrimSuffix("descriptor."+problem.Field, "."), problem.Text)
		}
		return nil
	}
	if err != nil {
		f.wrong("descriptor", "a provider's descriptor")
		return nil
	}
	return d
}
