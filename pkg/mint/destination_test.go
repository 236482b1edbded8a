package mint_test

import (
	"encoding/json"
	"flag"
	"fmt"
	"math/rand/v2"
	"net/http"
	"net/url"
	"regexp"
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"github.com/tokenvend/tokenvend/internal/testworld"
	"github.com/tokenvend/tokenvend/pkg/attempt"
	"github.com/tokenvend/tokenvend/pkg/credential"
	"github.com/tokenvend/tokenvend/pkg/credential/secret"
	"github.com/tokenvend/tokenvend/pkg/journal"
	"github.com/tokenvend/tokenvend/pkg/mint"
	"github.com/tokenvend/tokenvend/pkg/redact"
	"github.com/tokenvend/tokenvend/pkg/store/memory"
)

var cases = flag.Int("cases", usualHistories, "how many random histories of a credential are tried")

// Whatever versions a secret has, whatever providers answer and whoever asks
// for what: no host is sent a secret, a token, a refresh token or a code that
// belongs to another destination.
func TestAttack05_NoHostGetsWhatBelongsToAnotherDestination(t *testing.T) {
	w := testworld.New(t, testworld.Config{})
	sent, tried := 0, testworld.Count(*cases, 30)
	for seed := range uint64(tried) {
		synctest.Test(t, func(t *testing.T) { sent += history(t, w, seed) })
		if t.Failed() {
			t.Fatalf("seed %d", seed)
		}
	}
	t.Logf("%d histories, %d secrets and tokens sent to where they belong", tried, sent)
	if sent < tried {
		t.Errorf("%d secrets and tokens were sent in %d histories, want more: the test shows nothing", sent, tried)
	}
}

// history lets two processes do what the seed says, and returns how much was
// sent to where it belongs.
func history(t *testing.T, w *testworld.World, seed uint64) int {
	n := &network{
		T: t, Rand: rand.New(rand.NewPCG(seed, 1)),
		hosts: &hosts{got: map[string]string{}, answers: map[string]func(*http.Request, url.Values) (int, string){}},
		reach: map[string][]string{}, of: map[string]string{},
		secrets: &staged{versions: map[string]map[credential.Stage]version{}},
	}
	for _, host := range networkHosts {
		n.answers[host] = n.answer
	}
	rows := memory.New()
	for range 2 {
		n.processes = append(n.processes, w.NewProcess(func(c *mint.Config) {
			c.Store, c.Source, c.HTTP = rows, n.secrets, &http.Client{Transport: n.hosts}
			c.Journal = journal.Journal{}
		}))
	}
	n.putVersion(credential.Current)
	for range 5 + n.IntN(20) {
		n.step()
	}
	for _, m := range n.processes {
		m.Wait()
	}
	return n.check()
}

var networkHosts = []string{"a.test", "b.test", "c.test"}

// network is the hosts, the versions of a secret and what belongs where. What a
// destination owns is marked with the digest of that destination.
type network struct {
	*testing.T
	*rand.Rand
	*hosts
	secrets   *staged
	processes []*testworld.Process
	versions  int
	reach     map[string][]string // by the digest of a destination: the hosts that it names
	of        map[string]string   // by client secret: the digest of its destination
}

func (n *network) host() string { return pick(n, networkHosts...) }

func pick[T any](n *network, from ...T) T { return from[n.IntN(len(from))] }

