package assertion

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
func (s Signer) proof(a descriptor.Assertion) (proof.Proof, *response.Error) {
	if s.URL == nil || s.Prove == nil {
		return proof.Proof{}, response.ClientMisconfiguration(
			"proof %s: expected a request that sends it", s.Values.Client.Proof)
	}
	p, err := s.Prove(proof.Use{
		Credential: s.Values.Client.Credential, Kind: s.Values.Client.Proof, Host: s.URL.Host, Algorithm: a.Algorithm,
	})
	if err != nil {
		return proof.Proof{}, s.signError(err)
	}
	return p, nil
}

// algorithm returns the algorithm of an assertion. "" is the usual one of the
// private key, which nobody here knows of a key in a service.
func (s Signer) algorithm(a descriptor.Assertion) jws.Algorithm {
	if s.Values.Client.Proof == "" {
		return a.Algorithm
	}
	return cmp.Or(a.Algorithm, jws.RS256)
}

// signError returns the error of a key or of a proof. A refused proof is
// misconfigured; any other failure of one may pass. What AWS returns may name
// resources, so only its error code is shown.
func (s Signer) signError(err error) *response.Error {
	if s.Values.Client.Proof == "" {
		return response.ClientMisconfiguration("private_key: %v", err)
	}
	if refused, ok := errors.AsType[proof.Refused](err); ok {
		return response.ClientMisconfiguration("%v", refused)
	}
	reason := err.Error()
	if answered, ok := errors.AsType[*awserror.Error](err); ok {
		reason = answered.Service + " " + answered.Operation + ": " + answered.Code
	}
	text := mask.Line("proof "+string(s.Values.Client.Proof)+": "+reason, response.MaxDescription)
	return &response.Error{Kind: response.Unproven, Description: text, Cause: err}
}
