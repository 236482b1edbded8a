package standin_test

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"net/url"
	"slices"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/iam"
	iamtypes "github.com/aws/aws-sdk-go-v2/service/iam/types"
	"github.com/aws/aws-sdk-go-v2/service/lambda"
	"github.com/aws/aws-sdk-go-v2/service/lambda/types"
	"github.com/aws/aws-sdk-go-v2/service/sts"
	"github.com/aws/smithy-go"

	"github.com/tokenvend/tokenvend/internal/testbed"
)

// onEachConfig runs a test on an empty account at every stand-in, through the
// SDK: these services do not use one protocol.
func onEachConfig(t *testing.T, test func(t *testing.T, cfg aws.Config)) {
	for backend, account := range testbed.Accounts() {
		t.Run(backend, func(t *testing.T) { test(t, account(t)) })
	}
}

func must(t *testing.T, what string, err error) {
	t.Helper()
	if err != nil {
		t.Fatalf("%s: %v", what, err)
	}
}

// fails checks the code of an error.
func fails(t *testing.T, what string, err error, code string) {
	t.Helper()
	if said, is := errors.AsType[smithy.APIError](err); !is || said.ErrorCode() != code {
		t.Errorf("%s: %v, want %s", what, err, code)
	}
}

const (
	noStatements = `{"Version":"2012-10-17","Statement":[]}`
	someDocument = `{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"logs:*","Resource":"*"}]}`
)

// arnEnd is an identity's ARN without its account, which the stand-in chooses.
func arnEnd(arn *string) string {
	_, end, _ := strings.Cut(strings.TrimPrefix(aws.ToString(arn), "arn:aws:iam::"), ":")
	return end
}

// details reads all pages of GetAccountAuthorizationDetails, and returns the
// policies of each role, user and group, and the managed ones.
func details(t *testing.T, c *iam.Client) map[string]string {
	t.Helper()
	got := map[string]string{}
	policies := func(inline []iamtypes.PolicyDetail, attached []iamtypes.AttachedPolicy) string {
		var all []string
		for _, p := range inline {
			text, _ := url.PathUnescape(*p.PolicyDocument)
			all = append(all, *p.PolicyName+" "+text)
		}
		for _, p := range attached {
			all = append(all, *p.PolicyArn)
		}
		return strings.Join(all, "; ")
	}
	pages := iam.NewGetAccountAuthorizationDetailsPaginator(c, &iam.GetAccountAuthorizationDetailsInput{
		Filter: []iamtypes.EntityType{"User", "Role", "Group", "LocalManagedPolicy"},
	})
	for pages.HasMorePages() {
		page, err := pages.NextPage(t.Context())
		must(t, "GetAccountAuthorizationDetails", err)
		for _, r := range page.RoleDetailList {
			got["role "+arnEnd(r.Arn)+" "+*r.RoleName] = policies(r.RolePolicyList, r.AttachedManagedPolicies)
		}
		for _, u := range page.UserDetailList {
			got["user "+arnEnd(u.Arn)+" "+*u.UserName] = policies(u.UserPolicyList, u.AttachedManagedPolicies)
		}
		for _, g := range page.GroupDetailList {
			got["group "+arnEnd(g.Arn)+" "+*g.GroupName] = policies(g.GroupPolicyList, g.AttachedManagedPolicies)
		}
		for _, p := range page.Policies {
			text, _ := url.PathUnescape(aws.ToString(p.PolicyVersionList[0].Document))
			got["policy "+aws.ToString(p.Arn)] = fmt.Sprint(p.PolicyVersionList[0].IsDefaultVersion, " ", text)
		}
	}
	return got
}

