package registry

import (
	"sync"

	"golang.org/x/sync/singleflight"

	"github.com/tokenvend/tokenvend/pkg/credential"
)

// secrets holds the credentials that this process has read, each with its
// secret.
type secrets struct {
	mu    sync.Mutex
	held  map[string]credential.Credential
	reads singleflight.Group // by name: concurrent reads of one secret are one read
}

// maxHeld bounds the memory: without a descriptor of its own, a credential
// takes some 800 bytes.
const maxHeld = 100_000

// keep keeps a credential, and forgets any other one if there are too many.
func (s *secrets) keep(c credential.Credential) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.held == nil {
		s.held = map[string]credential.Credential{}
	}
	if _, known := s.held[c.Name]; !known && len(s.held) >= maxHeld {
		for name := range s.held {
			delete(s.held, name)
			break
		}
	}
	s.held[c.Name] = c
}

func (s *secrets) get(name string) (credential.Credential, bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	c, ok := s.held[name]
	return c, ok
}
