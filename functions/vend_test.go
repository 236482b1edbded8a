package functions_test

import (
	"bytes"
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/tokenvend/tokenvend/pkg/api"
	"github.com/tokenvend/tokenvend/pkg/provider/simulator"
	"github.com/tokenvend/tokenvend/pkg/token"
)

var providers = []string{"minut", "movemint", "trackmania", "miden", "monta"}

func TestFiveProvidersInEveryShape(t *testing.T) {
	t.Parallel()
	h := newInstallation(t, simulator.Options{})
	for _, name := range providers {
		h.put(name, name, nil)
	}
	h.start("vend")
	h.makeKnown(providers...)
	for _, name := range providers {
		for _, shape := range []string{httpAPI, httpStage, restAPI} {
			r := h.overAPI(shape, call{method: "GET", path: "/tokens/" + name})
			h.checkToken(name, []byte(r.Body))
			checkGolden(t, "api."+name+".answer.json", r)
		}
		answer, failed := h.invoke("vend", "", directEvent(t, name))
		if failed != nil {
			t.Fatalf("invoke(%s) = %v, want a token", name, failed)
		}
		h.checkToken(name, answer)
		checkGolden(t, "direct."+name+".answer.json", json.RawMessage(answer))
	}
	for name, n := range h.sim.Stats().Providers {
		if n.TokenRequests != 1 || n.Issued != 1 {
			t.Errorf("%s had %d token requests for four vends, want 1", name, n.TokenRequests)
		}
	}
}

// directEvent returns the golden direct payload for a credential.
func directEvent(t *testing.T, name string) []byte {
	t.Helper()
	return bytes.ReplaceAll(golden(t, "direct.event.json"), []byte("minut"), []byte(name))
}

// checkToken checks what a golden file cannot have: that the provider accepts
// the token, and that its times are those of a new token.
func (h *installation) checkToken(provider string, answer []byte) {
	h.t.Helper()
	v := read[api.Token](h.t, answer)
	now := time.Now()
	left := v.ExpiresAt.Sub(now)
	if !h.sim.Accepts(provider, v.AccessToken) || v.Fingerprint != fingerprint(v.AccessToken) {
		h.t.Errorf("the token of %s = %s, want one that the provider accepts", provider, v.Fingerprint)
	}
	if left <= 0 || (time.Duration(v.ExpiresIn)-left).Abs() > 2*time.Second || v.CacheUntil.After(v.ExpiresAt) ||
		v.CacheUntil.Before(now.Add(-time.Second)) {
		h.t.Errorf("the token of %s expires in %v, at %v, cache until %v, want times that agree", provider,
			time.Duration(v.ExpiresIn), v.ExpiresAt, v.CacheUntil)
	}
}

func TestMalformedEvents(t *testing.T) {
	t.Parallel()
	h := newInstallation(t, simulator.Options{})
	h.put("minut", "minut", nil)
	h.start("vend")
	for _, shape := range []string{httpAPI, restAPI} {
		checkGolden(t, shape+".malformed.answer.json", h.sendEvent("api", golden(t, shape+".malformed.json")))
	}
	answer, failed := h.invoke("vend", "", golden(t, "direct.malformed.json"))
	if failed == nil {
		t.Fatalf("invoke(malformed) = %s, want a function error", answer)
	}
	checkGolden(t, "direct.malformed.answer.json",
		map[string]any{"errorType": failed.ErrorType, "errorMessage": json.RawMessage(failed.ErrorMessage)})
	for _, payload := range []string{
		``, `null`, `[]`, `7`, `"minut"`, `{`, `{"credential":7}`, `{"credential":"minut"}{}`,
		`{"credential":"../minut"}`, `{"credential":"minut","limit":-1e9}`,
		`{"requestContext":7}`, `{"requestContext":[]}`, `{"requestContext":null,"credential":""}`,
		strings.Repeat(`{"a":`, 20000), `{"credential":"` + strings.Repeat("m", 9000) + `"}`, "\xff\xfe",
	} {
		if answer, failed := h.invoke("vend", "admin", []byte(payload)); failed == nil ||
			failed.ErrorType != string(api.InvalidRequest) {
			t.Errorf("invoke(%.40q) = %.100s, %v, want invalid_request", payload, answer, failed)
		}
	}
	if n := h.sim.Stats().Providers["minut"].TokenRequests; n != 0 {
		t.Errorf("minut had %d token requests, want 0", n)
	}
}

