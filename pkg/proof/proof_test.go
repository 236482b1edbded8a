package proof_test

import (
	"context"
	"os"
	"path/filepath"
	"reflect"
	"strings"
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
		"a host with a path":     "entra=" + audience + "@" + entra + "/x",
		"a pattern of hosts":     "entra=" + audience + "@*.microsoftonline.com",
		"a host in capitals":     "entra=" + audience + "@Login.microsoftonline.com",
		"an alias of a key":      "box=arn:aws:kms:eu-west-1:111122223333:alias/box@api.box.com",
		"another service's ARN":  "box=arn:aws:s3:::bucket@api.box.com",
		"two for one credential": "a=x@h.test,a=y@h.test",
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
		WebIdentity: func(_ context.Context, audience string) (redact.String, error) {
			used++
			return redact.New("TOKEN for " + audience), nil
		},
	}
	for name, c := range map[string]struct {
		credential string
		kind       proof.Kind
		host       string
	}{
		"another credential":              {"other", proof.KMS, "api.box.com"},
		"another credential's key":        {"entra", proof.KMS, "api.box.com"},
		"another credential's audience":   {"box", proof.STS, entra},
		"another credential's file":       {"entra", proof.File, "sts.googleapis.com"},
		"another host for the key":        {"box", proof.KMS, "attacker.example"},
		"another host for the audience":   {"entra", proof.STS, "attacker.example"},
		"another host for the file":       {"gcp", proof.File, "attacker.example"},
		"another port":                    {"gcp", proof.File, "sts.googleapis.com:8443"},
		"a host that ends like the bound": {"box", proof.KMS, "evil-api.box.com"},
		"no credential":                   {"", proof.KMS, "api.box.com"},
	} {
		t.Run(name, func(t *testing.T) {
			_, byKey := p.Key(t.Context(), c.credential, c.host)
			if c.kind == proof.KMS && byKey == nil {
				t.Errorf("Key(%s, %s) succeeded, want an error", c.credential, c.host)
			}
			if got, err := p.Token(t.Context(), c.credential, c.kind, c.host); err == nil {
				t.Errorf("Token(%s, %s, %s) = %s, want an error", c.credential, c.kind, c.host, got.Reveal())
			}
		})
	}
	if used != 0 {
		t.Errorf("AWS was called %d times, want 0", used)
	}
	if _, err := (*proof.Prover)(nil).Key(t.Context(), "box", "api.box.com"); err == nil {
		t.Error("Key() of no prover succeeded, want an error")
	}
	if key, err := p.Key(t.Context(), "box", "API.box.com"); err != nil || key.Remote == nil || used != 0 {
		t.Errorf("Key(box) = %v, %v, %d calls, want a key and no call before it signs", key, err, used)
	}
	for credential, want := range map[string]struct {
		kind proof.Kind
		host string
		text string
	}{
		"entra": {proof.STS, entra, "TOKEN for " + audience},
		"gcp":   {proof.File, "sts.googleapis.com", "FILE_TOKEN"},
	} {
		if got, err := p.Token(t.Context(), credential, want.kind, want.host); err != nil || got.Reveal() != want.text {
			t.Errorf("Token(%s) = %q, %v, want %q", credential, got.Reveal(), err, want.text)
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
			p := prover(path)
			got, err := p.Token(t.Context(), "a", proof.File, "h.test")
			if err == nil || strings.Contains(err.Error(), "a b") {
				t.Errorf("Token() = %q, %v, want an error that does not quote the file", got.Reveal(), err)
			}
		})
	}
	if _, err := prover("/nowhere").Token(t.Context(), "a", proof.File, "h.test"); err == nil {
		t.Error("Token() of a file that is not there succeeded, want an error")
	}
}

// prover returns one that reads a file for credential a at h.test.
func prover(path string) *proof.Prover {
	return &proof.Prover{Bindings: proof.Bindings{
		{Credential: "a", Kind: proof.File, Source: path, Host: "h.test"},
	}}
}
