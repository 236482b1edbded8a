package kms

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"

	"github.com/tokenvend/tokenvend/internal/standin/wire"
)

// newSigner returns a private key of a KeySpec.
func newSigner(spec string) (crypto.Signer, error) {
	switch spec {
	case "RSA_2048":
		return rsa.GenerateKey(rand.Reader, 2048)
	case "ECC_NIST_P256":
		return ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	case "ECC_NIST_P384":
		return ecdsa.GenerateKey(elliptic.P384(), rand.Reader)
	}
	return nil, wire.Errorf("ValidationException", "the stand-in has no KeySpec %s", spec)
}

func (s *Server) createKey(in *struct{ Description, KeySpec, KeyUsage string }) (any, error) {
	var signer crypto.Signer
	if in.KeyUsage == "SIGN_VERIFY" {
		var err error
		if signer, err = newSigner(in.KeySpec); err != nil {
			return nil, err
		}
	}
	k := s.newKey()
	k.signer = signer
	return map[string]any{"KeyMetadata": s.metadata(k)}, nil
}

func (s *Server) metadata(k *key) map[string]any {
	usage := "ENCRYPT_DECRYPT"
	if k.signer != nil {
		usage = "SIGN_VERIFY"
	}
	return map[string]any{
		"KeyId": k.id, "Arn": s.arn(k), "KeyState": k.state, "Enabled": k.state == enabled, "KeyUsage": usage,
	}
}

// NewSigningKey makes a key for SIGN_VERIFY and returns its ARN and its public
// half.
func (s *Server) NewSigningKey(spec string) (string, crypto.PublicKey, error) {
	signer, err := newSigner(spec)
	if err != nil {
		return "", nil, err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	k := s.newKey()
	k.signer = signer
	return s.arn(k), signer.Public(), nil
}

// signings are the algorithms of each kind of key.
var signings = map[string]struct {
	options crypto.SignerOpts
	isRSA   bool
}{
	"RSASSA_PKCS1_V1_5_SHA_256": {crypto.SHA256, true},
	"RSASSA_PKCS1_V1_5_SHA_384": {crypto.SHA384, true},
	"RSASSA_PKCS1_V1_5_SHA_512": {crypto.SHA512, true},
	"RSASSA_PSS_SHA_256":        {pss(crypto.SHA256), true},
	"RSASSA_PSS_SHA_384":        {pss(crypto.SHA384), true},
	"RSASSA_PSS_SHA_512":        {pss(crypto.SHA512), true},
	"ECDSA_SHA_256":             {crypto.SHA256, false},
	"ECDSA_SHA_384":             {crypto.SHA384, false},
}

func pss(hash crypto.Hash) crypto.SignerOpts {
	return &rsa.PSSOptions{SaltLength: rsa.PSSSaltLengthEqualsHash, Hash: hash}
}

type sign struct {
	KeyId, MessageType, SigningAlgorithm string
	Message                              []byte
}

// sign signs digests alone.
func (s *Server) sign(in *sign) (any, error) {
	k, err := s.usable(in.KeyId)
	if err != nil {
		return nil, err
	}
	if k.signer == nil {
		return nil, wire.Errorf("InvalidKeyUsageException", "%s key usage is ENCRYPT_DECRYPT", s.arn(k))
	}
	algorithm, known := signings[in.SigningAlgorithm]
	_, isRSA := k.signer.Public().(*rsa.PublicKey)
	if !known || algorithm.isRSA != isRSA {
		return nil, wire.Errorf(
			"InvalidKeyUsageException", "Algorithm %s is incompatible with the key.", in.SigningAlgorithm,
		)
	}
	if in.MessageType != "DIGEST" || len(in.Message) != algorithm.options.HashFunc().Size() {
		return nil, wire.Errorf(
			"ValidationException", "Digest is invalid length for algorithm %s.", in.SigningAlgorithm,
		)
	}
	signature, err := k.signer.Sign(rand.Reader, in.Message, algorithm.options)
	if err != nil {
		return nil, err
	}
	return map[string]any{"KeyId": s.arn(k), "Signature": signature, "SigningAlgorithm": in.SigningAlgorithm}, nil
}

func (s *Server) getPublicKey(in *one) (any, error) {
	k, err := s.usable(in.KeyId)
	if err != nil {
		return nil, err
	}
	if k.signer == nil {
		return nil, wire.Errorf("UnsupportedOperationException", "%s is not asymmetric", s.arn(k))
	}
	der, err := x509.MarshalPKIXPublicKey(k.signer.Public())
	if err != nil {
		return nil, err
	}
	return map[string]any{"KeyId": s.arn(k), "PublicKey": der}, nil
}
