package encryptedkey

import (
	"errors"
)

var (
	// ErrPassphrase reports a passphrase that does not decrypt the key.
	ErrPassphrase = errors.New("the passphrase does not decrypt the private key")
	// ErrUnsupported reports an encryption that is not read, or a key that is
	// damaged.
	ErrUnsupported = errors.New("the private key is damaged, or encrypted in a way that is not read: " +
		"openssl pkcs8 -topk8 -v2 aes-256-cbc writes one that is")
)
