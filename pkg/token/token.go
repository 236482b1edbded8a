// Package token knows what a cached access token is: its identity ([Key]), its times and its fingerprint.
package token

import (
	"crypto/sha256"
	"encoding/hex"
	"strings"
	"time"

	"github.com/tokenvend/tokenvend/pkg/redact"
)

// Token is one access token with its times. All times are wall time, to the millisecond.
type Token struct {
	Access      redact.String
	Type        string // "Bearer"
	Scope       string // as the provider granted it; "" where it named none
	Fingerprint string // see [Fingerprint]
	Generation  int64  // grows by one each time the key's token is replaced; the first is 1
	IssuedAt    time.Time
	ExpiresAt   time.Time
	CacheUntil  time.Time // how long a caller may keep it; never after ExpiresAt
}

// IsZero says whether there is no token.
func (t Token) IsZero() bool { return t.Access.IsZero() }

// Left is how long the token lives on after now; negative once it is over.
func (t Token) Left(now time.Time) time.Duration { return t.ExpiresAt.Sub(now) }

// fingerprintBytes is how much of the hash a fingerprint shows.
const fingerprintBytes = 8

// Fingerprint names a token without revealing it: the first 16 hex digits of its SHA-256.
func Fingerprint(access redact.String) string {
	sum := sha256.Sum256([]byte(access.Reveal()))
	return hex.EncodeToString(sum[:fingerprintBytes])
}

// IsFingerprint says whether s has the form of a fingerprint.
func IsFingerprint(s string) bool {
	return len(s) == 2*fingerprintBytes && strings.Trim(s, "0123456789abcdef") == ""
}
