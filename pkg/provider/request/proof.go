package request

import (
	"cmp"
	"errors"

	"github.com/tokenvend/tokenvend/pkg/awserror"
	"github.com/tokenvend/tokenvend/pkg/descriptor"
	"github.com/tokenvend/tokenvend/pkg/jws"
	"github.com/tokenvend/tokenvend/pkg/mask"
	"github.com/tokenvend/tokenvend/pkg/proof"
	"github.com/tokenvend/tokenvend/pkg/provider/response"
)

// proof returns the proof of the client for the host of this request. An
// assertion that no request sends has no host, and so no proof.
func (b *building) proof(a descriptor.Assertion) (proof.Proof, *Error) {
	if b.URL == nil || b.prove == nil {
		return proof.Proof{}, OfClient(Misconfigured("proof %s: expected a request that sends it", b.client.Proof))
	}
	p, err := b.prove(proof.Use{
		Credential: b.client.Credential, Kind: b.client.Proof, Host: b.URL.Host, Algorithm: a.Algorithm,
	})
	if err != nil {
		return proof.Proof{}, b.signError(err)
	}
	return p, nil
}

// algorithm returns the algorithm of an assertion. "" is the usual one of the
// private key, which nobody here knows of a key in a service.
func (b *building) algorithm(a descriptor.Assertion) jws.Algorithm {
	if b.client.Proof == "" {
		return a.Algorithm
	}
	return cmp.Or(a.Algorithm, jws.RS256)
}

// signError returns the error of a key or of a proof. A refused proof is
// misconfigured; any other failure of one may pass. What AWS returns may name
// resources, so only its error code is shown.
func (b *building) signError(err error) *Error {
	if b.client.Proof == "" {
		return OfClient(Misconfigured("private_key: %v", err))
	}
	if refused, ok := errors.AsType[proof.Refused](err); ok {
		return OfClient(Misconfigured("%v", refused))
	}
	reason := err.Error()
	if answered, ok := errors.AsType[*awserror.Error](err); ok {
		reason = answered.Service + " " + answered.Operation + ": " + answered.Code
	}
	text := mask.Line("proof "+string(b.client.Proof)+": "+reason, response.MaxDescription)
	return &Error{Kind: response.Unproven, Description: text, Cause: err}
}