// putVersion writes a version of the secret whose URLs are drawn.
func (n *network) putVersion(stage credential.Stage) {
	n.versions++
	tokenHost, refreshHost, verifyHost, revokeHost := n.host(), n.host(), n.host(), n.host()
	descriptor := map[string]any{
		"token":     map[string]any{"url": "https://" + tokenHost + "/token", "auth": pick(n, "basic", "post")},
		"refresh":   map[string]any{"url": "https://" + refreshHost + "/token"},
		"verify":    map[string]any{"url": "https://" + verifyHost + "/me", "minted": n.IntN(2) == 0},
		"revoke":    map[string]any{"url": "https://" + revokeHost + "/revoke"},
		"authorize": map[string]any{"url": "https://" + tokenHost + "/authorize"},
	}
	if n.IntN(4) == 0 {
		descriptor["response"] = map[string]any{"access_token": "/other/token"}
	}
	clientSecret := fmt.Sprintf("secret-%d", n.versions)
	data, err := json.Marshal(map[string]any{
		"client_id": pick(n, "one", "two"), "client_secret": clientSecret, "descriptor": descriptor,
		"allow": map[string]any{"accounts": []string{"*"}},
	})
	if err != nil {
		n.Fatal(err)
	}
	c, err := secret.Parse("x", "v", data)
	if err != nil {
		n.Fatal(err)
	}
	digest := c.Destination().Digest()
	n.reach[digest], n.of[clientSecret] = []string{tokenHost, refreshHost, verifyHost, revokeHost}, digest
	n.secrets.putRaw("x", stage, data)
}

// answer is what a host says: tokens that are marked with the destination of
// the client that asks, or a refusal.
func (n *network) answer(r *http.Request, form url.Values) (int, string) {
	switch n.IntN(10) {
	case 0, 1:
		return http.StatusUnauthorized, `{"error":"invalid_client"}`
	case 2:
		return http.StatusInternalServerError, ""
	case 3:
		return http.StatusBadRequest, `{"error":"invalid_grant"}`
	}
	_, secret, ok := r.BasicAuth()
	if !ok {
		secret = form.Get("client_secret")
	}
	digest := n.of[secret]
	return http.StatusOK, fmt.Sprintf(
		`{"access_token":"access.%[1]s","other":{"token":"access.%[1]s"},"expires_in":600,"refresh_token":"refresh.%[1]s"}`,
		digest,
	)
}

// step lets one process do one thing.
func (n *network) step() {
	m := pick(n, n.processes...)
	k := pick(n, testworld.Key("x"), testworld.Account("x", "ann"))
	ctx := n.Context()
	switch n.IntN(10) {
	case 0:
		n.putVersion(credential.Current)
	case 1:
		n.putVersion(credential.Pending)
	case 2:
		_, _, _ = m.Discover(ctx)
	case 3:
		at, err := m.Authorization(ctx, testworld.Account("x", "ann"), testworld.RedirectURI)
		if err != nil {
			return
		}
		if n.IntN(2) == 0 {
			n.putVersion(credential.Current)
		}
		code := attempt.Code{
			Code:        redact.New("code." + at.Destination),
			RedirectURI: testworld.RedirectURI,
			Destination: at.Destination,
		}
		_ = m.Connect(ctx, testworld.Account("x", "ann"), code)
	case 4:
		_, _ = m.Verify(ctx, k)
	case 5:
		_, _, _ = m.Revoke(ctx, k)
	case 6:
		_ = m.RenewNow(ctx, k)
	case 7:
		time.Sleep(pick(n, time.Second, time.Minute, 10*time.Minute, 2*time.Hour))
	case 8:
		_, _, _ = m.Canary(ctx, time.Second)
	default:
		_, _ = m.Token(ctx, k, mint.Want{})
	}
}

var marked = regexp.MustCompile(`secret-[0-9]+|(?:access|refresh|code)\.([0-9a-f]{32})`)

// check looks at all that the hosts were sent, and counts what of it was
// marked.
func (n *network) check() (sent int) {
	for _, host := range networkHosts {
		for _, found := range marked.FindAllStringSubmatch(n.sent(host), -1) {
			digest := found[1]
			if digest == "" {
				digest = n.of[found[0]]
			}
			sent++
			if !slices.Contains(n.reach[digest], host) {
				n.Errorf("%s was sent %s, which belongs to %v", host, found[0], n.reach[digest])
			}
		}
	}
	return sent
}
