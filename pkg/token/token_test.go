package token_test

import (
	"testing"
	"time"

	"github.com/tokenvend/tokenvend/pkg/redact"
	"github.com/tokenvend/tokenvend/pkg/token"
)

func TestFingerprint(t *testing.T) {
	for access, want := range map[string]string{
		"test": "9f86d081884c7d65",
		"":     "e3b0c44298fc1c14",
		"abc":  "ba7816bf8f01cfea",
	} {
		if got := token.Fingerprint(redact.New(access)); got != want {
			t.Errorf("fingerprint of %q = %s, not %s", access, got, want)
		}
		if !token.IsFingerprint(want) {
			t.Errorf("%s is no fingerprint", want)
		}
	}
}

func TestWhatIsNoFingerprint(t *testing.T) {
	for _, s := range []string{"", "9f86d081884c7d6", "9f86d081884c7d650", "9F86D081884C7D65", "9f86d081884c7d6g",
		"9f86d081884c7d65\n", " 9f86d081884c7d65"} {
		if token.IsFingerprint(s) {
			t.Errorf("%q is one, want not token.IsFingerprint(s)", s)
		}
	}
}

func TestLeft(t *testing.T) {
	now := time.Date(2026, 11, 22, 7, 0, 0, 0, time.UTC)
	for _, left := range []time.Duration{time.Hour, 0, -time.Second} {
		if got := (token.Token{ExpiresAt: now.Add(left)}).Left(now); got != left {
			t.Errorf("Left = %v, not %v, want %v", got, left, left)
		}
	}
}

func TestIsZero(t *testing.T) {
	if !(token.Token{Type: "Bearer"}).IsZero() || (token.Token{Access: redact.New("t")}).IsZero() {
		t.Errorf(`a token is there when its access token is, want (token.Token{Type: "Bearer"}).IsZero() and not (token.Token{Access: redact.New("t")}).IsZero()`)
	}
}
