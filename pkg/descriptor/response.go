package descriptor

import (
	"net/http"
	"strings"
)

// Response describes where a token response has its values. A place is a JSON
// Pointer (RFC 6901), or "header:" and the name of a header field. "" is the
// standard name at the top, such as "/access_token".
type Response struct {
	// Format is that of a success. "" is [FormatJSON].
	Format  Format `json:"format,omitempty"`
	Access  string `json:"access_token,omitempty"`
	Type    string `json:"token_type,omitempty"`
	Scope   string `json:"scope,omitempty"`
	Refresh string `json:"refresh_token,omitempty"`
	// Expiry is of the access token. Its default place is "/expires_in".
	Expiry Instant `json:"expiry,omitzero"`
	// RefreshExpiry is of the refresh token. It has no default place.
	RefreshExpiry Instant `json:"refresh_expiry,omitzero"`
	Error         string  `json:"error,omitempty"`
	Description   string  `json:"error_description,omitempty"`
	// Success is the vendor's own code of a success, beside the HTTP status.
	Success Success `json:"success,omitzero"`
	// Extra has the places of further values that callers get beside the token,
	// by the names that they get them by.
	Extra map[string]string `json:"extra,omitempty"`
	// ExtraMatch has regular expressions (RE2) by names of further values: of a
	// value, the first group is what callers get.
	ExtraMatch map[string]string `json:"extra_match,omitempty"`
	// DefaultLifetime counts where neither the response nor the credential has
	// one. 0 means that it is not known.
	DefaultLifetime Duration `json:"default_lifetime,omitzero"`
	// MaxLifetime is read by [Descriptor.MaxLifetime].
	MaxLifetime Duration `json:"max_lifetime,omitzero"`
}

// Format is the format of a successful token response.
type Format string

// The formats. The first is the default.
const (
	FormatJSON Format = "json" // or a form, where it plainly is one
	// FormatText: the whole body is the access token, or a JSON string that is.
	FormatText Format = "text"
)

// Success is the vendor's own code of a success. A response with another code
// is a refusal, whatever its HTTP status. The code is then read like an OAuth
// error code. A response without a code is read by the rest of it.
type Success struct {
	At string `json:"at"`
	// Values are the codes of a success, as text: 0 is "0", true is "true".
	Values []string `json:"values"`
}

// Instant is the place and the kind of an expiry.
type Instant struct {
	At   string     `json:"at,omitempty"`
	Kind ExpiryKind `json:"kind,omitempty"`
	// Zone is that of a time without one, as an offset: "+01:00". "" is UTC.
	Zone string `json:"zone,omitempty"`
}

// ExpiryKind is the meaning of an expiry's number or text.
type ExpiryKind string

// The kinds of expiry. The first is the default.
const (
	Seconds      ExpiryKind = "seconds"      // from now
	Minutes      ExpiryKind = "minutes"      // from now
	Hours        ExpiryKind = "hours"        // from now
	Milliseconds ExpiryKind = "milliseconds" // from now
	Epoch        ExpiryKind = "epoch"        // seconds since 1970
	EpochMS      ExpiryKind = "epoch_ms"     // milliseconds since 1970
	// a text, with any fraction of a second
	RFC3339 ExpiryKind = "rfc3339"
)

// ExpiryKinds returns the kinds of expiry.
func ExpiryKinds() []ExpiryKind {
	return []ExpiryKind{Seconds, Minutes, Hours, Milliseconds, Epoch, EpochMS, RFC3339}
}

// HeaderPlace returns the header field that a place in a response names; ok is
// false for a JSON Pointer.
func HeaderPlace(place string) (name string, ok bool) {
	name, ok = strings.CutPrefix(place, "header:")
	return http.CanonicalHeaderKey(name), ok
}
