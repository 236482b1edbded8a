package vend

import (
	"context"
	"encoding/base64"
	"encoding/json"
	"errors"
	"net/url"
	"strings"
	"time"

	"github.com/aws/aws-lambda-go/lambda/messages"
	"github.com/aws/aws-lambda-go/lambdacontext"

	"github.com/tokenvend/tokenvend/pkg/access"
	"github.com/tokenvend/tokenvend/pkg/api"
)

// event is what of an invocation's payload tells its shape, and what of API Gateway's shapes is needed. A direct payload has none of it.
//
// Payload 2.0 is an HTTP API's: https://docs.aws.amazon.com/apigateway/latest/developerguide/http-api-develop-integrations-lambda.html. Payload 1.0 is a REST API's.
type event struct {
	RequestContext *struct {
		RequestID string `json:"requestId"`
		Stage     string `json:"stage"`
		HTTP      *struct {
			Method string `json:"method"`
		} `json:"http"` // 2.0 only
		Authorizer struct {
			IAM struct {
				UserARN string `json:"userArn"`
			} `json:"iam"`
		} `json:"authorizer"` // 2.0
		Identity struct {
			UserARN string `json:"userArn"`
		} `json:"identity"` // 1.0
	} `json:"requestContext"`
	RawPath         string     `json:"rawPath"`        // 2.0, stage included
	RawQuery        string     `json:"rawQueryString"` // 2.0
	Method          string     `json:"httpMethod"`     // 1.0
	Path            string     `json:"path"`           // 1.0, without the stage
	Query           url.Values `json:"multiValueQueryStringParameters"`
	Body            string     `json:"body"`
	IsBase64Encoded bool       `json:"isBase64Encoded"`
}

// answer is what API Gateway expects back, in both shapes.
type answer struct {
	StatusCode int               `json:"statusCode"`
	Headers    map[string]string `json:"headers"`
	Body       string            `json:"body"`
}

// Invoke answers one invocation of the vend function: an HTTP API's event, a REST API's, or a direct payload, which is an api.Request. It is lambda.Handler's method.
// Over the API every outcome is a response; a direct caller gets a function error, whose errorType is the code and whose errorMessage is the problem document.
func (d *Desk) Invoke(ctx context.Context, payload []byte) (response []byte, err error) {
	invocation, _ := lambdacontext.FromContext(ctx)
	if invocation == nil {
		invocation = &lambdacontext.LambdaContext{}
	}
	defer func() {
		if cause := recover(); cause != nil {
			d.Journal.Panic(ctx, cause, invocation.AwsRequestID)
			response, err = nil, functionError(&api.Error{Code: api.Internal, Detail: "an unexpected error, told in the log", RequestID: invocation.AwsRequestID})
		}
	}()
	ctx, cancel := answerBefore(ctx)
	defer cancel()
	caller := access.Invoked(invocation.InvokedFunctionArn)
	var e event
	if json.Unmarshal(payload, &e) == nil && e.RequestContext != nil {
		return d.overAPI(ctx, caller, e)
	}
	return d.direct(ctx, caller, payload, invocation.AwsRequestID)
}

// margin is how long before Lambda would end the invocation those who wait are told to come back later.
const margin = 500 * time.Millisecond

func answerBefore(ctx context.Context) (context.Context, context.CancelFunc) {
	deadline, ok := ctx.Deadline()
	if !ok {
		return context.WithCancel(ctx)
	}
	return context.WithDeadline(ctx, deadline.Add(-margin))
}

// overAPI answers an event of API Gateway's shape, which counts only where Lambda itself says that it came by the alias api.
func (d *Desk) overAPI(ctx context.Context, caller access.Caller, e event) ([]byte, error) {
	r := HTTPRequest{Method: e.Method, Path: e.Path, Query: e.Query.Encode(), RequestID: e.RequestContext.RequestID}
	arn := e.RequestContext.Identity.UserARN
	if e.RequestContext.HTTP != nil {
		r.Method, r.Path, r.Query = e.RequestContext.HTTP.Method, withoutStage(e.RawPath, e.RequestContext.Stage), e.RawQuery
		arn = e.RequestContext.Authorizer.IAM.UserARN
	}
	r.Caller, r.Body = caller.OverAPI(arn), []byte(e.Body)
	if e.IsBase64Encoded {
		body, err := base64.StdEncoding.DecodeString(e.Body)
		if err != nil {
			body = []byte("not base64") // and so no JSON
		}
		r.Body = body
	}
	reply := d.HTTP(ctx, r)
	return json.Marshal(answer{StatusCode: reply.Status, Headers: reply.Header, Body: string(reply.Body)})
}

// withoutStage takes the stage off an HTTP API's rawPath, which has it unless the stage is $default.
func withoutStage(path, stage string) string {
	if rest, has := strings.CutPrefix(path, "/"+stage+"/"); has && stage != "" {
		return "/" + rest
	}
	return path
}

// direct answers a payload that another Lambda sent. On the alias api there is nothing to be had that way.
func (d *Desk) direct(ctx context.Context, caller access.Caller, payload []byte, requestID string) ([]byte, error) {
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
		return nil, functionError(d.turnAway(ctx, HTTPRequest{Caller: caller, RequestID: requestID}, request, err))
	}
	got, err := d.Answer(ctx, Call{Caller: caller, Request: request, RequestID: requestID})
	if err != nil {
		return nil, functionError(err)
	}
	return json.Marshal(got)
}

// functionError makes an error one whose type Lambda shows as the code.
func functionError(err error) error {
	problem := &api.Error{Code: api.Internal}
	errors.As(err, &problem)
	text, _ := json.Marshal(problem) // strings and numbers: cannot fail
	return messages.InvokeResponse_Error{Type: string(problem.Code), Message: string(text)}
}
