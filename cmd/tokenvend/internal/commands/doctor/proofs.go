package doctor

import (
	"context"
	"errors"
	"slices"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/iam"
	iamtypes "github.com/aws/aws-sdk-go-v2/service/iam/types"
	"github.com/aws/aws-sdk-go-v2/service/kms"
	kmstypes "github.com/aws/aws-sdk-go-v2/service/kms/types"

	"github.com/tokenvend/tokenvend/cmd/tokenvend/internal/clierror"
	"github.com/tokenvend/tokenvend/cmd/tokenvend/internal/connection"
	"github.com/tokenvend/tokenvend/pkg/proof"
)

// envProofs is the setting of a function with its bindings; see pkg/boot.
const envProofs = "TOKENVEND_PROOFS"

// proofs checks the keys and the account that authenticate clients.
func (s *setup) proofs(ctx context.Context, at connection.Place, text string) {
	bindings, err := proof.Parse(text)
	if err != nil {
		s.Fail("proofs", envProofs+": "+err.Error(), "deploy with another value of the parameter Proofs")
		return
	}
	keys := kms.NewFromConfig(at.AWS)
	for _, b := range bindings {
		if b.Kind == proof.KMS {
			s.signingKey(ctx, keys, b)
			continue
		}
		s.OK("proof of "+b.Credential, "a web identity token for %s, sent to %s", b.Source, b.Host)
	}
	if slices.ContainsFunc(bindings, func(b proof.Binding) bool { return b.Kind == proof.STS }) {
		s.federation(ctx, iam.NewFromConfig(at.AWS))
	}
}

// signingKey checks that a KMS key can sign.
func (s *setup) signingKey(ctx context.Context, keys *kms.Client, b proof.Binding) {
	subject := "proof of " + b.Credential
	out, err := keys.DescribeKey(ctx, &kms.DescribeKeyInput{KeyId: &b.Source})
	switch {
	case err != nil:
		s.Unread(subject, clierror.AWS("kms:DescribeKey", b.Source, err))
	case out.KeyMetadata == nil || out.KeyMetadata.KeyUsage != kmstypes.KeyUsageTypeSignVerify:
		s.Fail(subject, b.Source+" is no key that signs", "make a key with the usage SIGN_VERIFY, and bind that")
	case !out.KeyMetadata.Enabled:
		s.Fail(subject, b.Source+" is not enabled", "aws kms enable-key --key-id "+b.Source)
	default:
		s.OK(subject, "signed by %s, sent to %s", b.Source, b.Host)
	}
}

// federation checks that AWS STS gives out web identity tokens in this account.
func (s *setup) federation(ctx context.Context, client *iam.Client) {
	const subject = "web identity"
	out, err := client.GetOutboundWebIdentityFederationInfo(ctx, &iam.GetOutboundWebIdentityFederationInfoInput{})
	_, isOff := errors.AsType[*iamtypes.FeatureDisabledException](err)
	switch {
	case isOff || err == nil && !out.JwtVendingEnabled:
		s.Fail(subject, "outbound web identity federation is off in this account, so AWS STS gives out no tokens",
			"aws iam enable-outbound-web-identity-federation")
	case err != nil:
		s.Unread(subject, clierror.AWS("iam:GetOutboundWebIdentityFederationInfo", "the account", err))
	default:
		s.OK(subject, "providers trust the issuer %s", aws.ToString(out.IssuerIdentifier))
	}
}
