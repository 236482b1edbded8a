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

// dataKey is a key as KMS made it, ready for use.
type dataKey struct {
	aead  cipher.AEAD
	head  []byte    // of what it seals
	since time.Time // this process has had it; by the wall clock alone, for the monotonic one stops while the process is frozen
	seals atomic.Int64
}

// newDataKey clears plain, though the cipher has to keep what it made of it.
func newDataKey(plain, wrapped []byte) (*dataKey, error) {
	defer clear(plain)
	head, ok := head(wrapped)
	if !ok || len(plain) != keyBytes {
		return nil, fmt.Errorf("%w: KMS answered with a data key of %d bytes, wrapped in %d", seal.ErrUnavailable, len(plain), len(wrapped))
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

// id names a data key: by its wrapped form, or without one as the key that the credential is sealed under now. The credential is always part of it: KMS's answer about a wrapped key holds for one credential only.
type id struct{ credential, wrapped string }

// ring holds the data keys in use, each fetched by one caller for all who wait for it. Keys that were not used for long make place for others.
type ring struct {
	most int // keys, at least 2

	mu         sync.Mutex
	young, old map[id]*dataKey // a key is in one of them; old ones go once young is full, and one that is used is young again
	flights    map[id]*flight
}

// flight is one fetch under way. err and gaveUp are set before done is closed.
type flight struct {
	done   chan struct{}
	err    error
	gaveUp bool // its owner stopped waiting, which says nothing about the key
}

// get returns a key that is usable, fetching it where there is none.
func (r *ring) get(ctx context.Context, i id, usable func(*dataKey) bool, fetch func() (*dataKey, error)) (*dataKey, error) {
	for {
		k, f, own := r.enter(i, usable)
		if k != nil {
			return k, nil
		}
		if own {
			if err := r.fly(ctx, i, f, fetch); err != nil {
				return nil, err
			}
			continue
		}
		select {
		case <-f.done:
			if f.err != nil && !f.gaveUp {
				return nil, f.err
			}
		case <-ctx.Done():
			return nil, fmt.Errorf("%w: %w", seal.ErrUnavailable, ctx.Err())
		}
	}
}

// enter returns a usable key, or else the flight that will bring one, which is the caller's own where nobody else flies.
func (r *ring) enter(i id, usable func(*dataKey) bool) (k *dataKey, f *flight, own bool) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if k := r.find(i); k != nil && usable(k) {
		return k, nil, false
	}
	if f := r.flights[i]; f != nil {
		return nil, f, false
	}
	if r.flights == nil {
		r.flights = map[id]*flight{}
	}
	f = &flight{done: make(chan struct{})}
	r.flights[i] = f
	return nil, f, true
}

// fly fetches a key and keeps it.
func (r *ring) fly(ctx context.Context, i id, f *flight, fetch func() (*dataKey, error)) error {
	defer func() {
		r.mu.Lock()
		defer r.mu.Unlock()
		delete(r.flights, i)
		close(f.done)
	}()
	k, err := fetch()
	if err == nil {
		r.put(i, k)
	}
	f.err, f.gaveUp = err, err != nil && ctx.Err() != nil
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