func TestIdentitiesAndPolicies(t *testing.T) {
	onEachConfig(t, func(t *testing.T, cfg aws.Config) {
		c, ctx := iam.NewFromConfig(cfg), t.Context()
		role, err := c.CreateRole(ctx, &iam.CreateRoleInput{
			RoleName: aws.String("r"), AssumeRolePolicyDocument: aws.String(noStatements),
		})
		must(t, "CreateRole", err)
		if arn := *role.Role.Arn; !strings.HasSuffix(arn, ":role/r") {
			t.Errorf("the role's ARN is %s", arn)
		}
		_, err = c.PutRolePolicy(ctx, &iam.PutRolePolicyInput{
			RoleName: aws.String("r"), PolicyName: aws.String("in"), PolicyDocument: aws.String(someDocument),
		})
		must(t, "PutRolePolicy", err)
		_, err = c.CreateUser(ctx, &iam.CreateUserInput{UserName: aws.String("u")})
		must(t, "CreateUser", err)
		_, err = c.CreateGroup(ctx, &iam.CreateGroupInput{GroupName: aws.String("g")})
		must(t, "CreateGroup", err)
		_, err = c.PutGroupPolicy(ctx, &iam.PutGroupPolicyInput{
			GroupName: aws.String("g"), PolicyName: aws.String("in"), PolicyDocument: aws.String(someDocument),
		})
		must(t, "PutGroupPolicy", err)
		made, err := c.CreatePolicy(ctx, &iam.CreatePolicyInput{
			PolicyName: aws.String("p"), PolicyDocument: aws.String(someDocument),
		})
		must(t, "CreatePolicy", err)
		_, err = c.AttachUserPolicy(ctx, &iam.AttachUserPolicyInput{
			UserName: aws.String("u"), PolicyArn: made.Policy.Arn,
		})
		must(t, "AttachUserPolicy", err)
		want := map[string]string{
			"role role/r r":              "in " + someDocument,
			"user user/u u":              *made.Policy.Arn,
			"group group/g g":            "in " + someDocument,
			"policy " + *made.Policy.Arn: "true " + someDocument,
		}
		if got := details(t, c); !maps.Equal(got, want) {
			t.Errorf("GetAccountAuthorizationDetails tells %v, want %v", got, want)
		}
		p, err := c.GetPolicy(ctx, &iam.GetPolicyInput{PolicyArn: made.Policy.Arn})
		must(t, "GetPolicy", err)
		v, err := c.GetPolicyVersion(ctx, &iam.GetPolicyVersionInput{
			PolicyArn: made.Policy.Arn, VersionId: p.Policy.DefaultVersionId,
		})
		must(t, "GetPolicyVersion", err)
		if text, _ := url.PathUnescape(*v.PolicyVersion.Document); text != someDocument {
			t.Errorf("GetPolicyVersion = %s", text)
		}
		_, err = c.GetPolicy(ctx, &iam.GetPolicyInput{PolicyArn: aws.String(*made.Policy.Arn + "x")})
		fails(t, "GetPolicy of none", err, "NoSuchEntity")
		_, err = c.CreateRole(ctx, &iam.CreateRoleInput{
			RoleName: aws.String("r"), AssumeRolePolicyDocument: aws.String(noStatements),
		})
		fails(t, "CreateRole again", err, "EntityAlreadyExists")
	})
}

func TestManyIdentitiesComeInPages(t *testing.T) {
	onEachConfig(t, func(t *testing.T, cfg aws.Config) {
		c := iam.NewFromConfig(cfg)
		for i := range 130 {
			_, err := c.CreateUser(t.Context(), &iam.CreateUserInput{UserName: aws.String(fmt.Sprint("u", i))})
			must(t, "CreateUser", err)
		}
		if got := len(details(t, c)); got != 130 {
			t.Errorf("GetAccountAuthorizationDetails tells of %d users, want 130", got)
		}
	})
}

