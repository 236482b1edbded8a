// Package awserror keeps of an error of the AWS SDK what an operator needs and
// what may be logged: service, operation, error code and request id. The rest
// of such an error may quote a response.
package awserror

import (
	"context"
	"errors"
	"net"
	"strings"

	"github.com/aws/smithy-go"
)

// Error is an error of the AWS SDK, with what of it may be logged.
type Error struct {
	Service   string // such as DynamoDB
	Operation string // such as GetItem
	Code      string // AWS's error code, or "timeout", "dns", "network"
	RequestID string // AWS's; "" if there was no response
	err       error
}

// Wrap returns err with what its causes say of a call of AWS. It returns err
// itself if they say nothing.
func Wrap(err error) error {
	operation, ok := errors.AsType[*smithy.OperationError](err)
	if !ok {
		return err
	}
	e := &Error{Service: operation.Service(), Operation: operation.Operation(), Code: Code(err), err: err}
	if response, ok := errors.AsType[interface {
		error
		ServiceRequestID() string
	}](err); ok {
		e.RequestID = response.ServiceRequestID()
	}
	return e
}

// Error returns the error of the SDK.
func (e *Error) Error() string { return e.err.Error() }

// Unwrap returns the error of the SDK.
func (e *Error) Unwrap() error { return e.err }

// Cause returns what may be logged.
func (e *Error) Cause() string {
	text := e.Service + " " + e.Operation + ": " + e.Code
	if e.RequestID != "" {
		text += ", request id " + e.RequestID
	}
	return text
}

// Code returns AWS's error code, or a word for what prevented an answer.
func Code(err error) string {
	if refused, ok := errors.AsType[smithy.APIError](err); ok {
		return strings.TrimSpace(refused.ErrorCode())
	}
	if _, ok := errors.AsType[*net.DNSError](err); ok {
		return "dns"
	}
	timeout, ok := errors.AsType[net.Error](err)
	switch {
	case errors.Is(err, context.DeadlineExceeded), ok && timeout.Timeout():
		return "timeout"
	case errors.Is(err, context.Canceled):
		return "canceled"
	}
	return "network"
}
