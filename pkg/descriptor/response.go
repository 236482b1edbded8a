package descriptor

import (
	"net/http"
	"strings"

	"github.com/tokenvend/tokenvend/pkg/jsonpointer"
	"github.com/tokenvend/tokenvend/pkg/redact"
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

// expiryKinds lists the kinds of expiry.
var expiryKinds = [...]ExpiryKind{Seconds, Minutes, Hours, Milliseconds, Epoch, EpochMS, RFC3339}

// HeaderPlace returns the header field that a place in a response names; ok is
// false for a JSON Pointer.
func HeaderPlace(place string) (name string, ok bool) {
	name, ok = strings.CutPrefix(place, "header:")
	return http.CanonicalHeaderKey(name), ok
}

// The limits of what [Response] may name.
const (
	maxExtra     = 16 // names
	maxValues    = 16 // codes of a success
	longestValue = 64 // bytes of such a code
)

func (r Response) validate(p *problems) {
	oneOf(p, "response.format", r.Format, FormatJSON, FormatText)
	r.places(p)
	p.place("response.error", r.Error)
	p.place("response.error_description", r.Description)
	oneOfKind(p, "response.expiry.kind", r.Expiry.Kind)
	oneOfKind(p, "response.refresh_expiry.kind", r.RefreshExpiry.Kind)
	r.Success.validate(p)
	if len(r.Extra) > maxExtra {
		p.add("response.extra", "expected at most %d names", maxExtra)
	}
	for name, at := range r.Extra {
		path := "response.extra." + redact.Name(name)
		switch {
		case !isExtraName(name):
			p.add(path, "expected a name of letters, digits, _, . and -, the first a letter or _")
		case at == "":
			p.add(path, "expected a place, such as /instance_url or header:NAME")
		case at == r.Refresh, at == "/refresh_token" && r.Refresh == "":
			p.add(path, "is the place of the refresh token, which no caller gets")
		}
	}
	if r.MaxLifetime != 0 && r.DefaultLifetime > r.MaxLifetime {
		p.add("response.default_lifetime", "expected no more than response.max_lifetime")
	}
}

// places checks the places of a success. One that is a text has no members.
func (r Response) places(p *problems) {
	all := map[string]string{
		"access_token": r.Access, "token_type": r.Type, "scope": r.Scope, "refresh_token": r.Refresh,
		"expiry.at": r.Expiry.At, "refresh_expiry.at": r.RefreshExpiry.At, "success.at": r.Success.At,
	}
	for name, at := range r.Extra {
		all["extra."+redact.Name(name)] = at
	}
	for name, at := range all {
		p.place("response."+name, at)
		_, isHeader := HeaderPlace(at)
		switch {
		case r.Format != FormatText || at == "":
		case name == "access_token":
			p.add("response.access_token", "expected none beside the format text, whose whole body is the token")
		case !isHeader:
			p.add("response."+name, "expected header:NAME, since a body of the format text has no members")
		}
	}
}

func (s Success) validate(p *problems) {
	if s.At == "" && s.Values == nil {
		return
	}
	if s.At == "" {
		p.add("response.success.at", "missing")
	}
	if len(s.Values) == 0 || len(s.Values) > maxValues {
		p.add("response.success.values", "expected 1 to %d codes", maxValues)
	}
	for _, value := range s.Values {
		if value == "" || len(value) > longestValue {
			p.add("response.success.values", "expected codes of 1 to %d characters", longestValue)
		}
	}
}

// isExtraName reports whether a value that callers get may have that name.
func isExtraName(name string) bool {
	return name != "" && len(name) <= longestName && strings.Trim(name, lower+upper+digits+"_.-") == "" &&
		strings.Trim(name[:1], digits+".-") != ""
}

func (p *problems) place(path, at string) {
	if name, ok := HeaderPlace(at); ok && isHeader(name) {
		return
	}
	if _, err := jsonpointer.Parse(at); err != nil {
		p.add(path, "expected a JSON Pointer (RFC 6901), such as /data/token, or header:NAME")
	}
}
