package functions_test

import (
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/kms"
	kmstypes "github.com/aws/aws-sdk-go-v2/service/kms/types"

	"github.com/tokenvend/tokenvend/internal/testbed"
	"github.com/tokenvend/tokenvend/pkg/api"
	"github.com/tokenvend/tokenvend/pkg/boot"
	"github.com/tokenvend/tokenvend/pkg/provider/simulator"
	"github.com/tokenvend/tokenvend/pkg/rotate"
)

const (
	minutHost = "api.minut.com"
	audience  = "api://AzureADTokenExchange"
)

// The permissions of proofs, by the actions that need them.
const (
	signAction     = "kms:Sign"
	identityAction = "sts:GetWebIdentityToken"
)

// newProofInstallation returns an installation whose credentials signed and
// identified are bound to a KMS key and to an audience.
func newProofInstallation(t *testing.T) *installation {
	t.Helper()
	h := &installation{
		t: t, apart: true, services: testbed.StandIn(t), sim: simulator.New(simulator.Options{Lifetime: time.Hour}),
	}
	h.stack = testbed.GoldenTemplateWith(t, func(account aws.Config) map[string]any {
		made, err := kms.NewFromConfig(account).CreateKey(t.Context(), &kms.CreateKeyInput{
			KeySpec: kmstypes.KeySpecEccNistP256, KeyUsage: kmstypes.KeyUsageTypeSignVerify,
		})
		if err != nil {
			t.Fatal(err)
		}
		key := *made.KeyMetadata.Arn
		return map[string]any{
			"Proofs":       "signed=" + key + "@" + minutHost + ",identified=" + audience + "@" + minutHost,
			"ProofKeyArns": key, "ProofAudiences": audience,
		}
	})
	h.install()
	return h
}

// putWithProof stores a credential of minut with a kind of proof. Its token
// request sends an assertion beside what minut asks for.
func (h *installation) putWithProof(name, kind string) {
	h.put(name, "minut", map[string]any{"provider": nil, "keep_warm": true, "proof": kind, "descriptor": map[string]any{
		"token": map[string]any{
			"url":     "https://" + minutHost + "/v8/oauth/token",
			"params":  map[string]any{"response_type": "token"},
			"headers": map[string]any{"X-Proof": "{assertion}"},
		},
		"assertion": map[string]any{"algorithm": map[string]string{"kms": "ES256", "sts": "RS256"}[kind]},
	}})
}

// Each exchange is one call of AWS, which the function's role allows, and
// nothing of a key or a token of STS is written anywhere.
func TestProofsOfAStack(t *testing.T) {
	t.Parallel()
	h := newProofInstallation(t)
	h.addSecret("a token of STS", "stand-in.RS256.")
	h.start("vend")
	h.start("rotate")
	h.putWithProof("signed", "kms")
	h.putWithProof("identified", "sts")
	h.checkDiscovery("two credentials with a proof", rotate.Report{Learnt: 2})
	h.checkTick("two credentials with a proof", rotate.Report{Renewed: 2})
	for _, name := range []string{"signed", "identified"} {
		if _, refused := h.direct("admin", api.Request{Credential: name, Action: api.Revoke}); refused != nil {
			t.Fatal(refused)
		}
		h.token(name)
	}
	for _, function := range logical {
		for _, action := range []string{signAction, identityAction} {
			if got := h.ledger.Allowed(function)[action]; got != 1 {
				t.Errorf("%s called %s %d times, want once for its exchange", function, action, got)
			}
		}
	}
}

// A secret that asks for a proof of another credential obtains nothing: no
// binding names it.
func TestProofsOfOthers(t *testing.T) {
	t.Parallel()
	h := newProofInstallation(t)
	h.start("vend")
	for name, kind := range map[string]string{"thief": "kms", "identified": "kms", "signed": "sts", "reader": "file"} {
		h.putWithProof(name, kind)
		_, refused := h.direct("admin", api.Request{Credential: name})
		if refused == nil || refused.Code != api.Misconfigured || !strings.Contains(refused.Detail, "not bound") {
			t.Errorf("vend(%s with proof %s) = %v, want misconfigured", name, kind, refused)
		}
	}
	for _, action := range []string{signAction, identityAction} {
		if n := h.ledger.Allowed(logical["vend"])[action]; n != 0 {
			t.Errorf("vend called %s %d times, want 0", action, n)
		}
	}
}

// Without the parameters, no role has a statement about proofs.
func TestStackWithoutProofsAllowsNone(t *testing.T) {
	t.Parallel()
	for name, f := range testbed.Template(t).Functions {
		if f.Environment[boot.EnvProofs] != "" {
			t.Errorf("%s of %s = %q, want none", boot.EnvProofs, name, f.Environment[boot.EnvProofs])
		}
		for _, s := range f.Policy {
			for _, action := range s.Action {
				if action == signAction || action == identityAction {
					t.Errorf("%s may %s, want it not to without the stack's parameters", name, action)
				}
			}
		}
	}
}

// The roles allow the keys and the audiences of the parameters, and only as the
// functions use them.
func TestRolesOfAStackWithProofs(t *testing.T) {
	t.Parallel()
	const key = "arn:aws:kms:us-east-1:123456789012:key/1"
	s := testbed.GoldenTemplateWith(t, func(aws.Config) map[string]any {
		return map[string]any{"ProofKeyArns": key + ",arn:aws:kms:us-east-1:123456789012:key/2",
			"ProofAudiences": audience + ",other"}
	})
	sign := func(key, of string) testbed.AccessRequest {
		return testbed.AccessRequest{
			Action: signAction, Resource: key, Context: map[string][]string{"kms:MessageType": {of}},
		}
	}
	identify := func(seconds string, audiences ...string) testbed.AccessRequest {
		return testbed.AccessRequest{Action: identityAction, Resource: "*", Context: map[string][]string{
			"sts:IdentityTokenAudience": audiences, "sts:DurationSeconds": {seconds},
		}}
	}
	for name, f := range s.Functions {
		for what, c := range map[string]struct {
			request testbed.AccessRequest
			want    bool
		}{
			"a digest":                 {sign(key, "DIGEST"), true},
			"a message":                {sign(key, "RAW"), false},
			"another key":              {sign(key+"0", "DIGEST"), false},
			"an audience":              {identify("300", audience), true},
			"the other audience":       {identify("60", "other"), true},
			"a third audience":         {identify("300", "third"), false},
			"a third audience besides": {identify("300", audience, "third"), false},
			"no audience":              {identify("300"), false},
			"a long life":              {identify("3600", audience), false},
		} {
			if got := f.Policy.Evaluate(c.request); got != c.want {
				t.Errorf("the role of %s allows %s: %t, want %t", name, what, got, c.want)
			}
		}
	}
}
