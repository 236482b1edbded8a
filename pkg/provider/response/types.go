package response

import (
	"time"

	"github.com/tokenvend/tokenvend/pkg/descriptor"
	"github.com/tokenvend/tokenvend/pkg/provider/expiry"
	"github.com/tokenvend/tokenvend/pkg/redact"
)

// TokenResponse is what a token endpoint said, unjudged: lifetimes may be absurd, or absent.
type TokenResponse struct {
	Access  redact.String
	Refresh redact.String // zero: none was named
	Type    string        // "Bearer" in any case; another word, which counts as Bearer, as it came; "" where none was named
	Scope   string        // "" where none was named

	Expiry        expiry.Expiry // of the access token
	RefreshExpiry expiry.Expiry // of the refresh token

	SentAt time.Time // our clock, just before the request was sent
	Date   time.Time // the answer's Date header; zero: none
	Limit  RateLimit // what the answer's headers say of the rate limit

	Warnings []string // what was odd about an answer with a token, in fixed words that quote nothing
}

// RateLimit is what the headers of an answer say of a rate limit.
type RateLimit struct {
	RetryAt time.Time // no request before, on our clock; zero: nothing said
}

// Kind tells failures apart by what helps against them. The zero value is the passing kind.
type Kind int

const (
	// Unavailable: timeouts, connection failures, 5xx, 429. Try again later.
	Unavailable Kind = iota
	// Malformed: it answered, but with no usable token. Try again later.
	Malformed
	// Rejected: an OAuth error or another 4xx status. Permanent says whether trying again can help.
	Rejected
	// Misconfigured: the request could not be built from the descriptor and the client. No request was sent.
	Misconfigured
)

// Error is why a request to a provider brought no token. Its text holds no secret and no part of a body but the OAuth error, its masked description and the names of fields.
type Error struct {
	Kind        Kind
	Status      int                // of HTTP; 0: there was no answer
	Code        string             // OAuth's "error"; "" where there was none. "invalid_grant" also stands for a refusal of a refresh in other words that can only mean the refresh token
	Description string             // OAuth's "error_description" or our own words; one line, at most 200 bytes, secrets masked
	Meaning     descriptor.Meaning // what it says of the grant or the client beyond the kind; "": nothing that is known
	Permanent   bool               // the same request will be refused again until somebody changes something
	Client      bool               // it concerns the client as a whole and so every variant: rate limits (a 503 with Retry-After too), invalid_client, unauthorized_client, a 401 that names no other reason, and what is missing in the secret
	Limit       RateLimit
	Sent        bool // the request, or a part of it, may have reached the provider

	Cause error // context.Canceled or context.DeadlineExceeded, and nothing else: other causes may quote an answer
}
