package main

import (
	"context"
	"errors"
	"fmt"
	"net/url"
	"slices"
	"strings"
	"time"
	"unicode"

	"github.com/aws/aws-sdk-go-v2/aws"
	awshttp "github.com/aws/aws-sdk-go-v2/aws/transport/http"
	"github.com/aws/aws-sdk-go-v2/config"
	"github.com/aws/aws-sdk-go-v2/credentials/processcreds"
	"github.com/aws/smithy-go"
	smithyhttp "github.com/aws/smithy-go/transport/http"
)

// awsTimeout is how long one request to AWS may take; longer than the vend function's own time.
const awsTimeout = 35 * time.Second

// loadAWS reads the AWS configuration as every AWS tool does. region "": the configuration's.
func loadAWS(ctx context.Context, region string) (aws.Config, error) {
	cfg, err := config.LoadDefaultConfig(ctx, config.WithRegion(region), config.WithHTTPClient(awshttp.NewBuildableClient().WithTimeout(awsTimeout)))
	if err != nil {
		return cfg, fmt.Errorf("the AWS configuration: %w", err)
	}
	if cfg.Region == "" {
		return cfg, usage("--region is needed: neither the environment nor the AWS profile names a region")
	}
	held := cfg.Credentials
	cfg.Credentials = aws.CredentialsProviderFunc(func(ctx context.Context) (aws.Credentials, error) {
		who, err := held.Retrieve(ctx)
		if err != nil {
			return who, noCredentials{err}
		}
		return who, nil
	})
	return cfg, nil
}

// noCredentials is the error of AWS credentials that can't be had.
type noCredentials struct{ cause error }

func (e noCredentials) Error() string {
	const where = "AWS_PROFILE names a profile, aws sso login signs in, AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY are taken too"
	why := e.cause.Error()
	if _, ok := errors.AsType[*processcreds.ProviderError](e.cause); ok {
		why = "the profile's credential_process failed" // the error's own text quotes what the process printed
	}
	if strings.Contains(why, "ec2imds") {
		return "there are no AWS credentials: " + where
	}
	return "the AWS credentials can't be had: " + why + "; " + where
}

// awsError is a request to AWS that failed. It holds nothing of the request, and of the answer only what AWS says about permissions: secrets and tokens travel in both.
type awsError struct {
	action, on string // as in an IAM policy: "lambda:InvokeFunction"
	code       string // AWS's own; "": there was no answer, or one that can't be read
	why        string
	requestID  string
}

// awsFault is the error of an action on something; nil where err is.
func awsFault(action, on string, err error) error {
	if err == nil {
		return nil
	}
	if e, ok := errors.AsType[noCredentials](err); ok {
		return e
	}
	e := &awsError{action: action, on: on}
	if answer, ok := errors.AsType[*awshttp.ResponseError](err); ok {
		e.requestID = answer.ServiceRequestID()
	}
	said, ok := errors.AsType[smithy.APIError](err)
	if !ok {
		e.why = unanswered(err)
		return e
	}
	e.code = said.ErrorCode()
	if e.isDenied() {
		e.why = strings.Map(printable, said.ErrorMessage())
	}
	return e
}

func printable(r rune) rune {
	if unicode.IsControl(r) {
		return ' '
	}
	return r
}

// unanswered says why there was no answer. The SDK quotes one that it can't read.
func unanswered(err error) string {
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

// Codes of refusals that only the operator can do something about.
var (
	denials  = []string{"AccessDenied", "AccessDeniedException"}
	unproven = []string{
		"ExpiredToken", "ExpiredTokenException", "UnrecognizedClientException", "InvalidClientTokenId", "InvalidSignatureException",
		"SignatureDoesNotMatch", "MissingAuthenticationTokenException", "IncompleteSignatureException",
	}
)

func (e *awsError) isDenied() bool   { return slices.Contains(denials, e.code) }
func (e *awsError) isUnproven() bool { return slices.Contains(unproven, e.code) }

func (e *awsError) Error() string {
	what := e.action + " on " + e.on
	switch {
	case e.isDenied():
		what = "IAM does not allow " + what
	case e.isUnproven():
		what = "AWS does not take the credentials (" + e.code + "): sign in again, or check the profile, the region and the clock"
	case e.code != "":
		what += " failed (" + e.code + ")"
	}
	if e.why != "" {
		what += ": " + e.why
	}
	return what + requestID(e.requestID)
}

// exit is the program's exit code after it.
func (e *awsError) exit() int {
	if e.isDenied() || e.isUnproven() {
		return exitRefused
	}
	return exitFailed
}
