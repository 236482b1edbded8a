package permissions

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/aws/aws-sdk-go-v2/service/iam"

	"github.com/tokenvend/tokenvend/cmd/tokenvend/internal/clierror"
	"github.com/tokenvend/tokenvend/cmd/tokenvend/internal/iamaccount"
	"github.com/tokenvend/tokenvend/cmd/tokenvend/internal/iampolicy"
)

// maxNamed bounds the names in one line.
const maxNamed = 10

// IdentityPolicies looks for roles, users and groups that may invoke the
// function by a name that few may have.
func (f Function) IdentityPolicies(ctx context.Context, client *iam.Client) {
	a, err := iamaccount.Read(ctx, client)
	if err != nil {
		f.Unread("IAM", clierror.AWS("iam:GetAccountAuthorizationDetails", "the account", err))
		return
	}
	found, missing, operators := map[reach][]string{}, map[string][]string{}, []string{}
	for _, p := range a.Principals {
		for _, s := range a.Statements(ctx, p) {
			if !s.Invokes() {
				continue
			}
			for _, alias := range f.missing(s) {
				missing[alias] = append(missing[alias], p.Name)
			}
			for pattern, names := range s.Reaches(f.ARN) {
				if slices.Equal(names, []string{iampolicy.AdminAlias}) && f.Expected.isOperator(p.ARN) {
					operators = append(operators, p.Name)
					continue
				}
				at := reach{pattern, iampolicy.Describe(names), adviceOn(names)}
				found[at] = append(found[at], p.Name)
			}
		}
	}
	byPattern := func(a, b reach) int { return strings.Compare(a.pattern, b.pattern) }
	for _, at := range slices.SortedFunc(maps.Keys(found), byPattern) {
		f.Warn(
			"IAM",
			listNames(found[at])+" may "+iampolicy.InvokeAction+" on "+at.pattern+", which reaches "+at.names,
			at.advice,
		)
	}
	f.warnMissing(missing)
	f.OK("IAM", "%d roles, users and groups were looked at, without conditions and Deny; "+
		"as --operators says, %s may invoke admin", len(a.Principals), listNames(operators))
	if a.Cut {
		cut := fmt.Sprintf("only the first %d roles, users and groups were looked at", iamaccount.MaxPrincipals)
		f.Warn("IAM", cut, "")
	}
	if a.Unread > 0 {
		f.Warn("IAM", fmt.Sprintf("%d policies could not be read", a.Unread), "")
	}
}

// reach is what a pattern in a policy reaches, and what to do about it.
type reach struct{ pattern, names, advice string }

// listNames names up to ten of those names, each once.
func listNames(names []string) string {
	slices.Sort(names)
	names = slices.Compact(names)
	switch n := len(names); {
	case n == 0:
		return "nobody"
	case n > maxNamed:
		return fmt.Sprintf("%s and %d more", strings.Join(names[:maxNamed], ", "), n-maxNamed)
	}
	return strings.Join(names, ", ")
}

// warnMissing warns of aliases that IAM policies name, by alias with the names
// of their principals.
func (f Function) warnMissing(principals map[string][]string) {
	for _, alias := range slices.Sorted(maps.Keys(principals)) {
		name, _ := iampolicy.CredentialOf(alias)
		f.Warn("IAM", listNames(principals[alias])+" may invoke the alias "+alias+", which does not exist",
			f.Commands.Line("grant", name)+" --to ARN makes it")
	}
}