func TestPathsThatIAMDidNotAuthorize(t *testing.T) {
	t.Parallel()
	h := newInstallation(t, simulator.Options{})
	h.put("minut", "minut", nil)
	h.start("vend")
	for _, path := range []string{"/tokens/minut/", "//tokens/minut", "/tokens//minut", "/tokens/./minut",
		"/tokens/x/../minut", "/tokens/minut;a=b", "/tokens/MINUT", "/Tokens/minut", "/tokens/%6dinut",
		"/tokens/minut%2F", "/prod/tokens/minut", "/tokens/minut/status/", ""} {
		for _, shape := range []string{httpAPI, restAPI} {
			r := h.overAPI(shape, call{method: "GET", path: path})
			if e := read[api.Error](t, []byte(r.Body)); r.Status != 404 || e.Code != api.UnknownCredential {
				t.Errorf("%s of %q = %d %s, want 404", shape, path, r.Status, r.Body)
			}
		}
	}
}

func TestEveryActionOverTheAPI(t *testing.T) {
	t.Parallel()
	h := newInstallation(t, simulator.Options{})
	h.put("movemint", "movemint", nil)
	h.start("vend")
	h.makeKnown("movemint")
	for _, d := range deployments {
		call := func(method, path, query, body string) call {
			return call{method: method, path: path, query: query, body: body, prefix: d.prefix}
		}
		v := read[api.Token](t, h.ok(d.shape, call("POST", "/tokens/movemint", "", `{"min_ttl":600}`)))
		s := read[api.StatusReport](t, h.ok(d.shape, call("GET", "/tokens/movemint/status", "", "")))
		if s.State != api.Fresh || s.Fingerprint != v.Fingerprint {
			t.Errorf("%v of the status = %+v, want %s fresh", d, s, v.Fingerprint)
		}
		p := read[api.Page](t, h.ok(d.shape, call("GET", "/tokens", "limit=10", "")))
		if len(p.Credentials) != 1 || p.Credentials[0].Provider != "movemint" {
			t.Errorf("%v of the list = %+v, want movemint", d, p)
		}
		h.ok(d.shape, call("DELETE", "/tokens/movemint", "", ""))
		again := read[api.Token](t, h.ok(d.shape, call("GET", "/tokens/movemint", "", "")))
		if again.Fingerprint == v.Fingerprint {
			t.Errorf("%v after a revocation = %s, want another token", d, again.Fingerprint)
		}
		report := `{"rejected":"` + h.token("movemint").Fingerprint + `"}`
		young := h.overAPI(d.shape, call("POST", "/tokens/movemint", "", report))
		if young.Status != 429 || young.Headers["Retry-After"] == "" {
			t.Errorf("%v of a report of a new token = %+v, want 429 with Retry-After", d, young)
		}
	}
}

// ok sends a call that must be answered with 200.
func (h *installation) ok(shape string, c call) []byte {
	h.t.Helper()
	r := h.overAPI(shape, c)
	if r.Status != 200 {
		h.t.Errorf("%s %s as %s = %d %s, want 200", c.method, c.path, shape, r.Status, r.Body)
	}
	for name, want := range map[string]string{"Cache-Control": "no-store", "Pragma": "no-cache",
		"X-Content-Type-Options": "nosniff"} {
		if r.Headers[name] != want {
			h.t.Errorf("%s %s as %s: header %s = %q, want %q", c.method, c.path, shape, name, r.Headers[name], want)
		}
	}
	return []byte(r.Body)
}

// checkGolden compares an answer with its golden file, without the parts that
// vary.
func checkGolden(t *testing.T, name string, answer any) {
	t.Helper()
	if r, ok := answer.(reply); ok {
		answer = map[string]any{"statusCode": r.Status, "headers": r.Headers, "body": json.RawMessage(r.Body)}
	}
	data, err := json.Marshal(answer)
	if err != nil {
		t.Fatal(err)
	}
	got, err := json.MarshalIndent(normal(read[any](t, data)), "", "  ")
	if err != nil {
		t.Fatal(err)
	}
	got = append(got, '\n')
	if *update {
		if err := os.WriteFile(filepath.Join("testdata", name), got, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	if want := golden(t, name); !bytes.Equal(got, want) {
		t.Errorf("the answer = %s, want that of %s: %s", got, name, want)
	}
}

// normal replaces values that vary from run to run by a word, if they have the
// right form.
func normal(v any) any {
	fields, ok := v.(map[string]any)
	if !ok {
		return v
	}
	for name, value := range fields {
		text, _ := value.(string)
		_, badTime := time.Parse(time.RFC3339, text)
		switch {
		case name == "access_token" && text != "":
			fields[name] = "TOKEN"
		case name == "fingerprint" && token.IsFingerprint(text):
			fields[name] = "FINGERPRINT"
		case name == "expires_in" && value.(float64) > 0:
			fields[name] = "SECONDS"
		case (name == "expires_at" || name == "cache_until") && badTime == nil:
			fields[name] = "TIME"
		case name == "request_id" && strings.HasPrefix(text, "00000000-"):
			fields[name] = "REQUEST"
		default:
			fields[name] = normal(value)
		}
	}
	return fields
}
