package vend_test

import (
	"bytes"
	"encoding/json"
	"log/slog"
	"net/http"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/tokenvend/tokenvend/pkg/access"
	"github.com/tokenvend/tokenvend/pkg/api"
	"github.com/tokenvend/tokenvend/pkg/credential/folder"
	"github.com/tokenvend/tokenvend/pkg/journal"
	"github.com/tokenvend/tokenvend/pkg/mint"
	"github.com/tokenvend/tokenvend/pkg/provider/simulator"
	"github.com/tokenvend/tokenvend/pkg/seal/keyfile"
	"github.com/tokenvend/tokenvend/pkg/store/memory"
	"github.com/tokenvend/tokenvend/pkg/vend"
)

// fixture is a service with a store in memory and simulated providers.
type fixture struct {
	t       testing.TB
	sim     *simulator.Simulator
	secrets *folder.Source
	service *vend.Service
	start   func() // makes a new service, as a new process does
	store   *countedStore
	source  *countedSource
	log     lockedBuffer
}

type lockedBuffer struct {
	mu sync.Mutex
	bytes.Buffer
}

func (l *lockedBuffer) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.Buffer.Write(p)
}

func newFixture(t testing.TB) *fixture {
	t.Helper()
	c := &fixture{t: t, sim: simulator.New(simulator.Options{})}
	var err error
	if c.secrets, err = folder.New(filepath.Join(t.TempDir(), "credentials")); err != nil {
		t.Fatal(err)
	}
	sealer, err := keyfile.Open(filepath.Join(t.TempDir(), "seal.key"))
	if err != nil {
		t.Fatal(err)
	}
	lines := journal.Journal{Log: slog.New(slog.NewJSONHandler(&c.log, nil))}
	c.store, c.source = &countedStore{Store: memory.New()}, &countedSource{Source: c.secrets}
	c.start = func() {
		c.service = &vend.Service{Journal: lines, Mint: mint.New(mint.Config{
			Store: c.store, Source: c.source, Sealer: sealer, HTTP: &http.Client{Transport: c.sim}, Journal: lines,
		})}
	}
	c.start()
	c.put("minut", "minut", nil)
	c.put("movemint", "movemint", map[string]any{"scope": "read", "allow": map[string]any{
		"principals": []string{"arn:aws:iam::123456789012:role/billing-*"}, "scopes": []string{"write"}}})
	c.log.Reset()
	return c
}

func (c *fixture) put(name, provider string, over map[string]any) {
	c.t.Helper()
	id, secret := c.sim.ClientFor(provider)
	fields := map[string]any{"provider": provider, "client_id": id, "client_secret": secret}
	for field, value := range over {
		fields[field] = value
	}
	data, err := json.Marshal(fields)
	if err == nil {
		err = c.secrets.Write(name, data)
	}
	if err == nil {
		_, err = c.service.Mint.Terms(c.t.Context(), name) // as rotate's next pass does
	}
	if err != nil {
		c.t.Fatal(err)
	}
}

const (
	anybody = "arn:aws:iam::123456789012:user/ann"
	billing = "arn:aws:sts::123456789012:assumed-role/billing-prod/i-0abc"
)

// send sends one request over the API, as the principal with that ARN.
func (c *fixture) send(arn, method, target, body string) vend.HTTPReply {
	path, query, _ := strings.Cut(target, "?")
	return c.service.HTTP(c.t.Context(), vend.HTTPRequest{
		Method: method, Path: path, Query: query, Body: []byte(body), RequestID: "r-1",
		Caller: access.Caller{Via: access.API, Alias: "api", ARN: arn},
	})
}

func problemOf(t *testing.T, r vend.HTTPReply) api.Error {
	t.Helper()
	var e api.Error
	if err := json.Unmarshal(r.Body, &e); err != nil || r.Header["Content-Type"] != api.ProblemType {
		t.Fatalf("the response = %d %s, want a problem document", r.Status, r.Body)
	}
	return e
}

func tokenOf(t *testing.T, r vend.HTTPReply) (got api.Token) {
	t.Helper()
	if err := json.Unmarshal(r.Body, &got); err != nil || r.Status != http.StatusOK {
		t.Fatalf("the response = %d %s, want 200 and a token", r.Status, r.Body)
	}
	return got
}

