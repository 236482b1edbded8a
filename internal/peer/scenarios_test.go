//go:build testall

package peer_test

import (
	"cmp"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/tokenvend/tokenvend/internal/testworld"
	"github.com/tokenvend/tokenvend/pkg/api"
	"github.com/tokenvend/tokenvend/pkg/mint"
	"github.com/tokenvend/tokenvend/pkg/redact"
	"github.com/tokenvend/tokenvend/pkg/rotate"
	"github.com/tokenvend/tokenvend/pkg/token"
)

func clientCredentials(t *testing.T, p *peer) {
	k := p.putClient("long")
	first := p.Token(p.newProcess(), k)
	life := time.Until(first.Token.ExpiresAt)
	if first.Token.Type != "Bearer" || life <= 0 || life > longSeconds*time.Second {
		t.Errorf("Token(%s) = type %q for %v, want Bearer for at most %d s", k, first.Token.Type, life, longSeconds)
	}
	if !p.usersOnly && !p.alive(first.Token.Access) {
		t.Errorf("Token(%s) = a token that the server refuses, want one that it takes", k)
	}
	again := p.Token(p.newProcess(), k)
	if again.Token.Fingerprint != first.Token.Fingerprint || p.requested() != 1 {
		t.Errorf("Token(%s) of another instance = another token, want the stored one", k)
	}
}

// unusual are names and secrets of clients.
var unusual = map[string]struct{ id, secret string }{
	"percent":   {"100%25", "%41%zz100%"},
	"plus":      {"a+b", "c+d+"},
	"colon":     {"a:b", "c:d:"},
	"slash":     {"a/b", "/c/d"},
	"space":     {"a b", "c d e"},
	"non-ASCII": {"Zoë", "Grüße, 世界"},
	"all":       {"ä%2B+:/ b", "é%2f+:/ &=~*'\""},
}

func namesAndSecrets(t *testing.T, p *peer) {
	for _, auth := range p.auths {
		for name, c := range unusual {
			t.Run(auth+"/"+name, func(t *testing.T) {
				k := testworld.Key(auth + "-" + strings.ToLower(name))
				p.put(k.Credential, auth, auth+c.id, c.secret, p.machineScope)
				_, err := p.newProcess().Token(t.Context(), k, mint.Want{})
				code, detail := apiError(err)
				refusal := cmp.Or(p.refused[auth+"/"+name], p.refused["*/"+name])
				if (code == "") != (refusal == "") || !strings.Contains(detail, refusal) {
					t.Errorf("Token(%q, %q by %s) = %v, want an error with %q", c.id, c.secret, auth, err, refusal)
				}
				if strings.Contains(detail, c.secret) {
					t.Errorf("Token(%q) = %v, want no secret in the error", c.id, err)
				}
			})
		}
	}
}

func wrongSecret(t *testing.T, p *peer) {
	refusals := 0
	for name, id := range map[string]string{"wrong-secret": "long", "unknown-client": "nobody"} {
		for _, auth := range p.auths {
			k := testworld.Key(name + "-" + auth)
			p.put(k.Credential, auth, id, "not the secret", p.machineScope)
			_, err := p.newProcess().Token(t.Context(), k, mint.Want{})
			code, detail := apiError(err)
			if code != api.ProviderRejected || !strings.Contains(detail, "client") ||
				strings.Contains(detail, "not the secret") {
				t.Errorf("Token(%s) = %v, want %s without the secret", k, err, api.ProviderRejected)
			}
			refusals++
			if n := p.Alarms("CredentialsFailing"); n != refusals {
				t.Errorf("Alarms(CredentialsFailing) = %d after Token(%s), want %d", n, k, refusals)
			}
		}
	}
}

func codeWithPKCE(t *testing.T, p *peer) {
	alice := p.putUser("long")
	m := p.newProcess()
	wrong, err := p.code(m, alice)
	testworld.Must(t, err)
	wrong.Verifier = redact.New("x" + testworld.CodeVerifier[1:])
	if code, detail := apiError(m.Connect(t.Context(), alice, wrong)); code != api.ProviderRejected {
		t.Errorf("Connect(another verifier) = %s: %s, want %s", code, detail, api.ProviderRejected)
	}
	if got := p.connect(m, alice); !p.alive(got.Access) {
		t.Errorf("Connect(%s) = a token that the server refuses, want one that it takes", alice)
	}
}

func rotation(t *testing.T, p *peer) {
	alice := p.putUser("short")
	last := p.connect(p.newProcess(), alice)
	for range 2 {
		m := p.newProcess()
		if became, err := p.renewWhenDue(m, alice); became != rotate.Renewed {
			t.Fatalf("Renew(%s) = %s, %v, want %s", alice, became, err, rotate.Renewed)
		}
		got := p.Token(m, alice).Token
		if got.Generation != last.Generation+1 || !p.alive(got.Access) {
			t.Errorf("Token(%s) = generation %d, want %d that works", alice, got.Generation, last.Generation+1)
		}
		kept := p.alive(last.Access)
		if kept != (p.overlap == "keeps") && (kept || time.Until(last.ExpiresAt) > time.Second) {
			t.Errorf("the server takes the token before: %t, want the overlap %s", kept, p.overlap)
		}
		last = got
	}
	if n := p.requested(); n != 3 {
		t.Errorf("%d token requests, want 3: a code and two refreshes", n)
	}
}

