package mask

import (
	"slices"
	"strings"
)

const (
	longestSecret = 64 << 10 // bytes of a secret that are looked for
	shortestValue = 4        // bytes of a value that may be a secret
)

// Set holds the secrets to hide. The zero value holds none. A Set may be read
// from several goroutines, but not while one adds to it.
type Set struct {
	secrets []string
	values  []string
}

// Add adds a secret.
func (s *Set) Add(secret string) {
	if secret != "" {
		s.secrets = append(s.secrets, secret[:min(len(secret), longestSecret)])
	}
}

// AddAll adds the secrets and values of another set.
func (s *Set) AddAll(other Set) {
	s.secrets = append(s.secrets, other.secrets...)
	s.values = append(s.values, other.values...)
}

// Any reports whether has is true of a secret. Values count for nothing: one
// may be a word that everybody knows.
func (s *Set) Any(has func(secret string) bool) bool { return slices.ContainsFunc(s.secrets, has) }

// AddValue adds a configured value that nobody declared a secret: a parameter,
// a header. It is hidden as a whole, however it is encoded. Of its pieces only
// those with a digit or a capital letter are hidden, so that "https://" and
// "application" stay legible. A value of fewer than 8 bytes is hidden only if
// it has 4 and a digit.
func (s *Set) AddValue(value string) {
	long := len(value) >= piece
	if long || len(value) >= shortestValue && strings.ContainsAny(value, "0123456789") {
		s.values = append(s.values, value[:min(len(value), longestSecret)])
	}
}
