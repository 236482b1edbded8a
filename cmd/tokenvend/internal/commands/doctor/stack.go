package doctor

import (
	"context"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/iam"
	"github.com/aws/aws-sdk-go-v2/service/lambda"
	awssecrets "github.com/aws/aws-sdk-go-v2/service/secretsmanager"

	"github.com/tokenvend/tokenvend/cmd/tokenvend/internal/clierror"
	"github.com/tokenvend/tokenvend/cmd/tokenvend/internal/connection"
	"github.com/tokenvend/tokenvend/cmd/tokenvend/internal/iampolicy"
	"github.com/tokenvend/tokenvend/cmd/tokenvend/internal/secretstore"
	"github.com/tokenvend/tokenvend/pkg/credential/secretsmanager"
)

// stack checks a stack. Its error is a usage error; other errors are findings.
func (f *findings) stack(ctx context.Context, at connection.Place, flag string) error {
	prefix, err := secretstore.Prefix(flag)
	if err != nil {
		return err
	}
	if _, err := at.AWS.Credentials.Retrieve(ctx); err != nil {
		f.fail("AWS credentials", err.Error(), "")
		return nil
	}
	if at.Function.Name == "" {
		f.warn(
			"function",
			"not looked at, nor who may invoke it",
			"name it with --function, the stack's output VendFunctionName",
		)
	} else {
		f.function(ctx, at)
	}
	f.secrets(ctx, secretsmanager.New(awssecrets.NewFromConfig(at.AWS), prefix))
	f.drift(at.Function.String())
	caller, err := at.Client()
	if err != nil {
		return err
	}
	f.tokens(ctx, caller)
	return nil
}

// function checks a vend function, and who may invoke it by which alias.
func (f *findings) function(ctx context.Context, at connection.Place) {
	reader := lambda.NewFromConfig(at.AWS)
	name := at.Function.String()
	out, err := reader.GetFunctionConfiguration(ctx, &lambda.GetFunctionConfigurationInput{FunctionName: &name})
	if err != nil {
		f.unread("function", clierror.AWS("lambda:GetFunctionConfiguration", name, err))
		return
	}
	f.ok("function", "%s exists", aws.ToString(out.FunctionArn))
	f.clock(out.ResultMetadata)
	arn := strings.TrimSuffix(aws.ToString(out.FunctionArn), ":"+iampolicy.Latest)
	f.aliasNames = f.aliases(ctx, reader, name)
	for _, alias := range append([]string{""}, f.aliasNames...) {
		f.resourcePolicy(ctx, reader, name, arn, alias)
	}
	f.identityPolicies(ctx, iam.NewFromConfig(at.AWS), arn)
	settings := settingsOf(out.Environment)
	f.overlaps(ctx, reader, settings)
	f.proofs(ctx, at, settings[envProofs])
	f.table(ctx, dynamodb.NewFromConfig(at.AWS), settings[envTable])
}

// aliases checks the versions that the aliases point to, and returns their
// names.
func (f *findings) aliases(ctx context.Context, reader functionReader, name string) (names []string) {
	pages := lambda.NewListAliasesPaginator(reader, &lambda.ListAliasesInput{FunctionName: &name})
	versions := map[string]string{}
	for pages.HasMorePages() {
		page, err := pages.NextPage(ctx)
		if err != nil {
			f.unread("aliases", clierror.AWS("lambda:ListAliases", name, err))
			return nil
		}
		for _, a := range page.Aliases {
			names = append(names, aws.ToString(a.Name))
			versions[aws.ToString(a.Name)] = aws.ToString(a.FunctionVersion)
		}
	}
	for _, must := range []string{iampolicy.APIAlias, iampolicy.AdminAlias} {
		if versions[must] == "" {
			f.fail("alias "+must, "does not exist", "deploy the stack's template")
		}
	}
	for _, alias := range names {
		on := versions[alias]
		if alias == iampolicy.APIAlias && on != iampolicy.Latest {
			f.release(ctx, reader, name, on)
			continue
		}
		if on != iampolicy.Latest {
			f.fail(
				"alias "+alias,
				"stands on version "+on+", which keeps the settings of its time",
				iampolicy.UpdateAlias(name, alias),
			)
		} else {
			f.ok("alias "+alias, "stands on %s", iampolicy.Latest)
		}
	}
	return names
}
