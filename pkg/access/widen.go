package access

import (
	"fmt"
	"slices"
	"strings"
)

// Policy is what a credential's secret says of who may have what: its rule, and
// the defaults that the rule goes beyond.
type Policy struct {
	Rule
	Defaults Asked // scope and audience; there is no default account
}

// Widened names what p gives that before did not give, one sentence each; none
// where p gives nothing more. Patterns are compared without their meaning: a
// pattern that gives no more than another is named where that is not plain.
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

// widenedCallers names the callers over the API, and by the bare function, who
// were not admitted before.
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

// widenedDefaults names defaults that are no longer given: the provider chooses
// then, and may give more.
func (p Policy) widenedDefaults(before Policy) (said []string) {
	if p.Defaults.Scope == "" && before.Defaults.Scope != "" {
		said = append(said, "scope: none is asked for any more, so the provider chooses")
	}
	if p.Defaults.Audience == "" && before.Defaults.Audience != "" {
		said = append(said, "audience: none is asked for any more, so the provider chooses")
	}
	return said
}

// scopes are all that may be asked for.
func (p Policy) scopes() []string {
	return slices.Concat(strings.Fields(p.Defaults.Scope), p.Scopes)
}

// audiences are all that may be asked for.
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

// covers reports whether all that fits the pattern other fits pattern too. It
// reports false for some pairs of which that is true, and never true for others:
// what stands for many in other must meet a * of pattern.
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
