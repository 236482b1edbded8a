package jws

import (
	"crypto/sha1" // #nosec G505 -- "x5t" is a SHA-1, and no signature rests on it
	"crypto/sha256"
	"encoding/base64"
)

// Members of a JWS header that name the certificate of the key (RFC 7515
// §§4.1.6–4.1.8).
const (
	X5C     = "x5c"      // the chain
	X5T     = "x5t"      // SHA-1 of the certificate
	X5TS256 = "x5t#S256" // SHA-256 of the certificate
)

// CertificateMembers returns the names of header members that
// [CertificateMember] knows.
func CertificateMembers() []string { return []string{X5C, X5T, X5TS256} }

// CertificateMember returns the value of a header member for a chain of
// certificates in DER, that of the key first. It is nil where the chain is
// empty or the name is unknown.
func CertificateMember(name string, chain [][]byte) any {
	if len(chain) == 0 {
		return nil
	}
	switch name {
	case X5C:
		all := make([]string, len(chain))
		for i, der := range chain {
			all[i] = base64.StdEncoding.EncodeToString(der)
		}
		return all
	case X5T:
		sum := sha1.Sum(chain[0]) // #nosec G401 -- RFC 7515 §4.1.7 says SHA-1
		return base64.RawURLEncoding.EncodeToString(sum[:])
	case X5TS256:
		sum := sha256.Sum256(chain[0])
		return base64.RawURLEncoding.EncodeToString(sum[:])
	}
	return nil
}
