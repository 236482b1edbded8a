// Package kms stands in for AWS KMS in tests: keys in memory, and the actions
// that tokenvend uses. What it does not implement is an error. The
// contract suite of internal/standin holds it to moto.
package kms

import (
	"crypto"
	"crypto/aes"
	"crypto/cipher"
	"crypto/rand"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"maps"
	"net/http"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/tokenvend/tokenvend/internal/standin/wire"
)

// Server is the KMS of one account in one region.
type Server struct {
	ARN     string // of the account's KMS: arn:aws:kms:REGION:ACCOUNT:
	mu      sync.Mutex
	keys    map[string]*key   // by id
	aliases map[string]string // the ids, by alias/NAME
}

// key is a KMS key. Its id has 36 characters, and begins each of its
// ciphertexts, as moto's do.
type key struct {
	id, state string
	aead      cipher.AEAD
	signer    crypto.Signer // nil: the key is symmetric
}

// The states of a key.
const (
	enabled  = "Enabled"
	disabled = "Disabled"
	pending  = "PendingDeletion"
)

const idBytes = 36

// Serve answers one request, whose body is given.
func (s *Server) Serve(w http.ResponseWriter, r *http.Request, body []byte) {
	wire.JSON{ContentType: "application/x-amz-json-1.1", Lock: &s.mu, Actions: map[string]wire.Action{
		"CreateKey":           wire.On(s.createKey),
		"DescribeKey":         wire.On(s.describeKey),
		"EnableKey":           wire.On(func(in *one) (any, error) { return s.turn(in, enabled) }),
		"DisableKey":          wire.On(func(in *one) (any, error) { return s.turn(in, disabled) }),
		"ScheduleKeyDeletion": wire.On(s.scheduleKeyDeletion),
		"CreateAlias":         wire.On(s.createAlias),
		"ListAliases":         wire.On(s.listAliases),
		"GenerateDataKey":     wire.On(s.generateDataKey),
		"Encrypt":             wire.On(s.encrypt),
		"Decrypt":             wire.On(s.decrypt),
		"Sign":                wire.On(s.sign),
		"GetPublicKey":        wire.On(s.getPublicKey),
	}}.Serve(w, r, body)
}

// NewKey makes a key and returns its ARN.
func (s *Server) NewKey() string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.arn(s.newKey())
}

func (s *Server) arn(k *key) string { return s.ARN + "key/" + k.id }

func (s *Server) newKey() *key {
	random := make([]byte, 48)
	_, _ = rand.Read(random) // never fails
	block, err := aes.NewCipher(random[:32])
	if err != nil {
		panic(err)
	}
	aead, err := cipher.NewGCMWithRandomNonce(block)
	if err != nil {
		panic(err)
	}
	id := hex.EncodeToString(random[32:])
	k := &key{
		state: enabled, aead: aead, id: strings.Join([]string{id[:8], id[8:12], id[12:16], id[16:20], id[20:]}, "-"),
	}
	if s.keys == nil {
		s.keys, s.aliases = map[string]*key{}, map[string]string{}
	}
	s.keys[k.id] = k
	return k
}

// find returns the key that an id, an ARN or an alias names.
func (s *Server) find(name string) (*key, error) {
	id := name[strings.LastIndexByte(name, ':')+1:]
	if strings.HasPrefix(id, "alias/") {
		id = s.aliases[id]
	}
	k := s.keys[strings.TrimPrefix(id, "key/")]
	if k == nil || strings.HasPrefix(name, "arn:") && !strings.HasPrefix(name, s.ARN) {
		return nil, wire.Errorf("NotFoundException", "Key '%s' does not exist", name)
	}
	return k, nil
}

// usable returns a key that may be used now.
func (s *Server) usable(name string) (*key, error) {
	k, err := s.find(name)
	switch {
	case err != nil:
		return nil, err
	case k.state == disabled:
		return nil, wire.Errorf("DisabledException", "%s is disabled.", s.arn(k))
	case k.state == pending:
		return nil, wire.Errorf("KMSInvalidStateException", "%s is pending deletion.", s.arn(k))
	}
	return k, nil
}

type one struct{ KeyId string }

func (s *Server) describeKey(in *one) (any, error) {
	k, err := s.find(in.KeyId)
	if err != nil {
		return nil, err
	}
	return map[string]any{"KeyMetadata": s.metadata(k)}, nil
}

func (s *Server) turn(in *one, state string) (any, error) {
	k, err := s.find(in.KeyId)
	if err != nil {
		return nil, err
	}
	if k.state == pending {
		return nil, wire.Errorf("KMSInvalidStateException", "%s is pending deletion.", s.arn(k))
	}
	k.state = state
	return struct{}{}, nil
}

