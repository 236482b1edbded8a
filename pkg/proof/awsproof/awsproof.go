// Package awsproof makes proofs by AWS: it signs by a private key that stays in
// AWS KMS, and obtains web identity tokens of AWS STS.
package awsproof

import (
	"context"
	"fmt"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/kms"
	"github.com/aws/aws-sdk-go-v2/service/kms/types"

	"github.com/tokenvend/tokenvend/pkg/awserror"
	"github.com/tokenvend/tokenvend/pkg/jws"
)

// algorithms are KMS's names of the algorithms of RFC 7518. KMS returns ECDSA
// signatures in ASN.1 ("Sign", AWS KMS API Reference).
var algorithms = map[jws.Algorithm]types.SigningAlgorithmSpec{
	jws.RS256: types.SigningAlgorithmSpecRsassaPkcs1V15Sha256,
	jws.RS384: types.SigningAlgorithmSpecRsassaPkcs1V15Sha384,
	jws.RS512: types.SigningAlgorithmSpecRsassaPkcs1V15Sha512,
	jws.PS256: types.SigningAlgorithmSpecRsassaPssSha256,
	jws.PS384: types.SigningAlgorithmSpecRsassaPssSha384,
	jws.PS512: types.SigningAlgorithmSpecRsassaPssSha512,
	jws.ES256: types.SigningAlgorithmSpecEcdsaSha256,
	jws.ES384: types.SigningAlgorithmSpecEcdsaSha384,
	jws.ES512: types.SigningAlgorithmSpecEcdsaSha512,
}

// SignDigest returns a function that signs digests by a key in AWS KMS, with
// one call of kms:Sign.
func SignDigest(client *kms.Client) func(context.Context, string, jws.Algorithm, []byte) ([]byte, error) {
	return func(ctx context.Context, keyARN string, alg jws.Algorithm, digest []byte) ([]byte, error) {
		spec, known := algorithms[alg]
		if !known {
			return nil, fmt.Errorf("AWS KMS has no algorithm %s", alg)
		}
		out, err := client.Sign(ctx, &kms.SignInput{
			KeyId: aws.String(keyARN), Message: digest,
			MessageType: types.MessageTypeDigest, SigningAlgorithm: spec,
		})
		if err != nil {
			return nil, awserror.Wrap(err)
		}
		return out.Signature, nil
	}
}
