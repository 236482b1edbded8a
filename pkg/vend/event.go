package vend

import (
	"context"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/aws/aws-lambda-go/lambda/messages"
	"github.com/aws/aws-lambda-go/lambdacontext"

	"github.com/tokenvend/tokenvend/pkg/access"
	"github.com/tokenvend/tokenvend/pkg/api"
	"github.com/tokenvend/tokenvend/pkg/eventbridge"
	"github.com/tokenvend/tokenvend/pkg/failure"
	"github.com/tokenvend/tokenvend/pkg/jsonscan"
)

// event holds what is needed of an event of API Gateway. Payload 2.0 is an HTTP
// API's, payload 1.0 a REST API's:
// https://docs.aws.amazon.com/apigateway/latest/developerguide/http-api-develop-integrations-lambda.html
type event struct {
	stage              string
	http               bool   // it is 2.0
	method, restMethod string // 2.0, 1.0
	route              string // that API Gateway matched: 2.0 without the method, 1.0
	parameters         []parameter
	path               string // with what precedes the route's
	contextPath        string // 1.0: requestContext.path
	rawQuery           string // 2.0
	query              url.Values
	iamARN             string // 2.0: authorizer.iam
	identityARN        string // 1.0: identity
	body               string
	isBase64           bool
}

// readEvent reads an event of API Gateway. It reports false for anything else:
// a direct payload has no requestContext.
func readEvent(payload []byte) (e event, ok bool) {
	s := jsonscan.New(payload)
	s.Object(func(name []byte) {
		switch string(name) {
		case "requestContext":
			ok = e.readContext(&s) || ok
		case "routeKey": // "GET /tokens/{credential}", or "$default"
			_, e.route, _ = strings.Cut(s.Text(), " ")
		case "resource":
			e.route = s.Text()
		case "pathParameters":
			s.Object(func(name []byte) { e.parameters = append(e.parameters, parameter{string(name), s.Text()}) })
		case "rawPath":
			e.path = s.Text()
		case "rawQueryString":
			e.rawQuery = s.Text()
		case "httpMethod":
			e.restMethod = s.Text()
		case "path":
			e.path = s.Text()
		case "multiValueQueryStringParameters":
			e.query = s.TextLists()
		case "body":
			e.body = s.Text()
		case "isBase64Encoded":
			e.isBase64 = s.Bool()
		default:
			s.Skip()
		}
	})
	return e, ok && s.End()
}

// readContext reads the requestContext.
func (e *event) readContext(s *jsonscan.Scanner) bool {
	return s.Object(func(name []byte) {
		switch string(name) {
		case "stage":
			e.stage = s.Text()
		case "path":
			e.contextPath = s.Text()
		case "http":
			e.http = s.ObjectWith("method", &e.method)
		case "authorizer":
			s.Object(func(name []byte) {
				if string(name) != "iam" {
					s.Skip()
					return
				}
				s.ObjectWith("userArn", &e.iamARN)
			})
		case "identity":
			s.ObjectWith("userArn", &e.identityARN)
		default:
			s.Skip()
		}
	})
}

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
	if e, ok := readEvent(payload); ok {
		return s.overAPI(ctx, caller, e, invocation.AwsRequestID), nil
	}
	return s.direct(ctx, caller, payload, invocation.AwsRequestID)
}

// margin is how long before Lambda would end the invocation a call that still
// waits is answered with an error.
const margin = 500 * time.Millisecond

func answerBefore(ctx context.Context) (context.Context, context.CancelFunc) {
	deadline, ok := ctx.Deadline()
	if !ok {
		return context.WithCancel(ctx)
	}
	return context.WithDeadline(ctx, deadline.Add(-margin))
}

// maxARN is the longest ARN that IAM makes, in bytes.
const maxARN = 2048

// overAPI answers an event of API Gateway's shape, which counts only where
// Lambda itself says that the alias api was invoked. The request id is Lambda's
// own: whoever may invoke the function writes the event, ids included.
func (s *Service) overAPI(ctx context.Context, caller access.Caller, e event, requestID string) []byte {
	r := HTTPRequest{Method: e.method, Path: e.apiPath(), Query: e.rawQuery, RequestID: requestID}
	arn := e.iamARN
	if !e.http {
		r.Method, r.Query, arn = e.restMethod, e.query.Encode(), e.identityARN
	}
	if len(arn) > maxARN {
		arn = "" // not one of IAM's
	}
	r.Caller, r.Body = caller.OverAPI(arn), []byte(e.body)
	if e.isBase64 {
		body, err := base64.StdEncoding.DecodeString(e.body)
		if err != nil {
			body = []byte("not base64") // and so no JSON
		}
		r.Body = body
	}
	return appendAnswer(nil, s.HTTP(ctx, r))
}

// appendAnswer appends a reply as API Gateway expects it, in both payload
// formats.
func appendAnswer(to []byte, r HTTPReply) []byte {
	to = slices.Grow(to, 2*len(r.Body)+300)
	to = append(to, `{"statusCode":`...)
	to = strconv.AppendInt(to, int64(r.Status), 10)
	to = append(to, `,"headers":{`...)
	comma := false
	for name, value := range r.Header {
		if comma {
			to = append(to, ',')
		}
		comma = true
		to = append(appendQuoted(to, name), ':')
		to = appendQuoted(to, value)
	}
	to = append(to, `},"body":`...)
	return append(appendQuoted(to, r.Body), '}')
}

// appendQuoted appends s as a JSON string. s is UTF-8.
func appendQuoted[T string | []byte](to []byte, s T) []byte {
	to = append(to, '"')
	for _, c := range []byte(s) {
		switch {
		case c == '"', c == '\\':
			to = append(to, '\\', c)
		case c < ' ':
			to = fmt.Appendf(to, `\u%04x`, c)
		default:
			to = append(to, c)
		}
	}
	return append(to, '"')
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