// A store that was restored from a copy holds a refresh token that was used
// since.
func reuse(t *testing.T, p *peer) {
	alice := p.putUser("short")
	m := p.newProcess()
	p.connect(m, alice)
	restored := p.newProcessOver(p.copied(token.RecordKey(alice.Credential), alice))
	if became, err := p.renewWhenDue(m, alice); became != rotate.Renewed {
		t.Fatalf("Renew(%s) = %s, %v, want %s", alice, became, err, rotate.Renewed)
	}
	newest := p.Token(m, alice).Token
	for range 2 {
		if became, err := restored.Renew(t.Context(), alice); became == rotate.Renewed ||
			err != nil && testworld.ErrorCode(err) != api.ReauthorizationRequired {
			t.Errorf("Renew(%s) by an old refresh token = %s, %v, want %s", alice, became, err, api.Reauthorize)
		}
	}
	if s, err := restored.Status(t.Context(), alice); err != nil || s.State != api.Reauthorize {
		t.Errorf("Status(%s) of the restored store = %s, %v, want %s", alice, s.State, err, api.Reauthorize)
	}
	if n := p.requested(); n != 3 {
		t.Errorf("%d token requests, want 3: a code and two refreshes", n)
	}
	if alive := p.alive(newest.Access); alive != (p.reuse == "refused") {
		t.Errorf("the newest token works: %t, want what the reuse %s does", alive, p.reuse)
	}
}

func revocation(t *testing.T, p *peer) {
	alice := p.putUser("long")
	m := p.newProcess()
	got := p.connect(m, alice)
	if works, err := p.verifies(got.Access); !works || err != nil {
		t.Errorf("VerifyToken() = %t, %v, want true", works, err)
	}
	if revoked, _, err := m.Revoke(t.Context(), alice); err != nil || !revoked {
		t.Errorf("Revoke(%s) = %t, %v, want true", alice, revoked, err)
	}
	if p.alive(got.Access) {
		t.Errorf("the server takes the token after Revoke(%s), want a refusal", alice)
	}
	if works, err := p.verifies(got.Access); works || err != nil {
		t.Errorf("VerifyToken() after Revoke(%s) = %t, %v, want a refusal", alice, works, err)
	}
	if _, err := m.Token(t.Context(), alice, mint.Want{}); testworld.ErrorCode(err) != api.ReauthorizationRequired {
		t.Errorf("Token(%s) after Revoke = %v, want %s", alice, err, api.ReauthorizationRequired)
	}
}

func callersAtExpiry(t *testing.T, p *peer) {
	const callers, instances = 50, 5
	machine, alice := p.putClient("short"), p.putUser("short")
	p.connect(p.newProcess(), alice)
	p.Token(p.newProcess(), machine)
	for _, k := range []token.Key{machine, alice} {
		var all []*testworld.Process
		for range instances {
			m := p.newProcess()
			p.Token(m, k)
			all = append(all, m)
		}
		over := p.Entry(k)
		time.Sleep(time.Until(over.ExpiresAt))
		p.requested()
		var callersDone sync.WaitGroup
		results := make([]mint.Result, callers)
		errs := make([]error, callers)
		for i := range callers {
			callersDone.Go(func() { results[i], errs[i] = all[i%instances].Token(t.Context(), k, mint.Want{}) })
		}
		callersDone.Wait()
		for i, r := range results {
			if errs[i] != nil || r.Token.Generation != over.Generation+1 {
				t.Fatalf(
					"Token(%s) at expiry = generation %d, %v, want %d",
					k, r.Token.Generation, errs[i], over.Generation+1,
				)
			}
		}
		if n := p.requested(); n != 1 {
			t.Errorf("%d token requests of %d callers for %s, want 1", n, callers, k)
		}
	}
}

// restarted stops the server while its tokens live, and starts it again when
// they are over.
func restarted(t *testing.T, p *peer) {
	machine, alice := p.putClient("short"), p.putUser("short")
	m := p.newProcess()
	p.Token(m, machine)
	p.connect(m, alice)
	p.stop()
	for _, k := range []token.Key{machine, alice} {
		if became, err := p.renewWhenDue(m, k); became != rotate.Failed {
			t.Errorf("Renew(%s) without a server = %s, %v, want %s", k, became, err, rotate.Failed)
		}
		if e := p.Entry(k); time.Until(e.ExpiresAt) > 100*time.Millisecond {
			p.Token(p.newProcess(), k)
		}
	}
	for _, k := range []token.Key{machine, alice} {
		time.Sleep(time.Until(p.Entry(k).ExpiresAt))
	}
	p.restart()
	for k, end := range map[token.Key]api.Code{machine: "", alice: p.afterRestart()} {
		if got := p.tokenWithin(k, 30*time.Second); got != end {
			t.Errorf("Token(%s) after the restart = %q, want %q", k, got, end)
		}
	}
}

// afterRestart is what a user's grant comes to.
func (p *peer) afterRestart() api.Code {
	if p.forgets {
		return api.ReauthorizationRequired
	}
	return ""
}

// tokenWithin requests a token until there is one, or the grant is over.
func (p *peer) tokenWithin(k token.Key, most time.Duration) (code api.Code) {
	p.t.Helper()
	m := p.newProcess()
	for end := time.Now().Add(most); time.Now().Before(end); time.Sleep(200 * time.Millisecond) {
		_, err := m.Token(p.t.Context(), k, mint.Want{})
		if err == nil {
			return ""
		}
		if code = testworld.ErrorCode(err); code == api.ReauthorizationRequired {
			return code
		}
	}
	return code
}