func TestVendedToken(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := newFixture(t)
		first := c.send(anybody, "GET", "/tokens/minut", "")
		got := tokenOf(t, first)
		if got.TokenType != "Bearer" || time.Duration(got.ExpiresIn) != time.Hour ||
			!got.ExpiresAt.Equal(time.Now().Add(time.Hour)) || !c.sim.Alive("minut", got.AccessToken) {
			t.Errorf("GET /tokens/minut = %s, want a living Bearer token for an hour", first.Body)
		}
		for name, want := range map[string]string{
			"Content-Type": "application/json", "Cache-Control": "no-store", "Pragma": "no-cache",
			"X-Content-Type-Options": "nosniff",
		} {
			if first.Header[name] != want {
				t.Errorf("header %s = %q, want %q", name, first.Header[name], want)
			}
		}
		time.Sleep(10*time.Minute + 500*time.Millisecond)
		again := tokenOf(t, c.send(anybody, "POST", "/tokens/minut", `{"scope":""}`))
		if again.Fingerprint != got.Fingerprint || time.Duration(again.ExpiresIn) != 50*time.Minute-time.Second {
			t.Errorf("the token after ten minutes = %+v, want %s with 50 minutes left", again, got.Fingerprint)
		}
		time.Sleep(45 * time.Minute)
		late := tokenOf(t, c.send(anybody, "GET", "/tokens/minut", ""))
		now := time.Now().Truncate(time.Millisecond)
		if late.CacheUntil.Before(now) || late.CacheUntil.After(late.ExpiresAt) {
			t.Errorf("cache_until = %v, want it between %v and %v", late.CacheUntil, now, late.ExpiresAt)
		}
	})
}

