package testbed

import (
	"bytes"
	"fmt"
	"slices"
	"sync"
	"testing"
)

const (
	// shortestSecret is the minimum length to search for. Shorter text occurs
	// by chance.
	shortestSecret = 8
	// pieceOf is the length of the pieces by which a long secret is searched
	// for. Any run of twice as many of its bytes contains one.
	pieceOf = 16
)

// Leaks searches what programs have written for secrets, in whatever spelling
// they may stand there: plain, base64 of either alphabet at any alignment, hex,
// a list of bytes, percent-encoded, escaped as in JSON or Go, and each of these
// inside another. Of a long secret, a part is enough. The zero value knows no
// secret. It is safe for concurrent use.
type Leaks struct {
	mu       sync.Mutex
	known    map[string]bool
	suspects map[[shortestSecret]byte][]suspect // by how their spelling begins
}

// suspect is one spelling of a secret.
type suspect struct {
	what, how string
	spelt     []byte
}

// Hush notes secrets of a kind. "" is no secret; one that is too short to be
// searched for fails the test.
func (l *Leaks) Hush(t testing.TB, what string, secrets ...string) {
	t.Helper()
	l.mu.Lock()
	defer l.mu.Unlock()
	for _, secret := range secrets {
		switch {
		case secret == "" || l.known[secret]:
			continue
		case len(secret) < shortestSecret:
			t.Errorf("%s of %d bytes is too short to be searched for", what, len(secret))
			continue
		}
		l.learn(what, secret)
	}
}

// learn notes all the spellings of a secret and of its pieces.
func (l *Leaks) learn(what, secret string) {
	if l.known == nil {
		l.known, l.suspects = map[string]bool{}, map[[shortestSecret]byte][]suspect{}
	}
	l.known[secret] = true
	for _, part := range append([]string{secret}, pieces(secret)...) {
		for how, spelt := range spellings(part) {
			start := [shortestSecret]byte([]byte(spelt))
			l.suspects[start] = append(l.suspects[start], suspect{what, how, []byte(spelt)})
		}
	}
}

// pieces cuts a secret that is long enough to leak in part; the last piece
// reaches back.
func pieces(secret string) (all []string) {
	if len(secret) < 2*pieceOf {
		return nil
	}
	for at := 0; at+pieceOf <= len(secret); at += pieceOf {
		all = append(all, secret[at:at+pieceOf])
	}
	return append(all, secret[len(secret)-pieceOf:])
}

// Find says which kinds of secrets stand in what was written, and how they are
// spelt there; it never shows one. Nothing found: nil.
func (l *Leaks) Find(written []byte) []string {
	l.mu.Lock()
	defer l.mu.Unlock()
	found := map[string]bool{}
	for _, reading := range readings(written) {
		for at := 0; at+shortestSecret <= len(reading.text); at++ {
			for _, s := range l.suspects[[shortestSecret]byte(reading.text[at:])] {
				if bytes.HasPrefix(reading.text[at:], s.spelt) {
					found[fmt.Sprintf("%s, %s%s", s.what, s.how, reading.how)] = true
				}
			}
		}
	}
	var all []string
	for one := range found {
		all = append(all, one)
	}
	slices.Sort(all)
	return all
}

// Search fails the test for everything that is found in what was written; where
// says what that was.
func (l *Leaks) Search(t testing.TB, where string, written []byte) {
	t.Helper()
	for _, one := range l.Find(written) {
		t.Errorf("%s: it holds %s", where, one)
	}
}
