// Package jws signs JSON Web Tokens: JWS in compact form (RFC 7515) by the
// algorithms of RFC 7518 §3.1 and RFC 8037. It verifies nothing.
package jws

import (
	"crypto"
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"errors"

	"github.com/tokenvend/tokenvend/pkg/redact"
)

// Key is what signs. Exactly one field is set.
type Key struct {
	// Signer is a private key, here or in a service such as AWS KMS. It is
	// given digests, and the whole text for [EdDSA].
	Signer crypto.Signer
	// Secret is the key of HS256.
	Secret redact.String
}

// Sign returns a signed JWT. header gets "alg", and "typ": "JWT" where it has
// no type; a nil value leaves a member out. alg "" is the usual algorithm of
// the key. Errors name what is expected of the key, and nothing of the key.
func Sign(key Key, alg Algorithm, header, claims map[string]any) (string, error) {
	alg, err := key.algorithm(alg)
	if err != nil {
		return "", err
	}
	members := map[string]any{"typ": "JWT"}
	for name, value := range header {
		members[name] = value
	}
	members["alg"] = string(alg)
	head, err := segment(members)
	if err != nil {
		return "", err
	}
	body, err := segment(claims)
	if err != nil {
		return "", err
	}
	text := head + "." + body
	signature, err := key.sign(alg, []byte(text))
	if err != nil {
		return "", err
	}
	return text + "." + base64.RawURLEncoding.EncodeToString(signature), nil
}

// segment returns an object as a part of a JWS.
func segment(members map[string]any) (string, error) {
	kept := map[string]any{}
	for name, value := range members {
		if value != nil {
			kept[name] = value
		}
	}
	data, err := json.Marshal(kept)
	if err != nil {
		return "", errors.New("a claim cannot be written as JSON")
	}
	return base64.RawURLEncoding.EncodeToString(data), nil
}

// algorithm returns alg, or the usual one, where the key supports it.
func (k Key) algorithm(alg Algorithm) (Algorithm, error) {
	if k.Signer == nil {
		if k.Secret.IsZero() || alg != HS256 {
			return "", errors.New("expected a private key, or a secret for HS256")
		}
		return alg, nil
	}
	if alg == "" {
		alg = Usual(k.Signer.Public())
	}
	if expected := alg.Expects(k.Signer.Public()); expected != "" {
		return "", errors.New("expected " + expected)
	}
	return alg, nil
}

// sign returns the signature of a text, in the form of RFC 7518.
func (k Key) sign(alg Algorithm, text []byte) ([]byte, error) {
	if alg == HS256 {
		mac := hmac.New(sha256.New, []byte(k.Secret.Reveal()))
		mac.Write(text)
		return mac.Sum(nil), nil
	}
	properties, _ := alg.properties()
	signed := text
	if hash := properties.options.HashFunc(); hash != 0 {
		h := hash.New()
		h.Write(text)
		signed = h.Sum(nil)
	}
	signature, err := k.Signer.Sign(rand.Reader, signed, properties.options)
	if err == nil && properties.width > 0 {
		signature, err = fixedWidth(signature, properties.width)
	}
	if err != nil {
		return nil, errors.New("signing failed")
	}
	return signature, nil
}
