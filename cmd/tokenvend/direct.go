package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"regexp"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	awsmiddleware "github.com/aws/aws-sdk-go-v2/aws/middleware"
	"github.com/aws/aws-sdk-go-v2/service/lambda"

	"github.com/tokenvend/tokenvend/pkg/api"
)

// function is a vend function as --function names it.
type function struct {
	partition, region string // of an ARN
	account           string // of an ARN, whole or partial
	name, alias       string
}

// adminAlias is the alias for operators.
const adminAlias = "admin"

var functionName = regexp.MustCompile(`^(?:(?:arn:(aws[a-z-]*):lambda:([a-z0-9-]+):)?([0-9]{12}):function:)?([A-Za-z0-9_-]{1,64})(?::(\$LATEST|[A-Za-z0-9_-]{1,128}))?$`)

func parseFunction(s string) (function, error) {
	found := functionName.FindStringSubmatch(s)
	if found == nil {
		return function{}, usage("--function, %s: expected a function's name or ARN, and :ALIAS if it is not admin", envFunction)
	}
	f := function{partition: found[1], region: found[2], account: found[3], name: found[4], alias: found[5]}
	if f.alias == "" {
		f.alias = adminAlias
	}
	return f, nil
}

// String is the function as Lambda takes it, without the alias.
func (f function) String() string {
	switch {
	case f.account == "":
		return f.name
	case f.region == "":
		return f.account + ":function:" + f.name
	}
	return fmt.Sprintf("arn:%s:lambda:%s:%s:function:%s", f.partition, f.region, f.account, f.name)
}

// invoker is what is called of *lambda.Client.
type invoker interface {
	Invoke(context.Context, *lambda.InvokeInput, ...func(*lambda.Options)) (*lambda.InvokeOutput, error)
}

// direct sends the requests of a client.Client to the function itself, and makes its answers into the API's.
type direct struct {
	lambda   invoker
	function function
}

// RoundTrip implements http.RoundTripper.
func (d direct) RoundTrip(r *http.Request) (*http.Response, error) {
	request, err := requested(r)
	if err != nil {
		return nil, err
	}
	payload, err := json.Marshal(request)
	if err != nil {
		return nil, err
	}
	out, err := d.lambda.Invoke(r.Context(), &lambda.InvokeInput{
		FunctionName: aws.String(d.function.String()), Qualifier: &d.function.alias, Payload: payload,
	}, attempts(r.Method))
	if err != nil {
		return nil, d.notInvoked(err)
	}
	if out.FunctionError == nil {
		return respond(r, http.StatusOK, out.Payload), nil
	}
	id, _ := awsmiddleware.GetRequestIDMetadata(out.ResultMetadata)
	return d.failed(r, out.Payload, id)
}

// attempts are the SDK's own, and one for what a PUT brings: a code that is sent twice may cost the grant that it stands for.
func attempts(method string) func(*lambda.Options) {
	return func(o *lambda.Options) {
		if method == http.MethodPut {
			o.Retryer = aws.NopRetryer{}
		}
	}
}

func (d direct) notInvoked(err error) error {
	err = awsFault("lambda:InvokeFunction", d.function.name+":"+d.function.alias, err)
	if e, ok := errors.AsType[*awsError](err); ok && e.code == "ResourceNotFoundException" {
		e.why = "there is no such function or alias in that account and region"
	}
	return err
}

// requested is a client's request as a direct payload.
func requested(r *http.Request) (at api.Request, err error) {
	if r.Body != nil {
		defer func() { _ = r.Body.Close() }()
	}
	if r.Method == http.MethodPost || r.Method == http.MethodPut {
		if err := json.NewDecoder(r.Body).Decode(&at); err != nil {
			return at, err
		}
	}
	at.Credential, at.Action = routed(r.Method, r.URL.Path)
	switch {
	case at.Recovery != "":
		at.Action = api.Recover
	case at.Renew:
		at.Action, at.Renew = api.Renew, false
	}
	return at, queried(r, &at)
}

// routed is what the API's methods and paths are called in a payload.
func routed(method, path string) (credential, action string) {
	path = strings.TrimPrefix(strings.TrimPrefix(path, "/tokens"), "/")
	if path == "" {
		return "", api.List
	}
	if name, tail, found := strings.Cut(path, "/"); found {
		return name, tail
	}
	switch method {
	case http.MethodPut:
		return path, api.Connect
	case http.MethodDelete:
		return path, api.Revoke
	}
	return path, api.Vend
}

func queried(r *http.Request, at *api.Request) (err error) {
	query := r.URL.Query()
	for name, field := range map[string]*string{"scope": &at.Scope, "audience": &at.Audience, "account": &at.Account, "after": &at.After, "redirect_uri": &at.RedirectURI} {
		if query.Has(name) {
			*field = query.Get(name)
		}
	}
	at.Verify = query.Get("verify") == "true"
	if query.Has("min_ttl") {
		at.MinTTL, err = api.ParseSeconds(query.Get("min_ttl"))
	}
	return err
}

// respond is a response as the API would give it.
func respond(r *http.Request, status int, body []byte) *http.Response {
	return &http.Response{
		StatusCode: status, Status: http.StatusText(status), Proto: "HTTP/1.1", ProtoMajor: 1, ProtoMinor: 1,
		Header: http.Header{}, Body: io.NopCloser(bytes.NewReader(body)), ContentLength: int64(len(body)), Request: r,
	}
}

// functionError is Lambda's own account of an invocation without an answer, or the function's.
type functionError struct {
	Message string `json:"errorMessage"`
	Type    string `json:"errorType"` // "Sandbox.Timedout", "Runtime.ExitError", or the function's own
}

// failed makes a problem of the function's into the API's response. Of any other error nothing is told but its type.
func (d direct) failed(r *http.Request, payload []byte, id string) (*http.Response, error) {
	var e functionError
	var problem api.Error
	if json.Unmarshal(payload, &e) == nil && json.Unmarshal([]byte(e.Message), &problem) == nil && problem.Code != "" {
		return respond(r, problem.Code.Status(), []byte(e.Message)), nil
	}
	return nil, &brokenFunction{name: d.function.name, kind: e.kind(), requestID: id}
}

// brokenFunction is the error of a function that ended without an answer.
type brokenFunction struct{ name, kind, requestID string }

func (e *brokenFunction) Error() string {
	return "the function " + e.name + " ended without an answer" + e.kind + "; its log tells why" + requestID(e.requestID)
}

var plainType = regexp.MustCompile(`^[A-Za-z]{1,40}(\.[A-Za-z]{1,40})?$`)

// kind is what went wrong, in brackets; "" for what is not of a known form.
func (e functionError) kind() string {
	switch {
	case e.Type == "Sandbox.Timedout", strings.Contains(e.Message, "Task timed out after"):
		return " (it ran out of time)"
	case plainType.MatchString(e.Type):
		return " (" + e.Type + ")"
	}
	return ""
}
