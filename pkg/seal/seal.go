// Package seal is the contract of what closes and opens the secrets that a store keeps.
package seal

import (
	"context"
	"errors"
)

var (
	// ErrIntegrity: the bytes do not open under this credential and this additional data. They were changed, copied from elsewhere, sealed under another key, or never sealed.
	ErrIntegrity = errors.New("seal: what is stored does not open")
	// ErrUnavailable: the key cannot be reached now.
	ErrUnavailable = errors.New("seal: the sealing key is unavailable")
)

// Sealer closes and opens. additional is not stored with the bytes, yet they open only beside the very same; credential names whose they are. Both methods are safe for concurrent use, keep none of the slices they are given, and return slices that are the caller's own.
//
// The contract's tests are package sealtest.
type Sealer interface {
	// Seal closes plain, which may be empty. Two seals of the same text differ. Error: ErrUnavailable.
	Seal(ctx context.Context, credential string, plain, additional []byte) ([]byte, error)

	// Open gives back what was sealed, whole or not at all. Errors: ErrIntegrity, ErrUnavailable.
	Open(ctx context.Context, credential string, sealed, additional []byte) ([]byte, error)
}
