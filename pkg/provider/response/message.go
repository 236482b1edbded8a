// Package response reads what a token endpoint answers, by the descriptor of
// its provider: a token, with warnings, or an error, with its classification.
package response

import (
	"github.com/tokenvend/tokenvend/pkg/provider/ratelimit"
	"github.com/tokenvend/tokenvend/pkg/provider/refusal"
	"github.com/tokenvend/tokenvend/pkg/provider/skew"
)

// Token returns the token response, or an error, or both: SentAt, Clock and
// Limit are always set, and so is a new refresh token that can be used.
func (q *Request) Token(m Message) (TokenResponse, *Error) {
	var token TokenResponse
	var failure *Error
	if m.Status/100 == 2 {
		token, failure = q.read(m)
	} else {
		failure = q.refused(m)
	}
	token.SentAt, token.Clock, token.Limit = m.SentAt, skew.Of(m.Header, m.SentAt), q.rateLimit(m)
	if failure != nil {
		failure.Limit = token.Limit
		failure.Client = failure.Client || failure.Kind == Unavailable && !token.Limit.RetryAt.IsZero()
	}
	return token, failure
}

// Succeeds reports whether a message has a status of success, and no vendor's
// own code of a refusal.
func (q *Request) Succeeds(m Message) bool {
	return m.Status/100 == 2 && refusal.Read(q.Descriptor, m.ofError()).Business == ""
}

// Error returns the error of a message without success.
func (q *Request) Error(m Message) *Error {
	failure := q.refused(m)
	failure.Limit = q.rateLimit(m)
	return failure
}

func (q *Request) rateLimit(m Message) RateLimit {
	r := ratelimit.Response{Status: m.Status, Header: m.Header, At: m.At}
	return RateLimit{RetryAt: r.RetryAt(q.Descriptor.Limits)}
}
