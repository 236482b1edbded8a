package vend_test

import (
	"encoding/json"
	"log/slog"
	"net/http"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/tokenvend/tokenvend/internal/testworld"
	"github.com/tokenvend/tokenvend/pkg/access"
	"github.com/tokenvend/tokenvend/pkg/api"
	"github.com/tokenvend/tokenvend/pkg/journal"
	"github.com/tokenvend/tokenvend/pkg/mint"
	"github.com/tokenvend/tokenvend/pkg/provider/simulator"
	"github.com/tokenvend/tokenvend/pkg/vend"
)

// world is a service whose store and secrets count their calls. It has two
// credentials: everybody may use minut, and only billing may use movemint.
type world struct {
	*testworld.World
	service *vend.Service
	store   *countedStore
	source  *countedSource
}

func newWorld(t testing.TB) *world {
	t.Helper()
	w := &world{World: testworld.New(t, testworld.Config{})}
	w.store, w.source = &countedStore{Store: w.Store}, &countedSource{Source: w.Secrets}
	w.Journal = journal.Journal{Log: slog.New(slog.NewJSONHandler(&w.Log, nil))}
	w.restart()
	w.put("minut", "minut", nil)
	w.put("movemint", "movemint", map[string]any{"scope": "read", "allow": map[string]any{
		"principals": []string{"arn:aws:iam::123456789012:role/billing-*"}, "scopes": []string{"write"},
	}})
	w.Log.Take()
	return w
}

// restart replaces the service by that of a new process.
func (w *world) restart() {
	w.service = w.NewService(w.NewProcess(func(c *mint.Config) { c.Store, c.Source = w.store, w.source }))
}

// put writes a credential that the service then knows, as after rotate's next
// pass.
func (w *world) put(credential, provider string, more map[string]any) {
	w.T.Helper()
	w.Put(credential, provider, more)
	if _, err := w.service.Mint.Registry.Terms(w.T.Context(), credential); err != nil {
		w.T.Fatalf("Terms(%s) = %v, want no error", credential, err)
	}
}

const (
	anybody = "arn:aws:iam::123456789012:user/ann"
	billing = "arn:aws:sts::123456789012:assumed-role/billing-prod/i-0abc"
)

// send sends one request over the API, as the principal with that ARN.
func (w *world) send(arn, method, target, body string) vend.HTTPReply {
	path, query, _ := strings.Cut(target, "?")
	return w.service.HTTP(w.T.Context(), vend.HTTPRequest{
		Method: method, Path: path, Query: query, Body: []byte(body), RequestID: "r-1",
		Caller: access.Caller{Via: access.API, Alias: "api", ARN: arn},
	})
}

// problemOf returns the problem document of a reply (RFC 9457).
func problemOf(t *testing.T, r vend.HTTPReply) api.Error {
	t.Helper()
	var e api.Error
	if err := json.Unmarshal(r.Body, &e); err != nil || r.Header["Content-Type"] != api.ProblemType {
		t.Fatalf("HTTP() = %d %s, want a problem document", r.Status, r.Body)
	}
	return e
}

// tokenOf returns the token in a reply.
func tokenOf(t *testing.T, r vend.HTTPReply) (got api.Token) {
	t.Helper()
	if err := json.Unmarshal(r.Body, &got); err != nil || r.Status != http.StatusOK {
		t.Fatalf("HTTP() = %d %s, want a token", r.Status, r.Body)
	}
	return got
}

func TestAVendedToken(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		first := w.send(anybody, "GET", "/tokens/minut", "")
		got := tokenOf(t, first)
		if got.TokenType != "Bearer" || time.Duration(got.ExpiresIn) != time.Hour ||
			!got.ExpiresAt.Equal(time.Now().Add(time.Hour)) || !w.Providers.Accepts("minut", got.AccessToken) {
			t.Errorf("GET /tokens/minut = %s, want a Bearer token of an hour that works", first.Body)
		}
		for name, want := range map[string]string{
			"Content-Type": "application/json", "Cache-Control": "no-store", "Pragma": "no-cache",
			"X-Content-Type-Options": "nosniff",
		} {
			if first.Header[name] != want {
				t.Errorf("%s = %q, want %q", name, first.Header[name], want)
			}
		}
		time.Sleep(10*time.Minute + 500*time.Millisecond)
		again := tokenOf(t, w.send(anybody, "POST", "/tokens/minut", `{"scope":""}`))
		if again.Fingerprint != got.Fingerprint || time.Duration(again.ExpiresIn) != 50*time.Minute-time.Second {
			t.Errorf("POST /tokens/minut after ten minutes = %+v, want %s for 49m59s", again, got.Fingerprint)
		}
		time.Sleep(45 * time.Minute)
		late := tokenOf(t, w.send(anybody, "GET", "/tokens/minut", ""))
		if late.CacheUntil.Before(time.Now().Truncate(time.Millisecond)) || late.CacheUntil.After(late.ExpiresAt) {
			t.Errorf("cache_until = %v, want from %v to %v", late.CacheUntil, time.Now(), late.ExpiresAt)
		}
	})
}

