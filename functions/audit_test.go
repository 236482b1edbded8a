package functions_test

import (
	"bufio"
	"cmp"
	"encoding/json"
	"fmt"
	"strings"
	"testing"

	"github.com/tokenvend/tokenvend/internal/testbed"
	"github.com/tokenvend/tokenvend/pkg/api"
)

// audited is one answer, as the log has it.
type audited struct {
	Word        string `json:"msg"`    // what was done, or refusal
	Action      string `json:"action"` // what was refused
	Caller      string `json:"caller"`
	Credential  string `json:"credential"`
	Fingerprint string `json:"fingerprint"`
	Code        string `json:"code"`
	RequestID   string `json:"request_id"`
}

// audit returns a process's lines about answers, once it is over.
func audit(t *testing.T, p *testbed.Bootstrap) (lines []audited) {
	t.Helper()
	p.Kill()
	for all := bufio.NewScanner(strings.NewReader(p.Output())); all.Scan(); {
		var line audited
		if json.Unmarshal(all.Bytes(), &line) == nil && line.RequestID != "" { // aws-lambda-go writes a line of its own for a function error, which is no JSON
			line.RequestID = ""
			lines = append(lines, line)
		}
	}
	return lines
}

// asks sends requests in turn, each of its own kind, and returns what has to stand in the log of them.
func (h *house) asks() (want []audited) {
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
			h.t.Errorf("as %q, %+v: %v, want %q", alias, r, refused, code)
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
	record(api.Vend, "alias:admin", "", "", api.InvalidRequest) // what is no name is in no log

	over := func(alias, caller, arn, name string, code api.Code) {
		r := h.eventOn(alias, event(h.t, httpAPI, call{method: "GET", path: "/tokens/" + name, arn: arn}))
		if e := read[api.Error](h.t, []byte(r.Body)); r.Status != 200 && e.Code != code {
			h.t.Errorf("%s as %s: %d %s", name, arn, r.Status, r.Body)
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
		h.t.Error("a payload that is not understood was answered")
	}
	record("request", "alias:admin", "", "", api.InvalidRequest)
	h.eventOn("api", event(h.t, httpAPI, call{method: "GET", path: "/tokens/minut/", arn: worker}))
	record("request", worker, "", "", unknown)
	return want
}

func TestEveryDecisionIsOneLine(t *testing.T) {
	t.Parallel()
	h := newCounter(t)
	h.runtimes["vend"] = freshRuntime(h)
	p := h.start("vend")
	want := h.asks()
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
			t.Errorf("line %d:\n got %s\nwant %s", i+1, fmt.Sprintf("%+v", g), fmt.Sprintf("%+v", w))
		}
	}
}

// The log and the answer name an invocation as Lambda does, whatever the event
// says its id is.
func TestAttack23_ForgedRequestID(t *testing.T) {
	t.Parallel()
	h := newCounter(t)
	h.runtimes["vend"] = freshRuntime(h)
	p := h.start("vend")
	const forged = "f0rged-id"
	payload := strings.Replace(string(event(t, httpAPI, call{method: "GET", path: "/tokens/absent", arn: billing})),
		"JKJaXmPLvHcESHA=", strings.Repeat(forged, 5<<20/len(forged)), 1)
	answer := read[api.Error](t, []byte(h.eventOn("api", []byte(payload)).Body))
	if answer.Code != unknown || !strings.HasPrefix(answer.RequestID, "00000000-") {
		t.Errorf("the answer = %.300v, want %s under Lambda's own request id", answer, unknown)
	}
	p.Kill()
	if log := p.Output(); strings.Contains(log, forged) || !strings.Contains(log, answer.RequestID) {
		t.Errorf("the log of %d bytes does not name the invocation %s, or names it as the event does", len(log), answer.RequestID)
	}
}
