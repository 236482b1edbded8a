// Package redact holds secrets that are not printed.
package redact

import (
	"crypto/subtle"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
)

// Mask is what is printed in place of a secret.
const Mask = "[redacted]"

// String is a secret: a token, a refresh token, a client secret. Every way of
// printing it (fmt with any verb, slog, JSON, also from inside another value)
// shows [Mask]. Only [String.Reveal] returns it.
//
// The zero value means that there is no secret. Compare with [String.Equal]; ==
// does not compile.
type String struct {
	_ [0]func()
	// The value is behind a pointer: fmt reads unexported fields without
	// calling Format, and then shows an address alone.
	value *string
}

// New returns the secret s. An empty s is the zero value.
func New(s string) String {
	if s == "" {
		return String{}
	}
	return String{value: &s}
}

// Reveal returns the secret. An audit has to look at each call.
func (s String) Reveal() string {
	if s.value == nil {
		return ""
	}
	return *s.value
}

// IsZero reports whether there is no secret. encoding/json calls it for
// omitzero.
func (s String) IsZero() bool { return s.value == nil }

// Equal compares two secrets in a time that depends on their lengths alone.
func (s String) Equal(other String) bool {
	return subtle.ConstantTimeCompare([]byte(s.Reveal()), []byte(other.Reveal())) == 1
}

// String returns [Mask].
func (s String) String() string { return Mask }

// GoString returns [Mask].
func (s String) GoString() string { return Mask }

// Format writes [Mask] for every verb.
func (s String) Format(f fmt.State, _ rune) { _, _ = f.Write([]byte(Mask)) }

// LogValue returns [Mask] to slog.
func (s String) LogValue() slog.Value { return slog.StringValue(Mask) }

// MarshalJSON writes [Mask]: a secret leaves the process only by Reveal.
func (s String) MarshalJSON() ([]byte, error) { return json.Marshal(Mask) }

// MarshalText returns [Mask].
func (s String) MarshalText() ([]byte, error) { return []byte(Mask), nil }

// UnmarshalJSON reads a JSON string. Its error does not quote the input.
func (s *String) UnmarshalJSON(data []byte) error {
	var plain string
	if err := json.Unmarshal(data, &plain); err != nil {
		return errors.New("expected a string")
	}
	*s = New(plain)
	return nil
}