func TestRefusals(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := newFixture(t)
		c.put("broken", "minut", map[string]any{"client_secret": "", "colour": "hush"})
		c.put("wrong", "minut", map[string]any{"client_secret": "hush"})
		long := strings.Repeat("x", 9<<10)
		for _, r := range []struct {
			arn, method, target, body string
			status                    int
			code                      api.Code
			detail                    string
		}{
			{anybody, "GET", "/tokens/nobody", "", 404, api.UnknownCredential, "no such credential"},
			{anybody, "GET", "/tokens/movemint", "", 404, api.UnknownCredential, "no such credential"},
			{anybody, "GET", "/", "", 404, api.UnknownCredential, "/tokens/NAME"},
			{anybody, "GET", "/tokens/minut/", "", 404, api.UnknownCredential, "/tokens/NAME"},
			{anybody, "GET", "/tokens/Minut", "", 404, api.UnknownCredential, "/tokens/NAME"},
			{anybody, "GET", "/tokens/%6dinut", "", 404, api.UnknownCredential, "/tokens/NAME"},
			{anybody, "GET", "/tokens//minut", "", 404, api.UnknownCredential, "/tokens/NAME"},
			{anybody, "GET", "//tokens/minut", "", 404, api.UnknownCredential, "/tokens/NAME"},
			{anybody, "GET", "/tokens/../tokens/minut", "", 404, api.UnknownCredential, "/tokens/NAME"},
			{anybody, "GET", "/tokens/minut;x", "", 404, api.UnknownCredential, "/tokens/NAME"},
			{anybody, "GET", "/tokensminut", "", 404, api.UnknownCredential, "/tokens/NAME"},
			{anybody, "GET", "/tokens/minut/status/status", "", 404, api.UnknownCredential, "/tokens/NAME"},
			{anybody, "GET", "/tokens/minut/tokens", "", 404, api.UnknownCredential, "/tokens/NAME"},
			{anybody, "PATCH", "/tokens/minut", "", 405, api.MethodNotAllowed, "GET, POST, PUT, DELETE"},
			{anybody, "POST", "/tokens/minut/authorize", "", 405, api.MethodNotAllowed, "GET"},
			{anybody, "GET", "/tokens/minut/status?verify=1", "", 400, api.InvalidRequest,
				"verify: expected true or false"},
			{anybody, "GET", "/tokens/minut?verify=true", "", 400, api.InvalidRequest, "the query: a parameter"},
			{anybody, "POST", "/tokens/minut", `{"code":"hush"}`, 400, api.InvalidRequest,
				"the body: expected no fields but"},
			{anybody, "PUT", "/tokens/minut", `{"code":"hush","recovery":"hush"}`, 400, api.InvalidRequest,
				"the body: expected scope"},
			{anybody, "PUT", "/tokens/minut", `{"code":"hush","min_ttl":7}`, 400, api.InvalidRequest,
				"the body: expected scope"},
			{anybody, "PUT", "/tokens/minut", "", 400, api.InvalidRequest, "code: expected"},
			{anybody, "PUT", "/tokens/minut", `{"code":"hush\u0007"}`, 400, api.InvalidRequest, "code: expected"},
			{anybody, "PUT", "/tokens/minut", `{"code":"hush","code_verifier":"hush"}`, 400, api.InvalidRequest,
				"code_verifier: expected"},
			{anybody, "PUT", "/tokens/minut", `{"code":"hush","redirect_uri":"http://hush.example/"}`, 400,
				api.InvalidRequest, "redirect_uri: expected"},
			{anybody, "PUT", "/tokens/minut", `{"renew":true,"recovery":"hush"}`, 400, api.InvalidRequest,
				"the body: expected scope"},
			{anybody, "PUT", "/tokens/minut", `{"recovery":"hush!"}`, 400, api.InvalidRequest, "recovery: expected"},
			{anybody, "PUT", "/tokens/minut", `{"recovery":"aHVzaA=="}`, 400, api.InvalidRequest,
				"recovery: it is not a blob"},
			{anybody, "PUT", "/tokens/minut", `{"code":"hush","redirect_uri":"http://127.0.0.1:1/x"}`, 400,
				api.InvalidRequest, "connects no accounts"},
			{billing, "PUT", "/tokens/movemint", `{"code":"hush","redirect_uri":"http://127.0.0.1:1/x"}`, 400,
				api.InvalidRequest, "account: expected one"},
			{billing, "PUT", "/tokens/movemint",
				`{"account":"ann","code":"hush","redirect_uri":"http://127.0.0.1:1/x"}`, 403, api.AccessDenied,
				"account: "},
			{billing, "GET", "/tokens/movemint/authorize?account=ann&redirect_uri=https://app.test/", "", 403,
				api.AccessDenied, "account: "},
			{billing, "GET", "/tokens/movemint/authorize", "", 400, api.InvalidRequest, "redirect_uri: expected"},
			{anybody, "GET", "/tokens/minut/authorize?redirect_uri=https://app.test/", "", 400, api.InvalidRequest,
				"connects no accounts"},
			{anybody, "DELETE", "/tokens", "", 405, api.MethodNotAllowed, "GET"},
			{anybody, "POST", "/tokens/minut/status", "", 405, api.MethodNotAllowed, "GET"},
			{anybody, "GET", "/tokens/minut?min_ttl=soon", "", 400, api.InvalidRequest,
				"min_ttl: expected a whole number of seconds"},
			{anybody, "GET", "/tokens/minut?min_ttl=-1", "", 400, api.InvalidRequest, "min_ttl: "},
			{anybody, "GET", "/tokens/minut?scope=a&scope=b", "", 400, api.InvalidRequest, "scope: expected one value"},
			{anybody, "GET", "/tokens/minut?colour=red", "", 400, api.InvalidRequest, "a parameter that is not known"},
			{anybody, "GET", "/tokens/minut?rejected=9f86d081884c7d65", "", 400, api.InvalidRequest,
				"a parameter that is not known"},
			{anybody, "GET", "/tokens/minut/status?min_ttl=3", "", 400, api.InvalidRequest,
				"a parameter that is not known"},
			{anybody, "GET", "/tokens/minut?scope=%zz", "", 400, api.InvalidRequest, "the query"},
			{anybody, "GET", "/tokens/minut?scope=a%22b", "", 400, api.InvalidRequest, "scope: expected scopes"},
			{anybody, "GET", "/tokens/minut?audience=a%0d%0ab", "", 400, api.InvalidRequest,
				"audience: expected printable"},
			{anybody, "GET", "/tokens/minut?account=%ff", "", 400, api.InvalidRequest, "account: expected text"},
			{anybody, "GET", "/tokens/minut?account=" + long, "", 400, api.InvalidRequest, "account: expected at most"},
			{anybody, "POST", "/tokens/minut?scope=a", `{}`, 400, api.InvalidRequest, "the query"},
			{anybody, "POST", "/tokens/minut", `{"credential":"movemint"}`, 400, api.InvalidRequest, "no fields but"},
			{anybody, "POST", "/tokens/minut", `{"client_secret":"hush"}`, 400, api.InvalidRequest,
				`"client_secret": no such field`},
			{anybody, "POST", "/tokens/minut", `{"rejected":"hush"}`, 400, api.InvalidRequest,
				"rejected: expected a fingerprint"},
			{anybody, "POST", "/tokens/minut", `["hush"]`, 400, api.InvalidRequest, "one JSON object"},
			{anybody, "POST", "/tokens/minut", `{"scope":"` + long + `"}`, 400, api.InvalidRequest, "8 KiB"},
			{anybody, "GET", "/tokens?limit=0", "", 400, api.InvalidRequest, "limit"},
			{anybody, "GET", "/tokens?after=../x", "", 400, api.InvalidRequest, "after"},
			{anybody, "GET", "/tokens/minut?scope=read", "", 403, api.AccessDenied, "scope: "},
			{anybody, "GET", "/tokens/minut?audience=x", "", 403, api.AccessDenied, "audience: "},
			{anybody, "GET", "/tokens/minut?account=ann", "", 403, api.AccessDenied, "account: "},
			{billing, "GET", "/tokens/movemint?scope=delete", "", 403, api.AccessDenied, "scope: "},
			{"", "GET", "/tokens/minut", "", 403, api.AccessDenied, "not known"},
			{anybody, "GET", "/tokens/minut?min_ttl=1801", "", 422, api.TTLUnavailable, "at most 1800 seconds"},
			{anybody, "GET", "/tokens/broken", "", 404, api.UnknownCredential, "no such credential"},
			{anybody, "GET", "/tokens/wrong", "", 502, api.ProviderRejected, "invalid_client"},
		} {
			got := c.send(r.arn, r.method, r.target, r.body)
			e := problemOf(t, got)
			if got.Status != r.status || e.Code != r.code || !strings.Contains(e.Detail, r.detail) {
				t.Errorf("%s %.60s %.60s = %d %s %q, want %d %s %q",
					r.method, r.target, r.body, got.Status, e.Code, e.Detail, r.status, r.code, r.detail)
			}
			if strings.Contains(string(got.Body), "hush") || got.Header["Cache-Control"] != "no-store" ||
				e.RequestID != "r-1" {
				t.Errorf("%s %.60s = %v %s, want no-store, the request id r-1 and no value",
					r.method, r.target, got.Header, got.Body)
			}
		}
		if strings.Contains(c.log.String(), "hush") {
			t.Errorf("the journal shows a value that may be a secret:\n%s", c.log.String())
		}
	})
}

