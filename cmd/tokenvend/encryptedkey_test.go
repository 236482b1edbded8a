package main

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/tokenvend/tokenvend/cmd/tokenvend/internal/clierror"
)

// The files of testdata are a key whose passphrase is "hush".
func TestAddDecryptsThePrivateKey(t *testing.T) {
	dir := t.TempDir()
	here, err := os.Getwd()
	must(t, err)
	key := filepath.Join(here, "internal", "encryptedkey", "testdata", "aes256.pem")
	descriptor, passphrase := filepath.Join(dir, "descriptor"), filepath.Join(dir, "passphrase")
	must(t, os.WriteFile(descriptor, []byte(`{"token":{"url":"https://id.example/token","auth":"private_key_jwt"}}`), 0o600))
	must(t, os.WriteFile(passphrase, []byte("hush\n"), 0o600))
	add := []string{"add", "x", "--descriptor-file", descriptor, "--client-id", "me"}

	tv(t, dir, "", add...).want(t, clierror.BadUsage, "--private-key-file is needed")
	add = append(add, "--private-key-file", key)
	tv(t, dir, "hush\n", add...).want(t, clierror.BadUsage, "--passphrase-file is needed: the private key is encrypted")
	tv(t, dir, "", append(add, "--passphrase-file", descriptor)...).want(t, clierror.Refused, "does not decrypt")
	if exists(dir, "x") {
		t.Error("add with a wrong passphrase writes the secret, want nothing written")
	}
	r := tv(t, dir, "", append(add, "--passphrase-file", passphrase)...).want(t, clierror.OK, "x is written")
	if got := text(secretOf(t, dir, "x")["private_key"]); !strings.HasPrefix(got, "-----BEGIN PRIVATE KEY-----\n") {
		t.Errorf("add keeps the private key as %.40q, want it not encrypted", got)
	}
	if strings.Contains(r.err, "hush") {
		t.Errorf("add prints %s, want no passphrase", r.err)
	}
}
