// Package kms seals under data keys that AWS KMS makes and opens.
package kms

import (
	"context"
	"encoding/binary"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/kms"
	"github.com/aws/aws-sdk-go-v2/service/kms/types"

	"github.com/tokenvend/tokenvend/pkg/seal"
)

// client is what is called of *kms.Client. IAM needs to grant these two, on the one key.
type client interface {
	GenerateDataKey(context.Context, *kms.GenerateDataKeyInput, ...func(*kms.Options)) (*kms.GenerateDataKeyOutput, error)
	Decrypt(context.Context, *kms.DecryptInput, ...func(*kms.Options)) (*kms.DecryptOutput, error)
}

// The names in the encryption context of every call. Policies and CloudTrail show them, and a data key opens under the very same only: they never change.
const (
	sealName       = "tokenvend:seal"
	credentialName = "tokenvend:credential" // #nosec G101 -- a name
)

const (
	dataKeyLifetime = 24 * time.Hour
	dataKeySeals    = 1 << 20 // 2^32 would be safe with random nonces; renewing a key costs next to nothing
	mostKeys        = 1 << 13 // about 10 MB
)

// Sealer seals with AES-256-GCM under a data key of its own for each credential, for up to a day, and each item carries that key, wrapped by KMS. A credential's first seal costs one GenerateDataKey, the first item under another process's data key one Decrypt; whoever comes meanwhile waits for the same answer.
// Data keys that were used stay in memory, so what was once opened opens again while KMS is out of reach.
type Sealer struct {
	client        client
	keyID, sealID string
	lifetime      time.Duration
	seals         int64
	keys          ring
}

var _ seal.Sealer = (*Sealer)(nil)

// New seals under the KMS key with that id, ARN or alias. KMS's rotation of the key needs nothing; another key in its place opens nothing that was sealed before.
// sealID names whose items they are: items of one stack do not open in another that uses the same key, and a table that was restored opens in a stack with the sealID of old.
func New(client client, keyID, sealID string) *Sealer {
	return &Sealer{client: client, keyID: keyID, sealID: sealID, lifetime: dataKeyLifetime, seals: dataKeySeals, keys: ring{most: mostKeys}}
}

// Seal closes plain.
func (s *Sealer) Seal(ctx context.Context, credential string, plain, additional []byte) ([]byte, error) {
	k, err := s.keys.get(ctx, id{credential: credential}, s.maySeal, func() (*dataKey, error) { return s.generate(ctx, credential) })
	if err != nil {
		return nil, err
	}
	sealed := make([]byte, 0, len(k.head)+len(plain)+k.aead.Overhead())
	return k.aead.Seal(append(sealed, k.head...), nil, plain, s.bound(credential, additional)), nil // #nosec G407 -- nil: the cipher draws its nonce
}

// Open gives back what was sealed. Of KMS's refusals only those that say that the wrapped key is damaged, or another's, count for ErrIntegrity: where access is denied or the key disabled, the same item may open again tomorrow.
func (s *Sealer) Open(ctx context.Context, credential string, sealed, additional []byte) ([]byte, error) {
	wrapped, body, ok := cut(sealed)
	if !ok {
		return nil, seal.ErrIntegrity
	}
	k, err := s.keys.get(ctx, id{credential, string(wrapped)}, always, func() (*dataKey, error) { return s.unwrap(ctx, credential, wrapped) })
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

// maySeal counts a seal.
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
		s.keys.put(id{credential, string(out.CiphertextBlob)}, k) // what this process seals, it opens
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

// bound is what the sealed bytes open beside. The lengths keep its parts apart.
func (s *Sealer) bound(credential string, additional []byte) []byte {
	b := append(make([]byte, 0, 1+8+len(s.sealID)+8+len(credential)+len(additional)), format)
	for _, part := range []string{s.sealID, credential} {
		b = append(binary.BigEndian.AppendUint64(b, uint64(len(part))), part...)
	}
	return append(b, additional...)
}
