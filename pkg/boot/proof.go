package boot

import (
	"context"

	"github.com/aws/aws-sdk-go-v2/aws"
	awskms "github.com/aws/aws-sdk-go-v2/service/kms"

	"github.com/tokenvend/tokenvend/pkg/proof"
	"github.com/tokenvend/tokenvend/pkg/proof/awsproof"
)

// proofs reads EnvProofs. The clients of AWS reach the function's region alone.
func (r *reader) proofs(region string) proof.Bindings {
	all, err := proof.Parse(r.getenv(EnvProofs))
	if err != nil {
		r.fault(EnvProofs, "CREDENTIAL=KEY_ARN_OR_AUDIENCE@HOST, separated by commas, one for a credential")
		return nil
	}
	for _, b := range all {
		if b.Kind == proof.KMS && b.KeyRegion() != region {
			r.fault(EnvProofs, "KMS keys of the function's own region")
			return nil
		}
	}
	return all
}

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
