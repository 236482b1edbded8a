package request

import (
	"fmt"

	"github.com/tokenvend/tokenvend/pkg/descriptor/placeholder"
	"github.com/tokenvend/tokenvend/pkg/provider/response"
	"github.com/tokenvend/tokenvend/pkg/provider/skew"
	"github.com/tokenvend/tokenvend/pkg/redact"
)

// Step returns the request of a step. taken are the values of the steps before
// it, by STEP.NAME.
func (b Builder) Step(i int, req TokenRequest, taken map[string]redact.String) (*Call, *response.Error) {
	step := b.Descriptor.Steps[i]
	u, err := b.relative(fmt.Sprintf("steps[%d].url", i), step.URL, taken)
	if err != nil {
		return nil, err
	}
	r := step.Full()
	q := b.start(r, req.Grant, u, skew.Skew{})
	q.Name = placeholder.StepPrefix + step.Name
	q.forToken(b.Descriptor.EndpointFor(req.Grant), req, taken)
	return q.finish(r, nil)
}
