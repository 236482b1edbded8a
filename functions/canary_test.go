package functions_test

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"encoding/pem"
	"fmt"
	"maps"
	"math/big"
	"slices"
	"testing"
	"time"

	"github.com/tokenvend/tokenvend/pkg/api"
	"github.com/tokenvend/tokenvend/pkg/boot"
	"github.com/tokenvend/tokenvend/pkg/provider/simulator"
)

// canary is a secret that every encoding spells differently. What goes into faults stands there inside JSON, so it holds no quotation mark.
func canary(of string) string { return "Canary+/ &<" + of + ">=%7e" + rand.Text() }

// canaries are clients whose secrets are canaries.
func canaries() map[string][]simulator.Client {
	clients := map[string][]simulator.Client{}
	for _, name := range providers {
		clients[name] = []simulator.Client{{ID: "id-" + name, Secret: canary(name)}}
	}
	return clients
}

// way is a credential that proves itself in one way: the provider that is asked, and what else stands in its secret.
type way struct {
	provider string
	over     map[string]any
}

// ways are the five providers' own, a seeded refresh token, a signed assertion and a client certificate. The simulated providers refuse the last two; that costs no canary its way.
func (h *house) ways() []way {
	h.t.Helper()
	key, chain := h.keyPair()
	seed := canary("seed")
	h.hush("a private key", key)
	h.hush("a first refresh token", seed)
	signed := func(auth string, more map[string]any) way {
		descriptor := map[string]any{"name": auth, "token": map[string]any{"url": h.sim.TokenURL("miden"), "auth": auth}}
		over := map[string]any{"provider": nil, "token_url": nil, "client_secret": nil, "descriptor": descriptor, "private_key": key}
		maps.Copy(over, more)
		return way{"miden", over}
	}
	all := []way{{"movemint", map[string]any{"refresh_token": seed}}, signed("private_key_jwt", map[string]any{"key_id": "k1"}), signed("tls", map[string]any{"certificate": chain})}
	for _, name := range providers {
		all = append(all, way{name, nil})
	}
	return all
}

// keyPair is a private key and a certificate for it, in PEM.
func (h *house) keyPair() (key, chain string) {
	h.t.Helper()
	private, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		h.t.Fatal(err)
	}
	der, err := x509.MarshalPKCS8PrivateKey(private)
	if err != nil {
		h.t.Fatal(err)
	}
	template := &x509.Certificate{SerialNumber: big.NewInt(1), NotAfter: time.Now().Add(time.Hour)}
	certificate, err := x509.CreateCertificate(rand.Reader, template, template, private.Public(), private)
	if err != nil {
		h.t.Fatal(err)
	}
	text := func(kind string, der []byte) string {
		return string(pem.EncodeToMemory(&pem.Block{Type: kind, Bytes: der}))
	}
	return text("PRIVATE KEY", der), text("CERTIFICATE", certificate)
}

// Canaries go through every fault that a provider can play, proven in every way, through both functions with all that they can log. The house searches everything in the end.
func TestFault50_NothingSecretIsEverShown(t *testing.T) {
	t.Parallel()
	h := newHouse(t, simulator.Options{Clients: canaries()})
	h.start("vend", boot.EnvLogLevel+"=debug")
	h.start("vend", boot.EnvLogLevel+"=debug")
	h.start("rotate", boot.EnvLogLevel+"=debug")
	token := canary("token")
	h.hush("a token that must not be taken", token)
	ways := h.ways()
	for i, name := range slices.Sorted(maps.Keys(simulator.Every("", ""))) {
		for j := range 2 {
			w := ways[(i+j*len(ways)/2)%len(ways)]
			_, secret := h.sim.ClientFor(w.provider)
			h.throughFault(fmt.Sprintf("c%d-%d", i, j), w, simulator.Every(secret, token)[name])
		}
	}
	h.put("broken", "minut", map[string]any{"client_id": token, "client_secrets": token, token: token})
	h.expect("admin", api.Request{Credential: "broken"}, api.Misconfigured)
	h.tick()
	h.expect("admin", api.Request{Credential: "minut", Scope: token, Action: token}, api.InvalidRequest)
	if n := h.sim.Stats().Providers["movemint"]; n.Faulted == 0 || n.Issued == 0 {
		t.Errorf("movemint: %+v; nothing went wrong, or nothing right", n)
	}
}

// throughFault has a credential vended, then everything that can be asked of it while the provider misbehaves.
func (h *house) throughFault(name string, w way, f simulator.Fault) {
	h.t.Helper()
	h.put(name, w.provider, w.over)
	payload := []byte(`{"credential":"` + name + `"}`)
	h.invoke("vend", "admin", payload)
	if err := h.sim.SetFault(w.provider, f); err != nil {
		h.t.Fatal(err)
	}
	path := "/tokens/" + name
	h.overAPI(httpAPI, call{method: "DELETE", path: path})
	h.invoke("vend", "admin", payload)
	h.overAPI(restAPI, call{method: "GET", path: path, query: "min_ttl=60"})
	h.overAPI(httpAPI, call{method: "POST", path: path, body: `{"rejected":"0123456789abcdef"}`})
	h.overAPI(httpAPI, call{method: "GET", path: path + "/status"})
	h.overAPI(restAPI, call{method: "GET", path: "/tokens"})
	h.rotate(payload)
	if err := h.sim.SetFault(w.provider, simulator.Fault{}); err != nil {
		h.t.Fatal(err)
	}
}

// The search at the end is no formality: what is planted is found.
func TestTheSearchFindsWhatIsPlanted(t *testing.T) {
	t.Parallel()
	h := newHouse(t, simulator.Options{})
	h.put("minut", "minut", nil)
	h.start("vend")
	vended := h.token("minut")
	for where, written := range map[string][]byte{"the table": h.tableBytes(), "the answers": h.heard, "the log": []byte(h.processes[0].Output())} {
		if len(written) == 0 || h.leaks.Find(written) != nil {
			t.Errorf("%s: %d bytes, in which stands %q", where, len(written), h.leaks.Find(written))
		}
		planted := append(append(written, `{"x":"`...), vended.AccessToken...)
		if h.leaks.Find(planted) == nil {
			t.Errorf("%s: a token that was planted is not found", where)
		}
	}
}
