package functions_test

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/sha256"
	"crypto/x509"
	"encoding/base64"
	"encoding/json"
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
	seeded   bool // it has nothing but a person's first refresh token
	connects bool // a person's code is exchanged besides
}

// ways are the five providers' own, a person's grants, a signed assertion and a client certificate. The simulated providers refuse the last two; that costs no canary its way.
func (h *house) ways() []way {
	h.t.Helper()
	key, chain := h.keyPair()
	h.hush("a private key", key)
	signed := func(auth string, more map[string]any) way {
		descriptor := map[string]any{"name": auth, "token": map[string]any{"url": h.sim.TokenURL("miden"), "auth": auth}}
		over := map[string]any{"provider": nil, "token_url": nil, "client_secret": nil, "descriptor": descriptor, "private_key": key}
		maps.Copy(over, more)
		return way{provider: "miden", over: over}
	}
	ann := map[string]any{"allow": map[string]any{"accounts": []string{"ann"}}}
	all := []way{
		{provider: "movemint", seeded: true}, {provider: "movemint", over: ann, connects: true}, {provider: "trackmania", over: ann, connects: true},
		signed("private_key_jwt", map[string]any{"key_id": "k1"}), signed("tls", map[string]any{"certificate": chain}),
	}
	for _, name := range providers {
		all = append(all, way{provider: name})
	}
	return all
}

// secret is what stands in the way's secret, for one credential.
func (h *house) secret(w way) map[string]any {
	h.t.Helper()
	if !w.seeded {
		return w.over
	}
	id, _ := h.sim.ClientFor(w.provider)
	seed, err := h.sim.IssueRefreshToken(w.provider, id, "ann", "")
	if err != nil {
		h.t.Fatal(err)
	}
	return map[string]any{"grant": "refresh_token", "refresh_token": seed}
}

// bringCode brings a person's code and verifier back, whatever comes of it.
func (h *house) bringCode(name string, w way) {
	h.t.Helper()
	verifier := rand.Text() + rand.Text()
	challenge := sha256.Sum256([]byte(verifier))
	id, _ := h.sim.ClientFor(w.provider)
	code, err := h.sim.IssueCode(w.provider, id, "ann", "", backTo, base64.RawURLEncoding.EncodeToString(challenge[:]))
	if err != nil {
		h.t.Fatal(err)
	}
	h.hush("an authorization code", code)
	h.hush("a code verifier", verifier)
	payload, err := json.Marshal(api.Request{Action: api.Connect, Credential: name, Account: "ann", Code: code, CodeVerifier: verifier, RedirectURI: backTo})
	if err != nil {
		h.t.Fatal(err)
	}
	h.invoke("vend", "admin", payload)
	h.invoke("vend", "admin", []byte(`{"account":"ann","credential":"`+name+`"}`))
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
	for range 2 {
		h.start("vend", boot.EnvLogLevel+"=debug")
	}
	h.start("rotate", boot.EnvLogLevel+"=debug")
	token := canary("token")
	h.hush("a token that must not be taken", token)
	ways := h.ways()
	for i, name := range slices.Sorted(maps.Keys(simulator.EveryFault("", ""))) {
		for j := range 2 {
			w := ways[(i+j*len(ways)/2)%len(ways)]
			f := simulator.EveryFault(h.told(w), token)[name]
			if slow := f.Delay+f.Drip > 0; !slow || j == 0 {
				h.throughFault(fmt.Sprintf("c%d-%d", i, j), w, f)
			}
		}
	}
	h.put("broken", "minut", map[string]any{"client_id": token, "client_secrets": token, token: token})
	h.expect("admin", api.Request{Credential: "broken"}, api.Misconfigured)
	h.tick()
	for _, stray := range []api.Request{{Credential: token}, {Credential: "broken", Action: token}, {Action: api.List, After: token}, {Credential: "broken", Rejected: token}, {Credential: "broken", Scope: token}} {
		h.direct("admin", stray)
	}
	for provider, n := range h.sim.Stats().Providers {
		if n.Faulted == 0 || n.Issued == 0 {
			t.Errorf("%s: %+v; nothing went wrong, or nothing right", provider, n)
		}
	}
}

// told is what a careless provider can repeat of a request: the client secret, where there is one. What is signed for one request, nobody knows beforehand.
func (h *house) told(w way) string {
	if _, none := w.over["client_secret"]; none {
		return "what was sent"
	}
	_, secret := h.sim.ClientFor(w.provider)
	return secret
}

// throughFault has a credential vended, then everything that can be asked of it while the provider misbehaves.
func (h *house) throughFault(name string, w way, f simulator.Fault) {
	h.t.Helper()
	h.put(name, w.provider, h.secret(w))
	payload := []byte(`{"credential":"` + name + `"}`)
	h.invoke("vend", "admin", payload)
	if w.connects {
		h.bringCode(name, w)
	}
	if err := h.sim.SetFault(w.provider, f); err != nil {
		h.t.Fatal(err)
	}
	path := "/tokens/" + name
	h.overAPI(httpAPI, call{method: "DELETE", path: path})
	h.invoke("vend", "admin", payload)
	if w.connects {
		h.bringCode(name, w)
	}
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
