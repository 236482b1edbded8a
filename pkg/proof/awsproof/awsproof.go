// Package awsproof makes proofs by AWS: it signs by a private key that stays in
// AWS KMS, and obtains web identity tokens of AWS STS.
package awsproof

import (
	"context"
	"errors"
	"fmt"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/kms"
	"github.com/aws/aws-sdk-go-v2/service/kms/types"
	"github.com/aws/aws-sdk-go-v2/service/sts"

	"github.com/tokenvend/tokenvend/pkg/awserror"
	"github.com/tokenvend/tokenvend/pkg/jws"
	"github.com/tokenvend/tokenvend/pkg/redact"
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
			return nil, fmt.Errorf("proof kms: AWS KMS has no algorithm %s", alg)
		}
		out, err := client.Sign(ctx, &kms.SignInput{
			KeyId: aws.String(keyARN), Message: digest,
			MessageType: types.MessageTypeDigest, SigningAlgorithm: spec,
		})
		if err != nil {
			return nil, fmt.Errorf("proof kms: %w", awserror.Wrap(err))
		}
		return out.Signature, nil
	}
}

// tokenSeconds is how long a web identity token lives. It is sent once, at
// once.
const tokenSeconds = 300

// WebIdentity returns a function that obtains web identity tokens of AWS STS,
// which prove the function's role to whoever trusts this AWS account's issuer.
// They are signed by RS256 or ES384 ("GetWebIdentityToken", AWS STS API
// Reference). The client must be one of a regional endpoint.
func WebIdentity(client *sts.Client, alg jws.Algorithm) func(context.Context, string) (redact.String, error) {
	return func(ctx context.Context, audience string) (redact.String, error) {
		out, err := client.GetWebIdentityToken(ctx, &sts.GetWebIdentityTokenInput{
			Audience: []string{audience}, SigningAlgorithm: aws.String(string(alg)),
			DurationSeconds: aws.Int32(tokenSeconds),
		})
		if err != nil {
			return redact.String{}, fmt.Errorf("proof sts: %w", awserror.Wrap(err))
		}
		token := aws.ToString(out.WebIdentityToken)
		if token == "" {
			return redact.String{}, errors.New("proof sts: AWS STS returned no token")
		}
		return redact.New(token), nil
	}
}
