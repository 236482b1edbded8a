package mint

import (
	"context"
	"errors"
	"iter"
	"sync"

	"golang.org/x/sync/singleflight"

	"github.com/tokenvend/tokenvend/pkg/credential"
	"github.com/tokenvend/tokenvend/pkg/provider"
)

// secrets are the credentials that this process has read, each with its secret.
type secrets struct {
	mu    sync.Mutex
	held  map[string]credential.Credential
	reads singleflight.Group // by name: what many want at once is read once
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

// client returns the credential that goes with the terms in its own row, and that row, learnt anew where the secret turns out to have changed.
func (m *Mint) client(ctx context.Context, own *known) (credential.Credential, *known, error) {
	if c, ok := m.secrets.get(own.terms.Name); ok && c.Version == own.terms.Version {
		return c, own, nil
	}
	// Whoever reads it began no later than those who wait for it, and ends no later than they may.
	read, err, _ := m.secrets.reads.Do(own.terms.Name, func() (any, error) {
		return m.Source.Read(ctx, own.terms.Name, credential.Current)
	})
	c, _ := read.(credential.Credential)
	if err != nil {
		return c, own, err
	}
	own, err = m.adopt(ctx, own, c)
	return c, own, err
}

// adopt makes a credential that was read afresh the one that this process and its own row know.
func (m *Mint) adopt(ctx context.Context, own *known, c credential.Credential) (*known, error) {
	m.secrets.keep(c)
	if c.Version == own.terms.Version {
		return own, nil
	}
	learnt, err := m.learnTerms(ctx, own.entry, c.Terms, own.keptFailure(c.Version))
	if err != nil {
		return own, err
	}
	return learnt, nil
}

// lent is a way to prove the client: a version of the secret, and the stage it was read from.
type lent struct {
	client provider.Client
	fresh  *credential.Credential // set where a newer current secret was read
}

// lenders yields the versions of a secret whose client authentication may be tried, each once: the one at hand, the current one read afresh, and (where others says so) the pending and the previous one. The consumer goes on as long as the provider does not know the client.
func (m *Mint) lenders(ctx context.Context, c credential.Credential, others bool) iter.Seq[lent] {
	return func(yield func(lent) bool) {
		tried := map[string]bool{c.Version: true}
		if !yield(lent{client: c.Client}) {
			return
		}
		for _, stage := range []credential.Stage{credential.Current, credential.Pending, credential.Previous} {
			if stage != credential.Current && !others {
				return
			}
			next, err := m.Source.Read(ctx, c.Name, stage)
			if err != nil || tried[next.Version] {
				continue
			}
			tried[next.Version] = true
			l := lent{client: next.Client}
			if stage == credential.Current {
				l.fresh = &next
			}
			if !yield(l) {
				return
			}
		}
	}
}

// unknownClient says whether an exchange failed because the provider does not know the client by this proof.
func unknownClient(err error) bool {
	var e *provider.Error
	return errors.As(err, &e) && e.Kind == provider.Rejected && e.Client && e.Permanent
}
