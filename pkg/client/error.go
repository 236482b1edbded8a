package client

import (
	"fmt"
	"net/http"
)

// GatewayError is a refusal that is not tokenvend's own: that of API Gateway,
// of Lambda, or of something else before tokenvend.
type GatewayError struct {
	Status    int
	Kind      string // AWS's name of it, as in "InvalidSignatureException"; "": not given
	RequestID string // "": not given
	Err       error  // the SDK's error, where there is one
}

// Error says what such a status means here. The answer's own words are left
// out: API Gateway quotes the request that it could not verify, session token
// included.
func (e *GatewayError) Error() string {
	text := fmt.Sprintf("tokenvend: %s (HTTP status %d", e.meaning(), e.Status)
	if e.Kind != "" {
		text += fmt.Sprintf(", %.60q", e.Kind)
	}
	return text + ")"
}

// Unwrap returns the SDK's error.
func (e *GatewayError) Unwrap() error { return e.Err }

func (e *GatewayError) meaning() string {
	switch {
	case e.Status == http.StatusUnauthorized || e.Status == http.StatusForbidden:
		return "the signature or the IAM policy was refused"
	case e.Status == http.StatusNotFound:
		return "nothing is at that URL, or of that name"
	case e.Status == http.StatusTooManyRequests:
		return "the gateway throttles"
	case e.Status >= http.StatusInternalServerError:
		return "the gateway got no answer from tokenvend"
	}
	return "an answer that is not tokenvend's"
}
