package proof_test

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"syscall"
	"testing"

	"github.com/tokenvend/tokenvend/pkg/jws"
	"github.com/tokenvend/tokenvend/pkg/proof"
	"github.com/tokenvend/tokenvend/pkg/redact"
)

const (
	keyARN   = "arn:aws:kms:eu-west-1:111122223333:key/11111111-2222-3333-4444-555555555555"
	entra    = "login.microsoftonline.com"
	audience = "api://AzureADTokenExchange"
)

func TestParse(t *testing.T) {
	google := "//iam.googleapis.com/projects/1/locations/global/workloadIdentityPools/p/providers/aws"
	got, err := proof.Parse("box=" + keyARN + "@api.box.com, entra=" + audience + "@" + entra + "\ngcp=" + google +
		"@sts.googleapis.com,")
	want := proof.Bindings{
		{Credential: "box", Kind: proof.KMS, Source: keyARN, Host: "api.box.com"},
		{Credential: "entra", Kind: proof.STS, Source: audience, Host: entra},
		{Credential: "gcp", Kind: proof.STS, Source: google, Host: "sts.googleapis.com"},
	}
	if err != nil || !reflect.DeepEqual(got, want) {
		t.Errorf("Parse() = %v, %v, want %v", got, err, want)
	}
	if got, err := proof.Parse(""); err != nil || got != nil {
		t.Errorf(`Parse("") = %v, %v, want none`, got, err)
	}
}

func TestParseRefuses(t *testing.T) {
	for name, text := range map[string]string{
		"no source":              "entra=@" + entra,
		"no host":                "entra=" + audience + "@",
		"no credential":          "=" + audience + "@" + entra,
		"no equals sign":         "entra",
		"a wrong credential":     "En tra=" + audience + "@" + entra,
		"a URL":                  "entra=" + audience + "@https://" + entra,
		"a port that is none":    "entra=" + audience + "@" + entra + ":https",
		"a host with a path":     "entra=" + audience + "@" + entra + "/x",
		"a pattern of hosts":     "entra=" + audience + "@*.microsoftonline.com",
		"a host in capitals":     "entra=" + audience + "@Login.microsoftonline.com",
		"an alias of a key":      "box=arn:aws:kms:eu-west-1:111122223333:alias/box@api.box.com",
		"another service's ARN":  "box=arn:aws:s3:::bucket@api.box.com",
		"two for one credential": "a=x@h.test,a=y@h.test",
		"a space in an audience": "a=x y@h.test",
	} {
		t.Run(name, func(t *testing.T) {
			if got, err := proof.Parse(text); err == nil {
				t.Errorf("Parse(%s) = %v, want an error", text, got)
			}
		})
	}
}

func TestParseFiles(t *testing.T) {
	got, err := proof.ParseFiles([]string{"gcp=/var/run/secrets/token@sts.googleapis.com:8443"})
	want := proof.Bindings{
		{Credential: "gcp", Kind: proof.File, Source: "/var/run/secrets/token", Host: "sts.googleapis.com:8443"},
	}
	if err != nil || !reflect.DeepEqual(got, want) {
		t.Errorf("ParseFiles() = %v, %v, want %v", got, err, want)
	}
	if got, err := proof.ParseFiles([]string{"gcp=/token"}); err == nil {
		t.Errorf("ParseFiles(without a host) = %v, want an error", got)
	}
}

