// Package reference has the sections of the reference that document the fields
// of a descriptor. Errors name them.
package reference

import "strings"

// page documents descriptors. Top is its first heading.
const (
	page = "docs/reference/descriptor.md"
	top  = "descriptor-reference"
)

// section is a heading of the page, as GitHub links to it.
type section struct{ field, anchor string }

// sections are those of the page by field. A field that stands in none is in
// that of the longest prefix, and else in the table at the top.
var sections = []section{
	{"secrets", "named-secrets-and-variables"},
	{"variables", "named-secrets-and-variables"},
	{"grants", "grants"},
	{"token", "requests"},
	{"token.url", "urls"},
	{"steps", "steps"},
	{"then", "then"},
	{"assertion", "assertion"},
	{"response", "response"},
	{"response.format", "a-token-that-is-the-whole-body"},
	{"response.expiry", "expiry"},
	{"response.refresh_expiry", "expiry"},
	{"response.success", "success-the-vendors-own-code"},
	{"response.extra", "extra-further-values-for-callers"},
	{"response.extra_match", "extra-further-values-for-callers"},
	{"overlap", "renewal"},
	{"renew", "renewal"},
	{"limits", "renewal"},
	{"quota", "quota"},
	{"permanent", "refusals"},
	{"errors", "refusals"},
	{"use", "use"},
	{"refresh", "other-requests"},
	{"revoke", "other-requests"},
	{"verify", "other-requests"},
	{"authorize", "authorization-request"},
	{"authorize.pkce", "pkce"},
	{"authorize.code", "authorization-response"},
	{"authorize.extra", "authorization-response"},
}

// Of returns where a field of a descriptor is documented, such as
// "docs/reference/descriptor.md#expiry" for "response.expiry.kind". "" is the
// whole descriptor.
func Of(field string) string {
	best := section{anchor: top}
	for _, s := range sections {
		if len(s.field) > len(best.field) && isIn(field, s.field) {
			best = s
		}
	}
	return page + "#" + best.anchor
}

// isIn reports whether a field is another one, or a part of it.
func isIn(field, other string) bool {
	rest, ok := strings.CutPrefix(field, other)
	return ok && (rest == "" || strings.ContainsAny(rest[:1], ".["))
}
