package doctor

import (
	"context"
	"slices"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/iam"
	"github.com/aws/aws-sdk-go-v2/service/lambda"
	awssecrets "github.com/aws/aws-sdk-go-v2/service/secretsmanager"

	"github.com/tokenvend/tokenvend/cmd/tokenvend/internal/clierror"
	"github.com/tokenvend/tokenvend/cmd/tokenvend/internal/commands/doctor/permissions"
	"github.com/tokenvend/tokenvend/cmd/tokenvend/internal/connection"
	"github.com/tokenvend/tokenvend/cmd/tokenvend/internal/iampolicy"
	"github.com/tokenvend/tokenvend/cmd/tokenvend/internal/secretstore"
	"github.com/tokenvend/tokenvend/pkg/credential/secretsmanager"
)

// stack checks a stack. Its error is a usage error; other errors are findings.
func (s *setup) stack(ctx context.Context, at connection.Place, flag string) error {
	prefix, err := secretstore.Prefix(flag)
	if err != nil {
		return err
	}
	if _, err := at.AWS.Credentials.Retrieve(ctx); err != nil {
		s.Fail("AWS credentials", err.Error(), "")
		return nil
	}
	var aliases []string // nil: not read
	if at.Function.Name == "" {
		s.Warn(
			"function",
			"not looked at, nor who may invoke it",
			"name it with --function, the stack's output VendFunctionName",
		)
	} else {
		aliases = s.function(ctx, at)
	}
	credentials := s.secrets(ctx, secretsmanager.New(awssecrets.NewFromConfig(at.AWS), prefix))
	s.drift(at.Function.String(), aliases, credentials)
	caller, err := at.Client()
	if err != nil {
		return err
	}
	s.tokens(ctx, caller)
	return nil
}

// function checks a vend function, and who may invoke it by which alias. It
// returns the names of its aliases; nil: they were not read.
func (s *setup) function(ctx context.Context, at connection.Place) (aliases []string) {
	reader := lambda.NewFromConfig(at.AWS)
	name := at.Function.String()
	out, err := reader.GetFunctionConfiguration(ctx, &lambda.GetFunctionConfigurationInput{FunctionName: &name})
	if err != nil {
		s.Unread("function", clierror.AWS("lambda:GetFunctionConfiguration", name, err))
		return nil
	}
	s.OK("function", "%s exists", aws.ToString(out.FunctionArn))
	s.clock(out.ResultMetadata)
	aliases = s.aliases(ctx, reader, name)
	function := permissions.Function{
		List: &s.List, Expected: s.expected, Name: name, Aliases: aliases,
		ARN: strings.TrimSuffix(aws.ToString(out.FunctionArn), ":"+iampolicy.Latest),
	}
	function.ResourcePolicies(ctx, reader)
	function.IdentityPolicies(ctx, iam.NewFromConfig(at.AWS))
	settings := settingsOf(out.Environment)
	s.overlaps(ctx, reader, settings)
	s.proofs(ctx, at, settings[envProofs])
	s.table(ctx, dynamodb.NewFromConfig(at.AWS), settings[envTable])
	return aliases
}

// aliases checks the versions that the aliases point to, and returns their
// names; nil: they were not read.
func (s *setup) aliases(ctx context.Context, reader *lambda.Client, name string) (names []string) {
	pages := lambda.NewListAliasesPaginator(reader, &lambda.ListAliasesInput{FunctionName: &name})
	versions := map[string]string{}
	for pages.HasMorePages() {
		page, err := pages.NextPage(ctx)
		if err != nil {
			s.Unread("aliases", clierror.AWS("lambda:ListAliases", name, err))
			return nil
		}
		for _, a := range page.Aliases {
			names = append(names, aws.ToString(a.Name))
			versions[aws.ToString(a.Name)] = aws.ToString(a.FunctionVersion)
		}
	}
	for _, must := range []string{iampolicy.APIAlias, iampolicy.AdminAlias} {
		if versions[must] == "" {
			s.Fail("alias "+must, "does not exist", "deploy the stack's template")
		}
	}
	for _, alias := range names {
		on := versions[alias]
		if alias == iampolicy.APIAlias && on != iampolicy.Latest {
			s.release(ctx, reader, name, on)
			continue
		}
		if on != iampolicy.Latest {
			s.Fail(
				"alias "+alias,
				"stands on version "+on+", which keeps the settings of its time",
				iampolicy.UpdateAlias(name, alias),
			)
		} else {
			s.OK("alias "+alias, "stands on %s", iampolicy.Latest)
		}
	}
	return names
}

// drift warns of aliases of credentials that do not exist. credentials are
// those that do; nil: they were not read.
func (s *setup) drift(function string, aliases, credentials []string) {
	if credentials == nil {
		return
	}
	for _, alias := range aliases {
		name, ok := iampolicy.CredentialOf(alias)
		if ok && !slices.Contains(credentials, name) {
			s.Warn("alias "+alias, "there is no credential "+name,
				"aws lambda delete-alias --function-name "+function+" --name "+alias+
					" removes it, with the permissions of its policy")
		}
	}
}
