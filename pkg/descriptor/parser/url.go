package parser

import (
	"net/url"

	"github.com/tokenvend/tokenvend/pkg/descriptor"
	"github.com/tokenvend/tokenvend/pkg/descriptor/template"
)

func (p *problems) required(path, raw string) {
	if raw == "" {
		p.add(path, "missing")
	}
	p.url(path, raw, true)
}

// url accepts a template of an https URL, "" and, where relative is true, a
// reference relative to the token URL.
func (p *problems) url(path, raw string, relative bool) {
	if raw == "" {
		return
	}
	t, err := template.Parse(raw)
	if err != nil {
		return // the check of templates says so
	}
	sample, _ := t.Expand(template.Values{Value: func(string) (string, error) { return "x", nil }})
	u, err := url.Parse(sample)
	if err == nil && relative && u.Scheme == "" && u.Host == "" && u.Fragment == "" {
		return
	}
	if err == nil {
		err = descriptor.CheckURL(u)
	}
	if err != nil {
		p.add(path, "expected an https URL without user, password and fragment")
	}
}
