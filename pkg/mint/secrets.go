package mint

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"iter"
	"sync"

	"golang.org/x/sync/singleflight"

	"github.com/tokenvend/tokenvend/pkg/api"
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

// mostReadings bounds how often a secret is read that changes meanwhile.
const mostReadings = 3

// client returns the credential whose terms stand in its own row, and that row,
// learnt anew where the secret turns out to say something else. What goes to a
// provider is decided by the credential, never by the row alone.
func (m *Mint) client(ctx context.Context, own *known) (credential.Credential, *known, error) {
	c, held := m.secrets.get(own.terms.Name)
	for range mostReadings {
		if held && agree(c.Terms, own.terms) {
			return c, own, nil
		}
		if !held || c.Version != own.terms.Version {
			// Whoever reads it began no later than those who wait for it, and ends no later than they may.
			read, err, _ := m.secrets.reads.Do(own.terms.Name, func() (any, error) {
				return m.Source.Read(ctx, own.terms.Name, credential.Current)
			})
			c, _ = read.(credential.Credential)
			if err != nil {
				return c, own, err
			}
		}
		var err error
		if own, err = m.adopt(ctx, own, c); err != nil {
			return c, own, err
		}
		held = true
	}
	return c, own, &api.Error{Code: api.SecretUnavailable, Detail: "the secret is being changed", RetryAfter: shortestWait}
}

// agree reports whether two readings of a secret's terms say the same.
func agree(a, b credential.Terms) bool {
	if a.Version != b.Version {
		return false
	}
	first, err := json.Marshal(a)
	second, otherErr := json.Marshal(b)
	return err == nil && otherErr == nil && bytes.Equal(first, second)
}

// adopt makes a credential that was read afresh the one that this process and
// its own row know. A row that says something else of the very version was
// written by an older program, or by somebody who can seal.
func (m *Mint) adopt(ctx context.Context, own *known, c credential.Credential) (*known, error) {
	m.secrets.keep(c)
	if agree(c.Terms, own.terms) {
		return own, nil
	}
	if c.Version == own.terms.Version && own.history.Stamped && c.Destination().Digest() != own.digests.destination {
		m.Journal.Integrity(ctx, c.Name, "the stored record of the credential names other endpoints than its secret")
	}
	learnt, err := m.learnTerms(ctx, own.entry, c.Terms, own.keptFailure(c.Version))
	if err != nil {
		return own, err
	}
	return learnt, nil
}

// candidates yields the versions of a secret whose client authentication may be
// tried, each once: the one at hand, the current one read afresh, and (where
// others says so) the pending and the previous one. Each is used with its own
// descriptor, URLs and parameters, and only if its destination is that of c.
// The consumer goes on as long as the provider does not know the client.
//
// A current version that is newer than c is reported by adopt. One with another
// destination ends the sequence.
func (m *Mint) candidates(ctx context.Context, c credential.Credential, others func() bool, adopt func(credential.Credential)) iter.Seq[credential.Credential] {
	return func(yield func(credential.Credential) bool) {
		tried := map[string]bool{c.Version: true}
		if !yield(c) {
			return
		}
		for _, stage := range []credential.Stage{credential.Current, credential.Pending, credential.Previous} {
			if stage != credential.Current && !others() {
				return
			}
			next, err := m.Source.Read(ctx, c.Name, stage)
			if err != nil || tried[next.Version] {
				continue
			}
			tried[next.Version] = true
			if stage == credential.Current {
				adopt(next)
			}
			same := next.Destination().Digest() == c.Destination().Digest()
			if stage == credential.Current && !same || same && !yield(next) {
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