// A proof is given to one credential at one host: nothing is signed and
// nothing is read for another.
func TestNothingIsProvenForAnother(t *testing.T) {
	path := filepath.Join(t.TempDir(), "token")
	if err := os.WriteFile(path, []byte("FILE_TOKEN\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	bindings, err := proof.Parse("box=" + keyARN + "@api.box.com,entra=" + audience + "@" + entra)
	if err != nil {
		t.Fatal(err)
	}
	files, err := proof.ParseFiles([]string{"gcp=" + path + "@sts.googleapis.com"})
	if err != nil {
		t.Fatal(err)
	}
	used := 0
	p := &proof.Prover{
		Bindings: append(bindings, files...),
		SignDigest: func(_ context.Context, key string, _ jws.Algorithm, _ []byte) ([]byte, error) {
			used++
			return []byte("signed by " + key), nil
		},
		WebIdentity: func(_ context.Context, audience string, alg jws.Algorithm) (redact.String, error) {
			used++
			return redact.New(string(alg) + " TOKEN for " + audience), nil
		},
	}
	for name, u := range map[string]proof.Use{
		"another credential":              {Credential: "other", Kind: proof.KMS, Host: "api.box.com"},
		"another credential's key":        {Credential: "entra", Kind: proof.KMS, Host: "api.box.com"},
		"another credential's audience":   {Credential: "box", Kind: proof.STS, Host: entra},
		"another credential's file":       {Credential: "entra", Kind: proof.File, Host: "sts.googleapis.com"},
		"another host for the key":        {Credential: "box", Kind: proof.KMS, Host: "attacker.example"},
		"another host for the audience":   {Credential: "entra", Kind: proof.STS, Host: "attacker.example"},
		"another host for the file":       {Credential: "gcp", Kind: proof.File, Host: "attacker.example"},
		"another port":                    {Credential: "gcp", Kind: proof.File, Host: "sts.googleapis.com:8443"},
		"a host that ends like the bound": {Credential: "box", Kind: proof.KMS, Host: "evil-api.box.com"},
		"no credential":                   {Kind: proof.KMS, Host: "api.box.com"},
		"no kind":                         {Credential: "box", Host: "api.box.com"},
		"no host":                         {Credential: "box", Kind: proof.KMS},
		"an algorithm that KMS lacks":     {"box", proof.KMS, "api.box.com", jws.EdDSA},
		"an algorithm that STS lacks":     {"entra", proof.STS, entra, jws.ES256},
	} {
		t.Run(name, func(t *testing.T) {
			got, err := p.Prove(t.Context(), u)
			_, refused := errors.AsType[proof.Refused](err)
			if !refused || got.Key.Remote != nil || !got.Token.IsZero() {
				t.Errorf("Prove(%+v) = %+v, %v, want a refusal", u, got, err)
			}
		})
	}
	if used != 0 {
		t.Errorf("AWS was called %d times, want 0", used)
	}
	kms := proof.Use{Credential: "box", Kind: proof.KMS, Host: "API.box.com:443"}
	if _, err := (*proof.Prover)(nil).Prove(t.Context(), kms); err == nil {
		t.Error("Prove() of no prover succeeded, want an error")
	}
	if _, err := (&proof.Prover{Bindings: bindings}).Prove(t.Context(), kms); err == nil {
		t.Error("Prove() without AWS KMS succeeded, want an error")
	}
	if got, err := p.Prove(t.Context(), kms); err != nil || got.Key.Remote == nil || used != 0 {
		t.Errorf("Prove(%+v) = %+v, %v, %d calls, want a key and no call before it signs", kms, got, err, used)
	}
	for want, u := range map[string]proof.Use{
		"RS256 TOKEN for " + audience: {Credential: "entra", Kind: proof.STS, Host: entra},
		"ES384 TOKEN for " + audience: {"entra", proof.STS, entra, jws.ES384},
		"FILE_TOKEN":                  {Credential: "gcp", Kind: proof.File, Host: "sts.googleapis.com"},
	} {
		if got, err := p.Prove(t.Context(), u); err != nil || got.Token.Reveal() != want {
			t.Errorf("Prove(%+v) = %q, %v, want %q", u, got.Token.Reveal(), err, want)
		}
	}
}

func TestFilesThatHoldNoToken(t *testing.T) {
	for name, text := range map[string]string{
		"nothing": " \n", "two words": "a b", "control characters": "a\x00b", "too long": strings.Repeat("a", 70000),
	} {
		t.Run(name, func(t *testing.T) {
			path := filepath.Join(t.TempDir(), "token")
			if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
				t.Fatal(err)
			}
			got, err := proveByFile(t, path)
			if err == nil || strings.Contains(err.Error(), "a b") {
				t.Errorf("Prove() = %q, %v, want an error that does not quote the file", got.Token.Reveal(), err)
			}
		})
	}
	pipe := filepath.Join(t.TempDir(), "pipe")
	if err := syscall.Mkfifo(pipe, 0o600); err != nil {
		t.Fatal(err)
	}
	for what, path := range map[string]string{
		"a file that is not there": "/nowhere", "a folder": t.TempDir(), "a named pipe without a writer": pipe,
	} {
		if _, err := proveByFile(t, path); err == nil {
			t.Errorf("Prove() by %s = nil, want an error", what)
		}
	}
}

// proveByFile returns a proof by a file.
func proveByFile(t *testing.T, path string) (proof.Proof, error) {
	t.Helper()
	p := &proof.Prover{Bindings: proof.Bindings{
		{Credential: "a", Kind: proof.File, Source: path, Host: "h.test"},
	}}
	return p.Prove(t.Context(), proof.Use{Credential: "a", Kind: proof.File, Host: "h.test"})
}