func TestAFunctionItsAliasesAndGrants(t *testing.T) {
	onEachConfig(t, func(t *testing.T, cfg aws.Config) {
		c, ctx, name := lambda.NewFromConfig(cfg), t.Context(), aws.String("f")
		role, err := iam.NewFromConfig(cfg).CreateRole(ctx, &iam.CreateRoleInput{
			RoleName: aws.String("r"), AssumeRolePolicyDocument: aws.String(noStatements),
		})
		must(t, "CreateRole", err)
		_, err = c.GetFunctionConfiguration(ctx, &lambda.GetFunctionConfigurationInput{FunctionName: name})
		fails(t, "GetFunctionConfiguration of none", err, "ResourceNotFoundException")
		_, err = c.CreateFunction(ctx, &lambda.CreateFunctionInput{
			FunctionName: name, Role: role.Role.Arn, Runtime: types.RuntimeProvidedal2023,
			Handler: aws.String("bootstrap"),
			Code:    &types.FunctionCode{ZipFile: []byte("PK\x05\x06" + strings.Repeat("\x00", 18))},
		})
		must(t, "CreateFunction", err)
		out, err := c.GetFunctionConfiguration(ctx, &lambda.GetFunctionConfigurationInput{FunctionName: name})
		must(t, "GetFunctionConfiguration", err)
		if arn := strings.TrimSuffix(*out.FunctionArn, ":$LATEST"); !strings.HasSuffix(arn, ":function:f") ||
			*out.Role != *role.Role.Arn {
			t.Errorf("the function's ARN is %s, its role %s", arn, *out.Role)
		}
		set := func(value string) {
			_, err := c.UpdateFunctionConfiguration(ctx, &lambda.UpdateFunctionConfigurationInput{
				FunctionName: name, Environment: &types.Environment{Variables: map[string]string{"A": value}},
			})
			must(t, "UpdateFunctionConfiguration", err)
		}
		set("1")
		version, err := c.PublishVersion(ctx, &lambda.PublishVersionInput{FunctionName: name})
		must(t, "PublishVersion", err)
		for alias, on := range map[string]string{"api": "$LATEST", "old": *version.Version} {
			_, err = c.CreateAlias(ctx, &lambda.CreateAliasInput{
				FunctionName: name, Name: &alias, FunctionVersion: &on,
			})
			must(t, "CreateAlias", err)
		}
		if got, want := aliases(t, c), "api $LATEST, old 1"; got != want {
			t.Errorf("ListAliases = %s, want %s", got, want)
		}
		set("2")
		for qualifier, want := range map[string]string{"$LATEST": "2", *version.Version: "1", "api": "2"} {
			out, err := c.GetFunctionConfiguration(ctx, &lambda.GetFunctionConfigurationInput{
				FunctionName: name, Qualifier: &qualifier,
			})
			must(t, "GetFunctionConfiguration", err)
			if got := out.Environment.Variables["A"]; got != want {
				t.Errorf("GetFunctionConfiguration(%s) has A = %s, want %s", qualifier, got, want)
			}
		}
		_, err = c.PutFunctionEventInvokeConfig(ctx, &lambda.PutFunctionEventInvokeConfigInput{
			FunctionName: name, Qualifier: aws.String("api"), MaximumRetryAttempts: aws.Int32(0),
		})
		must(t, "PutFunctionEventInvokeConfig", err)
		one, err := c.GetAlias(ctx, &lambda.GetAliasInput{FunctionName: name, Name: aws.String("old")})
		must(t, "GetAlias", err)
		if *one.FunctionVersion != *version.Version {
			t.Errorf("GetAlias(old) = %s, want version %s", *one.FunctionVersion, *version.Version)
		}
		_, err = c.CreateAlias(ctx, &lambda.CreateAliasInput{
			FunctionName: name, Name: aws.String("old"), FunctionVersion: version.Version,
		})
		code := "ResourceConflictException"
		if strings.HasSuffix(t.Name(), "moto") { // which has another name for it
			code = "ConflictException"
		}
		fails(t, "CreateAlias again", err, code)
		_, err = c.DeleteAlias(ctx, &lambda.DeleteAliasInput{FunctionName: name, Name: aws.String("old")})
		must(t, "DeleteAlias", err)
		if got, want := aliases(t, c), "api $LATEST"; got != want {
			t.Errorf("ListAliases = %s, want %s", got, want)
		}
		grants(t, c, name)
	})
}

