package statuspage

import (
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"errors"
	"maps"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/tokenvend/tokenvend/pkg/redact"
)

const (
	linkLife    = 5 * time.Minute
	sessionLife = 12 * time.Hour
	maxSessions = 100
)

// LoginPath is the path of the links that sign a browser in.
const LoginPath = "/ui/login"

// NewLink returns the path and query of a link that signs one browser in, once,
// within five minutes. secret is the operator's key: its holder may do
// everything that the page shows.
func NewLink(secret redact.String) string { return newLink(secret, time.Now()) }

func newLink(secret redact.String, now time.Time) string {
	text := strconv.FormatInt(now.UnixMilli(), 36) + "." + rand.Text()
	return LoginPath + "?code=" + text + "." + proof(secret, text)
}

// proof shows that a link was made by who has the secret.
func proof(secret redact.String, text string) string {
	mac := hmac.New(sha256.New, []byte(secret.Reveal()))
	mac.Write([]byte("tokenvend status page, sign-in link 1\n" + text))
	return base64.RawURLEncoding.EncodeToString(mac.Sum(nil))
}

// sessions are the browsers that are signed in. The zero value has none.
type sessions struct {
	secret redact.String
	start  time.Time // links of before are refused: which were used is not known

	mu     sync.Mutex
	used   map[string]time.Time            // links, until they expire
	active map[[sha256.Size]byte]time.Time // the ends of sessions, by the hash of their cookie
}

var errLink = errors.New("the link was used already, or is older than five minutes")

// signIn redeems the code of a link, and returns the value of a new session's
// cookie.
func (s *sessions) signIn(code string, now time.Time) (cookie string, err error) {
	i := strings.LastIndexByte(code, '.')
	if i < 0 {
		return "", errLink
	}
	text := code[:i]
	if !hmac.Equal([]byte(proof(s.secret, text)), []byte(code[i+1:])) {
		return "", errLink
	}
	millis, _, _ := strings.Cut(text, ".")
	ms, err := strconv.ParseInt(millis, 36, 64)
	made := time.UnixMilli(ms)
	if err != nil || made.Before(s.start.Truncate(time.Millisecond)) || now.Sub(made).Abs() > linkLife {
		return "", errLink
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.expire(now)
	if _, again := s.used[text]; again {
		return "", errLink
	}
	if len(s.active) >= maxSessions {
		s.endOldest()
	}
	cookie = rand.Text() + rand.Text()
	s.used[text], s.active[sha256.Sum256([]byte(cookie))] = made.Add(2*linkLife), now.Add(sessionLife)
	return cookie, nil
}

// expire removes links and sessions whose time is over.
func (s *sessions) expire(now time.Time) {
	if s.used == nil {
		s.used, s.active = map[string]time.Time{}, map[[sha256.Size]byte]time.Time{}
	}
	for text, end := range s.used {
		if now.After(end) {
			delete(s.used, text)
		}
	}
	for sum, end := range s.active {
		if now.After(end) {
			delete(s.active, sum)
		}
	}
}

// endOldest ends the session that would end first. s.mu is held.
func (s *sessions) endOldest() {
	oldest := slices.MinFunc(slices.Collect(maps.Keys(s.active)), func(a, b [sha256.Size]byte) int {
		return s.active[a].Compare(s.active[b])
	})
	delete(s.active, oldest)
}

// signedIn reports whether a cookie is one of a session.
func (s *sessions) signedIn(cookie string, now time.Time) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	end, ok := s.active[sha256.Sum256([]byte(cookie))]
	return ok && now.Before(end)
}

// signOut ends the session of a cookie.
func (s *sessions) signOut(cookie string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	delete(s.active, sha256.Sum256([]byte(cookie)))
}
