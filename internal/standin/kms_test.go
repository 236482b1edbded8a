package standin_test

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/rsa"
	"crypto/sha256"
	"crypto/x509"
	"encoding/base64"
	"testing"
)

// kmsKeys is the KMS of an account with one key.
type kmsKeys struct {
	service
	id, arn string
}

func onEachKMS(t *testing.T, test func(t *testing.T, k kmsKeys)) {
	onEachAccount(t, "kms", "TrentService", func(t *testing.T, s service) {
		k := kmsKeys{service: s}
		k.id, k.arn = k.newKey()
		test(t, k)
	})
}

func (k kmsKeys) newKey() (id, arn string) {
	k.t.Helper()
	made := k.must("CreateKey", `{}`)["KeyMetadata"].(map[string]any)
	return made["KeyId"].(string), made["Arn"].(string)
}

func TestDataKeysOpenInTheirContext(t *testing.T) {
	onEachKMS(t, func(t *testing.T, k kmsKeys) {
		const about = `,"EncryptionContext":{"a":"1","b":"2"}`
		made := k.must("GenerateDataKey", `{"KeyId":"`+k.arn+`","KeySpec":"AES_256"`+about+`}`)
		plain, _ := base64.StdEncoding.DecodeString(made["Plaintext"].(string))
		if len(plain) != 32 || made["KeyId"] != k.arn {
			t.Errorf("GenerateDataKey = %d bytes under %v, want 32 under %s", len(plain), made["KeyId"], k.arn)
		}
		blob := `"CiphertextBlob":"` + made["CiphertextBlob"].(string) + `"`
		for _, by := range []string{"", `,"KeyId":"` + k.arn + `"`, `,"KeyId":"` + k.id + `"`} {
			if got := k.must("Decrypt", `{`+blob+about+by+`}`); got["Plaintext"] != made["Plaintext"] ||
				got["KeyId"] != k.arn {
				t.Errorf("Decrypt with %q gives another key, or is under %v", by, got["KeyId"])
			}
		}
		k.must("Decrypt", `{`+blob+`,"EncryptionContext":{"b":"2","a":"1"}}`)
		const damaged = "InvalidCiphertextException"
		for _, other := range []string{
			"", `,"EncryptionContext":{"a":"1"}`, `,"EncryptionContext":{"a":"1","b":"3"}`,
			`,"EncryptionContext":{"a":"1","b":"2","c":"3"}`, `,"EncryptionContext":{"A":"1","b":"2"}`,
		} {
			k.want(damaged, "Decrypt", `{`+blob+other+`}`)
		}
		raw, _ := base64.StdEncoding.DecodeString(made["CiphertextBlob"].(string))
		raw[len(raw)-1] ^= 1
		k.want(damaged, "Decrypt", `{"CiphertextBlob":"`+base64.StdEncoding.EncodeToString(raw)+`"`+about+`}`)
		again := k.must("GenerateDataKey", `{"KeyId":"`+k.id+`","KeySpec":"AES_256"`+about+`}`)
		if again["Plaintext"] == made["Plaintext"] || again["CiphertextBlob"] == made["CiphertextBlob"] {
			t.Error("GenerateDataKey gives one key twice")
		}
	})
}

func TestLengthsOfPlaintextAndCiphertext(t *testing.T) {
	onEachKMS(t, func(t *testing.T, k kmsKeys) {
		blob := func(n int) string { return `"` + base64.StdEncoding.EncodeToString(make([]byte, n)) + `"` }
		k.must("Encrypt", `{"KeyId":"`+k.id+`","Plaintext":`+blob(4096)+`}`)
		if k.moto() { // which checks neither all lengths nor by these codes
			return
		}
		for _, n := range []int{0, 4097} {
			k.want("ValidationException", "Encrypt", `{"KeyId":"`+k.id+`","Plaintext":`+blob(n)+`}`)
		}
		for n, want := range map[int]string{
			0: "ValidationException", 6144: "InvalidCiphertextException", 6145: "ValidationException",
		} {
			k.want(want, "Decrypt", `{"CiphertextBlob":`+blob(n)+`}`)
		}
	})
}

