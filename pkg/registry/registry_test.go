package registry

import (
	"strconv"
	"testing"

	"github.com/tokenvend/tokenvend/pkg/credential"
)

func TestSecretsHeldAreBounded(t *testing.T) {
	var s secrets
	for n := range maxHeld + 10 {
		name := strconv.Itoa(n)
		s.keep(credential.Credential{Terms: credential.Terms{Name: name, Version: "1"}})
		s.keep(credential.Credential{Terms: credential.Terms{Name: name, Version: "2"}})
		if c, held := s.get(name); !held || c.Version != "2" {
			t.Fatalf("get(%s) = %s, %t, want what was kept last", name, c.Version, held)
		}
	}
	if len(s.held) != maxHeld {
		t.Errorf("%d secrets are held, want %d", len(s.held), maxHeld)
	}
}
