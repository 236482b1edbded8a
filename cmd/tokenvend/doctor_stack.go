package main

import (
	"context"
	"fmt"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	awsmiddleware "github.com/aws/aws-sdk-go-v2/aws/middleware"
	"github.com/aws/aws-sdk-go-v2/service/iam"
	"github.com/aws/aws-sdk-go-v2/service/lambda"
	awssecrets "github.com/aws/aws-sdk-go-v2/service/secretsmanager"
	"github.com/aws/smithy-go/middleware"

	"github.com/tokenvend/tokenvend/pkg/credential/secretsmanager"
)

// functionReader is what is called of *lambda.Client to look at a function.
type functionReader interface {
	GetFunctionConfiguration(context.Context, *lambda.GetFunctionConfigurationInput, ...func(*lambda.Options)) (*lambda.GetFunctionConfigurationOutput, error)
	ListAliases(context.Context, *lambda.ListAliasesInput, ...func(*lambda.Options)) (*lambda.ListAliasesOutput, error)
	GetPolicy(context.Context, *lambda.GetPolicyInput, ...func(*lambda.Options)) (*lambda.GetPolicyOutput, error)
}

// stack looks at a stack. Its error is a usage error; what else goes wrong is a finding.
func (f *findings) stack(ctx context.Context, at place, prefix string) error {
	if !validPrefix.MatchString(prefix) {
		return usage("--prefix, %s: expected up to 200 characters of a secret's name", envPrefix)
	}
	if _, err := at.aws.Credentials.Retrieve(ctx); err != nil {
		f.fail("AWS credentials", err.Error(), "")
		return nil
	}
	if at.function.name == "" {
		f.warn("function", "not looked at, nor who may invoke it", "name it with --function, the stack's output VendFunctionName")
	} else {
		f.function(ctx, lambda.NewFromConfig(at.aws), iam.NewFromConfig(at.aws), at.function)
	}
	f.secrets(ctx, secretsmanager.New(awssecrets.NewFromConfig(at.aws), prefix))
	client, err := at.client()
	if err != nil {
		return err
	}
	f.tokens(ctx, client)
	return nil
}

// function looks at a vend function, and at who may invoke it by what name.
func (f *findings) function(ctx context.Context, reader functionReader, principals iamReader, fn function) {
	name := fn.String()
	out, err := reader.GetFunctionConfiguration(ctx, &lambda.GetFunctionConfigurationInput{FunctionName: &name})
	if err != nil {
		f.unread("function", awsFault("lambda:GetFunctionConfiguration", name, err))
		return
	}
	f.ok("function", "%s exists", aws.ToString(out.FunctionArn))
	f.clock(out.ResultMetadata)
	arn := strings.TrimSuffix(aws.ToString(out.FunctionArn), ":"+latest)
	for _, alias := range append([]string{""}, f.aliases(ctx, reader, name)...) {
		f.granted(ctx, reader, name, arn, alias)
	}
	f.principals(ctx, principals, arn)
}

// Skews of this machine's clock. AWS refuses requests that are dated more than five minutes off.
const (
	noticedSkew = 30 * time.Second
	refusedSkew = 5 * time.Minute
)

func (f *findings) clock(answer middleware.Metadata) {
	there, ok := awsmiddleware.GetServerTime(answer)
	here, _ := awsmiddleware.GetResponseAt(answer)
	if !ok {
		return
	}
	switch skew := here.Sub(there).Abs().Truncate(time.Second); {
	case skew >= refusedSkew:
		f.fail("clock", fmt.Sprintf("this machine's is %v off AWS's", skew), "set it: signatures are refused")
	case skew >= noticedSkew:
		f.warn("clock", fmt.Sprintf("this machine's is %v off AWS's", skew), "set it before signatures are refused")
	default:
		f.ok("clock", "this machine's agrees with AWS's")
	}
}

// latest is what every alias has to stand on.
const latest = "$LATEST"

// aliases looks at what the aliases stand on, and returns their names.
func (f *findings) aliases(ctx context.Context, reader functionReader, name string) (names []string) {
	pages := lambda.NewListAliasesPaginator(reader, &lambda.ListAliasesInput{FunctionName: &name})
	stand := map[string]string{}
	for pages.HasMorePages() {
		page, err := pages.NextPage(ctx)
		if err != nil {
			f.unread("aliases", awsFault("lambda:ListAliases", name, err))
			return nil
		}
		for _, a := range page.Aliases {
			names = append(names, aws.ToString(a.Name))
			stand[aws.ToString(a.Name)] = aws.ToString(a.FunctionVersion)
		}
	}
	for _, must := range []string{apiAlias, adminAlias} {
		if stand[must] == "" {
			f.fail("alias "+must, "does not exist", "deploy the stack's template")
		}
	}
	for _, alias := range names {
		if on := stand[alias]; on != latest {
			f.fail("alias "+alias, "stands on version "+on+", which keeps the settings of its time",
				fmt.Sprintf("aws lambda update-alias --function-name %s --name %s --function-version '%s'", name, alias, latest))
		} else {
			f.ok("alias "+alias, "stands on %s", latest)
		}
	}
	return names
}
