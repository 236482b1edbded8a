package kms

import (
	"context"
	"crypto/aes"
	"crypto/cipher"
	"fmt"
	"sync"
	"sync/atomic"
	"time"

	"github.com/tokenvend/tokenvend/pkg/seal"
)

const keyBytes = 32

// dataKey is a key of KMS, ready for use.
type dataKey struct {
	aead cipher.AEAD
	head []byte // the head of what it seals
	// in this process, by the wall clock: the monotonic clock stops while a
	// Lambda process is frozen
	since time.Time
	seals atomic.Int64
}

// newDataKey clears plain; the cipher keeps its own expanded key.
func newDataKey(plain, wrapped []byte, format byte) (*dataKey, error) {
	defer clear(plain)
	head, ok := head(format, wrapped)
	if !ok || len(plain) != keyBytes {
		return nil, fmt.Errorf(
			"%w: KMS answered with a data key of %d bytes, wrapped in %d", seal.ErrUnavailable, len(plain),
			len(wrapped),
		)
	}
	block, err := aes.NewCipher(plain)
	if err != nil {
		return nil, err
	}
	aead, err := cipher.NewGCMWithRandomNonce(block)
	if err != nil {
		return nil, err
	}
	return &dataKey{aead: aead, head: head, since: time.Now().Round(0)}, nil
}

// id identifies a data key: by its wrapped form, or with wrapped "" the key
// that the scope currently seals under. The scope is part of it because KMS
// decides for each.
type id struct {
	scope   scope
	wrapped string
}

// ring caches data keys. One caller fetches a key for all that wait for it.
// Keys that were not used for long are evicted.
type ring struct {
	most int // the maximum number of keys, at least 2

	mu sync.Mutex
	// a key is in one of them; old is dropped when young is full, and a used
	// key moves to young
	young, old map[id]*dataKey
	calls      map[id]*call
}

// call is one fetch in progress. err and gaveUp are set before done is closed.
type call struct {
	done   chan struct{}
	err    error
	gaveUp bool // its caller stopped waiting, which says nothing about the key
}

// get returns a usable key and fetches it if there is none.
func (r *ring) get(
	ctx context.Context, i id, usable func(*dataKey) bool, request func() (*dataKey, error),
) (*dataKey, error) {
	for {
		k, c, owner := r.enter(i, usable)
		if k != nil {
			return k, nil
		}
		if owner {
			if err := r.fetch(ctx, i, c, request); err != nil {
				return nil, err
			}
			continue
		}
		select {
		case <-c.done:
			if c.err != nil && !c.gaveUp {
				return nil, c.err
			}
		case <-ctx.Done():
			return nil, fmt.Errorf("%w: %w", seal.ErrUnavailable, ctx.Err())
		}
	}
}

// enter returns a usable key, or else the call that fetches it. owner is true
// if the caller has to do so.
func (r *ring) enter(i id, usable func(*dataKey) bool) (k *dataKey, c *call, owner bool) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if k := r.find(i); k != nil && usable(k) {
		return k, nil, false
	}
	if c := r.calls[i]; c != nil {
		return nil, c, false
	}
	if r.calls == nil {
		r.calls = map[id]*call{}
	}
	c = &call{done: make(chan struct{})}
	r.calls[i] = c
	return nil, c, true
}

// fetch obtains a key and caches it.
func (r *ring) fetch(ctx context.Context, i id, c *call, request func() (*dataKey, error)) error {
	defer func() {
		r.mu.Lock()
		defer r.mu.Unlock()
		delete(r.calls, i)
		close(c.done)
	}()
	k, err := request()
	if err == nil {
		r.put(i, k)
	}
	c.err, c.gaveUp = err, err != nil && ctx.Err() != nil
	return err
}

func (r *ring) put(i id, k *dataKey) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.keep(i, k)
}

// find must be called with the lock held, as must keep.
func (r *ring) find(i id) *dataKey {
	if k := r.young[i]; k != nil {
		return k
	}
	k := r.old[i]
	if k != nil {
		delete(r.old, i)
		r.keep(i, k)
	}
	return k
}

func (r *ring) keep(i id, k *dataKey) {
	if r.young == nil || len(r.young) >= r.most/2 {
		r.young, r.old = map[id]*dataKey{}, r.young
	}
	r.young[i] = k
}