func TestRefusals(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		w.put("broken", "minut", map[string]any{"client_secret": "", "colour": "hush"})
		w.put("wrong", "minut", map[string]any{"client_secret": "hush"})
		long := strings.Repeat("x", 9<<10)
		for _, r := range []struct {
			arn, method, target, body string
			status                    int
			code                      api.Code
			says                      string
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
			{
				anybody, "GET", "/tokens/minut/status?verify=1", "", 400,
				api.InvalidRequest, "verify: expected true or false",
			},
			{anybody, "GET", "/tokens/minut?verify=true", "", 400, api.InvalidRequest, "the query: a parameter"},
			{
				anybody, "POST", "/tokens/minut", `{"code":"hush"}`, 400,
				api.InvalidRequest, "the body: expected no fields but",
			},
			{
				anybody, "PUT", "/tokens/minut", `{"code":"hush","recovery":"hush"}`, 400,
				api.InvalidRequest, "the body: expected scope",
			},
			{
				anybody, "PUT", "/tokens/minut", `{"code":"hush","min_ttl":7}`, 400,
				api.InvalidRequest, "the body: expected scope",
			},
			{anybody, "PUT", "/tokens/minut", "", 400, api.InvalidRequest, "code: expected"},
			{anybody, "PUT", "/tokens/minut", `{"code":"hush\u0007"}`, 400, api.InvalidRequest, "code: expected"},
			{
				anybody, "PUT", "/tokens/minut", `{"code":"hush","code_verifier":"hush"}`, 400,
				api.InvalidRequest, "code_verifier: expected",
			},
			{
				anybody, "PUT", "/tokens/minut", `{"code":"hush","redirect_uri":"http://hush.example/"}`, 400,
				api.InvalidRequest, "redirect_uri: expected",
			},
			{
				anybody, "PUT", "/tokens/minut", `{"renew":true,"recovery":"hush"}`, 400,
				api.InvalidRequest, "the body: expected scope",
			},
			{anybody, "PUT", "/tokens/minut", `{"recovery":"hush!"}`, 400, api.InvalidRequest, "recovery: expected"},
			{
				anybody, "PUT", "/tokens/minut", `{"recovery":"aHVzaA=="}`, 400,
				api.InvalidRequest, "recovery: it is not a blob",
			},
			{
				anybody, "PUT", "/tokens/minut", `{"code":"hush","redirect_uri":"http://127.0.0.1:1/x"}`, 400,
				api.InvalidRequest, "connects no accounts",
			},
			{
				billing, "PUT", "/tokens/movemint", `{"code":"hush","redirect_uri":"http://127.0.0.1:1/x"}`, 400,
				api.InvalidRequest, "account: expected one",
			},
			{
				billing, "PUT", "/tokens/movemint",
				`{"account":"ann","code":"hush","redirect_uri":"http://127.0.0.1:1/x"}`, 403,
				api.AccessDenied, "account: ",
			},
			{
				billing, "GET", "/tokens/movemint/authorize?account=ann&redirect_uri=https://app.test/", "", 403,
				api.AccessDenied, "account: ",
			},
			{billing, "GET", "/tokens/movemint/authorize", "", 400, api.InvalidRequest, "redirect_uri: expected"},
			{
				anybody, "GET", "/tokens/minut/authorize?redirect_uri=https://app.test/", "", 400,
				api.InvalidRequest, "connects no accounts",
			},
			{anybody, "DELETE", "/tokens", "", 405, api.MethodNotAllowed, "GET"},
			{anybody, "POST", "/tokens/minut/status", "", 405, api.MethodNotAllowed, "GET"},
			{
				anybody, "GET", "/tokens/minut?min_ttl=soon", "", 400,
				api.InvalidRequest, "min_ttl: expected a whole number of seconds",
			},
			{anybody, "GET", "/tokens/minut?min_ttl=-1", "", 400, api.InvalidRequest, "min_ttl: "},
			{anybody, "GET", "/tokens/minut?scope=a&scope=b", "", 400, api.InvalidRequest, "scope: expected one value"},
			{anybody, "GET", "/tokens/minut?colour=red", "", 400, api.InvalidRequest, "a parameter that is not known"},
			{
				anybody, "GET", "/tokens/minut?rejected=9f86d081884c7d65", "", 400,
				api.InvalidRequest, "a parameter that is not known",
			},
			{
				anybody, "GET", "/tokens/minut/status?min_ttl=3", "", 400,
				api.InvalidRequest, "a parameter that is not known",
			},
			{anybody, "GET", "/tokens/minut?scope=%zz", "", 400, api.InvalidRequest, "the query"},
			{anybody, "GET", "/tokens/minut?scope=a%22b", "", 400, api.InvalidRequest, "scope: expected scopes"},
			{
				anybody, "GET", "/tokens/minut?audience=a%0d%0ab", "", 400,
				api.InvalidRequest, "audience: expected printable",
			},
			{anybody, "GET", "/tokens/minut?account=%ff", "", 400, api.InvalidRequest, "account: expected text"},
			{anybody, "GET", "/tokens/minut?account=" + long, "", 400, api.InvalidRequest, "account: expected at most"},
			{anybody, "POST", "/tokens/minut?scope=a", `{}`, 400, api.InvalidRequest, "the query"},
			{anybody, "POST", "/tokens/minut", `{"credential":"movemint"}`, 400, api.InvalidRequest, "no fields but"},
			{
				anybody, "POST", "/tokens/minut", `{"client_secret":"hush"}`, 400,
				api.InvalidRequest, `"client_secret": no such field`,
			},
			{
				anybody, "POST", "/tokens/minut", `{"rejected":"hush"}`, 400,
				api.InvalidRequest, "rejected: expected a fingerprint",
			},
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
			got := w.send(r.arn, r.method, r.target, r.body)
			e := problemOf(t, got)
			if got.Status != r.status || e.Code != r.code || !strings.Contains(e.Detail, r.says) {
				t.Errorf(
					"%s %.60s = %d %s %q, want %d %s %q", r.method, r.target, got.Status, e.Code, e.Detail, r.status,
					r.code, r.says,
				)
			}
			if strings.Contains(string(got.Body), "hush") || got.Header["Cache-Control"] != "no-store" ||
				e.RequestID != "r-1" {
				t.Errorf(
					"%s %.60s = %v %s, want the request's id, no-store and no value", r.method, r.target, got.Header,
					got.Body,
				)
			}
		}
		if log := w.Log.String(); strings.Contains(log, "hush") {
			t.Errorf("the log shows a value that may be a secret:\n%s", log)
		}
	})
}

