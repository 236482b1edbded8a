package parser

import (
	"fmt"
	"slices"

	"github.com/tokenvend/tokenvend/pkg/descriptor"
	"github.com/tokenvend/tokenvend/pkg/descriptor/usage"
	"github.com/tokenvend/tokenvend/pkg/redact"
)

// The bounds of steps.
const (
	maxSteps = 2
	maxTaken = 8 // values of a step's answer
)

func (p *problems) steps(d *descriptor.Descriptor) {
	if len(d.Steps) > maxSteps {
		p.add("steps", "expected at most %d", maxSteps)
	}
	for i, s := range d.Steps {
		path := fmt.Sprintf("steps[%d]", i)
		sameName := func(other descriptor.Step) bool { return other.Name == s.Name }
		if !usage.IsName(s.Name) || slices.ContainsFunc(d.Steps[:i], sameName) {
			p.add(path+".name", "expected %s, and another than other steps have", usage.NameForm)
		}
		p.required(path+".url", s.URL)
		p.request(path, s.Request, s.Full())
		if len(s.Take) == 0 || len(s.Take) > maxTaken {
			p.add(path+".take", "expected 1 to %d values", maxTaken)
		}
		for name, at := range s.Take {
			if !usage.IsName(name) {
				p.add(path+".take."+redact.Name(name), "expected a name such as %s", usage.NameForm)
			}
			p.place(path+".take."+redact.Name(name), at)
		}
	}
	if d.Steps != nil && (d.Authorize != nil || d.DirectGrant() == descriptor.SelfSigned) {
		p.add("steps", "not given beside authorize or with self_signed")
	}
}
