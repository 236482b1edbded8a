package main

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
)

// iamReader is what is called of *iam.Client.
type iamReader interface {
	GetAccountAuthorizationDetails(context.Context, *iam.GetAccountAuthorizationDetailsInput, ...func(*iam.Options)) (*iam.GetAccountAuthorizationDetailsOutput, error)
	GetPolicy(context.Context, *iam.GetPolicyInput, ...func(*iam.Options)) (*iam.GetPolicyOutput, error)
	GetPolicyVersion(context.Context, *iam.GetPolicyVersionInput, ...func(*iam.Options)) (*iam.GetPolicyVersionOutput, error)
}

// What is looked at in IAM at most, and named in one line.
const (
	mostHolders = 200
	mostManaged = 100
	mostNamed   = 10
)

// holder is a role, a user or a group, and what it is allowed by.
type holder struct {
	name     string
	arn      string
	inline   []types.PolicyDetail
	attached []types.AttachedPolicy
}

// account is what of IAM was read.
type account struct {
	iamReader
	holders []holder
	cut     bool                // there are more
	managed map[string]document // by ARN
	unread  int                 // policies that could not be read
}

// principals looks for roles, users and groups that may invoke the function by a
// name that few may have.
func (f *findings) principals(ctx context.Context, reader iamReader, arn string) {
	a := account{iamReader: reader, managed: map[string]document{}}
	if err := a.read(ctx); err != nil {
		f.unread("IAM", awsFault("iam:GetAccountAuthorizationDetails", "the account", err))
		return
	}
	found, operators := map[reach][]string{}, []string{}
	for _, h := range a.holders {
		for _, s := range a.statements(ctx, h) {
			if !s.invokes() {
				continue
			}
			for pattern, names := range s.reaches(arn) {
				if slices.Equal(names, []string{adminAlias}) && f.isOperator(h.arn) {
					operators = append(operators, h.name)
					continue
				}
				at := reach{pattern, spoken(names), adviceOn(names)}
				found[at] = append(found[at], h.name)
			}
		}
	}
	byPattern := func(a, b reach) int { return strings.Compare(a.pattern, b.pattern) }
	for _, at := range slices.SortedFunc(maps.Keys(found), byPattern) {
		f.warn("IAM", some(found[at])+" may "+invokeAction+" on "+at.pattern+", which reaches "+at.names, at.advice)
	}
	f.ok("IAM", "%d roles, users and groups were looked at, without conditions and Deny; "+
		"as --operators says, %s may invoke admin", len(a.holders), some(operators))
	if a.cut {
		f.warn("IAM", fmt.Sprintf("only the first %d roles, users and groups were looked at", mostHolders), "")
	}
	if a.unread > 0 {
		f.warn("IAM", fmt.Sprintf("%d policies could not be read", a.unread), "")
	}
}

// reach is what a pattern in a policy reaches, and what to do about it.
type reach struct{ pattern, names, advice string }

// some names up to ten of those names, each once.
func some(names []string) string {
	slices.Sort(names)
	names = slices.Compact(names)
	switch n := len(names); {
	case n == 0:
		return "nobody"
	case n > mostNamed:
		return fmt.Sprintf("%s and %d more", strings.Join(names[:mostNamed], ", "), n-mostNamed)
	}
	return strings.Join(names, ", ")
}

func (a *account) read(ctx context.Context) error {
	pages := iam.NewGetAccountAuthorizationDetailsPaginator(a, &iam.GetAccountAuthorizationDetailsInput{
		Filter: []types.EntityType{types.EntityTypeUser, types.EntityTypeRole, types.EntityTypeGroup, types.EntityTypeLocalManagedPolicy},
	})
	for pages.HasMorePages() && !a.cut {
		page, err := pages.NextPage(ctx)
		if err != nil {
			return err
		}
		for _, r := range page.RoleDetailList {
			name := "role " + aws.ToString(r.RoleName)
			a.add(holder{name, aws.ToString(r.Arn), r.RolePolicyList, r.AttachedManagedPolicies})
		}
		for _, u := range page.UserDetailList {
			name := "user " + aws.ToString(u.UserName)
			a.add(holder{name, aws.ToString(u.Arn), u.UserPolicyList, u.AttachedManagedPolicies})
		}
		for _, g := range page.GroupDetailList {
			name := "group " + aws.ToString(g.GroupName)
			a.add(holder{name, aws.ToString(g.Arn), g.GroupPolicyList, g.AttachedManagedPolicies})
		}
		for _, p := range page.Policies {
			for _, v := range p.PolicyVersionList {
				if v.IsDefaultVersion {
					a.managed[aws.ToString(p.Arn)] = a.document(v.Document)
				}
			}
		}
	}
	return nil
}

func (a *account) add(h holder) {
	if a.cut = a.cut || len(a.holders) == mostHolders; !a.cut {
		a.holders = append(a.holders, h)
	}
}

// statements are all of a holder's.
func (a *account) statements(ctx context.Context, h holder) (all []statement) {
	for _, p := range h.inline {
		all = append(all, a.document(p.PolicyDocument).Statement...)
	}
	for _, p := range h.attached {
		all = append(all, a.policy(ctx, aws.ToString(p.PolicyArn)).Statement...)
	}
	return all
}

// policy returns a managed policy, and fetches one of AWS's own, which the account's details do not hold.
func (a *account) policy(ctx context.Context, arn string) document {
	d, known := a.managed[arn]
	if known {
		return d
	}
	if len(a.managed) < mostManaged {
		d, known = a.fetch(ctx, arn)
	}
	if !known {
		a.unread++
	}
	a.managed[arn] = d
	return d
}

func (a *account) fetch(ctx context.Context, arn string) (document, bool) {
	p, err := a.GetPolicy(ctx, &iam.GetPolicyInput{PolicyArn: &arn})
	if err != nil || p.Policy == nil {
		return document{}, false
	}
	v, err := a.GetPolicyVersion(ctx, &iam.GetPolicyVersionInput{PolicyArn: &arn, VersionId: p.Policy.DefaultVersionId})
	if err != nil || v.PolicyVersion == nil {
		return document{}, false
	}
	return a.document(v.PolicyVersion.Document), true
}

// document reads a policy as IAM returns it: percent-encoded (RFC 3986). One
// that can't be read is counted, for it may allow anything.
func (a *account) document(text *string) (d document) {
	plain, err := url.PathUnescape(aws.ToString(text))
	if err != nil {
		plain = aws.ToString(text)
	}
	if json.Unmarshal([]byte(plain), &d) != nil {
		a.unread++
	}
	return d
}
