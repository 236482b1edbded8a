package jws

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/rsa"
	_ "crypto/sha256" // registers SHA-256
	_ "crypto/sha512" // registers SHA-384 and SHA-512
	"encoding/asn1"
	"errors"
	"math/big"
)

// Algorithm is the "alg" of a JWS.
type Algorithm string

// The algorithms: RFC 7518 §3.1, and RFC 8037 §3.1.
const (
	RS256 Algorithm = "RS256"
	RS384 Algorithm = "RS384"
	RS512 Algorithm = "RS512"
	PS256 Algorithm = "PS256"
	PS384 Algorithm = "PS384"
	PS512 Algorithm = "PS512"
	ES256 Algorithm = "ES256"
	ES384 Algorithm = "ES384"
	ES512 Algorithm = "ES512"
	EdDSA Algorithm = "EdDSA"
	HS256 Algorithm = "HS256"
)

// Asymmetric returns all algorithms but HS256.
func Asymmetric() []Algorithm {
	return []Algorithm{RS256, RS384, RS512, PS256, PS384, PS512, ES256, ES384, ES512, EdDSA}
}

// smallestRSA is the minimum of RFC 7518 §3.3, in bits.
const smallestRSA = 2048

// property is what an algorithm needs. The key of ES… is on curve; others have
// none.
type property struct {
	options crypto.SignerOpts
	curve   elliptic.Curve
	width   int // bytes of each of r and s (RFC 7518 §3.4)
}

// properties returns what an algorithm needs. It is false for HS256, and for
// what is no algorithm.
func (a Algorithm) properties() (property, bool) {
	switch a {
	case RS256:
		return property{options: crypto.SHA256}, true
	case RS384:
		return property{options: crypto.SHA384}, true
	case RS512:
		return property{options: crypto.SHA512}, true
	case PS256:
		return property{options: pss(crypto.SHA256)}, true
	case PS384:
		return property{options: pss(crypto.SHA384)}, true
	case PS512:
		return property{options: pss(crypto.SHA512)}, true
	case ES256:
		return property{options: crypto.SHA256, curve: elliptic.P256(), width: 32}, true
	case ES384:
		return property{options: crypto.SHA384, curve: elliptic.P384(), width: 48}, true
	case ES512:
		return property{options: crypto.SHA512, curve: elliptic.P521(), width: 66}, true
	case EdDSA:
		return property{options: crypto.Hash(0)}, true
	}
	return property{}, false
}

// pss returns the options of RFC 7518 §3.5: the salt is as long as the hash.
func pss(hash crypto.Hash) crypto.SignerOpts {
	return &rsa.PSSOptions{SaltLength: rsa.PSSSaltLengthEqualsHash, Hash: hash}
}

// Usual returns the algorithm that is usual for a key: RS256, ES256, ES384 or
// ES512 by the curve, or EdDSA. "" means that there is none.
func Usual(public crypto.PublicKey) Algorithm {
	for _, alg := range []Algorithm{RS256, ES256, ES384, ES512, EdDSA} {
		if alg.Expects(public) == "" {
			return alg
		}
	}
	return ""
}

// Expects returns "" where the algorithm can be used with a key. Else it
// returns which keys it needs, as an object of "expected".
func (a Algorithm) Expects(public crypto.PublicKey) string {
	properties, known := a.properties()
	switch {
	case !known:
		return "an RSA key of 2048 bits or more, an elliptic curve key on P-256, P-384 or P-521, or an Ed25519 key"
	case properties.curve != nil:
		if key, ok := public.(*ecdsa.PublicKey); !ok || key.Curve != properties.curve {
			return "an elliptic curve key on " + properties.curve.Params().Name + ", for " + string(a)
		}
	case a == EdDSA:
		if _, ok := public.(ed25519.PublicKey); !ok {
			return "an Ed25519 key, for EdDSA"
		}
	default:
		if key, ok := public.(*rsa.PublicKey); !ok || key.N.BitLen() < smallestRSA {
			return "an RSA key of 2048 bits or more, for " + string(a)
		}
	}
	return ""
}

// fixedWidth converts an ASN.1 signature to r and s side by side (RFC 7518
// §3.4).
func fixedWidth(der []byte, width int) ([]byte, error) {
	var pair struct{ R, S *big.Int }
	rest, err := asn1.Unmarshal(der, &pair)
	if err != nil || len(rest) > 0 || pair.R.Sign() <= 0 || pair.S.Sign() <= 0 ||
		pair.R.BitLen() > 8*width || pair.S.BitLen() > 8*width {
		return nil, errors.New("not an ECDSA signature")
	}
	out := make([]byte, 2*width)
	pair.R.FillBytes(out[:width])
	pair.S.FillBytes(out[width:])
	return out, nil
}
