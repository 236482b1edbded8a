// Package keyfile seals under a key in a file: for one machine, where there is no KMS.
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

// format is the first byte of everything sealed here: AES-256-GCM, then a random nonce of 12 bytes, the ciphertext and the tag of 16. What another format needs is another number; this one is never given a second meaning.
const format = 1

// Sealer seals under one key. A random nonce is good for 2^32 seals under one key, which at a thousand a minute is eight thousand years.
type Sealer struct {
	aead cipher.AEAD
}

var _ seal.Sealer = (*Sealer)(nil)

// Open reads the key at path, and makes one where there is none: the file with
// mode 0600, and its folder with 0700. Several processes may do so at once; they
// then share the first one's key. It refuses a file of another user than this
// one and root, a file that others than its owner can read, and one that holds
// anything but a key.
//
// A key that is lost takes with it what was sealed under it: every token must then be minted anew, and people must connect again.
func Open(path string) (*Sealer, error) { return OpenOwned(path, private.Owners{}) }

// OpenOwned is [Open] of a key that may belong to one of these owners, where
// Open takes this user's and root's.
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

// Seal closes plain. It needs no I/O and never fails.
func (s *Sealer) Seal(_ context.Context, credential string, plain, additional []byte) ([]byte, error) {
	sealed := make([]byte, 1, 1+len(plain)+s.aead.Overhead())
	sealed[0] = format
	return s.aead.Seal(sealed, nil, plain, bound(credential, additional)), nil // #nosec G407 -- nil: the cipher draws its nonce
}

// Open gives back what was sealed. Its only error is seal.ErrIntegrity.
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

// bound is what the sealed bytes open beside. The length keeps credential and additional data apart.
func bound(credential string, additional []byte) []byte {
	b := append(make([]byte, 0, 1+8+len(credential)+len(additional)), format)
	b = binary.BigEndian.AppendUint64(b, uint64(len(credential)))
	b = append(b, credential...)
	return append(b, additional...)
}
