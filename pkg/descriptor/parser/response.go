package parser

import (
	"regexp"
	"time"

	"github.com/tokenvend/tokenvend/pkg/descriptor"
	"github.com/tokenvend/tokenvend/pkg/jsonpointer"
	"github.com/tokenvend/tokenvend/pkg/redact"
)

// The limits of what [Response] may name.
const (
	maxExtra     = 16 // names
	maxValues    = 16 // codes of a success
	longestValue = 64 // bytes of such a code
)

func (p *problems) response(r descriptor.Response) {
	oneOf(p, "response.format", r.Format, descriptor.FormatJSON, descriptor.FormatText)
	p.places(r)
	p.place("response.error", r.Error)
	p.place("response.error_description", r.Description)
	p.instant("response.expiry", r.Expiry)
	p.instant("response.refresh_expiry", r.RefreshExpiry)
	p.success(r.Success)
	p.extra("response.extra", r.Extra)
	for name, at := range r.Extra {
		if at != "" && (at == r.Refresh || at == "/refresh_token" && r.Refresh == "") {
			p.add("response.extra."+redact.Name(name), "is the place of the refresh token, which no caller gets")
		}
	}
	if r.MaxLifetime != 0 && r.DefaultLifetime > r.MaxLifetime {
		p.add("response.default_lifetime", "expected no more than response.max_lifetime")
	}
}

// extra checks the places of further values, and their names.
func (p *problems) extra(path string, places map[string]string) {
	if len(places) > maxExtra {
		p.add(path, "expected at most %d names", maxExtra)
	}
	for name, at := range places {
		switch {
		case !isExtraName(name):
			p.add(path+"."+redact.Name(name), "expected a name of letters, digits, _, . and -, the first a letter or _")
		case at == "":
			p.add(path+"."+redact.Name(name), "expected a place, such as /instance_url or header:NAME")
		}
	}
}

// instant checks the kind and the zone of an expiry.
func (p *problems) instant(path string, i descriptor.Instant) {
	oneOfKind(p, path+".kind", i.Kind)
	if _, err := time.Parse("-07:00", i.Zone); i.Zone != "" && err != nil {
		p.add(path+".zone", "expected an offset from UTC, such as +01:00")
	}
}

// longestMatch is how long a regular expression may be, in bytes.
const longestMatch = 256

// extraMatch checks the regular expressions of further values.
func (p *problems) extraMatch(d *descriptor.Descriptor) {
	for name, expression := range d.Response.ExtraMatch {
		path := "response.extra_match." + redact.Name(name)
		if !d.NamesExtra(name) {
			p.add(path, "expected a name that response.extra or then.extra has")
		}
		if e, err := regexp.Compile(expression); err != nil || e.NumSubexp() != 1 || len(expression) > longestMatch {
			p.add(path, "expected a regular expression (RE2) of up to %d bytes with one group", longestMatch)
		}
	}
}

func oneOfKind(p *problems, path string, got descriptor.ExpiryKind) {
	oneOf(p, path, got, descriptor.ExpiryKinds()...)
}

// places checks the places of a success. One that is a text has no members.
func (p *problems) places(r descriptor.Response) {
	all := map[string]string{
		"access_token": r.Access, "token_type": r.Type, "scope": r.Scope, "refresh_token": r.Refresh,
		"expiry.at": r.Expiry.At, "refresh_expiry.at": r.RefreshExpiry.At, "success.at": r.Success.At,
	}
	for name, at := range r.Extra {
		all["extra."+redact.Name(name)] = at
	}
	for name, at := range all {
		p.place("response."+name, at)
		_, isHeader := descriptor.HeaderPlace(at)
		switch {
		case r.Format != descriptor.FormatText || at == "":
		case name == "access_token":
			p.add("response.access_token", "expected none beside the format text, whose whole body is the token")
		case !isHeader:
			p.add("response."+name, "expected header:NAME, since a body of the format text has no members")
		}
	}
}

func (p *problems) success(s descriptor.Success) {
	if s.At == "" && s.Values == nil {
		return
	}
	if s.At == "" {
		p.add("response.success.at", "missing")
	}
	if len(s.Values) == 0 || len(s.Values) > maxValues {
		p.add("response.success.values", "expected 1 to %d codes", maxValues)
	}
	for _, value := range s.Values {
		if value == "" || len(value) > longestValue {
			p.add("response.success.values", "expected codes of 1 to %d characters", longestValue)
		}
	}
}

func (p *problems) place(path, at string) {
	if name, ok := descriptor.HeaderPlace(at); ok && isHeader(name) {
		return
	}
	if _, err := jsonpointer.Parse(at); err != nil {
		p.add(path, "expected a JSON Pointer (RFC 6901), such as /data/token, or header:NAME")
	}
}
