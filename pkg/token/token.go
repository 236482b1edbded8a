// Package token describes cached access tokens: their identity ([Key]), times
// and fingerprint.
package token

import (
	"crypto/sha256"
	"encoding/hex"
	"strings"
	"time"

	"github.com/tokenvend/tokenvend/pkg/redact"
)

// Token is one access token with its times. All times are wall time, to the
// millisecond.
type Token struct {
	Access      redact.String
	Type        string // "Bearer"
	Scope       string // as granted; "" where not given
	Fingerprint string // see [Fingerprint]
	// Generation grows by one each time the token of the key is replaced. The
	// first is 1.
	Generation int64
	IssuedAt   time.Time
	ExpiresAt  time.Time
	// CacheUntil is how long a caller may keep the token; never after
	// ExpiresAt.
	CacheUntil time.Time
	Extra      Extra // nil: none
}

// IsZero reports whether there is no token.
func (t Token) IsZero() bool { return t.Access.IsZero() }

// Left returns the remaining lifetime; it is negative after the expiry.
func (t Token) Left(now time.Time) time.Duration { return t.ExpiresAt.Sub(now) }

// fingerprintBytes is how much of the hash a fingerprint has.
const fingerprintBytes = 8

// Fingerprint identifies a token without revealing it: the first 16 hex digits
// of its SHA-256.
func Fingerprint(access redact.String) string {
	sum := sha256.Sum256([]byte(access.Reveal()))
	return hex.EncodeToString(sum[:fingerprintBytes])
}

// IsFingerprint reports whether s has the form of a fingerprint.
func IsFingerprint(s string) bool {
	return len(s) == 2*fingerprintBytes && strings.Trim(s, "0123456789abcdef") == ""
}
