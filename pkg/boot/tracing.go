package boot

import (
	"context"
	"net/http"
	"time"

	"github.com/aws/aws-lambda-go/lambda"
	awsmiddleware "github.com/aws/aws-sdk-go-v2/aws/middleware"
	"github.com/aws/aws-sdk-go-v2/aws/retry"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/smithy-go/middleware"
	smithyhttp "github.com/aws/smithy-go/transport/http"

	"github.com/tokenvend/tokenvend/pkg/awserror"
	"github.com/tokenvend/tokenvend/pkg/xray"
)

// With tracing off there is no tracer, and what is called for each request is
// what it would be without this file.

// traced returns a handler that puts the trace of each invocation into its
// context.
func (s settings) traced(h lambda.Handler) lambda.Handler {
	if s.tracer == nil {
		return h
	}
	return tracedHandler{h}
}

type tracedHandler struct{ lambda.Handler }

// Invoke implements lambda.Handler.
func (h tracedHandler) Invoke(ctx context.Context, payload []byte) ([]byte, error) {
	header, _ := ctx.Value("x-amzn-trace-id").(string) // where aws-lambda-go keeps Lambda-Runtime-Trace-Id
	return h.Handler.Invoke(xray.NewContext(ctx, header), payload)
}

// observer returns what records requests to providers; nil with tracing off.
func (s settings) observer() func(*http.Request, time.Time, *http.Response) {
	if s.tracer == nil {
		return nil
	}
	return s.tracer.Request
}

// apiOptions returns what records calls of AWS; nil with tracing off.
func (s settings) apiOptions() []func(*middleware.Stack) error {
	if s.tracer == nil {
		return nil
	}
	record := middleware.InitializeMiddlewareFunc("tokenvendTracing", s.record)
	return []func(*middleware.Stack) error{func(stack *middleware.Stack) error {
		return stack.Initialize.Add(record, middleware.After)
	}}
}

// record records one call of AWS, with all its attempts as one.
func (s settings) record(
	ctx context.Context, in middleware.InitializeInput, next middleware.InitializeHandler,
) (out middleware.InitializeOutput, metadata middleware.Metadata, err error) {
	call := xray.AWSCall{
		Service: awsmiddleware.GetServiceID(ctx), Operation: awsmiddleware.GetOperationName(ctx), Began: time.Now(),
	}
	if call.Service == dynamodb.ServiceID {
		call.Table = s.table
	}
	out, metadata, err = next.HandleInitialize(ctx, in)
	call.RequestID, _ = awsmiddleware.GetRequestIDMetadata(metadata)
	if response, ok := awsmiddleware.GetRawResponse(metadata).(*smithyhttp.Response); ok {
		call.Status = response.StatusCode
	}
	if err != nil {
		call.Code, call.Throttled = refusal(err)
	}
	s.tracer.AWSCall(ctx, call)
	return out, metadata, err
}

// refusal returns AWS's error code, or a word for what prevented an answer, and
// whether there were too many calls.
func refusal(err error) (code string, throttled bool) {
	throttled = retry.IsErrorThrottles(retry.DefaultThrottles).IsErrorThrottle(err).Bool()
	return awserror.Code(err), throttled
}
