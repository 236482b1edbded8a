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
	"maps"

	"github.com/tokenvend/tokenvend/pkg/redact"
)

// Key is what signs. Exactly one field is set.
type Key struct {
	// Signer is a private key.
	Signer crypto.Signer
	// Remote signs a digest by a private key in a service, and returns an ECDSA
	// signature in ASN.1. It needs an algorithm, and none of EdDSA and HS256.
	Remote func(alg Algorithm, digest []byte) ([]byte, error)
	// Secret is the key of HS256.
	Secret redact.String
}

// Sign returns a signed JWT. header gets "alg", and "typ": "JWT" where it has
// no type; a nil value leaves a member out. alg "" is the usual algorithm of
// the key. Errors name what is expected of the key, and nothing of the key; an
// error of [Key.Remote] is returned as it is.
func Sign(key Key, alg Algorithm, header, claims map[string]any) (string, error) {
	alg, err := key.algorithm(alg)
	if err != nil {
		return "", err
	}
	members := map[string]any{"typ": "JWT"}
	maps.Copy(members, header)
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
	if k.Remote != nil {
		if _, known := alg.properties(); !known || alg == EdDSA {
			return "", errors.New("expected an algorithm RS…, PS… or ES… for a key in a service")
		}
		return alg, nil
	}
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
	signature, err := k.signDigest(alg, signed, properties.options)
	if err == nil && properties.width > 0 {
		signature, err = fixedWidth(signature, properties.width)
	}
	return signature, err
}

// signDigest signs a digest, or for EdDSA the whole text.
func (k Key) signDigest(alg Algorithm, digest []byte, options crypto.SignerOpts) ([]byte, error) {
	if k.Remote != nil {
		return k.Remote(alg, digest)
	}
	signature, err := k.Signer.Sign(rand.Reader, digest, options)
	if err != nil {
		return nil, errors.New("signing failed")
	}
	return signature, nil
}
