package functions_test

import (
	"encoding/json"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/secretsmanager"

	"github.com/tokenvend/tokenvend/pkg/provider/simulator"
)

// putStage stores another version of a secret under a stage.
func (h *installation) putStage(name, provider, clientSecret string, stages ...string) {
	h.t.Helper()
	id, _ := h.sim.ClientFor(provider)
	value, err := json.Marshal(map[string]string{"provider": provider, "client_id": id, "client_secret": clientSecret})
	if err != nil {
		h.t.Fatal(err)
	}
	h.addSecret("a client secret", clientSecret)
	_, err = h.secrets.PutSecretValue(h.t.Context(), &secretsmanager.PutSecretValueInput{
		SecretId: aws.String(h.prefix + name), SecretString: aws.String(string(value)), VersionStages: stages,
	})
	if err != nil {
		h.t.Fatal(err)
	}
}

func TestFault47_TheProviderIsAheadOfTheRotationOfASecret(t *testing.T) {
	t.Parallel()
	h := newInstallation(t, simulator.Options{Lifetime: 6 * time.Second})
	h.put("minut", "minut", nil)
	h.start("vend")
	first := h.token("minut")
	id, _ := h.sim.ClientFor("minut")
	if err := h.sim.SetClient("minut", simulator.Client{ID: id, Secret: "of-the-coming-version"}); err != nil {
		t.Fatal(err)
	}
	h.putStage("minut", "minut", "of-the-coming-version", "AWSPENDING")
	// A machine that stands still for the life of a token needs a second one
	// before: only what comes after counts.
	before := h.sim.Stats().Providers["minut"]
	time.Sleep(time.Until(first.ExpiresAt))
	if got := h.token("minut"); got.Fingerprint == first.Fingerprint {
		t.Errorf("the token after the end of %s is the same", first.Fingerprint)
	}
	n := h.sim.Stats().Providers["minut"]
	if requests := n.TokenRequests - before.TokenRequests; requests != 2 || n.Rejected != 1 {
		t.Errorf("%d requests, %d of them rejected; want the current version refused and the pending one taken",
			requests, n.Rejected)
	}
}
