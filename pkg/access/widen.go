package access

import (
	"fmt"
	"slices"
	"strings"
)

// Policy is a credential's rule and the defaults that the rule extends.
type Policy struct {
	Rule
	Defaults Requested // scope and audience; there is no default account
}

// Widened returns one sentence for each permission of p that before did not
// have. Patterns are compared conservatively: a pattern that is not plainly
// covered by another is reported.
func (p Policy) Widened(before Policy) []string {
	said := p.widenedCallers(before)
	for _, list := range []struct {
		field         string
		after, before []string
		covers        func(pattern, other string) bool
	}{
		{"allow.aliases", p.Aliases, before.Aliases, equal},
		{"allow.scopes", p.scopes(), before.scopes(), equal},
		{"allow.audiences", p.audiences(), before.audiences(), equal},
		{"allow.accounts", p.Accounts, before.Accounts, covers},
	} {
		for _, item := range uncovered(list.after, list.before, list.covers) {
			said = append(said, fmt.Sprintf("%s: %s was not allowed before", list.field, item))
		}
	}
	return append(said, p.widenedDefaults(before)...)
}

// widenedCallers returns the callers over the API, and by the bare function,
// that were not admitted before.
func (p Policy) widenedCallers(before Policy) (said []string) {
	switch {
	case len(before.Principals) == 0:
	case len(p.Principals) == 0:
		said = append(said, "allow.principals: none is listed any more, so whoever IAM lets reach the API may have it")
	default:
		for _, item := range uncovered(p.Principals, before.Principals, covers) {
			said = append(said, fmt.Sprintf("allow.principals: %s was not admitted before", item))
		}
	}
	if p.admitsBare() && !before.admitsBare() {
		said = append(said, "allow: neither principals nor aliases are listed any more, "+
			"so the bare function may have it")
	}
	return said
}

func (r Rule) admitsBare() bool { return len(r.Principals)+len(r.Aliases) == 0 }

// widenedDefaults returns defaults that were removed: the provider chooses
// then, and may grant more.
func (p Policy) widenedDefaults(before Policy) (said []string) {
	if p.Defaults.Scope == "" && before.Defaults.Scope != "" {
		said = append(said, "scope: none is asked for any more, so the provider chooses")
	}
	if p.Defaults.Audience == "" && before.Defaults.Audience != "" {
		said = append(said, "audience: none is asked for any more, so the provider chooses")
	}
	return said
}

// scopes returns all scopes that may be requested.
func (p Policy) scopes() []string {
	return slices.Concat(strings.Fields(p.Defaults.Scope), p.Scopes)
}

// audiences returns all audiences that may be requested.
func (p Policy) audiences() []string {
	if p.Defaults.Audience == "" {
		return p.Audiences
	}
	return append([]string{p.Defaults.Audience}, p.Audiences...)
}

// uncovered returns the items that nothing of before covers.
func uncovered(items, before []string, covers func(pattern, other string) bool) (left []string) {
	for _, item := range items {
		if !slices.ContainsFunc(before, func(pattern string) bool { return covers(pattern, item) }) {
			left = append(left, item)
		}
	}
	return left
}

func equal(a, b string) bool { return a == b }

// covers reports whether everything that matches the pattern other matches
// pattern too. It may report false if that is true, and never true if it is
// false: a wildcard in other must meet a * in pattern.
func covers(pattern, other string) bool {
	p, o := []rune(pattern), []rune(other)
	star, mark := -1, 0 // as in Match
	i, j := 0, 0
	for j < len(o) {
		switch {
		case i < len(p) && p[i] == '*':
			star, mark = i, j
			i++
		case i < len(p) && (p[i] == '?' && o[j] != '*' || p[i] == o[j]):
			i, j = i+1, j+1
		case star >= 0:
			mark++
			i, j = star+1, mark
		default:
			return false
		}
	}
	return strings.Trim(string(p[i:]), "*") == ""
}
