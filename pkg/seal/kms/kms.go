// Package kms seals under data keys of AWS KMS.
package kms

import (
	"context"
	"encoding/binary"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/kms"
	"github.com/aws/aws-sdk-go-v2/service/kms/types"

	"github.com/tokenvend/tokenvend/pkg/seal"
)

// client is the part of *kms.Client that is used. The function needs these two
// permissions on the one key.
type client interface {
	GenerateDataKey(
		context.Context, *kms.GenerateDataKeyInput, ...func(*kms.Options),
	) (*kms.GenerateDataKeyOutput, error)
	Decrypt(context.Context, *kms.DecryptInput, ...func(*kms.Options)) (*kms.DecryptOutput, error)
}

// The names in the encryption context of every call. Key policies and
// CloudTrail show them. A data key opens only under the same names, so they
// never change.
const (
	sealName       = "tokenvend:seal"
	credentialName = "tokenvend:credential" // #nosec G101 -- a name
)

const (
	dataKeyLifetime = 24 * time.Hour
	dataKeySeals    = 1 << 20 // random nonces allow 2^32; a new key costs next to nothing
	mostKeys        = 1 << 13 // about 10 MB
)

// Sealer seals with AES-256-GCM under a data key per credential, which it uses
// for up to a day. Each item carries that key, wrapped by KMS. A credential's
// first Seal costs one GenerateDataKey; the first item under another process's
// data key costs one Decrypt. Concurrent callers share a call. Used data keys
// stay in memory, so an item that was opened once can be opened while KMS is
// unreachable.
type Sealer struct {
	client        client
	keyID, sealID string
	lifetime      time.Duration
	seals         int64
	keys          ring
}

var _ seal.Sealer = (*Sealer)(nil)

// New returns a Sealer that uses the KMS key with this ID, ARN or alias. It
// works with KMS key rotation. Another key does not open what was sealed
// before. sealID names the stack: items of one stack do not open in another
// that uses the same key, and a restored table opens in a stack with the
// original sealID.
func New(client client, keyID, sealID string) *Sealer {
	return &Sealer{
		client:   client,
		keyID:    keyID,
		sealID:   sealID,
		lifetime: dataKeyLifetime,
		seals:    dataKeySeals,
		keys:     ring{most: mostKeys},
	}
}

// Seal encrypts plain.
func (s *Sealer) Seal(ctx context.Context, credential string, plain, additional []byte) ([]byte, error) {
	k, err := s.keys.get(ctx, id{credential: credential}, s.maySeal, func() (*dataKey, error) {
		return s.generate(ctx, credential)
	})
	if err != nil {
		return nil, err
	}
	sealed := make([]byte, 0, len(k.head)+len(plain)+k.aead.Overhead())
	sealed, additional = append(sealed, k.head...), s.bound(credential, additional)
	return k.aead.Seal(sealed, nil, plain, additional), nil // #nosec G407 -- the cipher draws its nonce
}

// Open returns the plaintext. Of KMS's errors only those that say that the
// wrapped key is damaged, or another's, become ErrIntegrity. If access is
// denied or the key is disabled, the same item may open later.
func (s *Sealer) Open(ctx context.Context, credential string, sealed, additional []byte) ([]byte, error) {
	wrapped, body, ok := cut(sealed)
	if !ok {
		return nil, seal.ErrIntegrity
	}
	k, err := s.keys.get(ctx, id{credential, string(wrapped)}, always, func() (*dataKey, error) {
		return s.unwrap(ctx, credential, wrapped)
	})
	if err != nil {
		return nil, err
	}
	plain, err := k.aead.Open(nil, nil, body, s.bound(credential, additional))
	if err != nil {
		return nil, seal.ErrIntegrity
	}
	return plain, nil
}

func always(*dataKey) bool { return true }

// maySeal counts a use of the key and reports whether it may seal.
func (s *Sealer) maySeal(k *dataKey) bool {
	age := time.Since(k.since)
	return age >= 0 && age < s.lifetime && k.seals.Add(1) <= s.seals
}

func (s *Sealer) generate(ctx context.Context, credential string) (*dataKey, error) {
	out, err := s.client.GenerateDataKey(ctx, &kms.GenerateDataKeyInput{
		KeyId: &s.keyID, KeySpec: types.DataKeySpecAes256, EncryptionContext: s.encryptionContext(credential),
	})
	if err != nil {
		return nil, unavailable(ctx, "GenerateDataKey", err)
	}
	k, err := newDataKey(out.Plaintext, out.CiphertextBlob)
	if err == nil {
		s.keys.put(id{credential, string(out.CiphertextBlob)}, k) // the process can open what it sealed
	}
	return k, err
}

func (s *Sealer) unwrap(ctx context.Context, credential string, wrapped []byte) (*dataKey, error) {
	out, err := s.client.Decrypt(ctx, &kms.DecryptInput{
		KeyId: &s.keyID, CiphertextBlob: wrapped, EncryptionContext: s.encryptionContext(credential),
	})
	if isDamaged(err) {
		return nil, seal.ErrIntegrity
	}
	if err != nil {
		return nil, unavailable(ctx, "Decrypt", err)
	}
	return newDataKey(out.Plaintext, wrapped)
}

func (s *Sealer) encryptionContext(credential string) map[string]string {
	return map[string]string{sealName: s.sealID, credentialName: credential}
}

// bound returns the additional data of the AEAD. The lengths separate its
// parts.
func (s *Sealer) bound(credential string, additional []byte) []byte {
	b := append(make([]byte, 0, 1+8+len(s.sealID)+8+len(credential)+len(additional)), format)
	for _, part := range []string{s.sealID, credential} {
		b = append(binary.BigEndian.AppendUint64(b, uint64(len(part))), part...)
	}
	return append(b, additional...)
}
