// Package redact holds secrets that refuse to be printed.
package redact

import (
	"crypto/subtle"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
)

// Mask is what a secret looks like wherever it is printed.
const Mask = "[redacted]"

// String is a secret: a token, a refresh token, a client secret. Every way of printing it (fmt with any verb, slog, JSON, also from inside another value) shows [Mask]; [String.Reveal] is the only way out.
// The zero value is the absent secret. Strings are compared with [String.Equal]; == does not compile.
type String struct {
	_     [0]func()
	value *string // behind a pointer: fmt reads unexported fields without asking Format, and then shows an address only
}

// New makes a secret of s. An empty s gives the zero value.
func New(s string) String {
	if s == "" {
		return String{}
	}
	return String{value: &s}
}

// Reveal returns the secret itself. Each call is a place that an auditor reads.
func (s String) Reveal() string {
	if s.value == nil {
		return ""
	}
	return *s.value
}

// IsZero says whether there is no secret. encoding/json's omitzero asks it.
func (s String) IsZero() bool { return s.value == nil }

// Equal compares two secrets in a time that tells nothing but their lengths.
func (s String) Equal(other String) bool {
	return subtle.ConstantTimeCompare([]byte(s.Reveal()), []byte(other.Reveal())) == 1
}

// String returns [Mask].
func (s String) String() string { return Mask }

// GoString returns [Mask].
func (s String) GoString() string { return Mask }

// Format writes [Mask] whatever the verb.
func (s String) Format(f fmt.State, _ rune) { _, _ = f.Write([]byte(Mask)) }

// LogValue gives slog [Mask].
func (s String) LogValue() slog.Value { return slog.StringValue(Mask) }

// MarshalJSON writes [Mask]: a secret leaves the process only by an explicit Reveal.
func (s String) MarshalJSON() ([]byte, error) { return json.Marshal(Mask) }

// MarshalText returns [Mask].
func (s String) MarshalText() ([]byte, error) { return []byte(Mask), nil }

// UnmarshalJSON reads a JSON string. Its error never quotes what was there.
func (s *String) UnmarshalJSON(data []byte) error {
	var plain string
	if err := json.Unmarshal(data, &plain); err != nil {
		return errors.New("expected a string")
	}
	*s = New(plain)
	return nil
}
