package kms_test

import (
	"bytes"
	"crypto/aes"
	"crypto/cipher"
	"encoding/base64"
	"encoding/binary"
	"encoding/hex"
	"errors"
	"fmt"
	"hash/crc32"
	"testing"

	awskms "github.com/aws/aws-sdk-go-v2/service/kms"

	"github.com/tokenvend/tokenvend/pkg/seal"
	"github.com/tokenvend/tokenvend/pkg/seal/kms"
)

// item holds the parts of a sealed item.
type item struct{ wrapped, nonce, ciphertext []byte }

// take parses both formats independently: 2 or 3; the length of the wrapped key
// in two bytes; the wrapped key; CRC-32C of all that; nonce; ciphertext; tag.
func take(t testing.TB, sealed []byte) item {
	t.Helper()
	n := int(sealed[1])<<8 + int(sealed[2])
	end := 3 + n
	sum := crc32.Checksum(sealed[:end], crc32.MakeTable(crc32.Castagnoli))
	if sealed[0] != 2 && sealed[0] != 3 || binary.BigEndian.Uint32(sealed[end:]) != sum {
		t.Fatalf("format %d, checksum %x, want 2 or 3, %x", sealed[0], sealed[end:end+4], sum)
	}
	return item{wrapped: sealed[3:end], nonce: sealed[end+4 : end+16], ciphertext: sealed[end+16:]}
}

func putChecksum(sealed []byte, end int) {
	binary.BigEndian.PutUint32(sealed[end:], crc32.Checksum(sealed[:end], crc32.MakeTable(crc32.Castagnoli)))
}

// A program with access to the KMS key can open an item without this package.
func TestFormat(t *testing.T) {
	s := newStack(t)
	for _, c := range []struct {
		sealer                *kms.Sealer
		format, scope, within string
	}{
		{s.process(), "\x02", "tokenvend:credential", "minut"},
		{s.bucketed(), "\x03", "tokenvend:bucket", "246"},
	} {
		i := take(t, mustSeal(t, c.sealer, "minut", "token"))
		out, err := s.Decrypt(t.Context(), &awskms.DecryptInput{
			CiphertextBlob: i.wrapped, KeyId: &s.key,
			EncryptionContext: map[string]string{"tokenvend:seal": "stack-1", c.scope: c.within},
		})
		if err != nil || len(out.Plaintext) != 32 {
			t.Fatalf("Decrypt(%s=%s) = %v, want a key of 32 bytes", c.scope, c.within, err)
		}
		block, _ := aes.NewCipher(out.Plaintext)
		gcm, _ := cipher.NewGCM(block)
		bound := c.format + "\x00\x00\x00\x00\x00\x00\x00\x07stack-1" +
			"\x00\x00\x00\x00\x00\x00\x00\x05minut" + "additional"
		if plain, err := gcm.Open(nil, i.nonce, i.ciphertext, []byte(bound)); err != nil || string(plain) != "token" {
			t.Errorf("Open(%s) = %q, %v; want the token", c.scope, plain, err)
		}
	}
}

// golden was sealed in stack-1 for the credential minut, with the additional
// data "additional", under a data key of 32 bytes of 7 whose wrapped form is
// "wrapped".
const golden = "020007777261707065647082f3341dea4209eb04736897a7bba8606a1642a2d5bfc614e46913a72932f1f23831c877aa96c7f0c667e78105ccba41"

// goldenSealer returns a Sealer whose KMS always returns that data key.
func goldenSealer(t testing.TB) *kms.Sealer {
	t.Helper()
	key := base64.StdEncoding.EncodeToString(bytes.Repeat([]byte{7}, 32))
	wrapped := base64.StdEncoding.EncodeToString([]byte("wrapped"))
	return answering(t, 200, fmt.Sprintf(`{"KeyId":"a key","Plaintext":%q,"CiphertextBlob":%q}`, key, wrapped))
}

func TestFault57_WhatAnOlderVersionSealed(t *testing.T) {
	sealed, err := hex.DecodeString(golden)
	if err != nil {
		t.Fatal(err)
	}
	opens(t, goldenSealer(t), "minut", sealed, "token of format 2")
}

func FuzzOpen(f *testing.F) {
	s := goldenSealer(f)
	sealed, _ := hex.DecodeString(golden)
	f.Add(sealed, "minut", []byte("other"))
	f.Add([]byte{}, "", []byte{})
	f.Add([]byte{2, 0, 0}, "minut", []byte("additional"))
	f.Fuzz(func(t *testing.T, data []byte, credential string, additional []byte) {
		if bytes.Equal(data, sealed) && credential == "minut" && string(additional) == "additional" {
			t.Skip("the one that opens")
		}
		if got, err := s.Open(t.Context(), credential, data, additional); !errors.Is(err, seal.ErrIntegrity) ||
			got != nil {
			t.Errorf("opened: %q, %v", got, err)
		}
	})
}
