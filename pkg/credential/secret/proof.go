package secret

import (
	"crypto/tls"
	"crypto/x509"
	"encoding/pem"
	"slices"

	"github.com/tokenvend/tokenvend/pkg/credential"
	"github.com/tokenvend/tokenvend/pkg/descriptor"
	"github.com/tokenvend/tokenvend/pkg/descriptor/placeholder"
	"github.com/tokenvend/tokenvend/pkg/proof"
)

// proof takes the kind of proof that authenticates the client. Which key,
// audience or file it is by, no secret can say.
func (f *form) proof() proof.Kind {
	kind := f.text("proof")
	if kind != "" && !slices.Contains(proof.Names(), kind) {
		f.wrong("proof", "kms, sts or file, and nothing of a key, an audience or a path: an operator binds those")
		return ""
	}
	return proof.Kind(kind)
}

// fitProof checks a proof against the descriptor.
func (f *form) fitProof(c credential.Credential, d *descriptor.Descriptor, needed Needed) {
	alg := d.SignedBy().Algorithm
	switch {
	case c.Proof == "":
	case !needed.Asserts:
		f.wrong("proof", "not given: the provider takes no assertion that a private key signs")
	case c.Grant == descriptor.SelfSigned:
		f.wrong("proof", "not given: callers, and not one host, get a token that the client signs")
	case !c.Proof.Allows(alg):
		f.wrong("proof", "a kind that can be of the provider's algorithm, "+string(alg))
	case placeholder.Uses(d)[placeholder.Signature]:
		f.wrong("proof", "not given: the provider takes an RSA signature that only a private key here can make")
	case c.Proof.Signs() && placeholder.Uses(d)[placeholder.PublicKey]:
		f.wrong("proof", "not "+string(c.Proof)+": the provider is sent a digest of the public key")
	}
}

// chain returns certificates whose private key is elsewhere. They are named in
// assertions.
func (f *form) chain(text string) *tls.Certificate {
	var chain [][]byte
	for rest := []byte(text); ; {
		var block *pem.Block
		if block, rest = pem.Decode(rest); block == nil {
			break
		}
		if _, err := x509.ParseCertificate(block.Bytes); block.Type != "CERTIFICATE" || err != nil {
			chain = nil
			break
		}
		chain = append(chain, block.Bytes)
	}
	if chain == nil {
		f.wrong("certificate", "certificates in PEM, the first of which belongs to the key that signs")
		return &tls.Certificate{}
	}
	return &tls.Certificate{Certificate: chain}
}
