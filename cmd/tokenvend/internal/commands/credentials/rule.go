package credentials

import (
	"cmp"
	"encoding/json"
	"errors"
	"slices"
	"strings"

	"github.com/tokenvend/tokenvend/pkg/access"
	"github.com/tokenvend/tokenvend/pkg/credential"
	"github.com/tokenvend/tokenvend/pkg/credential/secret"
	"github.com/tokenvend/tokenvend/pkg/redact"
)

// ruleRows describes who may have what by a secret.
func ruleRows(p access.Policy) [][]string {
	scopes := defaultAndMore(p.Defaults.Scope, p.Scopes, " ")
	return [][]string{
		{"  principals", cmp.Or(strings.Join(p.Principals, ", "), "whoever IAM lets reach the API")},
		{"  aliases", cmp.Or(strings.Join(p.Aliases, ", "), "none beside its own and admin"+bareFunction(p.Rule))},
		{"  scopes", cmp.Or(scopes, "the provider's default")},
		{"  audiences", cmp.Or(defaultAndMore(p.Defaults.Audience, p.Audiences, ", "), "the provider's default")},
		{"  accounts", cmp.Or(strings.Join(p.Accounts, ", "), "none")},
	}
}

// bareFunction adds the bare function where no principal and no alias is named.
func bareFunction(r access.Rule) string {
	if len(r.Principals)+len(r.Aliases) > 0 {
		return ""
	}
	return ", and the bare function"
}

// defaultAndMore describes a default and what may be requested beside it.
func defaultAndMore(usual string, more []string, between string) string {
	parts := []string{}
	if usual != "" {
		parts = append(parts, usual+" by default")
	}
	if len(more) > 0 {
		parts = append(parts, strings.Join(more, between)+" where asked for")
	}
	return strings.Join(parts, "; ")
}

// widened describes what a policy allows beyond that of the secret before. A
// secret without a value has allowed nothing to anybody.
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

// policyOf reads a secret's policy. ok is false if that part of the secret is
// malformed: then the policy in force may be an earlier one.
func policyOf(name string, text redact.String) (p access.Policy, ok bool) {
	_, err := secret.Parse(name, "", []byte(text.Reveal()))
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
	return access.Policy{Rule: in.Allow, Defaults: access.Requested{Scope: in.Scope, Audience: in.Audience}}, true
}

func concernsPolicy(f credential.FieldError) bool {
	field, _, _ := strings.Cut(strings.ToLower(f.Field), ".")
	return slices.Contains([]string{"secret", "allow", "scope", "audience"}, field)
}
