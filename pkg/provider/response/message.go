// Package response reads what a token endpoint answers, by the descriptor of
// its provider: a token, with warnings, or an error, with its classification.
package response

import (
	"net/http"
	"slices"
	"time"

	"github.com/tokenvend/tokenvend/pkg/descriptor"
	"github.com/tokenvend/tokenvend/pkg/mask"
	"github.com/tokenvend/tokenvend/pkg/provider/body"
	"github.com/tokenvend/tokenvend/pkg/provider/ratelimit"
	"github.com/tokenvend/tokenvend/pkg/provider/refusal"
	"github.com/tokenvend/tokenvend/pkg/provider/skew"
	"github.com/tokenvend/tokenvend/pkg/redact"
)

// Message is an HTTP response.
type Message struct {
	Status int
	Header http.Header
	Body   body.Body
	SentAt time.Time // our clock, just before the request was sent
	At     time.Time // our clock, when the header had arrived

	// TimedOut is the error of a body that our own deadline cut short.
	TimedOut *Error
}

// Request is what is known of the request that a message answers.
type Request struct {
	Descriptor *descriptor.Descriptor
	Grant      descriptor.Grant
	Refresh    redact.String // the refresh token that was sent

	// Authenticated reports whether the request had client authentication.
	Authenticated bool
	// AuthHint is added to an error that may mean that the client
	// authentication has the wrong form.
	AuthHint string
	// Mask hides what was sent in every text that is taken from the response.
	Mask mask.Set

	tokens    []string        // the response's own
	refreshes []redact.String // refresh tokens among them, by their names
}

// Follow notes the request before this one in the same exchange: a response may
// repeat what any of them sent.
func (q *Request) Follow(before *Request) {
	q.Refresh, q.refreshes = before.Refresh, slices.Clone(before.refreshes)
	q.Mask.AddAll(before.Mask)
}

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

// ofError returns the values of a response without success.
func (m Message) ofError() body.Values {
	doc, _, _ := m.Body.Document()
	return body.Values{Document: doc, Header: m.Header}
}

// ofSuccess returns the values of a response with success. problem says why
// its body cannot be read; isForm reports whether it was a form.
func (q *Request) ofSuccess(m Message) (v body.Values, isForm bool, problem string) {
	v.Header = m.Header
	if q.Descriptor.Response.Format == descriptor.FormatText {
		v.Document, problem = m.Body.TextDocument("access_token")
	} else {
		v.Document, isForm, problem = m.Body.Document()
	}
	if cut := m.Body.Problem(q.code); cut != "" {
		problem = cut
	}
	if _, apart := descriptor.HeaderPlace(q.Descriptor.Response.Access); apart {
		problem = "" // the token does not stand in the body
	}
	return v, isForm, problem
}
