// Package seal is the contract of the Sealer, which encrypts the secrets in a
// store.
package seal

import (
	"context"
	"errors"
)

var (
	// ErrIntegrity means that the bytes do not open with this credential and
	// this additional data. They were changed, copied from elsewhere, sealed
	// under another key, or never sealed.
	ErrIntegrity = errors.New("seal: what is stored does not open")
	// ErrUnavailable means that the key cannot be reached now.
	ErrUnavailable = errors.New("seal: the sealing key is unavailable")
)

// Sealer encrypts and decrypts. additional is the additional authenticated
// data: it is not stored, and Open needs the same bytes. credential is the name
// of the owner. Both methods are safe for concurrent use, keep none of the
// slices they are given, and return slices that belong to the caller.
//
// The contract's tests are in package sealtest.
type Sealer interface {
	// Seal encrypts plain, which may be empty. Two results for the same text
	// differ. Its error is ErrUnavailable.
	Seal(ctx context.Context, credential string, plain, additional []byte) ([]byte, error)

	// Open returns the complete plaintext, or ErrIntegrity or ErrUnavailable.
	Open(ctx context.Context, credential string, sealed, additional []byte) ([]byte, error)
}
