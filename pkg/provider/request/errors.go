package request

import (
	"fmt"

	"github.com/tokenvend/tokenvend/pkg/mask"
	"github.com/tokenvend/tokenvend/pkg/provider/response"
)

// Error is [response.Error].
type Error = response.Error

// Misconfigured returns an error of that kind.
func Misconfigured(format string, args ...any) *Error {
	text := mask.Line(fmt.Sprintf(format, args...), response.MaxDescription)
	return &Error{Kind: response.Misconfigured, Description: text, Permanent: true}
}

// OfClient marks an error as one of the whole client.
func OfClient(e *Error) *Error {
	e.Client = true
	return e
}
