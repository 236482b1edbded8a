// Package invoke carries requests to tokenvend by invoking its vend function.
package invoke

import (
	"context"
	"encoding/json"
	"errors"
	"regexp"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	awsmiddleware "github.com/aws/aws-sdk-go-v2/aws/middleware"
	awshttp "github.com/aws/aws-sdk-go-v2/aws/transport/http"
	"github.com/aws/aws-sdk-go-v2/service/lambda"
	"github.com/aws/smithy-go"

	"github.com/tokenvend/tokenvend/pkg/api"
	"github.com/tokenvend/tokenvend/pkg/client"
)

// Transport is a [github.com/tokenvend/tokenvend/pkg/client.Transport].
type Transport struct {
	lambda    *lambda.Client
	function  string
	qualifier string
}

// Option changes a transport. The functions of this package make options; the
// zero Option changes nothing.
type Option struct{ apply func(*Transport) }

// Qualifier invokes the function by this alias.
func Qualifier(alias string) Option { return Option{func(t *Transport) { t.qualifier = alias }} }

var regionOfARN = regexp.MustCompile(`^arn:aws[a-z-]*:lambda:([a-z0-9-]+):`)

// New returns a transport to a vend function, by its name or ARN and, after a
// colon, the alias that the caller may invoke:
// "tokenvend-VendFunction-…:c-minut". The region of an ARN comes before
// cfg's.
func New(cfg aws.Config, function string, options ...Option) *Transport {
	if found := regionOfARN.FindStringSubmatch(function); found != nil {
		cfg.Region = found[1]
	}
	t := &Transport{lambda: lambda.NewFromConfig(cfg), function: function}
	for _, o := range options {
		if o.apply != nil {
			o.apply(t)
		}
	}
	return t
}

// Send invokes the function, and returns its answer.
func (t *Transport) Send(ctx context.Context, r api.Request) ([]byte, error) {
	payload, err := json.Marshal(r)
	if err != nil {
		return nil, err
	}
	in := &lambda.InvokeInput{FunctionName: aws.String(t.function), Payload: payload}
	if t.qualifier != "" {
		in.Qualifier = aws.String(t.qualifier)
	}
	out, err := t.lambda.Invoke(ctx, in, attempts(r.Action))
	if err != nil {
		return nil, notInvoked(err)
	}
	if out.FunctionError == nil {
		return out.Payload, nil
	}
	id, _ := awsmiddleware.GetRequestIDMetadata(out.ResultMetadata)
	return nil, t.failed(out.Payload, id)
}

// attempts returns an option that has a request of an operation that must not
// be sent twice sent once. All others follow the SDK's own rule.
func attempts(action string) func(*lambda.Options) {
	return func(o *lambda.Options) {
		if operation, _ := api.Operations().Operation(action); operation.Once {
			o.Retryer = aws.NopRetryer{}
		}
	}
}

// notInvoked returns the error of an invocation that Lambda refused, or that
// had no answer. It wraps the SDK's.
func notInvoked(err error) error {
	answer, ok := errors.AsType[*awshttp.ResponseError](err)
	if !ok {
		return err
	}
	e := &client.GatewayError{Status: answer.HTTPStatusCode(), RequestID: answer.ServiceRequestID(), Err: err}
	if said, ok := errors.AsType[smithy.APIError](err); ok {
		e.Kind = said.ErrorCode()
	}
	return e
}

// functionError is Lambda's own account of an invocation without an answer, or
// the function's.
type functionError struct {
	Message string `json:"errorMessage"`
	Type    string `json:"errorType"` // "Sandbox.Timedout", "Runtime.ExitError", or the function's own
}

// failed returns the problem that a function error holds. Of any other nothing
// is said but its type.
func (t *Transport) failed(payload []byte, requestID string) error {
	var e functionError
	problem := &api.Error{}
	if json.Unmarshal(payload, &e) == nil && json.Unmarshal([]byte(e.Message), problem) == nil && problem.Code != "" {
		return problem
	}
	return &FunctionError{Function: t.function, Kind: e.kind(), RequestID: requestID}
}

var plainType = regexp.MustCompile(`^[A-Za-z]{1,40}(\.[A-Za-z]{1,40})?$`)

// kind names what went wrong; "" for what is not of a known form.
func (e functionError) kind() string {
	switch {
	case e.Type == "Sandbox.Timedout", strings.Contains(e.Message, "Task timed out after"):
		return "it ran out of time"
	case plainType.MatchString(e.Type):
		return e.Type
	}
	return ""
}

// FunctionError is the error of a function that ended without an answer.
type FunctionError struct {
	Function  string // as [New] was given it
	Kind      string // "it ran out of time", or Lambda's type; "": not known
	RequestID string
}

// Error says which function ended, and where to look.
func (e *FunctionError) Error() string {
	text := "tokenvend: the function " + e.Function + " ended without an answer"
	if e.Kind != "" {
		text += " (" + e.Kind + ")"
	}
	return text + "; its log tells why"
}
