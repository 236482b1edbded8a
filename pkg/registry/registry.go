// Package registry knows which credentials exist and what their secrets say. It
// reads secrets, writes what is not secret of them into credential records, and
// decides who may know of a credential.
package registry

import (
	"context"
	"sync"
	"time"

	"golang.org/x/sync/singleflight"

	"github.com/tokenvend/tokenvend/pkg/absence"
	"github.com/tokenvend/tokenvend/pkg/credential"
	"github.com/tokenvend/tokenvend/pkg/journal"
	"github.com/tokenvend/tokenvend/pkg/records"
)

// Config is what a Registry works with. Records and Source are required.
type Config struct {
	Records *records.Records
	Source  credential.Source
	Journal journal.Journal // zero: silent
	// Progress is where discoveries of a [credential.Pager] note how far they
	// have come. nil: in the memory of this process.
	Progress Progress

	// TrustsEmpty reports whether Source is believed if it lists no secret at
	// all. false: no credential is marked deleted then, because a wrong prefix
	// or region looks the same.
	TrustsEmpty bool
}

// Registry knows the credentials. All its methods are safe for concurrent use.
type Registry struct {
	Config
	secrets  secrets
	absent   absence.Names // credentials
	synced   synced
	unqueued sync.Map // by name, the credentials whose entries could not be made due
}

// New returns a Registry.
func New(c Config) *Registry {
	if c.Progress == nil {
		c.Progress = &ownProgress{}
	}
	return &Registry{Config: c}
}

// queued notes whether the entries of a credential could be made due, and
// returns the error. After one the next discovery of this process that compares
// the credential tries again; until then such an entry is handled when it is
// requested.
func (r *Registry) queued(ctx context.Context, name string, err error) error {
	if err == nil {
		r.unqueued.Delete(name)
		return nil
	}
	r.unqueued.Store(name, nil)
	r.Journal.Failure(ctx, "queue", name, err)
	return err
}

// isUnqueued reports whether the entries of a credential could not be made due.
func (r *Registry) isUnqueued(name string) bool {
	_, is := r.unqueued.Load(name)
	return is
}

const (
	absentFor           = 5 * time.Second  // how long "there is no such credential" is believed
	absentForOtherCalls = 30 * time.Second // the same for callers who are not operators
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