func (s *Server) scheduleKeyDeletion(in *struct {
	KeyId               string
	PendingWindowInDays int
}) (any, error) {
	k, err := s.find(in.KeyId)
	if err != nil {
		return nil, err
	}
	k.state = pending
	return map[string]any{
		"KeyId": s.arn(k), "DeletionDate": time.Now().AddDate(0, 0, 30).Unix(), "KeyState": pending,
	}, nil
}

func (s *Server) createAlias(in *struct{ AliasName, TargetKeyId string }) (any, error) {
	k, err := s.find(in.TargetKeyId)
	if err != nil {
		return nil, err
	}
	if s.aliases[in.AliasName] != "" {
		return nil, wire.Errorf(
			"AlreadyExistsException", "An alias with the name %s%s already exists", s.ARN, in.AliasName,
		)
	}
	s.aliases[in.AliasName] = k.id
	return struct{}{}, nil
}

func (s *Server) listAliases(*struct{}) (any, error) {
	list := []map[string]string{}
	for _, name := range slices.Sorted(maps.Keys(s.aliases)) {
		list = append(list, map[string]string{
			"AliasName": name, "AliasArn": s.ARN + name, "TargetKeyId": s.aliases[name],
		})
	}
	return map[string]any{"Aliases": list, "Truncated": false}, nil
}

type generateDataKey struct {
	KeyId             string
	KeySpec           string
	EncryptionContext map[string]string
}

func (s *Server) generateDataKey(in *generateDataKey) (any, error) {
	k, err := s.usable(in.KeyId)
	if err != nil {
		return nil, err
	}
	size := map[string]int{"AES_128": 16, "AES_256": 32}[in.KeySpec]
	if size == 0 {
		return nil, wire.Errorf("ValidationException", "Please specify either number of bytes or key spec.")
	}
	if k.signer != nil {
		return nil, wire.Errorf("InvalidKeyUsageException", "%s key usage is SIGN_VERIFY", s.arn(k))
	}
	plain := make([]byte, size)
	_, _ = rand.Read(plain) // never fails
	return map[string]any{
		"KeyId": s.arn(k), "Plaintext": plain, "CiphertextBlob": k.seal(plain, in.EncryptionContext),
	}, nil
}

type encrypt struct {
	KeyId             string
	Plaintext         []byte
	EncryptionContext map[string]string
}

func (s *Server) encrypt(in *encrypt) (any, error) {
	if err := length("plaintext", in.Plaintext, mostPlaintext); err != nil {
		return nil, err
	}
	k, err := s.usable(in.KeyId)
	if err != nil {
		return nil, err
	}
	return map[string]any{"KeyId": s.arn(k), "CiphertextBlob": k.seal(in.Plaintext, in.EncryptionContext)}, nil
}

// The limits of KMS, in bytes.
const (
	mostPlaintext  = 4096
	mostCiphertext = 6144
)

// length returns an error for a blob that is empty or too long.
func length(name string, blob []byte, most int) error {
	if len(blob) > 0 && len(blob) <= most {
		return nil
	}
	return wire.Errorf("ValidationException", "1 validation error detected: Value at '%s' failed to satisfy "+
		"constraint: "+
		"Member must have length between 1 and %d", name, most)
}

func (k *key) seal(plain []byte, about map[string]string) []byte {
	return k.aead.Seal([]byte(k.id), nil, plain, bound(about))
}

// bound spells an encryption context: the order of its pairs does not count.
func bound(about map[string]string) []byte {
	text, err := json.Marshal(about) // sorts
	if err != nil {
		panic(fmt.Sprint("kms: ", err))
	}
	if len(about) == 0 {
		text = nil
	}
	return text
}

type decrypt struct {
	KeyId             string
	CiphertextBlob    []byte
	EncryptionContext map[string]string
}

func (s *Server) decrypt(in *decrypt) (any, error) {
	if err := length("ciphertextBlob", in.CiphertextBlob, mostCiphertext); err != nil {
		return nil, err
	}
	damaged := &wire.Error{Code: "InvalidCiphertextException"}
	if len(in.CiphertextBlob) < idBytes {
		return nil, damaged
	}
	maker := s.keys[string(in.CiphertextBlob[:idBytes])]
	if in.KeyId != "" {
		named, err := s.usable(in.KeyId)
		if err != nil {
			return nil, err
		}
		if maker != nil && named != maker {
			return nil, wire.Errorf("IncorrectKeyException",
				"The key ID in the request does not identify a CMK that can perform this operation.")
		}
	}
	if maker == nil {
		return nil, damaged
	}
	if _, err := s.usable(maker.id); err != nil {
		return nil, err
	}
	plain, err := maker.aead.Open(nil, nil, in.CiphertextBlob[idBytes:], bound(in.EncryptionContext))
	if err != nil {
		return nil, damaged
	}
	return map[string]any{"KeyId": s.arn(maker), "Plaintext": plain, "EncryptionAlgorithm": "SYMMETRIC_DEFAULT"}, nil
}
