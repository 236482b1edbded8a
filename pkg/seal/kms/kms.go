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

// The name of the seal ID in the encryption context of every call. The other
// name in it is the scope's.
const sealName = "tokenvend:seal"

const (
	dataKeyLifetime = 24 * time.Hour
	dataKeySeals    = 1 << 20 // random nonces allow 2^32; a new key costs next to nothing
	mostKeys        = 1 << 13 // about 10 MB
)

// Sealer seals with AES-256-GCM under a data key per credential or per bucket
// of credentials, which it uses for up to a day. Each item carries that key,
// wrapped by KMS. The first Seal of a credential or bucket costs one
// GenerateDataKey; the first item under another process's data key costs one
// Decrypt. Concurrent callers share a call. Used data keys stay in memory, so
// an item that was opened once can be opened while KMS is unreachable.
type Sealer struct {
	client        client
	keyID, sealID string
	format        byte // of what it seals; it opens both
	lifetime      time.Duration
	seals         int64
	keys          ring
}

var _ seal.Sealer = (*Sealer)(nil)

// Config is what a Sealer works with. KeyID and SealID are required.
type Config struct {
	// KeyID is the ID, ARN or alias of the KMS key. It works with KMS key
	// rotation. Another key does not open what was sealed before.
	KeyID string
	// SealID names the stack: items of one stack do not open in another that
	// uses the same key, and a restored table opens in a stack with the
	// original SealID.
	SealID string
	// Buckets: it seals under a data key of the credential's bucket. A process
	// of many credentials then needs a 256th of the data keys at most. A
	// program from before there were buckets does not open what is sealed so.
	Buckets bool
}

// New returns a Sealer.
func New(client client, c Config) *Sealer {
	s := &Sealer{
		client:   client,
		keyID:    c.KeyID,
		sealID:   c.SealID,
		format:   byCredential,
		lifetime: dataKeyLifetime,
		seals:    dataKeySeals,
		keys:     ring{most: mostKeys},
	}
	if c.Buckets {
		s.format = byBucket
	}
	return s
}

// Seal encrypts plain.
func (s *Sealer) Seal(ctx context.Context, credential string, plain, additional []byte) ([]byte, error) {
	of := scopeOf(s.format, credential)
	k, err := s.keys.get(ctx, id{scope: of}, s.maySeal, func() (*dataKey, error) {
		return s.generate(ctx, of)
	})
	if err != nil {
		return nil, err
	}
	sealed := make([]byte, 0, len(k.head)+len(plain)+k.aead.Overhead())
	sealed, additional = append(sealed, k.head...), s.bound(s.format, credential, additional)
	return k.aead.Seal(sealed, nil, plain, additional), nil // #nosec G407 -- the cipher draws its nonce
}

// Open returns the plaintext. Of KMS's errors only those that say that the
// wrapped key is damaged, or another's, become ErrIntegrity. If access is
// denied or the key is disabled, the same item may open later.
func (s *Sealer) Open(ctx context.Context, credential string, sealed, additional []byte) ([]byte, error) {
	item, ok := cut(sealed)
	if !ok {
		return nil, seal.ErrIntegrity
	}
	of := scopeOf(item.format, credential)
	k, err := s.keys.get(ctx, id{of, string(item.wrapped)}, always, func() (*dataKey, error) {
		return s.unwrap(ctx, of, item)
	})
	if err != nil {
		return nil, err
	}
	plain, err := k.aead.Open(nil, nil, item.body, s.bound(item.format, credential, additional))
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

func (s *Sealer) generate(ctx context.Context, of scope) (*dataKey, error) {
	out, err := s.client.GenerateDataKey(ctx, &kms.GenerateDataKeyInput{
		KeyId: &s.keyID, KeySpec: types.DataKeySpecAes256, EncryptionContext: s.encryptionContext(of),
	})
	if err != nil {
		return nil, unavailable(ctx, "GenerateDataKey", err)
	}
	k, err := newDataKey(out.Plaintext, out.CiphertextBlob, s.format)
	if err == nil {
		s.keys.put(id{of, string(out.CiphertextBlob)}, k) // the process can open what it sealed
	}
	return k, err
}

func (s *Sealer) unwrap(ctx context.Context, of scope, item parts) (*dataKey, error) {
	out, err := s.client.Decrypt(ctx, &kms.DecryptInput{
		KeyId: &s.keyID, CiphertextBlob: item.wrapped, EncryptionContext: s.encryptionContext(of),
	})
	if isDamaged(err) {
		return nil, seal.ErrIntegrity
	}
	if err != nil {
		return nil, unavailable(ctx, "Decrypt", err)
	}
	return newDataKey(out.Plaintext, item.wrapped, item.format)
}

func (s *Sealer) encryptionContext(of scope) map[string]string {
	return map[string]string{sealName: s.sealID, of.name: of.value}
}

// bound returns the additional data of the AEAD. The lengths separate its
// parts. The credential is bound whatever the data key was made for.
func (s *Sealer) bound(format byte, credential string, additional []byte) []byte {
	b := append(make([]byte, 0, 1+8+len(s.sealID)+8+len(credential)+len(additional)), format)
	for _, part := range []string{s.sealID, credential} {
		b = append(binary.BigEndian.AppendUint64(b, uint64(len(part))), part...)
	}
	return append(b, additional...)
}
