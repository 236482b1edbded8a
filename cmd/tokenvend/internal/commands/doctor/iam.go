package doctor

import (
	"context"
	"encoding/json"
	"fmt"
	"maps"
	"net/url"
	"slices"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/iam"
	"github.com/aws/aws-sdk-go-v2/service/iam/types"

	"github.com/tokenvend/tokenvend/cmd/tokenvend/internal/clierror"
	"github.com/tokenvend/tokenvend/cmd/tokenvend/internal/iampolicy"
)

// iamReader is what is called of *iam.Client.
type iamReader interface {
	GetAccountAuthorizationDetails(
		context.Context,
		*iam.GetAccountAuthorizationDetailsInput,
		...func(*iam.Options),
	) (*iam.GetAccountAuthorizationDetailsOutput, error)
	GetPolicy(context.Context, *iam.GetPolicyInput, ...func(*iam.Options)) (*iam.GetPolicyOutput, error)
	GetPolicyVersion(
		context.Context,
		*iam.GetPolicyVersionInput,
		...func(*iam.Options),
	) (*iam.GetPolicyVersionOutput, error)
}

// Bounds on what is read of IAM, and on the names in one line.
const (
	MaxPrincipals = 200
	maxManaged    = 100
	maxNamed      = 10
)

// principal is a role, a user or a group with its policies.
type principal struct {
	name     string
	arn      string
	inline   []types.PolicyDetail
	attached []types.AttachedPolicy
}

// account is what was read of IAM.
type account struct {
	iamReader
	principals []principal
	cut        bool                          // there are more
	managed    map[string]iampolicy.Document // by ARN
	unread     int                           // policies that could not be read
}

// identityPolicies looks for roles, users and groups that may invoke the
// function by a name that few may have.
func (f *findings) identityPolicies(ctx context.Context, reader iamReader, arn string) {
	a := account{iamReader: reader, managed: map[string]iampolicy.Document{}}
	if err := a.read(ctx); err != nil {
		f.unread("IAM", clierror.AWS("iam:GetAccountAuthorizationDetails", "the account", err))
		return
	}
	found, missing, operators := map[reach][]string{}, map[string][]string{}, []string{}
	for _, p := range a.principals {
		for _, s := range a.statements(ctx, p) {
			if !s.Invokes() {
				continue
			}
			for _, alias := range f.missing(arn, s) {
				missing[alias] = append(missing[alias], p.name)
			}
			for pattern, names := range s.Reaches(arn) {
				if slices.Equal(names, []string{iampolicy.AdminAlias}) && f.isOperator(p.arn) {
					operators = append(operators, p.name)
					continue
				}
				at := reach{pattern, iampolicy.Describe(names), adviceOn(names)}
				found[at] = append(found[at], p.name)
			}
		}
	}
	byPattern := func(a, b reach) int { return strings.Compare(a.pattern, b.pattern) }
	for _, at := range slices.SortedFunc(maps.Keys(found), byPattern) {
		f.warn(
			"IAM",
			listNames(found[at])+" may "+iampolicy.InvokeAction+" on "+at.pattern+", which reaches "+at.names,
			at.advice,
		)
	}
	f.warnMissing(missing)
	f.ok("IAM", "%d roles, users and groups were looked at, without conditions and Deny; "+
		"as --operators says, %s may invoke admin", len(a.principals), listNames(operators))
	if a.cut {
		f.warn("IAM", fmt.Sprintf("only the first %d roles, users and groups were looked at", MaxPrincipals), "")
	}
	if a.unread > 0 {
		f.warn("IAM", fmt.Sprintf("%d policies could not be read", a.unread), "")
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

func (a *account) read(ctx context.Context) error {
	pages := iam.NewGetAccountAuthorizationDetailsPaginator(a, &iam.GetAccountAuthorizationDetailsInput{
		Filter: []types.EntityType{
			types.EntityTypeUser,
			types.EntityTypeRole,
			types.EntityTypeGroup,
			types.EntityTypeLocalManagedPolicy,
		},
	})
	for pages.HasMorePages() && !a.cut {
		page, err := pages.NextPage(ctx)
		if err != nil {
			return err
		}
		for _, r := range page.RoleDetailList {
			name := "role " + aws.ToString(r.RoleName)
			a.add(principal{name, aws.ToString(r.Arn), r.RolePolicyList, r.AttachedManagedPolicies})
		}
		for _, u := range page.UserDetailList {
			name := "user " + aws.ToString(u.UserName)
			a.add(principal{name, aws.ToString(u.Arn), u.UserPolicyList, u.AttachedManagedPolicies})
		}
		for _, g := range page.GroupDetailList {
			name := "group " + aws.ToString(g.GroupName)
			a.add(principal{name, aws.ToString(g.Arn), g.GroupPolicyList, g.AttachedManagedPolicies})
		}
		for _, p := range page.Policies {
			for _, v := range p.PolicyVersionList {
				if v.IsDefaultVersion {
					a.managed[aws.ToString(p.Arn)] = a.policyText(v.Document)
				}
			}
		}
	}
	return nil
}

func (a *account) add(p principal) {
	if a.cut = a.cut || len(a.principals) == MaxPrincipals; !a.cut {
		a.principals = append(a.principals, p)
	}
}

// statements returns the statements of all policies of a principal.
func (a *account) statements(ctx context.Context, p principal) (all []iampolicy.Statement) {
	for _, policy := range p.inline {
		all = append(all, a.policyText(policy.PolicyDocument).Statement...)
	}
	for _, attached := range p.attached {
		all = append(all, a.policy(ctx, aws.ToString(attached.PolicyArn)).Statement...)
	}
	return all
}

// policy returns a managed policy, and fetches one of AWS's own, which the
// account's details do not hold.
func (a *account) policy(ctx context.Context, arn string) iampolicy.Document {
	d, known := a.managed[arn]
	if known {
		return d
	}
	if len(a.managed) < maxManaged {
		d, known = a.fetch(ctx, arn)
	}
	if !known {
		a.unread++
	}
	a.managed[arn] = d
	return d
}

func (a *account) fetch(ctx context.Context, arn string) (iampolicy.Document, bool) {
	p, err := a.GetPolicy(ctx, &iam.GetPolicyInput{PolicyArn: &arn})
	if err != nil || p.Policy == nil {
		return iampolicy.Document{}, false
	}
	v, err := a.GetPolicyVersion(
		ctx,
		&iam.GetPolicyVersionInput{PolicyArn: &arn, VersionId: p.Policy.DefaultVersionId},
	)
	if err != nil || v.PolicyVersion == nil {
		return iampolicy.Document{}, false
	}
	return a.policyText(v.PolicyVersion.Document), true
}

// policyText reads a policy as IAM returns it: percent-encoded (RFC 3986). One
// that can't be read is counted, for it may allow anything.
func (a *account) policyText(text *string) (d iampolicy.Document) {
	plain, err := url.PathUnescape(aws.ToString(text))
	if err != nil {
		plain = aws.ToString(text)
	}
	if json.Unmarshal([]byte(plain), &d) != nil {
		a.unread++
	}
	return d
}