func TestUnknownAndForbiddenLookTheSame(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		unknown := string(w.send(anybody, "GET", "/tokens/nothing", "").Body)
		want := strings.ReplaceAll(unknown, "nothing", "movemint")
		if forbidden := string(w.send(anybody, "GET", "/tokens/movemint", "").Body); forbidden != want {
			t.Errorf("GET of a forbidden token = %s\nwant as of an unknown one: %s", forbidden, want)
		}
	})
}

func TestOneVariantPerScope(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		usual := tokenOf(t, w.send(billing, "GET", "/tokens/movemint", ""))
		for _, same := range []string{"/tokens/movemint?scope=read", "/tokens/movemint?scope=read+read"} {
			if got := tokenOf(t, w.send(billing, "GET", same, "")); got.Fingerprint != usual.Fingerprint {
				t.Errorf("GET %s = %s, want %s, the default's", same, got.Fingerprint, usual.Fingerprint)
			}
		}
		wide := tokenOf(t, w.send(billing, "GET", "/tokens/movemint?scope=write+read", ""))
		same := tokenOf(t, w.send(billing, "POST", "/tokens/movemint", `{"scope":"read write"}`))
		if same.Fingerprint != wide.Fingerprint || wide.Fingerprint == usual.Fingerprint {
			t.Errorf(
				"token of scope %q = %s, of the same in another order %s; want one token, and not the default's %s",
				"write read", wide.Fingerprint, same.Fingerprint, usual.Fingerprint,
			)
		}
	})
}

func TestMinTTL(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		old := tokenOf(t, w.send(anybody, "GET", "/tokens/minut", ""))
		time.Sleep(35 * time.Minute)
		got := tokenOf(t, w.send(anybody, "GET", "/tokens/minut?min_ttl=1200", ""))
		if got.Fingerprint != old.Fingerprint {
			t.Errorf("min_ttl of 20 of 25 minutes: %s, want %s", got.Fingerprint, old.Fingerprint)
		}
		got = tokenOf(t, w.send(anybody, "GET", "/tokens/minut?min_ttl=1800", ""))
		if got.Fingerprint == old.Fingerprint || time.Duration(got.ExpiresIn) != time.Hour {
			t.Errorf("min_ttl of 30 of 25 minutes: %+v, want a new token", got)
		}
	})
}

// status returns the status of minut.
func (w *world) status(t *testing.T) (s api.StatusReport) {
	t.Helper()
	r := w.send(anybody, "GET", "/tokens/minut/status", "")
	if err := json.Unmarshal(r.Body, &s); err != nil || r.Status != 200 {
		t.Fatalf("GET /tokens/minut/status = %d %s, want a status", r.Status, r.Body)
	}
	return s
}