func aliases(t *testing.T, c *lambda.Client) string {
	t.Helper()
	out, err := c.ListAliases(t.Context(), &lambda.ListAliasesInput{FunctionName: aws.String("f")})
	must(t, "ListAliases", err)
	var all []string
	for _, a := range out.Aliases {
		all = append(all, *a.Name+" "+*a.FunctionVersion)
	}
	slices.Sort(all)
	return strings.Join(all, ", ")
}

func grants(t *testing.T, c *lambda.Client, name *string) {
	t.Helper()
	ctx := t.Context()
	_, err := c.GetPolicy(ctx, &lambda.GetPolicyInput{FunctionName: name})
	fails(t, "GetPolicy of none", err, "ResourceNotFoundException")
	add := func(id, principal string, alias *string) {
		_, err := c.AddPermission(ctx, &lambda.AddPermissionInput{
			FunctionName: name, StatementId: &id, Action: aws.String("lambda:InvokeFunction"), Principal: &principal,
			Qualifier: alias,
		})
		must(t, "AddPermission", err)
	}
	add("bare", "123456789012", nil)
	add("one", "apigateway.amazonaws.com", aws.String("api"))
	for qualifier, want := range map[string][]string{
		"":    {`"123456789012|arn:aws:iam::123456789012:root"`, `:function:f"`},
		"api": {`"apigateway.amazonaws.com"`, `:function:f:api"`},
	} {
		in := &lambda.GetPolicyInput{FunctionName: name}
		if qualifier != "" {
			in.Qualifier = &qualifier
		}
		out, err := c.GetPolicy(ctx, in)
		must(t, "GetPolicy", err)
		text := strings.ReplaceAll(*out.Policy, " ", "")
		for _, part := range want {
			one, other, _ := strings.Cut(part, "|")
			if !strings.Contains(text, one) && (other == "" || !strings.Contains(text, other)) {
				t.Errorf("GetPolicy(%q) = %s, want %s in it", qualifier, text, part)
			}
		}
		// moto shows the statements of all aliases with each.
		if n := strings.Count(text, `"Sid"`); n != 1 && !strings.HasSuffix(t.Name(), "moto") {
			t.Errorf("GetPolicy(%q) = %s, want one statement", qualifier, text)
		}
	}
}

func TestCredentialsOfARoleAreOfItsAccount(t *testing.T) {
	onEachConfig(t, func(t *testing.T, cfg aws.Config) {
		arn := "arn:aws:iam::210987654321:role/some"
		out, err := sts.NewFromConfig(cfg).AssumeRole(t.Context(), &sts.AssumeRoleInput{
			RoleArn: &arn, RoleSessionName: aws.String("s"),
		})
		must(t, "AssumeRole", err)
		if got, want := *out.AssumedRoleUser.Arn, "arn:aws:sts::210987654321:assumed-role/some/s"; got != want {
			t.Errorf("AssumeRole makes %s, want %s", got, want)
		}
		keys := out.Credentials
		other := cfg
		other.Credentials = aws.CredentialsProviderFunc(func(context.Context) (aws.Credentials, error) {
			return aws.Credentials{
				AccessKeyID: *keys.AccessKeyId, SecretAccessKey: *keys.SecretAccessKey,
				SessionToken: *keys.SessionToken,
			}, nil
		})
		made, err := iam.NewFromConfig(other).CreateUser(t.Context(), &iam.CreateUserInput{UserName: aws.String("u")})
		must(t, "CreateUser", err)
		if !strings.HasPrefix(*made.User.Arn, "arn:aws:iam::210987654321:") {
			t.Errorf("what they make is %s, want it in the account of the role", *made.User.Arn)
		}
		if _, here := details(t, iam.NewFromConfig(cfg))["user u"]; here {
			t.Error("what they make is in the account of who assumed the role")
		}
	})
}
