// Package iamaccount reads the roles, users and groups of an AWS account with
// their policies.
package iamaccount

import (
	"context"
	"encoding/json"
	"net/url"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/iam"
	"github.com/aws/aws-sdk-go-v2/service/iam/types"

	"github.com/tokenvend/tokenvend/cmd/tokenvend/internal/iampolicy"
)

// Bounds on what is read.
const (
	MaxPrincipals = 200
	maxManaged    = 100
)

// Principal is a role, a user or a group with its policies.
type Principal struct {
	Name     string // with its kind: "role NAME"
	ARN      string
	inline   []types.PolicyDetail
	attached []types.AttachedPolicy
}

// Account is what was read of an account.
type Account struct {
	Principals []Principal
	Cut        bool // there are more than MaxPrincipals
	Unread     int  // policies that could not be read

	client  *iam.Client
	managed map[string]iampolicy.Document // by ARN
}

// Read reads the roles, users and groups of the account.
func Read(ctx context.Context, client *iam.Client) (*Account, error) {
	a := &Account{client: client, managed: map[string]iampolicy.Document{}}
	return a, a.read(ctx)
}

func (a *Account) read(ctx context.Context) error {
	pages := iam.NewGetAccountAuthorizationDetailsPaginator(a.client, &iam.GetAccountAuthorizationDetailsInput{
		Filter: []types.EntityType{
			types.EntityTypeUser,
			types.EntityTypeRole,
			types.EntityTypeGroup,
			types.EntityTypeLocalManagedPolicy,
		},
	})
	for pages.HasMorePages() && !a.Cut {
		page, err := pages.NextPage(ctx)
		if err != nil {
			return err
		}
		for _, r := range page.RoleDetailList {
			name := "role " + aws.ToString(r.RoleName)
			a.add(Principal{name, aws.ToString(r.Arn), r.RolePolicyList, r.AttachedManagedPolicies})
		}
		for _, u := range page.UserDetailList {
			name := "user " + aws.ToString(u.UserName)
			a.add(Principal{name, aws.ToString(u.Arn), u.UserPolicyList, u.AttachedManagedPolicies})
		}
		for _, g := range page.GroupDetailList {
			name := "group " + aws.ToString(g.GroupName)
			a.add(Principal{name, aws.ToString(g.Arn), g.GroupPolicyList, g.AttachedManagedPolicies})
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

func (a *Account) add(p Principal) {
	if a.Cut = a.Cut || len(a.Principals) == MaxPrincipals; !a.Cut {
		a.Principals = append(a.Principals, p)
	}
}

// Statements returns the statements of all policies of a principal.
func (a *Account) Statements(ctx context.Context, p Principal) (all []iampolicy.Statement) {
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
func (a *Account) policy(ctx context.Context, arn string) iampolicy.Document {
	d, known := a.managed[arn]
	if known {
		return d
	}
	if len(a.managed) < maxManaged {
		d, known = a.fetch(ctx, arn)
	}
	if !known {
		a.Unread++
	}
	a.managed[arn] = d
	return d
}

func (a *Account) fetch(ctx context.Context, arn string) (iampolicy.Document, bool) {
	p, err := a.client.GetPolicy(ctx, &iam.GetPolicyInput{PolicyArn: &arn})
	if err != nil || p.Policy == nil {
		return iampolicy.Document{}, false
	}
	v, err := a.client.GetPolicyVersion(
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
func (a *Account) policyText(text *string) (d iampolicy.Document) {
	plain, err := url.PathUnescape(aws.ToString(text))
	if err != nil {
		plain = aws.ToString(text)
	}
	if json.Unmarshal([]byte(plain), &d) != nil {
		a.Unread++
	}
	return d
}
