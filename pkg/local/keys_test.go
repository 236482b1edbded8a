package local

import (
	"testing"
	"time"
)

func TestShellWord(t *testing.T) {
	for s, want := range map[string]string{
		".tokenvend/key": ".tokenvend/key", "a b/key": "'a b/key'", "it's": `'it'\''s'`, "": "''", "$HOME": "'$HOME'",
	} {
		if got := shellWord(s); got != want {
			t.Errorf("shellWord(%q) = %s, want %s", s, got, want)
		}
	}
}

func TestPassTime(t *testing.T) {
	for every, want := range map[time.Duration]time.Duration{
		time.Second: time.Minute, time.Minute: 4 * time.Minute, time.Hour: 5 * time.Minute,
	} {
		if got := passTime(every); got != want {
			t.Errorf("passTime(%v) = %v, want %v", every, got, want)
		}
	}
}
