package usage

import (
	"fmt"
	"strings"

	"github.com/tokenvend/tokenvend/pkg/descriptor"
	"github.com/tokenvend/tokenvend/pkg/descriptor/placeholder"
	"github.com/tokenvend/tokenvend/pkg/descriptor/template"
)

// checkTokenURL refuses what depends on the token URL where that has a value of
// a step in it: only requests that have this value know it.
func checkTokenURL(d *descriptor.Descriptor, report Report) {
	needed := stepsOfTokenURL(d)
	if needed == nil {
		return
	}
	for _, at := range placeholder.Places(d) {
		t, err := at.Parse()
		if err != nil {
			continue // the check of templates says so
		}
		for _, use := range t.Uses() {
			if use.Name == placeholder.TokenURL {
				report(at.Path, "expected no {token_url}, because token.url has a value of a step: write the value out")
			}
		}
		if at.IsURL && isRelative(at.Text) && !takesAll(d, at.Request, needed) {
			report(at.Path, "expected an absolute URL, because token.url has a value of a step")
		}
	}
}

// stepsOfTokenURL returns the values of steps in the token URL, as STEP.NAME.
func stepsOfTokenURL(d *descriptor.Descriptor) []string {
	t, err := template.Parse(d.Token.URL)
	if err != nil {
		return nil
	}
	var needed []string
	for _, use := range t.Uses() {
		if taken, ok := strings.CutPrefix(use.Name, placeholder.StepPrefix); ok {
			needed = append(needed, taken)
		}
	}
	return needed
}

// isRelative reports whether a URL is relative to the token URL.
func isRelative(raw string) bool {
	before, _, hasHost := strings.Cut(raw, "://")
	return raw != "" && (!hasHost || strings.ContainsAny(before, "/?"))
}

// takesAll reports whether a request is a step that has all values of earlier
// steps.
func takesAll(d *descriptor.Descriptor, request string, needed []string) bool {
	if !strings.HasPrefix(request, "steps[") {
		return false
	}
	for _, taken := range needed {
		if !takes(d, request, taken) {
			return false
		}
	}
	return true
}

// takes reports whether a step before a request takes a value.
func takes(d *descriptor.Descriptor, request, taken string) bool {
	step, name, _ := strings.Cut(taken, ".")
	for i, s := range d.Steps {
		if request == fmt.Sprintf("steps[%d]", i) {
			break
		}
		if _, ok := s.Take[name]; ok && s.Name == step {
			return true
		}
	}
	return false
}