func TestUnknownAndForbiddenLookTheSame(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := newFixture(t)
		unknown := strings.ReplaceAll(string(c.send(anybody, "GET", "/tokens/nothing", "").Body), "nothing", "movemint")
		if forbidden := string(c.send(anybody, "GET", "/tokens/movemint", "").Body); forbidden != unknown {
			t.Errorf("GET of a forbidden credential = %s, want as of an unknown one, %s", forbidden, unknown)
		}
	})
}

func TestOneVariantPerScope(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := newFixture(t)
		usual := tokenOf(t, c.send(billing, "GET", "/tokens/movemint", ""))
		for _, same := range []string{"/tokens/movemint?scope=read", "/tokens/movemint?scope=read+read"} {
			if got := tokenOf(t, c.send(billing, "GET", same, "")); got.Fingerprint != usual.Fingerprint {
				t.Errorf("GET %s = token %s, want the default's, %s", same, got.Fingerprint, usual.Fingerprint)
			}
		}
		wide := tokenOf(t, c.send(billing, "GET", "/tokens/movemint?scope=write+read", ""))
		same := tokenOf(t, c.send(billing, "POST", "/tokens/movemint", `{"scope":"read write"}`))
		if same.Fingerprint != wide.Fingerprint || wide.Fingerprint == usual.Fingerprint {
			t.Errorf("tokens of write+read, read write, read = %s, %s, %s, want the same, the same, another",
				wide.Fingerprint, same.Fingerprint, usual.Fingerprint)
		}
	})
}

