package vend

import (
	"context"
	"encoding/json"
	"errors"
	"time"

	"github.com/aws/aws-lambda-go/lambda/messages"
	"github.com/aws/aws-lambda-go/lambdacontext"

	"github.com/tokenvend/tokenvend/pkg/access"
	"github.com/tokenvend/tokenvend/pkg/api"
	"github.com/tokenvend/tokenvend/pkg/apigateway"
	"github.com/tokenvend/tokenvend/pkg/deadline"
	"github.com/tokenvend/tokenvend/pkg/eventbridge"
	"github.com/tokenvend/tokenvend/pkg/failure"
)

// Invoke answers one invocation of the vend function: an HTTP API's event, a
// REST API's, or a direct payload, which is an [api.Request]. It implements
// lambda.Handler.
//
// Over the API every outcome is a response. A direct caller gets a function
// error, whose errorType is the code and whose errorMessage is the problem
// document.
func (s *Service) Invoke(ctx context.Context, payload []byte) (response []byte, err error) {
	invocation, _ := lambdacontext.FromContext(ctx)
	if invocation == nil {
		invocation = &lambdacontext.LambdaContext{}
	}
	defer func() {
		if cause := recover(); cause != nil {
			s.Journal.Panic(ctx, cause, invocation.AwsRequestID)
			response, err = nil, functionError(&api.Error{
				Code: api.Internal, Detail: failure.InternalDetail, RequestID: invocation.AwsRequestID,
			})
		}
	}()
	ctx, cancel := answerBefore(ctx)
	defer cancel()
	caller := access.Invoked(invocation.InvokedFunctionArn)
	if e, ok := apigateway.ReadEvent(payload); ok {
		return s.overAPI(ctx, caller, e, invocation.AwsRequestID), nil
	}
	return s.direct(ctx, caller, payload, invocation.AwsRequestID)
}

// margin is how long before Lambda would end the invocation a call that still
// waits is answered with an error.
const margin = 500 * time.Millisecond

func answerBefore(ctx context.Context) (context.Context, context.CancelFunc) {
	end, ok := ctx.Deadline()
	if !ok {
		return context.WithCancel(ctx)
	}
	bounded := deadline.New(ctx, end.Add(-margin))
	return bounded, bounded.Release
}

// overAPI answers an event of API Gateway's shape, which counts only where
// Lambda itself says that the alias api was invoked. The request id is Lambda's
// own: whoever may invoke the function writes the event, ids included.
func (s *Service) overAPI(
	ctx context.Context, caller access.Caller, e apigateway.Event, requestID string,
) []byte {
	r := s.HTTP(ctx, HTTPRequest{
		Method: e.Method(), Path: e.Path(), Query: e.Query(), Body: e.Body(), RequestID: requestID,
		Caller: caller.OverAPI(e.ARN()),
	})
	return apigateway.AppendAnswer(nil, r.Status, r.Header, r.Body)
}

// direct answers a payload that another Lambda sent. No such caller is admitted
// at the alias api.
func (s *Service) direct(ctx context.Context, caller access.Caller, payload []byte, requestID string) ([]byte, error) {
	if caller.Via == access.API {
		caller = access.Caller{Alias: caller.Alias}
	}
	var request api.Request
	var err error
	if len(payload) > MaxBody {
		err = invalid("the payload: expected at most 8 KiB")
	} else if request, err = api.DecodeRequest(payload); err != nil {
		err = invalid(err.Error())
	}
	if err != nil {
		if asksNothing(payload) {
			return []byte(eventbridge.Pong), nil
		}
		return nil, functionError(s.refuse(ctx, Call{Caller: caller, Request: request, RequestID: requestID}, err))
	}
	if operation, known := api.Operations().Operation(request.Action); known {
		request = operation.Restrict(request)
	}
	got, err := s.Answer(ctx, Call{Caller: caller, Request: request, RequestID: requestID})
	if err != nil {
		return nil, functionError(err)
	}
	return encode(got)
}

// asksNothing reports whether a payload keeps an instance warm: a ping, or any
// event of EventBridge.
func asksNothing(payload []byte) bool {
	_, isEvent := eventbridge.ReadEvent(payload)
	return isEvent || eventbridge.IsPing(payload)
}

// functionError returns an error whose type Lambda shows as the code.
func functionError(err error) error {
	problem := &api.Error{Code: api.Internal}
	errors.As(err, &problem)
	text, _ := json.Marshal(problem) // strings and numbers: cannot fail
	return messages.InvokeResponse_Error{Type: string(problem.Code), Message: string(text)}
}
