package encryptedkey_test

import (
	"crypto"
	"encoding/pem"
	"errors"
	"os"
	"path/filepath"
	"slices"
	"testing"

	"github.com/tokenvend/tokenvend/cmd/tokenvend/internal/encryptedkey"
	"github.com/tokenvend/tokenvend/pkg/privatekey"
)

// The files of testdata are one key of a test, written by openssl: ec.pem is
// not encrypted, and the passphrase of the others is "hush".
func read(t *testing.T, file string) string {
	t.Helper()
	text, err := os.ReadFile(filepath.Join("testdata", file))
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

func publicKey(t *testing.T, text string) crypto.PublicKey {
	t.Helper()
	key, ok := privatekey.Parse(text)
	if !ok {
		t.Fatalf("Parse(%.30q) finds no key, want one", text)
	}
	return key.Public()
}

func TestDecryptReadsWhatOpenSSLWrites(t *testing.T) {
	want := publicKey(t, read(t, "ec.pem")).(interface{ Equal(crypto.PublicKey) bool })
	for _, file := range []string{"aes256.pem", "aes128sha512.pem", "des3.pem", "old.pem"} {
		t.Run(file, func(t *testing.T) {
			block := encryptedkey.Find(read(t, file))
			if block == nil {
				t.Fatalf("Find(%s) = nil, want the key", file)
			}
			text, err := encryptedkey.Decrypt(block, "hush")
			if err != nil {
				t.Fatalf("Decrypt(%s) = %v, want the key", file, err)
			}
			if !want.Equal(publicKey(t, text)) {
				t.Errorf("Decrypt(%s) is another key, want that of ec.pem", file)
			}
			if encryptedkey.Find(text) != nil {
				t.Errorf("Decrypt(%s) is encrypted, want it not to be", file)
			}
			for _, wrong := range []string{"hushh", ""} {
				if text, err := encryptedkey.Decrypt(block, wrong); text != "" || err != encryptedkey.ErrPassphrase {
					t.Errorf("Decrypt(%s, %q) = %q, %v, want %v", file, wrong, text, err, encryptedkey.ErrPassphrase)
				}
			}
		})
	}
}

func TestDecryptNamesWhatItDoesNotRead(t *testing.T) {
	for _, file := range []string{"scrypt.pem", "pbes1.pem"} {
		_, err := encryptedkey.Decrypt(encryptedkey.Find(read(t, file)), "hush")
		if err != encryptedkey.ErrUnsupported {
			t.Errorf("Decrypt(%s) = %v, want %v", file, err, encryptedkey.ErrUnsupported)
		}
	}
}

// A damaged key is an error of the package, and no panic: a cipher in CBC mode
// panics on data of the wrong length.
func TestDecryptOfDamagedKeys(t *testing.T) {
	for _, file := range []string{"des3.pem", "old.pem"} {
		whole := encryptedkey.Find(read(t, file))
		for i := range whole.Bytes {
			damaged := *whole
			damaged.Bytes = slices.Clone(whole.Bytes)
			damaged.Bytes[i]++
			checkRefused(t, file, &damaged)
			damaged.Bytes = whole.Bytes[:i]
			checkRefused(t, file, &damaged)
		}
	}
}

func checkRefused(t *testing.T, file string, block *pem.Block) {
	t.Helper()
	_, err := encryptedkey.Decrypt(block, "hush")
	if err != nil && !errors.Is(err, encryptedkey.ErrPassphrase) && !errors.Is(err, encryptedkey.ErrUnsupported) {
		t.Errorf("Decrypt(damaged %s) = %v, want an error of the package", file, err)
	}
}

func TestFindIgnoresWhatIsNotEncrypted(t *testing.T) {
	for name, text := range map[string]string{
		"nothing": "", "no PEM": "-----BEGIN", "plain": read(t, "ec.pem"),
		"plain before encrypted": read(t, "ec.pem") + read(t, "old.pem"),
	} {
		if block := encryptedkey.Find(text); block != nil {
			t.Errorf("Find(%s) = a block of type %s, want nil", name, block.Type)
		}
	}
}
