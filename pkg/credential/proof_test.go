package credential_test

import (
	"crypto/elliptic"
	"strings"
	"testing"

	"github.com/tokenvend/tokenvend/pkg/descriptor"
	"github.com/tokenvend/tokenvend/pkg/proof"
)

// byProof is a credential that a proof authenticates.
func byProof(kind string, token, assertion object) object {
	d := object{
		"token":     object{"url": "https://id.example/token", "auth": "private_key_jwt"}.with(token),
		"assertion": object{}.with(assertion),
	}
	return at(d).with(object{"client_secret": nil, "proof": kind})
}

func TestProofTakesThePlaceOfThePrivateKey(t *testing.T) {
	for kind, secret := range map[proof.Kind]object{
		proof.KMS:  byProof("kms", nil, object{"algorithm": "ES256"}).with(object{"key_id": "k1"}),
		proof.STS:  byProof("sts", nil, object{"algorithm": "ES384"}),
		proof.File: byProof("file", nil, object{"algorithm": "EdDSA"}),
	} {
		c := mustParse(t, secret)
		if c.Proof != kind || c.Client.Credential != "minut" || c.Client.Key != nil {
			t.Errorf("Parse(proof %s) = %+v, want that kind and the credential's name, and no key", kind, c.Client)
		}
	}
}

// A token that somebody else has signed needs no client ID for its claims.
func TestProofByTokenNeedsNoClientID(t *testing.T) {
	secret := byProof("sts", object{"auth": "none", "fields": object{"client_id": ""}, "params": object{
		"subject_token": "{assertion}",
	}}, nil).with(object{"client_id": nil})
	if c := mustParse(t, secret); c.ID != "" || c.Proof != proof.STS {
		t.Errorf("Parse = %+v, want a client without an ID", c.Client)
	}
	if _, err := parse(t, secret.with(object{"proof": "kms"})); strings.Join(fields(t, err), " ") != "client_id" {
		t.Errorf("Parse(proof kms without a client ID) = %v, want client_id required", err)
	}
}

// The certificate of a key in KMS has no private key beside it.
func TestCertificateOfAKeyInKMS(t *testing.T) {
	secret := byProof("kms", nil, object{"algorithm": "RS256", "certificate": []string{"x5t#S256"}})
	chain := certify(t, newEC(t, elliptic.P256()))
	c := mustParse(t, secret.with(object{"certificate": chain + chain}))
	if c.Certificate == nil || len(c.Certificate.Certificate) != 2 || c.Certificate.PrivateKey != nil {
		t.Errorf("Parse = %+v, want a chain of two certificates without a key", c.Certificate)
	}
	for name, over := range map[string]object{
		"no certificate": nil, "no PEM": {"certificate": "text"},
		"a private key": {"certificate": pkcs8(t, newEC(t, elliptic.P256()))},
		"not DER":       {"certificate": armour("CERTIFICATE", []byte("text"))},
	} {
		_, err := parse(t, secret.with(over))
		if got := strings.Join(fields(t, err), " "); got != "certificate" {
			t.Errorf("Parse(%s) refuses %s, want certificate", name, got)
		}
	}
}

func TestProofsThatDoNotFit(t *testing.T) {
	key := pkcs8(t, newEC(t, elliptic.P256()))
	es256 := object{"algorithm": "ES256"}
	for name, c := range map[string]struct {
		secret object
		wrong  string
	}{
		"a key's ARN": {byProof("arn:aws:kms:us-east-1:111122223333:key/1", nil, es256), "private_key proof"},
		"a key's ARN inside": {
			byProof("", nil, es256).with(object{"proof": object{"kms": "arn:aws:kms:us-east-1:111122223333:key/1"}}),
			"private_key proof",
		},
		"an audience":              {byProof("api://AzureADTokenExchange", nil, nil), "private_key proof"},
		"a path":                   {byProof("/var/run/secrets/token", nil, nil), "private_key proof"},
		"a URL of a file":          {byProof("file:///etc/passwd", nil, nil), "private_key proof"},
		"a private key beside":     {byProof("kms", nil, es256).with(object{"private_key": key}), "private_key"},
		"a key id beside a token":  {byProof("sts", nil, nil).with(object{"key_id": "k1"}), "key_id"},
		"a provider without a JWT": {plain.with(object{"proof": "kms"}), "proof"},
		"a provider that takes a secret's signature": {
			byProof("kms", nil, object{"algorithm": "HS256", "key": "{client_secret}"}).
				with(object{"client_secret": canary}), "proof",
		},
		"an algorithm that KMS lacks": {byProof("kms", nil, object{"algorithm": "EdDSA"}), "proof"},
		"an algorithm that STS lacks": {byProof("sts", nil, es256), "proof"},
		"a token of one's own": {
			at(object{"grants": []string{string(descriptor.SelfSigned)}}).
				with(object{"client_secret": nil, "proof": "kms"}), "proof",
		},
		"a digest of the public key": {
			byProof("kms", nil, object{"algorithm": "RS256", "claims": object{"iss": "{public_key_sha256}"}}), "proof",
		},
		"a signature over a text": {
			byProof("kms", object{
				"auth": "private_key_jwt", "headers": object{"X-Sign": "{hex(rsa_sha256(client_id))}"},
			}, nil),
			"private_key proof",
		},
		"a connection's certificate": {
			byProof("kms", object{"auth": []string{"tls", "private_key_jwt"}}, es256).
				with(object{"certificate": certify(t, newEC(t, elliptic.P256()))}), "private_key",
		},
	} {
		t.Run(name, func(t *testing.T) {
			_, err := parse(t, c.secret)
			if err == nil {
				t.Fatal("Parse succeeded, want an error")
			}
			if got := strings.Join(fields(t, err), " "); got != c.wrong {
				t.Errorf("Parse refuses %s (%v), want %s", got, err, c.wrong)
			}
		})
	}
}

func TestRSASignatureNeedsAnRSAKey(t *testing.T) {
	signs := at(object{
		"grants": []string{string(descriptor.Login)},
		"token":  object{"url": "https://login.test/token", "params": object{"sign": "{hex(rsa_sha256(client_id))}"}},
	}).with(object{"client_secret": nil})
	for name, key := range map[string]any{"no key": nil, "another key": pkcs8(t, newEC(t, elliptic.P256()))} {
		_, err := parse(t, signs.with(object{"private_key": key}))
		if got := strings.Join(fields(t, err), " "); got != "private_key" {
			t.Errorf("Parse with %s refuses %s, want private_key", name, got)
		}
	}
	if _, err := parse(t, signs.with(object{"private_key": pkcs8(t, rsaKey())})); err != nil {
		t.Errorf("Parse with an RSA key = %v, want no error", err)
	}
}
