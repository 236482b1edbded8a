package functions_test

import (
	"bufio"
	"cmp"
	"encoding/json"
	"strings"
	"testing"

	"github.com/tokenvend/tokenvend/internal/testbed"
	"github.com/tokenvend/tokenvend/pkg/api"
)

// audited is the line of one answer in the log.
type audited struct {
	Word        string `json:"msg"`    // what was done, or refusal
	Action      string `json:"action"` // what was refused
	Caller      string `json:"caller"`
	Credential  string `json:"credential"`
	Fingerprint string `json:"fingerprint"`
	Code        string `json:"code"`
	RequestID   string `json:"request_id"`
}

// audit ends a process and returns its lines about answers.
func audit(t *testing.T, p *testbed.Bootstrap) (lines []audited) {
	t.Helper()
	p.Kill()
	for all := bufio.NewScanner(strings.NewReader(p.Output())); all.Scan(); {
		var line audited
		// For a function error aws-lambda-go writes a line of its own, which is
		// not JSON.
		if json.Unmarshal(all.Bytes(), &line) == nil && line.RequestID != "" {
			line.RequestID = ""
			lines = append(lines, line)
		}
	}
	return lines
}

// makeCalls makes one call of each kind, and returns the lines that the log
// must have.
func (h *installation) makeCalls() (want []audited) {
	h.t.Helper()
	record := func(action, caller, name, print string, code api.Code) {
		line := audited{Word: action, Caller: caller, Credential: name, Fingerprint: print, Code: string(code)}
		if code != "" {
			line.Word, line.Action = "refusal", action
		}
		want = append(want, line)
	}
	direct := func(alias, caller string, r api.Request, code api.Code) {
		answer, refused := h.direct(alias, r)
		if codeOf(refused) != code {
			h.t.Errorf("direct(%q, %+v) = %v, want %q", alias, r, refused, code)
		}
		action, print := cmp.Or(r.Action, api.Vend), ""
		if action == api.Vend && refused == nil {
			print = read[api.Token](h.t, answer).Fingerprint
		}
		record(action, caller, r.Credential, print, code)
	}
	direct("", "function", api.Request{Credential: "minut"}, "") // from the provider
	direct("", "function", api.Request{Credential: "minut"}, "") // from memory
	direct("c-minut", "alias:c-minut", api.Request{Credential: "minut"}, "")
	direct("c-minut", "alias:c-minut", api.Request{Credential: "monta"}, unknown)
	direct("c-minut", "alias:c-minut", api.Request{Credential: "absent"}, unknown)
	direct("c-minut", "alias:c-minut", api.Request{Credential: "minut", Action: api.Revoke}, denied)
	direct("admin", "alias:admin", api.Request{Credential: "miden", Scope: "delete"}, denied)
	direct("admin", "alias:admin", api.Request{Credential: "minut", Action: api.Status}, "")
	direct("admin", "alias:admin", api.Request{Action: api.List}, "")
	direct("admin", "alias:admin", api.Request{Credential: "minut", Action: api.Revoke}, "")
	direct("other", "alias:other", api.Request{Credential: "miden"}, unknown)
	direct("$LATEST", "nobody", api.Request{Credential: "minut"}, denied)
	direct("api", "nobody", api.Request{Credential: "minut"}, denied)
	h.expect("admin", api.Request{Credential: "../minut"}, api.InvalidRequest)
	record(api.Vend, "alias:admin", "", "", api.InvalidRequest) // an invalid name is not logged

	over := func(alias, caller, arn, name string, code api.Code) {
		r := h.sendEvent(alias, event(h.t, httpAPI, call{method: "GET", path: "/tokens/" + name, arn: arn}))
		if e := read[api.Error](h.t, []byte(r.Body)); r.Status != 200 && e.Code != code {
			h.t.Errorf("GET %s by %s = %d %s, want %q", name, arn, r.Status, r.Body, code)
		}
		print := ""
		if code == "" {
			print = read[api.Token](h.t, []byte(r.Body)).Fingerprint
		}
		record(api.Vend, caller, name, print, code)
	}
	over("api", billing, billing, "monta", "")
	over("api", worker, worker, "monta", unknown)
	over("api", "nobody", none, "minut", denied)
	over("admin", "nobody", admin, "minut", denied) // forged

	if _, failed := h.invoke("vend", "admin", []byte(`{"credential":7}`)); failed == nil {
		h.t.Error("invoke(malformed) = an answer, want a function error")
	}
	record("request", "alias:admin", "", "", api.InvalidRequest)
	h.sendEvent("api", event(h.t, httpAPI, call{method: "GET", path: "/tokens/minut/", arn: worker}))
	record("request", worker, "", "", unknown)
	return want
}

func TestEveryDecisionIsOneLine(t *testing.T) {
	t.Parallel()
	h := newThreeCredentials(t)
	h.runtimes["vend"] = freshRuntime(h)
	p := h.start("vend")
	want := h.makeCalls()
	got := audit(t, p)
	for i := range max(len(got), len(want)) {
		var g, w audited
		if i < len(got) {
			g = got[i]
		}
		if i < len(want) {
			w = want[i]
		}
		if g != w {
			t.Errorf("line %d = %+v, want %+v", i+1, g, w)
		}
	}
}

// The log and the answer name an invocation as Lambda does, whatever the event
// says its id is.
func TestAttack23_ForgedRequestID(t *testing.T) {
	t.Parallel()
	h := newThreeCredentials(t)
	h.runtimes["vend"] = freshRuntime(h)
	p := h.start("vend")
	const forged = "f0rged-id"
	payload := strings.Replace(string(event(t, httpAPI, call{method: "GET", path: "/tokens/absent", arn: billing})),
		"JKJaXmPLvHcESHA=", strings.Repeat(forged, 5<<20/len(forged)), 1)
	answer := read[api.Error](t, []byte(h.sendEvent("api", []byte(payload)).Body))
	if answer.Code != unknown || !strings.HasPrefix(answer.RequestID, "00000000-") {
		t.Errorf("the answer = %.300v, want %s under Lambda's own request id", answer, unknown)
	}
	p.Kill()
	if log := p.Output(); strings.Contains(log, forged) || !strings.Contains(log, answer.RequestID) {
		t.Errorf("the log of %d bytes = %.300s, want the id %s and not that of the event", len(log), log,
			answer.RequestID)
	}
}
