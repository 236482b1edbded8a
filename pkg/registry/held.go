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

func (s *secrets) keep(c credential.Credential) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.held == nil {
		s.held = map[string]credential.Credential{}
	}
	s.held[c.Name] = c
}

func (s *secrets) get(name string) (credential.Credential, bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	c, ok := s.held[name]
	return c, ok
}
