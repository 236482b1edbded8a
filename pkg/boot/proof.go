package boot

import (
	"context"

	"github.com/aws/aws-sdk-go-v2/aws"
	awskms "github.com/aws/aws-sdk-go-v2/service/kms"

	"github.com/tokenvend/tokenvend/pkg/proof"
	"github.com/tokenvend/tokenvend/pkg/proof/awsproof"
)

// prover returns what authenticates clients by AWS.
func (s settings) prover(ctx context.Context, cfg aws.Config) *proof.Prover {
	sts := awsproof.STS{
		Endpoint: s.endpoints.sts(ctx, s.region), Region: s.region, Credentials: cfg.Credentials, HTTP: cfg.HTTPClient,
	}
	return &proof.Prover{
		Bindings:    s.proofs,
		SignDigest:  awsproof.SignDigest(awskms.NewFromConfig(cfg)),
		WebIdentity: sts.WebIdentity,
	}
}
