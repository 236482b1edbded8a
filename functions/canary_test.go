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

// canary returns a secret that every encoding spells differently. It has no
// quotation mark, because faults put it into JSON.
func canary(of string) string { return "Canary+/ &<" + of + ">=%7e" + rand.Text() }

// canaries returns clients whose secrets are canaries.
func canaries() map[string][]simulator.Client {
	clients := map[string][]simulator.Client{}
	for _, name := range providers {
		clients[name] = []simulator.Client{{ID: "id-" + name, Secret: canary(name)}}
	}
	return clients
}

// authentication is one way of a credential to authenticate: its provider, and
// further fields of its secret.
type authentication struct {
	provider string
	over     map[string]any
	seeded   bool // it has an initial refresh token only
	connects bool // an authorization code is exchanged besides
}

// ways returns those of the five providers, with grants of a user, a signed
// assertion and a client certificate. The simulated providers refuse the last
// two, after the canary was sent.
func (h *installation) ways() []authentication {
	h.t.Helper()
	key, chain := h.keyPair()
	h.addSecret("a private key", key)
	signed := func(auth string, more map[string]any) authentication {
		descriptor := map[string]any{"name": auth,
			"token": map[string]any{"url": h.sim.TokenURL("miden"), "auth": auth}}
		over := map[string]any{"provider": nil, "token_url": nil, "client_secret": nil, "descriptor": descriptor,
			"private_key": key}
		maps.Copy(over, more)
		return authentication{provider: "miden", over: over}
	}
	ann := map[string]any{"allow": map[string]any{"accounts": []string{"ann"}}}
	all := []authentication{
		{provider: "movemint", seeded: true}, {provider: "movemint", over: ann, connects: true},
		{provider: "trackmania", over: ann, connects: true},
		signed("private_key_jwt", map[string]any{"key_id": "k1"}), signed("tls", map[string]any{"certificate": chain}),
	}
	for _, name := range providers {
		all = append(all, authentication{provider: name})
	}
	return all
}

// secret returns the further fields of one credential's secret.
func (h *installation) secret(w authentication) map[string]any {
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

// exchangeCode sends an authorization code and its verifier, and accepts any
// answer.
func (h *installation) exchangeCode(name string, w authentication) {
	h.t.Helper()
	verifier := rand.Text() + rand.Text()
	challenge := sha256.Sum256([]byte(verifier))
	id, _ := h.sim.ClientFor(w.provider)
	code, err := h.sim.IssueCode(w.provider, id, "ann", "", redirectURI,
		base64.RawURLEncoding.EncodeToString(challenge[:]))
	if err != nil {
		h.t.Fatal(err)
	}
	h.addSecret("an authorization code", code)
	h.addSecret("a code verifier", verifier)
	payload, err := json.Marshal(api.Request{Action: api.Connect, Credential: name, Account: "ann", Code: code,
		CodeVerifier: verifier, RedirectURI: redirectURI})
	if err != nil {
		h.t.Fatal(err)
	}
	h.invoke("vend", "admin", payload)
	h.invoke("vend", "admin", []byte(`{"account":"ann","credential":"`+name+`"}`))
}

// keyPair returns a private key and a certificate for it, in PEM.
func (h *installation) keyPair() (key, chain string) {
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

// Canaries go through every fault that a provider can play, in every client
// authentication, through both functions with all that they can log. At the end
// everything is searched.
func TestFault50_NothingSecretIsEverShown(t *testing.T) {
	t.Parallel()
	h := newInstallation(t, simulator.Options{Clients: canaries()})
	for range 2 {
		h.start("vend", boot.EnvLogLevel+"=debug")
	}
	h.start("rotate", boot.EnvLogLevel+"=debug")
	token := canary("token")
	h.addSecret("a token that must not be taken", token)
	ways := h.ways()
	for i, name := range slices.Sorted(maps.Keys(simulator.EveryFault("", ""))) {
		for j := range 2 {
			w := ways[(i+j*len(ways)/2)%len(ways)]
			f := simulator.EveryFault(h.repeatable(w), token)[name]
			if slow := f.Delay+f.Drip > 0; !slow || j == 0 {
				h.throughFault(fmt.Sprintf("c%d-%d", i, j), w, f)
			}
		}
	}
	h.put("broken", "minut", map[string]any{"client_id": token, "client_secrets": token, token: token})
	h.expect("admin", api.Request{Credential: "broken"}, api.Misconfigured)
	h.discover()
	h.tick()
	for _, stray := range []api.Request{{Credential: token}, {Credential: "broken", Action: token},
		{Action: api.List, After: token}, {Credential: "broken", Rejected: token}, {Credential: "broken",
			Scope: token}} {
		h.direct("admin", stray)
	}
	for provider, n := range h.sim.Stats().Providers {
		if n.Faulted == 0 || n.Issued == 0 {
			t.Errorf("the requests of %s = %+v, want faulted and issued ones", provider, n)
		}
	}
}

// repeatable returns what a careless provider can repeat of a request: the
// client secret, where there is one. What is signed for one request is not
// known beforehand.
func (h *installation) repeatable(w authentication) string {
	if _, none := w.over["client_secret"]; none {
		return "what was sent"
	}
	_, secret := h.sim.ClientFor(w.provider)
	return secret
}

// throughFault vends a credential, then makes every call on it while the
// provider misbehaves.
func (h *installation) throughFault(name string, w authentication, f simulator.Fault) {
	h.t.Helper()
	h.put(name, w.provider, h.secret(w))
	payload := []byte(`{"credential":"` + name + `"}`)
	h.invoke("vend", "admin", payload)
	if w.connects {
		h.exchangeCode(name, w)
	}
	if err := h.sim.SetFault(w.provider, f); err != nil {
		h.t.Fatal(err)
	}
	path := "/tokens/" + name
	h.overAPI(httpAPI, call{method: "DELETE", path: path})
	h.invoke("vend", "admin", payload)
	if w.connects {
		h.exchangeCode(name, w)
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

// The search at the end finds a secret that is planted.
func TestTheSearchFindsWhatIsPlanted(t *testing.T) {
	t.Parallel()
	h := newInstallation(t, simulator.Options{})
	h.put("minut", "minut", nil)
	h.start("vend")
	vended := h.token("minut")
	for where, written := range map[string][]byte{"the table": h.tableBytes(), "the answers": h.answers,
		"the log": []byte(h.processes[0].Output())} {
		if len(written) == 0 || h.leaks.Find(written) != nil {
			t.Errorf("Find(%s) = %q in %d bytes, want none in some", where, h.leaks.Find(written), len(written))
		}
		planted := append(append(written, `{"x":"`...), vended.AccessToken...)
		if h.leaks.Find(planted) == nil {
			t.Errorf("Find(%s) = none with a planted token, want it found", where)
		}
	}
}
