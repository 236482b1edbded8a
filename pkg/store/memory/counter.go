package memory

import (
	"context"

	"github.com/tokenvend/tokenvend/pkg/store"
)

// counter identifies a counter.
type counter struct{ credential, window string }

// Count implements [store.Counting].
func (s *Store) Count(ctx context.Context, c store.Counter, n int64) (int64, error) {
	if err := ctx.Err(); err != nil {
		return 0, err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.sums[counter{c.Credential, c.Window}] += n
	return s.sums[counter{c.Credential, c.Window}], nil
}

// Counted implements [store.Counting].
func (s *Store) Counted(ctx context.Context, c store.Counter) (int64, error) {
	if err := ctx.Err(); err != nil {
		return 0, err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.sums[counter{c.Credential, c.Window}], nil
}
