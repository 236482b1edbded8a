package callers

import (
	"context"
	"encoding/json"
	"errors"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/lambda"

	"github.com/tokenvend/tokenvend/cmd/tokenvend/internal/clierror"
	"github.com/tokenvend/tokenvend/cmd/tokenvend/internal/connection"
	"github.com/tokenvend/tokenvend/cmd/tokenvend/internal/iampolicy"
)

// function is the vend function of a stack, in Lambda.
type function struct {
	lambda *lambda.Client
	name   string // as Lambda takes it
	arn    string // without an alias
	region string

	logGroup string
	settings map[string]string // its environment
}

// openFunction returns the function of a place.
func openFunction(ctx context.Context, at connection.Place) (*function, error) {
	if at.Function.Name == "" {
		return nil, clierror.Usage("--function is needed: aliases, permissions and the log belong to a stack's " +
			"vend function")
	}
	f := &function{lambda: lambda.NewFromConfig(at.AWS), name: at.Function.String(), region: at.AWS.Region}
	out, err := f.lambda.GetFunctionConfiguration(ctx, &lambda.GetFunctionConfigurationInput{FunctionName: &f.name})
	if err != nil {
		return nil, clierror.AWS("lambda:GetFunctionConfiguration", f.name, err)
	}
	f.arn = strings.TrimSuffix(aws.ToString(out.FunctionArn), ":"+iampolicy.Latest)
	if out.LoggingConfig != nil {
		f.logGroup = aws.ToString(out.LoggingConfig.LogGroup)
	}
	if out.Environment != nil {
		f.settings = out.Environment.Variables
	}
	return f, nil
}

// permissions returns the statements in the policy of an alias that allow to
// invoke it.
func (f *function) permissions(ctx context.Context, alias string) ([]iampolicy.Statement, error) {
	out, err := f.lambda.GetPolicy(ctx, &lambda.GetPolicyInput{FunctionName: &f.name, Qualifier: &alias})
	if isCode(err, "ResourceNotFoundException") {
		return nil, nil
	}
	if err != nil {
		return nil, clierror.AWS("lambda:GetPolicy", f.name+":"+alias, err)
	}
	var policy iampolicy.Document
	if err := json.Unmarshal([]byte(aws.ToString(out.Policy)), &policy); err != nil {
		return nil, errors.New("the policy of the alias " + alias + " can't be read")
	}
	var found []iampolicy.Statement
	for _, s := range policy.Statement {
		if s.Invokes() && s.Covers(f.arn, alias) {
			found = append(found, s)
		}
	}
	return found, nil
}

// isCode reports whether err is the response of AWS with that error code.
func isCode(err error, code string) bool {
	e, ok := errors.AsType[*clierror.AWSError](clierror.AWS("", "", err))
	return ok && e.Code == code
}
