// Package response reads what a token endpoint answers, by the descriptor of
// its provider: a token, with warnings, or an error, with its classification.
package response

import (
	"errors"
	"io"
	"net/http"
	"time"

	"github.com/tokenvend/tokenvend/pkg/descriptor"
	"github.com/tokenvend/tokenvend/pkg/jsonpointer"
	"github.com/tokenvend/tokenvend/pkg/mask"
	"github.com/tokenvend/tokenvend/pkg/provider/ratelimit"
	"github.com/tokenvend/tokenvend/pkg/provider/skew"
	"github.com/tokenvend/tokenvend/pkg/redact"
)

// maxBody is how much of a body is read, in bytes.
const maxBody = 1 << 20

// Message is an HTTP response.
type Message struct {
	Status int
	Header http.Header
	Body   []byte
	SentAt time.Time // our clock, just before the request was sent
	At     time.Time // our clock, when the header had arrived

	// TimedOut is the error of a body that our own deadline cut short.
	TimedOut *Error

	coding     string // the Content-Encoding; "" is identity
	compressed bool
	tooLong    bool
	cut        error // why the body could not be read to its end
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

// ReadBody reads a body, and decompresses it. The limit holds on both sides.
// The error says why the body could not be read to its end; the message can be
// used all the same.
func (m *Message) ReadBody(body io.Reader) error {
	wire := &io.LimitedReader{R: body, N: maxBody + 1}
	m.coding = contentCoding(m.Header)
	plain, compressed, err := decompress(wire, m.coding)
	m.compressed = compressed
	if err == nil {
		m.Body, err = io.ReadAll(io.LimitReader(plain, maxBody+1))
	}
	if m.tooLong = len(m.Body) > maxBody || wire.N <= 0; m.tooLong {
		m.Body = nil
	}
	m.cut = err
	return err
}

// problem returns what is wrong with a message before its body is looked at.
func (m Message) problem(q *Request) string {
	switch {
	case m.tooLong:
		return "the answer is longer than 1 MiB"
	case errors.Is(m.cut, errCoding):
		coding := q.Mask.Line(m.coding, maxCode)
		return "the answer is compressed by " + coding + ", which is not read; gzip and deflate are"
	case isCorrupt(m.cut):
		return "the answer is compressed, and damaged"
	case m.cut != nil:
		return "the answer was cut short"
	}
	return ""
}

// document returns the body as JSON. isForm reports whether it was a form.
func (m Message) document() (doc jsonpointer.Document, isForm bool, problem string) {
	if m.isForm() {
		return formDocument(m.Body), true, ""
	}
	doc, err := jsonpointer.Read(m.Body)
	switch {
	case err == nil:
		return doc, false, ""
	case errors.Is(err, jsonpointer.ErrEmpty):
		return doc, false, "the answer is empty"
	case errors.Is(err, jsonpointer.ErrTruncated):
		return doc, false, "the answer was cut short"
	case errors.Is(err, jsonpointer.ErrTrailing):
		return doc, false, "bytes follow the JSON of the answer"
	}
	return doc, false, "the answer is not JSON"
}
