// Package keyfile seals under a key in a file, for one machine without KMS.
package keyfile

import (
	"context"
	"crypto/aes"
	"crypto/cipher"
	"encoding/binary"
	"fmt"

	"github.com/tokenvend/tokenvend/pkg/private"
	"github.com/tokenvend/tokenvend/pkg/seal"
)

// format is the first byte of everything sealed here: AES-256-GCM with a random
// nonce of 12 bytes, then the ciphertext and the tag of 16 bytes. Another
// format gets another number. This number never changes its meaning.
const format = 1

// Sealer seals under one key. Random nonces are safe for 2^32 seals under one
// key, which takes eight thousand years at a thousand a minute.
type Sealer struct {
	aead cipher.AEAD
}

var _ seal.Sealer = (*Sealer)(nil)

// Open reads the key at path. If there is none it creates one, with mode 0600
// in a directory with mode 0700. Several processes may do so at once and then
// share the first one's key. Open refuses a file that belongs to a user other
// than this one and root, a file that others can read, and a file that holds
// anything but a key.
//
// What was sealed under a lost key cannot be opened: every token must be minted
// again, and users must connect their accounts again.
func Open(path string) (*Sealer, error) { return OpenOwned(path, private.Owners{}) }

// OpenOwned is [Open] for a key that may belong to one of the given owners
// instead of this user and root.
func OpenOwned(path string, owners private.Owners) (*Sealer, error) {
	key, err := readOrMake(path, owners)
	if err != nil {
		return nil, fmt.Errorf("key file %s: %w", path, err)
	}
	defer clear(key)
	return newSealer(key)
}

func newSealer(key []byte) (*Sealer, error) {
	block, err := aes.NewCipher(key)
	if err != nil {
		return nil, err
	}
	aead, err := cipher.NewGCMWithRandomNonce(block)
	if err != nil {
		return nil, err
	}
	return &Sealer{aead: aead}, nil
}

// Seal encrypts plain. It needs no I/O and never fails.
func (s *Sealer) Seal(_ context.Context, credential string, plain, additional []byte) ([]byte, error) {
	sealed := make([]byte, 1, 1+len(plain)+s.aead.Overhead())
	sealed[0] = format
	additional = bound(credential, additional)
	return s.aead.Seal(sealed, nil, plain, additional), nil // #nosec G407 -- the cipher draws its nonce
}

// Open returns the plaintext. Its only error is seal.ErrIntegrity.
func (s *Sealer) Open(_ context.Context, credential string, sealed, additional []byte) ([]byte, error) {
	if len(sealed) == 0 || sealed[0] != format {
		return nil, seal.ErrIntegrity
	}
	plain, err := s.aead.Open(nil, nil, sealed[1:], bound(credential, additional))
	if err != nil {
		return nil, seal.ErrIntegrity
	}
	return plain, nil
}

// bound returns the additional data of the AEAD. The length separates
// credential from additional.
func bound(credential string, additional []byte) []byte {
	b := append(make([]byte, 0, 1+8+len(credential)+len(additional)), format)
	b = binary.BigEndian.AppendUint64(b, uint64(len(credential)))
	b = append(b, credential...)
	return append(b, additional...)
}