func TestMinTTL(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := newFixture(t)
		old := tokenOf(t, c.send(anybody, "GET", "/tokens/minut", ""))
		time.Sleep(35 * time.Minute)
		if got := tokenOf(t, c.send(anybody, "GET", "/tokens/minut?min_ttl=1200",
			"")); got.Fingerprint != old.Fingerprint {
			t.Errorf("min_ttl=1200 with 25 minutes left = %s, want %s again", got.Fingerprint, old.Fingerprint)
		}
		got := tokenOf(t, c.send(anybody, "GET", "/tokens/minut?min_ttl=1800", ""))
		if got.Fingerprint == old.Fingerprint || time.Duration(got.ExpiresIn) != time.Hour {
			t.Errorf("min_ttl=1800 with 25 minutes left = %+v, want a new token", got)
		}
	})
}

func TestStatusListAndForget(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := newFixture(t)
		status := func() (s api.StatusReport) {
			r := c.send(anybody, "GET", "/tokens/minut/status", "")
			if err := json.Unmarshal(r.Body, &s); err != nil || r.Status != 200 {
				t.Fatalf("GET /tokens/minut/status = %d %s, want 200", r.Status, r.Body)
			}
			return s
		}
		if s := status(); s.State != api.None || s.Generation != 0 || s.Provider != "minut" {
			t.Errorf("status before = %+v, want none of generation 0", s)
		}
		token := tokenOf(t, c.send(anybody, "GET", "/tokens/minut", ""))
		if s := status(); s.State != api.Fresh || s.Fingerprint != token.Fingerprint || s.LifetimeFrom != "provider" ||
			s.Failure != nil {
			t.Errorf("status after = %+v, want fresh with %s", s, token.Fingerprint)
		}
		if r := c.send(anybody, "GET", "/tokens/minut/status", ""); strings.Contains(string(r.Body),
			token.AccessToken) {
			t.Error("the status shows the token")
		}
		c.send(billing, "GET", "/tokens/movemint", "")
		const minut, movemint = `{"credential":"minut","provider":"minut"}`,
			`{"credential":"movemint","provider":"movemint"}`
		for arn, want := range map[string]string{
			anybody: `{"credentials":[` + minut + `]}`, billing: `{"credentials":[` + minut + `,` + movemint + `]}`,
		} {
			if r := c.send(arn, "GET", "/tokens", ""); string(r.Body) != want {
				t.Errorf("GET /tokens by %s = %s, want %s", arn, r.Body, want)
			}
		}
		if r := c.send(billing, "GET", "/tokens?limit=1", ""); !strings.Contains(string(r.Body), `"next":"minut"`) {
			t.Errorf("GET /tokens?limit=1 = %s, want next minut", r.Body)
		}
		if r := c.send(anybody, "DELETE", "/tokens/minut", ""); r.Status != 200 ||
			!strings.Contains(string(r.Body), `"revoked":false`) {
			t.Errorf("DELETE /tokens/minut = %d %s, want 200 and not revoked", r.Status, r.Body)
		}
		again := tokenOf(t, c.send(anybody, "GET", "/tokens/minut", ""))
		if again.Fingerprint == token.Fingerprint || status().Generation != 3 {
			t.Errorf("status after DELETE and GET = %+v, want another token of generation 3", status())
		}
	})
}

func TestEveryAnswerIsOneLineOfTheJournal(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := newFixture(t)
		token := tokenOf(t, c.send(anybody, "GET", "/tokens/minut", ""))
		c.log.Reset()
		c.send(anybody, "GET", "/tokens/minut", "")
		c.send(anybody, "GET", "/tokens/movemint", "")
		c.send(anybody, "GET", "/tokens/..", "")
		lines := strings.Split(strings.TrimSpace(c.log.String()), "\n")
		var vended, refused map[string]any
		_ = json.Unmarshal([]byte(lines[0]), &vended)
		_ = json.Unmarshal([]byte(lines[len(lines)-2]), &refused)
		checkLine(t, vended, map[string]any{
			"msg": "vend", "caller": anybody, "fingerprint": token.Fingerprint, "source": "memory", "request_id": "r-1",
		})
		checkLine(t, refused, map[string]any{
			"msg": "refusal", "caller": anybody, "credential": "movemint", "code": "unknown_credential",
		})
		if strings.Contains(c.log.String(), token.AccessToken) {
			t.Error("the journal shows a token")
		}
	})
}

// checkLine checks fields of a line of the journal.
func checkLine(t *testing.T, line, want map[string]any) {
	t.Helper()
	for name, value := range want {
		if line[name] != value {
			t.Errorf("%s of the line %v = %v, want %v", name, line, line[name], value)
		}
	}
}
