package main

import (
	"cmp"
	"encoding/json"
	"errors"
	"slices"
	"strings"

	"github.com/tokenvend/tokenvend/pkg/access"
	"github.com/tokenvend/tokenvend/pkg/credential"
	"github.com/tokenvend/tokenvend/pkg/redact"
)

// ruleRows are what a secret says of who may have what, for people.
func ruleRows(p access.Policy) [][]string {
	scopes := beyond(p.Defaults.Scope, p.Scopes, " ")
	return [][]string{
		{"  principals", cmp.Or(strings.Join(p.Principals, ", "), "whoever IAM lets reach the API")},
		{"  aliases", cmp.Or(strings.Join(p.Aliases, ", "), "none beside its own and admin"+bareToo(p.Rule))},
		{"  scopes", cmp.Or(scopes, "the provider's default")},
		{"  audiences", cmp.Or(beyond(p.Defaults.Audience, p.Audiences, ", "), "the provider's default")},
		{"  accounts", cmp.Or(strings.Join(p.Accounts, ", "), "none")},
	}
}

func bareToo(r access.Rule) string {
	if len(r.Principals)+len(r.Aliases) > 0 {
		return ""
	}
	return ", and the bare function"
}

// beyond is a default and what may be asked for beside it.
func beyond(usual string, more []string, between string) string {
	parts := []string{}
	if usual != "" {
		parts = append(parts, usual+" by default")
	}
	if len(more) > 0 {
		parts = append(parts, strings.Join(more, between)+" where asked for")
	}
	return strings.Join(parts, "; ")
}

// widened names what a policy gives beyond that of the secret before. A secret
// that has no value yet has given nothing to anybody.
func widened(name string, before redact.String, after access.Policy) []string {
	if before.IsZero() {
		return nil
	}
	known, ok := policyOf(name, before)
	if !ok {
		return []string{"what the secret before allowed can't be read, so it may have been less"}
	}
	return after.Widened(known)
}

// policyOf reads a secret's policy. It reports false where that part of the
// secret is malformed: the rule in force may be an earlier one then.
func policyOf(name string, text redact.String) (access.Policy, bool) {
	_, err := credential.Parse(name, "", []byte(text.Reveal()))
	if bad, ok := errors.AsType[*credential.Malformed](err); ok && slices.ContainsFunc(bad.Fields, concernsPolicy) {
		return access.Policy{}, false
	}
	var in struct {
		Scope, Audience string
		Allow           access.Rule
	}
	if json.Unmarshal([]byte(text.Reveal()), &in) != nil {
		return access.Policy{}, false
	}
	return access.Policy{Rule: in.Allow, Defaults: access.Asked{Scope: in.Scope, Audience: in.Audience}}, true
}

func concernsPolicy(f credential.FieldError) bool {
	field, _, _ := strings.Cut(strings.ToLower(f.Field), ".")
	return slices.Contains([]string{"secret", "allow", "scope", "audience"}, field)
}
