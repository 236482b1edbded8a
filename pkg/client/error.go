package client

import (
	"fmt"
	"net/http"
)

// GatewayError is a refusal that is not tokenvend's own: API Gateway's, or that of something else before it.
type GatewayError struct {
	Status    int
	Kind      string // what AWS calls it, as in "InvalidSignatureException"; "": it was not said
	RequestID string // "": it was not said
}

// Error says what such a status means here. The answer's own words are left out: API Gateway quotes the request that it could not verify, session token included.
func (e *GatewayError) Error() string {
	text := fmt.Sprintf("tokenvend: %s (HTTP status %d", e.meaning(), e.Status)
	if e.Kind != "" {
		text += fmt.Sprintf(", %.60q", e.Kind)
	}
	return text + ")"
}

func (e *GatewayError) meaning() string {
	switch {
	case e.Status == http.StatusUnauthorized || e.Status == http.StatusForbidden:
		return "the signature or the IAM policy was refused"
	case e.Status == http.StatusNotFound:
		return "nothing is at that URL"
	case e.Status == http.StatusTooManyRequests:
		return "the gateway throttles"
	case e.Status >= http.StatusInternalServerError:
		return "the gateway got no answer from tokenvend"
	}
	return "an answer that is not tokenvend's"
}

// passing says whether the same request may do better a little later.
func (e *GatewayError) passing() bool {
	return e.Status == http.StatusTooManyRequests || e.Status >= http.StatusInternalServerError
}
