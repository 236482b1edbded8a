package sigv4

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"hash"
	"sync"

	"github.com/tokenvend/tokenvend/pkg/executeapi"
	"github.com/tokenvend/tokenvend/pkg/redact"
)

const scopeEnd = "aws4_request"

// appendSignature appends the signature of a canonical request in hex. key is
// the signing key of the date's day.
func appendSignature(b []byte, key *signingKey, date, region string, canonical []byte) []byte {
	sum := sha256.Sum256(canonical)
	var buffer [192]byte
	text := append(buffer[:0], algorithm+"\n"...)
	text = append(append(text, date...), '\n')
	text = append(append(text, date[:len(dayFormat)]...), '/')
	text = append(append(text, region...), "/"+executeapi.Service+"/"+scopeEnd+"\n"...)
	mac := key.mac(hex.AppendEncode(text, sum[:]))
	return hex.AppendEncode(b, mac[:])
}

// signingKey is the signing key of a secret for one day.
type signingKey struct {
	macs sync.Pool // of hash.Hash: half of a short HMAC is its start with the key
}

// newSigningKey derives a signing key.
func newSigningKey(secret redact.String, day, region string) *signingKey {
	key := []byte("AWS4" + secret.Reveal())
	for _, part := range []string{day, region, executeapi.Service, scopeEnd} {
		key = mac(key, []byte(part))
	}
	return &signingKey{macs: sync.Pool{New: func() any { return hmac.New(sha256.New, key) }}}
}

// mac returns the HMAC-SHA256 of text.
func (k *signingKey) mac(text []byte) (sum [sha256.Size]byte) {
	h := k.macs.Get().(hash.Hash) // of what New returns
	defer k.macs.Put(h)
	h.Reset()
	_, _ = h.Write(text) // a hash never fails
	h.Sum(sum[:0])
	return sum
}

func mac(key, text []byte) []byte {
	h := hmac.New(sha256.New, key)
	_, _ = h.Write(text)
	return h.Sum(nil)
}

// signingKeys are the signing keys of one day.
type signingKeys struct {
	day   string
	byID  map[string]*signingKey
	decoy *signingKey
}
