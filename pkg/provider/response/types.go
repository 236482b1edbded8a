package response

import (
	"net/http"
	"slices"
	"time"

	"github.com/tokenvend/tokenvend/pkg/descriptor"
	"github.com/tokenvend/tokenvend/pkg/mask"
	"github.com/tokenvend/tokenvend/pkg/provider/body"
	"github.com/tokenvend/tokenvend/pkg/provider/expiry"
	"github.com/tokenvend/tokenvend/pkg/provider/skew"
	"github.com/tokenvend/tokenvend/pkg/redact"
	"github.com/tokenvend/tokenvend/pkg/token"
)

// TokenResponse is a token response as the server sent it: lifetimes may be
// absurd, or missing.
type TokenResponse struct {
	Access  redact.String
	Refresh redact.String // zero: none
	// Type is "Bearer", or the server's own word that counts as Bearer, or "".
	Type  string
	Scope string // "" where not given

	Expiry        expiry.Expiry // of the access token
	RefreshExpiry expiry.Expiry // of the refresh token

	// Extra has the further values that the descriptor names; nil: none.
	Extra token.Extra

	SentAt time.Time // our clock, before sending
	Clock  skew.Skew // the provider's, by the Date field
	Limit  RateLimit // from the header

	// Warnings are fixed words about a response with a token. They quote
	// nothing.
	Warnings []string
}

func (a *TokenResponse) warn(words string) { a.Warnings = append(a.Warnings, words) }

// RateLimit is the rate limit in the header of a response.
type RateLimit struct {
	RetryAt time.Time // on our clock; zero: none
}

// MaxDescription is the longest description of an [Error], in bytes.
const MaxDescription = 200

const (
	maxToken = 64 << 10 // bytes: too long for a header
	maxCode  = 64       // bytes
)

// Kind is a class of errors, by what helps against them. The zero value is the
// transient one.
type Kind int

const (
	// Unavailable: timeouts, connection failures, 5xx, 429. Retry later.
	Unavailable Kind = iota
	// Malformed: a response without a usable token. Retry later.
	Malformed
	// Rejected: an OAuth error or another 4xx. Error.Permanent reports whether
	// retrying can help.
	Rejected
	// Misconfigured: the request could not be built. Nothing was sent.
	Misconfigured
	// Unproven: the client's proof could not be obtained, see package proof.
	// The request was not sent. Retry later.
	Unproven
)

// Error is why a request brought no token. Its text holds no secret. Of the
// body, it holds only the OAuth error, its masked description and names of
// fields.
type Error struct {
	Kind   Kind
	Status int // 0 without a response
	// Code is OAuth's "error", or "". "invalid_grant" also stands for other
	// words that can only mean that the refresh token is invalid.
	Code string
	// Description is OAuth's "error_description" or our own words: one line, at
	// most MaxDescription bytes, with secrets masked.
	Description string
	// Meaning is what the error says of the grant or the client, if it is
	// known.
	Meaning descriptor.Meaning
	// Permanent reports that the same request will be refused until somebody
	// changes something.
	Permanent bool
	// Client reports that the error concerns the client as a whole, and so
	// every variant: rate limits (a 503 with Retry-After too), invalid_client,
	// unauthorized_client, a 401 without another reason, and what is missing in
	// the secret.
	Client bool
	Limit  RateLimit
	// Sent reports that a part of the request may have reached the provider.
	Sent bool
	// Intermediary reports that something before the provider may have caused
	// the error: DNS, a proxy, a gateway or a firewall. Such an error says
	// nothing of the client or of a grant.
	Intermediary bool
	// Redeemed reports that the token request succeeded and the request that
	// follows it failed. A code or a refresh token that was sent is spent.
	Redeemed bool

	// Cause is context.Canceled, context.DeadlineExceeded or nil. Other causes
	// may quote a response. Of an Unproven error it is what AWS or the system
	// returned.
	Cause error
}

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

// ofError returns the values of a response without success.
func (m Message) ofError() body.Values {
	doc, _, _ := m.Body.Document()
	return body.Values{Document: doc, Header: m.Header}
}
