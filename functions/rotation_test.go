package functions_test

import (
	"crypto/rand"
	"fmt"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/secretsmanager"

	"github.com/tokenvend/tokenvend/examples/secretrotation"
	"github.com/tokenvend/tokenvend/pkg/api"
	"github.com/tokenvend/tokenvend/pkg/provider/simulator"
)

// TestRotationOfAClientSecretFailsNoCall rotates a client secret by the example
// of a rotation function, as docs/guide/rotation.md says. After each step
// tokens are requested, wherever the provider stops to take the old secret and
// begins to take the new one.
func TestRotationOfAClientSecretFailsNoCall(t *testing.T) {
	t.Parallel()
	steps := []string{"createSecret", "setSecret", "testSecret", "finishSecret"}
	for after, window := range map[string]string{
		"createSecret": "PENDING",  // the provider takes only the new secret while it is the pending version
		"finishSecret": "CURRENT",  // it changes together with the secret
		"":             "PREVIOUS", // it takes the old secret even after the new one is the current version
	} {
		t.Run(window, func(t *testing.T) {
			t.Parallel()
			h := newInstallation(t, simulator.Options{})
			scopes := append([]string{"before", "afterwards"}, steps...)
			h.put("minut", "minut", map[string]any{"allow": map[string]any{"scopes": scopes}})
			h.start("vend")
			version := h.startRotation(rand.Text())
			h.vendByScope("before")
			for _, step := range steps {
				if err := version.handle(step); err != nil {
					t.Fatalf("Handle(%s) = %v", step, err)
				}
				if step == after {
					version.activate()
				}
				h.vendByScope(step)
			}
			h.startCold() // a process that knows no older version
			h.vendByScope("afterwards")
			seen := h.sim.Stats().Providers["minut"]
			if seen.TokenRequests < len(scopes) || seen.Rejected == 0 && window != "CURRENT" {
				t.Errorf("minut had %d token requests and refused %d, want one for each of %d scopes, and a refused one",
					seen.TokenRequests, seen.Rejected, len(scopes))
			}
			stages := h.stages("minut")
			if got := stages[version.id]; got != "AWSCURRENT" && got != "AWSCURRENT AWSPENDING" || len(stages) != 2 {
				t.Errorf("the versions after the rotation have the stages %v, want the new one current", stages)
			}
			for _, step := range steps { // Secrets Manager may repeat any step
				if err := version.handle(step); err != nil {
					t.Errorf("Handle(%s) again = %v", step, err)
				}
			}
		})
	}
}

// vendByScope requests a token that no process has yet.
func (h *installation) vendByScope(scope string) {
	h.t.Helper()
	if _, refused := h.direct("admin", api.Request{Credential: "minut", Scope: scope}); refused != nil {
		h.t.Errorf("vend(minut, scope %s) = %v, want a token", scope, refused)
	}
}

// The token that has client secrets issued is sent to the URL of the settings:
// no redirect and no client_id of the secret takes it elsewhere.
func TestRotationSendsItsTokenNowhereElse(t *testing.T) {
	t.Parallel()
	h := newInstallation(t, simulator.Options{})
	h.put("minut", "minut", nil)
	version := h.startRotation(rand.Text())
	var paths []string
	issuer := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		paths = append(paths, r.URL.EscapedPath())
		http.Redirect(w, r, "/elsewhere", http.StatusTemporaryRedirect)
	}))
	defer issuer.Close()
	version.rotation.Provider.URL = issuer.URL + "/clients/{client_id}/secrets"
	name := h.prefix + "minut"
	_, err := h.secrets.PutSecretValue(t.Context(), &secretsmanager.PutSecretValueInput{
		SecretId: &name, SecretString: aws.String(`{"client_id":"a b/../../admins?x=1"}`),
	})
	if err != nil {
		t.Fatal(err)
	}
	err = version.handle("createSecret")
	const want = "/clients/a%20b%2F..%2F..%2Fadmins%3Fx%3D1/secrets"
	if err == nil || len(paths) != 1 || paths[0] != want {
		t.Errorf("Handle(createSecret) = %v, sends requests to %q; want an error, and one to %s", err, paths, want)
	}
}

// rotating is the rotation of minut's client secret.
type rotating struct {
	h        *installation
	rotation *secretrotation.Rotation
	id       string // of the version that is made
	issued   string
}

// startRotation prepares a rotation with a provider that issues one secret.
func (h *installation) startRotation(issued string) *rotating {
	h.t.Helper()
	h.addSecret("a client secret", issued)
	token := h.prefix + "issuer"
	_, err := h.secrets.CreateSecret(h.t.Context(),
		&secretsmanager.CreateSecretInput{Name: &token, SecretString: aws.String("admin-token")})
	if err != nil {
		h.t.Fatal(err)
	}
	id, _ := h.sim.ClientFor("minut")
	issuer := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.Method != http.MethodPost || r.URL.Path != "/clients/"+id+"/secrets" ||
			r.Header.Get("Authorization") != "Bearer admin-token" {
			w.WriteHeader(http.StatusForbidden)
			return
		}
		_, _ = fmt.Fprintf(w, `{"id":"2","secret":%q}`, issued)
	}))
	h.t.Cleanup(issuer.Close)
	return &rotating{h: h, id: rand.Text() + "-0000000", issued: issued, rotation: &secretrotation.Rotation{
		Secrets: h.secrets,
		Provider: secretrotation.Provider{
			URL: issuer.URL + "/clients/{client_id}/secrets", TokenSecret: token, Field: "secret",
			HTTP: issuer.Client(),
		},
	}}
}

func (r *rotating) handle(step string) error {
	return r.rotation.Handle(r.h.t.Context(),
		secretrotation.Event{Step: step, SecretID: r.h.prefix + "minut", ClientRequestToken: r.id})
}

// activate has the provider take the new secret, and no longer the old one.
func (r *rotating) activate() {
	r.h.t.Helper()
	id, _ := r.h.sim.ClientFor("minut")
	if err := r.h.sim.SetClient("minut", simulator.Client{ID: id, Secret: r.issued}); err != nil {
		r.h.t.Fatal(err)
	}
}

// stages returns the stages of each version of a secret.
func (h *installation) stages(name string) map[string]string {
	h.t.Helper()
	out, err := h.secrets.DescribeSecret(h.t.Context(),
		&secretsmanager.DescribeSecretInput{SecretId: aws.String(h.prefix + name)})
	if err != nil {
		h.t.Fatal(err)
	}
	found := map[string]string{}
	for version, stages := range out.VersionIdsToStages {
		slices.Sort(stages)
		found[version] = strings.Join(stages, " ")
	}
	return found
}
