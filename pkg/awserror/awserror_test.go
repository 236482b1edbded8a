package awserror_test

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"testing"

	awshttp "github.com/aws/aws-sdk-go-v2/aws/transport/http"
	"github.com/aws/smithy-go"
	smithyhttp "github.com/aws/smithy-go/transport/http"

	"github.com/tokenvend/tokenvend/pkg/awserror"
)

// answered is an error as the SDK returns it for a response of AWS.
func answered(code string) error {
	return &smithy.OperationError{ServiceID: "KMS", OperationName: "Decrypt", Err: &awshttp.ResponseError{
		RequestID: "3e4d", ResponseError: &smithyhttp.ResponseError{
			Response: &smithyhttp.Response{Response: &http.Response{StatusCode: http.StatusBadRequest}},
			Err:      &smithy.GenericAPIError{Code: code, Message: "hush"},
		},
	}}
}

func unanswered(cause error) error {
	return &smithy.OperationError{ServiceID: "DynamoDB", OperationName: "GetItem", Err: cause}
}

func TestCause(t *testing.T) {
	for want, err := range map[string]error{
		"KMS Decrypt: DisabledException, request id 3e4d": answered("DisabledException"),
		"DynamoDB GetItem: dns":                           unanswered(&net.DNSError{Err: "no such host"}),
		"DynamoDB GetItem: timeout":                       unanswered(context.DeadlineExceeded),
		"DynamoDB GetItem: canceled":                      unanswered(context.Canceled),
		"DynamoDB GetItem: network":                       unanswered(errors.New("hush")),
	} {
		wrapped := awserror.Wrap(fmt.Errorf("store: %w", err))
		e, ok := errors.AsType[*awserror.Error](wrapped)
		if !ok || e.Cause() != want || !errors.Is(wrapped, err) {
			t.Errorf("Wrap(%v).Cause() = %v, want %s", err, e, want)
		}
	}
	other := errors.New("another error")
	if got := awserror.Wrap(other); got != other {
		t.Errorf("Wrap(%v) = %v, want the same", other, got)
	}
}
