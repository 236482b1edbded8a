package secretinput

import (
	"errors"

	"github.com/tokenvend/tokenvend/cmd/tokenvend/internal/clierror"
	"github.com/tokenvend/tokenvend/cmd/tokenvend/internal/encryptedkey"
	"github.com/tokenvend/tokenvend/cmd/tokenvend/internal/terminal"
	"github.com/tokenvend/tokenvend/pkg/redact"
)

// passphraseTries is how often a passphrase is asked for.
const passphraseTries = 3

// decryptKey replaces an encrypted private key by the decrypted one. The secret
// is protected as a whole where it is kept.
func (s *Input) decryptKey(c terminal.Console, f Fields) error {
	block := encryptedkey.Find(f.word("private_key"))
	if block == nil {
		return nil
	}
	var failure error
	for range passphraseTries {
		passphrase, err := s.askPassphrase(c)
		if err != nil {
			return err
		}
		var key string
		if key, failure = encryptedkey.Decrypt(block, passphrase.Reveal()); failure == nil {
			f.Put("private_key", key)
			return nil
		}
		if !s.passphrase.IsZero() || !errors.Is(failure, encryptedkey.ErrPassphrase) {
			break
		}
		c.Say("%s", failure)
	}
	return &clierror.RefusedError{Text: failure.Error()}
}

// askPassphrase returns the passphrase of the flag, or asks for it.
func (s *Input) askPassphrase(c terminal.Console) (redact.String, error) {
	if !s.passphrase.IsZero() {
		return s.passphrase, nil
	}
	if !c.Interactive() {
		return redact.String{}, clierror.Usage("--passphrase-file is needed: the private key is encrypted, " +
			"and there is no terminal to ask on")
	}
	answer, err := c.AskHidden("passphrase of the private key: ")
	if err == nil && answer.IsZero() {
		err = clierror.Usage("the passphrase is needed: the private key is encrypted")
	}
	return answer, err
}