func TestKeysThatCannotBeUsed(t *testing.T) {
	onEachKMS(t, func(t *testing.T, k kmsKeys) {
		made := k.must("GenerateDataKey", `{"KeyId":"`+k.id+`","KeySpec":"AES_256"}`)
		blob := `"CiphertextBlob":"` + made["CiphertextBlob"].(string) + `"`
		k.want(
			"NotFoundException", "GenerateDataKey",
			`{"KeyId":"00000000-0000-4000-8000-000000000000","KeySpec":"AES_256"}`,
		)
		k.want("NotFoundException", "GenerateDataKey", `{"KeyId":"alias/none","KeySpec":"AES_256"}`)

		k.must("DisableKey", `{"KeyId":"`+k.id+`"}`)
		if !k.moto() { // which uses the key regardless
			k.want("DisabledException", "GenerateDataKey", `{"KeyId":"`+k.id+`","KeySpec":"AES_256"}`)
			k.want("DisabledException", "Decrypt", `{`+blob+`}`)
		}
		k.must("EnableKey", `{"KeyId":"`+k.id+`"}`)
		k.must("Decrypt", `{`+blob+`}`)

		other, _ := k.newKey()
		if wrong := k.call("Decrypt", `{`+blob+`,"KeyId":"`+other+`"}`); wrong.code != "IncorrectKeyException" &&
			!(k.moto() && wrong.code == "AccessDeniedException") {
			t.Errorf("Decrypt under another key = %q, want IncorrectKeyException", wrong.code)
		}
		k.must("ScheduleKeyDeletion", `{"KeyId":"`+k.id+`","PendingWindowInDays":7}`)
		if !k.moto() { // which treats it as disabled
			k.want("KMSInvalidStateException", "GenerateDataKey", `{"KeyId":"`+k.id+`","KeySpec":"AES_256"}`)
			k.want("KMSInvalidStateException", "Decrypt", `{`+blob+`}`)
		}
	})
}

func TestAliasesOfKeys(t *testing.T) {
	onEachKMS(t, func(t *testing.T, k kmsKeys) {
		k.must("CreateAlias", `{"AliasName":"alias/seal","TargetKeyId":"`+k.id+`"}`)
		if got := k.must("GenerateDataKey", `{"KeyId":"alias/seal","KeySpec":"AES_256"}`)["KeyId"]; got != k.arn {
			t.Errorf("GenerateDataKey by alias is under %v, want %s", got, k.arn)
		}
		k.want("AlreadyExistsException", "CreateAlias", `{"AliasName":"alias/seal","TargetKeyId":"`+k.id+`"}`)
		list := k.must("ListAliases", `{}`)["Aliases"].([]any)
		found := false
		for _, one := range list {
			entry := one.(map[string]any)
			found = found || entry["AliasName"] == "alias/seal" && entry["TargetKeyId"] == k.id
		}
		if !found {
			t.Errorf("ListAliases = %v, want alias/seal for %s", list, k.id)
		}
	})
}

// Signatures are of digests, and verify under the public key.
func TestSignaturesOfDigests(t *testing.T) {
	onEachKMS(t, func(t *testing.T, k kmsKeys) {
		digest := sha256.Sum256([]byte("text"))
		message := `,"MessageType":"DIGEST","Message":"` + base64.StdEncoding.EncodeToString(digest[:]) + `"`
		for spec, algorithm := range map[string]string{
			"RSA_2048": "RSASSA_PSS_SHA_256", "ECC_NIST_P256": "ECDSA_SHA_256",
		} {
			made := k.must("CreateKey", `{"KeyUsage":"SIGN_VERIFY","KeySpec":"`+spec+`"}`)
			arn := made["KeyMetadata"].(map[string]any)["Arn"].(string)
			half := k.must("GetPublicKey", `{"KeyId":"`+arn+`"}`)["PublicKey"].(string)
			der, _ := base64.StdEncoding.DecodeString(half)
			public, err := x509.ParsePKIXPublicKey(der)
			if err != nil {
				t.Fatal(err)
			}
			by := func(name string) string {
				return `{"KeyId":"` + arn + `","SigningAlgorithm":"` + name + `"` + message + `}`
			}
			signature, _ := base64.StdEncoding.DecodeString(k.must("Sign", by(algorithm))["Signature"].(string))
			hashed := digest
			if k.moto() { // which takes a digest for a message
				hashed = sha256.Sum256(digest[:])
			}
			if !verifies(public, hashed[:], signature) {
				t.Errorf("Sign(%s) by %s: the signature is not valid", algorithm, spec)
			}
		}
		if !k.moto() { // which signs with a symmetric key
			k.want("InvalidKeyUsageException", "Sign", `{"KeyId":"`+k.arn+`","SigningAlgorithm":"ECDSA_SHA_256"`+message+`}`)
		}
		k.want("NotFoundException", "Sign",
			`{"KeyId":"11111111-2222-3333-4444-555555555555","SigningAlgorithm":"ECDSA_SHA_256"`+message+`}`)
	})
}

func verifies(public any, digest, signature []byte) bool {
	switch key := public.(type) {
	case *rsa.PublicKey:
		return rsa.VerifyPSS(key, crypto.SHA256, digest, signature, nil) == nil
	case *ecdsa.PublicKey:
		return ecdsa.VerifyASN1(key, digest, signature)
	}
	return false
}
