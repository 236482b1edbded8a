package access

import (
	"strings"
	"testing"

	"pgregory.net/rapid"
)

func TestWidened(t *testing.T) {
	const billing, reports = "arn:aws:iam::1:role/billing-*", "arn:aws:iam::1:role/reports"
	full := Rule{
		Principals: []string{billing},
		Aliases:    []string{"billing"},
		Scopes:     []string{"write"},
		Audiences:  []string{"a"},
		Accounts:   []string{"team-*"},
	}
	with := func(change func(*Rule)) Policy {
		r := full
		change(&r)
		return Policy{Rule: r}
	}
	for _, c := range []struct {
		name          string
		before, after Policy
		says          string // "": nothing is widened
	}{
		{"nothing changes", Policy{Rule: full}, Policy{Rule: full}, ""},
		{
			"everything is taken away but who may have it",
			Policy{Rule: full},
			Policy{Rule: Rule{Principals: full.Principals}},
			"",
		},
		{"the first principal narrows", Policy{}, Policy{Rule: Rule{Principals: []string{billing}}}, ""},
		{"no principal is left", Policy{Rule: full}, with(func(r *Rule) {
			r.Principals = nil
		}), "allow.principals: none is listed any more"},
		{"another principal", Policy{Rule: full}, with(func(r *Rule) {
			r.Principals = []string{billing, reports}
		}), reports},
		{"a principal that is one of the pattern's", Policy{Rule: full}, with(func(r *Rule) {
			r.Principals = []string{"arn:aws:iam::1:role/billing-eu"}
		}), ""},
		{"a narrower pattern", Policy{Rule: full}, with(func(r *Rule) {
			r.Principals = []string{"arn:aws:iam::1:role/billing-eu-?*"}
		}), ""},
		{"a wider pattern", Policy{Rule: full}, with(func(r *Rule) {
			r.Principals = []string{"arn:aws:iam::1:role/billing*"}
		}), "role/billing*"},
		{"another alias", Policy{Rule: full}, with(func(r *Rule) {
			r.Aliases = []string{"billing", "ops"}
		}), "allow.aliases: ops"},
		{
			"the last of aliases and principals",
			Policy{Rule: Rule{Aliases: []string{"billing"}}},
			Policy{},
			"the bare function",
		},
		{"another scope", Policy{Rule: full}, with(func(r *Rule) {
			r.Scopes = []string{"write", "admin"}
		}), "allow.scopes: admin"},
		{"a default scope", Policy{Rule: full}, Policy{Rule: full, Defaults: Requested{Scope: "write"}}, ""},
		{
			"another default scope",
			Policy{Rule: full},
			Policy{Rule: full, Defaults: Requested{Scope: "admin"}},
			"allow.scopes: admin",
		},
		{
			"no default scope any more",
			Policy{Rule: full, Defaults: Requested{Scope: "read"}},
			Policy{Rule: full},
			"scope: none is asked for",
		},
		{"another audience", Policy{Rule: full}, with(func(r *Rule) {
			r.Audiences = []string{"b"}
		}), "allow.audiences: b"},
		{
			"another default audience",
			Policy{Defaults: Requested{Audience: "a"}},
			Policy{Defaults: Requested{Audience: "b"}},
			"allow.audiences: b",
		},
		{
			"no default audience any more",
			Policy{Defaults: Requested{Audience: "a"}},
			Policy{},
			"audience: none is asked for",
		},
		{"another account", Policy{Rule: full}, with(func(r *Rule) {
			r.Accounts = []string{"team-*", "alice"}
		}), "allow.accounts: alice"},
		{"an account of the pattern's", Policy{Rule: full}, with(func(r *Rule) {
			r.Accounts = []string{"team-a", "team-b*"}
		}), ""},
		{"every account", Policy{Rule: full}, with(func(r *Rule) { r.Accounts = []string{"*"} }), "allow.accounts: *"},
	} {
		t.Run(c.name, func(t *testing.T) {
			got := strings.Join(c.after.Widened(c.before), "; ")
			if c.says == "" && got != "" || !strings.Contains(got, c.says) {
				t.Errorf("Widened = %q, want %q", got, c.says)
			}
		})
	}
}

func TestCoversIsNeverWrong(t *testing.T) {
	pattern := rapid.StringMatching(`[ab*?]{0,6}`)
	text := rapid.StringMatching(`[ab*?]{0,8}`)
	rapid.Check(t, func(t *rapid.T) {
		p, other, s := pattern.Draw(t, "pattern"), pattern.Draw(t, "other"), text.Draw(t, "text")
		if covers(p, other) && Match(other, s) && !Match(p, s) {
			t.Fatalf("covers(%q, %q) = true, and %q fits the other alone", p, other, s)
		}
		if !covers(p, p) || !covers("*", p) {
			t.Fatalf("covers(%q, itself) = %t, covers(*, it) = %t", p, covers(p, p), covers("*", p))
		}
	})
}