// What was odd about the response with a token stands in the status until a
// response has nothing odd.
func TestFault22_WhatIsOddStandsInTheStatus(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		testworld.Must(t, w.Providers.SetFault("minut",
			simulator.Fault{Expiry: `"soon"`, Set: map[string]string{"error": `"oops"`}}))
		tokenOf(t, w.send(anybody, "GET", "/tokens/minut", ""))
		want := []string{"the expiry cannot be read and counts as not given", "an error stands beside the token"}
		if s := w.status(t); !slices.Equal(s.Warnings, want) {
			t.Errorf("status = warnings %q, want %q", s.Warnings, want)
		}
		testworld.Must(t, w.Providers.SetFault("minut", simulator.Fault{}))
		time.Sleep(time.Hour)
		tokenOf(t, w.send(anybody, "GET", "/tokens/minut", ""))
		if s := w.status(t); s.Warnings != nil {
			t.Errorf("status after the next token = warnings %q, want none", s.Warnings)
		}
	})
}

func TestStatus(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		if s := w.status(t); s.State != api.None || s.Generation != 0 || s.Provider != "minut" {
			t.Errorf("status before the first token = %+v, want none of minut", s)
		}
		token := tokenOf(t, w.send(anybody, "GET", "/tokens/minut", ""))
		if s := w.status(t); s.State != api.Fresh || s.Fingerprint != token.Fingerprint ||
			s.LifetimeFrom != "provider" || s.Failure != nil {
			t.Errorf("status after it = %+v, want fresh, %s", s, token.Fingerprint)
		}
		r := w.send(anybody, "GET", "/tokens/minut/status", "")
		if strings.Contains(string(r.Body), token.AccessToken) {
			t.Errorf("status = %s, which shows the token", r.Body)
		}
		if r := w.send(anybody, "DELETE", "/tokens/minut", ""); r.Status != 200 ||
			!strings.Contains(string(r.Body), `"revoked":false`) {
			t.Errorf("DELETE /tokens/minut = %d %s, want 200, revoked false", r.Status, r.Body)
		}
		again := tokenOf(t, w.send(anybody, "GET", "/tokens/minut", ""))
		if s := w.status(t); again.Fingerprint == token.Fingerprint || s.Generation != 3 {
			t.Errorf("token after DELETE = %s, %+v; want another one, of generation 3", again.Fingerprint, s)
		}
	})
}

func TestList(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		w.send(anybody, "GET", "/tokens/minut", "")
		w.send(billing, "GET", "/tokens/movemint", "")
		const (
			minut    = `{"credential":"minut","provider":"minut"}`
			movemint = `{"credential":"movemint","provider":"movemint"}`
		)
		for arn, want := range map[string]string{
			anybody: `{"credentials":[` + minut + `]}`, billing: `{"credentials":[` + minut + `,` + movemint + `]}`,
		} {
			if r := w.send(arn, "GET", "/tokens", ""); string(r.Body) != want {
				t.Errorf("GET /tokens of %s = %s, want %s", arn, r.Body, want)
			}
		}
		if r := w.send(billing, "GET", "/tokens?limit=1", ""); !strings.Contains(string(r.Body), `"next":"minut"`) {
			t.Errorf("GET /tokens?limit=1 = %s, want next minut", r.Body)
		}
	})
}

func TestEveryAnswerIsOneLineOfTheJournal(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		token := tokenOf(t, w.send(anybody, "GET", "/tokens/minut", ""))
		w.Log.Take()
		w.send(anybody, "GET", "/tokens/minut", "")
		w.send(anybody, "GET", "/tokens/movemint", "")
		w.send(anybody, "GET", "/tokens/..", "")
		log := w.Log.String()
		lines := strings.Split(strings.TrimSpace(log), "\n")
		var vended, refused map[string]any
		_ = json.Unmarshal([]byte(lines[0]), &vended)
		_ = json.Unmarshal([]byte(lines[len(lines)-2]), &refused)
		if vended["msg"] != "vend" || vended["caller"] != anybody || vended["fingerprint"] != token.Fingerprint ||
			vended["source"] != "memory" || vended["request_id"] != "r-1" {
			t.Errorf("line of a vended token = %s, want vend of %s from memory", lines[0], token.Fingerprint)
		}
		if refused["msg"] != "refusal" || refused["caller"] != anybody || refused["credential"] != "movemint" ||
			refused["code"] != "unknown_credential" {
			t.Errorf("line of a refusal = %s, want unknown_credential of movemint", lines[len(lines)-2])
		}
		if strings.Contains(log, token.AccessToken) {
			t.Errorf("the log shows a token:\n%s", log)
		}
	})
}
