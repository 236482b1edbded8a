package clierror

import (
	"context"
	"errors"
	"fmt"
	"net/url"
	"slices"
	"strings"
	"unicode"

	awshttp "github.com/aws/aws-sdk-go-v2/aws/transport/http"
	"github.com/aws/aws-sdk-go-v2/credentials/processcreds"
	"github.com/aws/smithy-go"
	smithyhttp "github.com/aws/smithy-go/transport/http"
)

// NoAWSCredentialsError reports that the SDK found no AWS credentials.
type NoAWSCredentialsError struct{ Cause error }

// Error implements error.
func (e *NoAWSCredentialsError) Error() string {
	const sources = "AWS_PROFILE names a profile, aws sso login signs in, " +
		"AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY are taken too"
	why := e.Cause.Error()
	if _, ok := errors.AsType[*processcreds.ProviderError](e.Cause); ok {
		// the error's own text quotes what the process printed
		why = "the profile's credential_process failed"
	}
	if strings.Contains(why, "ec2imds") {
		return "there are no AWS credentials: " + sources
	}
	return "the AWS credentials can't be obtained: " + why + "; " + sources
}

// AWSError reports that a request to AWS failed. It quotes nothing of the
// request, and of the response only what AWS says about permissions, because
// both carry secrets and tokens.
type AWSError struct {
	Action   string // as in an IAM policy: "lambda:InvokeFunction"
	Resource string
	Code     string // AWS's error code; "" without a readable response
	Reason   string

	requestID string
}

// AWS returns the error of an action on a resource; nil if err is nil.
func AWS(action, resource string, err error) error {
	if err == nil {
		return nil
	}
	if e, ok := errors.AsType[*NoAWSCredentialsError](err); ok {
		return e
	}
	e := &AWSError{Action: action, Resource: resource}
	if response, ok := errors.AsType[*awshttp.ResponseError](err); ok {
		e.requestID = response.ServiceRequestID()
	}
	apiError, ok := errors.AsType[smithy.APIError](err)
	if !ok {
		e.Reason = noResponse(err)
		return e
	}
	e.Code = apiError.ErrorCode()
	if e.IsDenied() {
		e.Reason = strings.Map(printable, apiError.ErrorMessage())
	}
	return e
}

func printable(r rune) rune {
	if unicode.IsControl(r) {
		return ' '
	}
	return r
}

// noResponse returns why there is no response. The SDK's own text quotes a
// response that it can't read.
func noResponse(err error) string {
	if errors.Is(err, context.DeadlineExceeded) || errors.Is(err, context.Canceled) {
		return "no answer in time"
	}
	if e, ok := errors.AsType[*url.Error](err); ok {
		return "no answer: " + e.Err.Error()
	}
	if e, ok := errors.AsType[*smithyhttp.ResponseError](err); ok {
		return fmt.Sprintf("an answer with status %d that can't be read", e.HTTPStatusCode())
	}
	if e, ok := errors.AsType[*smithy.OperationError](err); ok {
		err = e.Err
	}
	return "not sent: " + err.Error()
}

// AWS's error codes for requests that only an operator can correct.
var (
	deniedCodes          = []string{"AccessDenied", "AccessDeniedException"}
	unauthenticatedCodes = []string{
		"ExpiredToken", "ExpiredTokenException", "UnrecognizedClientException", "InvalidClientTokenId",
		"InvalidSignatureException", "SignatureDoesNotMatch", "MissingAuthenticationTokenException",
		"IncompleteSignatureException",
	}
)

// IsDenied reports whether IAM denied the action.
func (e *AWSError) IsDenied() bool { return slices.Contains(deniedCodes, e.Code) }

// IsUnauthenticated reports whether AWS refused the credentials.
func (e *AWSError) IsUnauthenticated() bool { return slices.Contains(unauthenticatedCodes, e.Code) }

// IsDenied reports whether err is AWS's denial of an action.
func IsDenied(err error) bool {
	if e, ok := errors.AsType[*AWSError](err); ok {
		return e.IsDenied()
	}
	e, ok := errors.AsType[smithy.APIError](err)
	return ok && slices.Contains(deniedCodes, e.ErrorCode())
}

// Error implements error.
func (e *AWSError) Error() string {
	text := e.Action + " on " + e.Resource
	switch {
	case e.IsDenied():
		text = "IAM does not allow " + text
	case e.IsUnauthenticated():
		text = "AWS does not take the credentials (" + e.Code + "): sign in again, or check the profile, the region " +
			"and the clock"
	case e.Code != "":
		text += " failed (" + e.Code + ")"
	}
	if e.Reason != "" {
		text += ": " + e.Reason
	}
	return text + requestID(e.requestID)
}

func (e *AWSError) exit() Code {
	if e.IsDenied() || e.IsUnauthenticated() {
		return Refused
	}
	return Failed
}
