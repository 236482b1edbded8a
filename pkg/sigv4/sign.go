package sigv4

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"

	"github.com/tokenvend/tokenvend/pkg/executeapi"
	"github.com/tokenvend/tokenvend/pkg/redact"
)

const scopeEnd = "aws4_request"

// signature returns the signature of a canonical request in hex. key is the
// signing key of the date's day.
func signature(key []byte, date, region string, canonical []byte) string {
	sum := sha256.Sum256(canonical)
	b := append(make([]byte, 0, 192), algorithm+"\n"...)
	b = append(append(b, date...), '\n')
	b = append(append(b, date[:len(dayFormat)]...), '/')
	b = append(append(b, region...), "/"+executeapi.Service+"/"+scopeEnd+"\n"...)
	b = hex.AppendEncode(b, sum[:])
	return hex.EncodeToString(mac(key, b))
}

// signingKey derives the signing key of a secret for one day.
func signingKey(secret redact.String, day, region string) []byte {
	key := []byte("AWS4" + secret.Reveal())
	for _, part := range []string{day, region, executeapi.Service, scopeEnd} {
		key = mac(key, []byte(part))
	}
	return key
}

func mac(key, text []byte) []byte {
	h := hmac.New(sha256.New, key)
	_, _ = h.Write(text) // a hash never fails
	return h.Sum(nil)
}

// signingKeys are the signing keys of one day.
type signingKeys struct {
	day   string
	byID  map[string][]byte
	decoy []byte
}
