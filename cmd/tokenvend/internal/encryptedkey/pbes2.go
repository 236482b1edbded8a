package encryptedkey

import (
	"crypto/aes"
	"crypto/cipher"
	"crypto/des" // #nosec G502 -- what older keys are encrypted with; it is read alone
	"crypto/pbkdf2"
	"crypto/sha1" // #nosec G505 -- the default of PBKDF2 (RFC 8018 §A.2)
	"crypto/sha256"
	"crypto/sha512"
	"crypto/x509/pkix"
	"encoding/asn1"
	"hash"
)

// maxIterations bounds how long a file can keep the program busy. OpenSSL's
// default is 2,048.
const maxIterations = 10_000_000

// The structures of RFC 5958 §3 and RFC 8018 §A.
type (
	encryptedPrivateKeyInfo struct {
		Algorithm pkix.AlgorithmIdentifier
		Data      []byte
	}
	pbes2Params struct {
		KeyDerivation pkix.AlgorithmIdentifier
		Encryption    pkix.AlgorithmIdentifier
	}
	pbkdf2Params struct {
		Salt       []byte
		Iterations int
		KeyLength  int                      `asn1:"optional"`
		PRF        pkix.AlgorithmIdentifier `asn1:"optional"`
	}
)

// The object identifiers of RFC 8018 §C.
const (
	oidPBES2  = "1.2.840.113549.1.5.13"
	oidPBKDF2 = "1.2.840.113549.1.5.12"
)

// prfs are the hash functions of HMAC in PBKDF2. The first is the default.
var prfs = map[string]func() hash.Hash{
	"":                       sha1.New,
	"1.2.840.113549.2.7":     sha1.New,
	"1.2.840.113549.2.9":     sha256.New,
	"1.2.840.113549.2.10":    sha512.New384,
	"1.2.840.113549.2.11":    sha512.New,
	"2.16.840.1.101.3.4.2.1": sha256.New,
}

// blockCipher is an encryption scheme, in CBC mode.
type blockCipher struct {
	keySize int
	open    func(key []byte) (cipher.Block, error)
}

var ciphers = map[string]blockCipher{
	"2.16.840.1.101.3.4.1.2":  {16, aes.NewCipher},
	"2.16.840.1.101.3.4.1.22": {24, aes.NewCipher},
	"2.16.840.1.101.3.4.1.42": {32, aes.NewCipher},
	"1.2.840.113549.3.7":      {24, des.NewTripleDESCipher},
}

// decryptPBES2 returns the PrivateKeyInfo of an EncryptedPrivateKeyInfo.
func decryptPBES2(der []byte, passphrase string) ([]byte, error) {
	var info encryptedPrivateKeyInfo
	var schemes pbes2Params
	var kdf pbkdf2Params
	var iv []byte
	ok := parse(der, &info) && info.Algorithm.Algorithm.String() == oidPBES2 &&
		parse(info.Algorithm.Parameters.FullBytes, &schemes) &&
		schemes.KeyDerivation.Algorithm.String() == oidPBKDF2 &&
		parse(schemes.KeyDerivation.Parameters.FullBytes, &kdf) &&
		parse(schemes.Encryption.Parameters.FullBytes, &iv)
	scheme, known := ciphers[schemes.Encryption.Algorithm.String()]
	prf, knownPRF := prfs[prfName(kdf.PRF)]
	if !ok || !known || !knownPRF || kdf.Iterations < 1 || kdf.Iterations > maxIterations {
		return nil, ErrUnsupported
	}
	key, err := pbkdf2.Key(prf, passphrase, kdf.Salt, kdf.Iterations, scheme.keySize)
	if err != nil {
		return nil, ErrUnsupported
	}
	return scheme.decrypt(key, iv, info.Data)
}

func prfName(prf pkix.AlgorithmIdentifier) string {
	if len(prf.Algorithm) == 0 {
		return ""
	}
	return prf.Algorithm.String()
}

// parse reads one value in DER with nothing after it.
func parse(der []byte, into any) bool {
	rest, err := asn1.Unmarshal(der, into)
	return err == nil && len(rest) == 0
}

// decrypt decrypts data in CBC mode, and removes the padding of RFC 8018
// §6.1.1.
func (c blockCipher) decrypt(key, iv, data []byte) ([]byte, error) {
	block, err := c.open(key)
	if err != nil || len(iv) != block.BlockSize() || len(data) == 0 || len(data)%block.BlockSize() != 0 {
		return nil, ErrUnsupported
	}
	text := make([]byte, len(data))
	cipher.NewCBCDecrypter(block, iv).CryptBlocks(text, data)
	padding := int(text[len(text)-1])
	if padding == 0 || padding > block.BlockSize() {
		return nil, ErrPassphrase
	}
	return text[:len(text)-padding], nil
}
