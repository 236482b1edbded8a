package main

import (
	"io"
	"net/http"
	"net/http/httptest"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/kms"
	kmstypes "github.com/aws/aws-sdk-go-v2/service/kms/types"
	"github.com/aws/aws-sdk-go-v2/service/lambda"
	"github.com/aws/aws-sdk-go-v2/service/lambda/types"

	"github.com/tokenvend/tokenvend/cmd/tokenvend/internal/clierror"
	"github.com/tokenvend/tokenvend/cmd/tokenvend/internal/commands/doctor/checks"
	"github.com/tokenvend/tokenvend/pkg/boot"
)

// setProofs sets the bindings of the stack's function.
func (c *clinic) setProofs(bindings string) {
	c.Helper()
	_, err := c.lambda.UpdateFunctionConfiguration(c.Context(), &lambda.UpdateFunctionConfigurationInput{
		FunctionName: aws.String(stackFunction),
		Environment:  &types.Environment{Variables: map[string]string{boot.EnvProofs: bindings}},
	})
	c.must(err)
}

// federating is an IAM that tells of outbound web identity federation. The
// emulators know nothing of it.
func (c *clinic) federating(status int, answer string) {
	c.Helper()
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Type", "text/xml")
		if r.FormValue("Action") != "GetOutboundWebIdentityFederationInfo" {
			action := r.FormValue("Action")
			_, _ = io.WriteString(w, "<"+action+"Response><"+action+"Result/></"+action+"Response>")
			return
		}
		w.WriteHeader(status)
		_, _ = io.WriteString(w, answer)
	}))
	c.Cleanup(server.Close)
	c.env = append(c.env, "AWS_ENDPOINT_URL_IAM="+server.URL)
}

func TestDoctorSeesThatFederationIsOff(t *testing.T) {
	c := newClinic(t)
	c.put("minut", "minut")
	c.setProofs("entra=api://AzureADTokenExchange@login.microsoftonline.com")
	info := func(enabled string) string {
		return "<GetOutboundWebIdentityFederationInfoResponse><GetOutboundWebIdentityFederationInfoResult>" +
			"<IssuerIdentifier>https://issuer.test</IssuerIdentifier><JwtVendingEnabled>" + enabled +
			"</JwtVendingEnabled></GetOutboundWebIdentityFederationInfoResult>" +
			"</GetOutboundWebIdentityFederationInfoResponse>"
	}
	c.federating(http.StatusOK, info("true"))
	d := c.doctor(clierror.OK)
	d.has(t, checks.Fine, "proof of entra", "api://AzureADTokenExchange", "login.microsoftonline.com")
	d.has(t, checks.Fine, "web identity", "https://issuer.test")
	const advice = "aws --region us-east-1 iam enable-outbound-web-identity-federation"
	c.federating(http.StatusOK, info("false"))
	c.doctor(clierror.Failed).has(t, checks.Failed, "web identity", "off in this account", advice)
	c.federating(http.StatusNotFound, "<ErrorResponse><Error><Code>FeatureDisabled</Code></Error></ErrorResponse>")
	c.doctor(clierror.Failed).has(t, checks.Failed, "web identity", "off in this account", advice)
	c.federating(http.StatusForbidden, "<ErrorResponse><Error><Code>AccessDenied</Code></Error></ErrorResponse>")
	c.doctor(clierror.OK).has(t, checks.Warning, "web identity", "not looked at")
}

func TestDoctorChecksTheKeysOfProofs(t *testing.T) {
	c := newClinic(t)
	c.put("minut", "minut")
	c.env = append(c.env, "AWS_ENDPOINT_URL_KMS="+*c.account.BaseEndpoint)
	keys := kms.NewFromConfig(c.account)
	signing, err := keys.CreateKey(t.Context(), &kms.CreateKeyInput{
		KeySpec: kmstypes.KeySpecEccNistP256, KeyUsage: kmstypes.KeyUsageTypeSignVerify,
	})
	c.must(err)
	sealing, err := keys.CreateKey(t.Context(), &kms.CreateKeyInput{})
	c.must(err)
	bound := func(m *kmstypes.KeyMetadata) string { return "box=" + *m.Arn + "@api.box.com" }
	c.setProofs(bound(signing.KeyMetadata))
	c.doctor(clierror.OK).has(t, checks.Fine, "proof of box", "signed by "+*signing.KeyMetadata.Arn, "api.box.com")
	_, err = keys.DisableKey(t.Context(), &kms.DisableKeyInput{KeyId: signing.KeyMetadata.KeyId})
	c.must(err)
	c.doctor(clierror.Failed).has(t, checks.Failed, "proof of box", "is not enabled", "enable-key")
	c.setProofs(bound(sealing.KeyMetadata))
	c.doctor(clierror.Failed).has(t, checks.Failed, "proof of box", "no key that signs", "SIGN_VERIFY")
	c.setProofs("box")
	c.doctor(clierror.Failed).has(t, checks.Failed, "proofs", "TOKENVEND_PROOFS", "the parameter Proofs")
}
