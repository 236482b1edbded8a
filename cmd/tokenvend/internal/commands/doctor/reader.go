package doctor

import (
	"context"

	"github.com/aws/aws-sdk-go-v2/service/lambda"
)

// functionReader reads a function; *lambda.Client.
type functionReader interface {
	GetFunctionConfiguration(
		context.Context,
		*lambda.GetFunctionConfigurationInput,
		...func(*lambda.Options),
	) (*lambda.GetFunctionConfigurationOutput, error)
	ListAliases(
		context.Context,
		*lambda.ListAliasesInput,
		...func(*lambda.Options),
	) (*lambda.ListAliasesOutput, error)
	ListFunctions(
		context.Context,
		*lambda.ListFunctionsInput,
		...func(*lambda.Options),
	) (*lambda.ListFunctionsOutput, error)
	GetPolicy(context.Context, *lambda.GetPolicyInput, ...func(*lambda.Options)) (*lambda.GetPolicyOutput, error)
}
