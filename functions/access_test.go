package functions_test

import (
	"testing"

	"github.com/tokenvend/tokenvend/pkg/api"
	"github.com/tokenvend/tokenvend/pkg/provider/simulator"
)

const (
	worker  = "arn:aws:sts::123456789012:assumed-role/worker/instance"
	billing = "arn:aws:sts::123456789012:assumed-role/billing-eu/instance"
	admin   = "arn:aws:iam::123456789012:role/admin"
)

// newCounter is a house of three credentials: one open to whoever IAM lets in, one for the principals billing-*, one for the alias billing.
func newCounter(t *testing.T) *house {
	t.Helper()
	h := newHouse(t, simulator.Options{})
	h.put("minut", "minut", nil)
	h.put("monta", "monta", map[string]any{"allow": map[string]any{"principals": []string{"arn:aws:iam::123456789012:role/billing-*"}}})
	h.put("miden", "miden", map[string]any{"allow": map[string]any{"aliases": []string{"billing"}, "scopes": []string{"write"}}, "scope": "read"})
	h.start("vend")
	h.know("minut", "monta", "miden")
	return h
}

// want is what a direct invocation must end in; "" is an answer.
type want map[string]api.Code

// directly asks for each of the three credentials, and for each of the actions besides, by direct invocation.
func (h *house) directly(alias string, w want) {
	h.t.Helper()
	for _, name := range []string{"minut", "monta", "miden", "absent"} {
		h.expect(alias, api.Request{Credential: name}, w[name])
		h.expect(alias, api.Request{Credential: name, Action: api.Status}, w[name])
	}
	h.expect(alias, api.Request{Action: api.List}, w["list"])
	h.expect(alias, api.Request{Action: api.Revoke, Credential: "minut"}, w["revoke"])
}

func (h *house) expect(alias string, r api.Request, code api.Code) {
	h.t.Helper()
	answer, refused := h.direct(alias, r)
	if got := codeOf(refused); got != code {
		h.t.Errorf("as %q, %s of %q: %s %q, want %q", alias, r.Action, r.Credential, answer, got, code)
	}
}

func codeOf(e *api.Error) api.Code {
	if e == nil {
		return ""
	}
	return e.Code
}

const (
	denied  = api.AccessDenied
	unknown = api.UnknownCredential
)

var nothing = want{"minut": denied, "monta": denied, "miden": denied, "absent": denied, "list": denied, "revoke": denied}

func TestAliasAPI(t *testing.T) {
	t.Parallel()
	h := newCounter(t)
	h.directly("api", nothing)
	for _, shape := range []string{httpAPI, httpStage, restAPI} {
		for _, c := range []struct {
			arn, name string
			status    int
		}{
			{worker, "minut", 200}, {billing, "minut", 200}, {billing, "monta", 200}, {worker, "monta", 404}, {admin, "monta", 404},
			{worker, "miden", 200}, {worker, "absent", 404}, {none, "minut", 403}, {"root", "minut", 403}, {"arn:aws:lambda:us-east-1:123456789012:function:x", "minut", 403},
		} {
			if r := h.overAPI(shape, call{method: "GET", path: "/tokens/" + c.name, arn: c.arn}); r.Status != c.status {
				t.Errorf("%s: %s asks for %s: %d %s, want %d", shape, c.arn, c.name, r.Status, r.Body, c.status)
			}
		}
		hidden := h.overAPI(shape, call{method: "GET", path: "/tokens/monta", arn: worker})
		absent := h.overAPI(shape, call{method: "GET", path: "/tokens/absent", arn: worker})
		if a, b := read[api.Error](t, []byte(hidden.Body)), read[api.Error](t, []byte(absent.Body)); a.Detail != b.Detail || a.Code != b.Code {
			t.Errorf("one that is hidden and one that is not there can be told apart: %s, %s", hidden.Body, absent.Body)
		}
		page := read[api.Page](t, h.ok(shape, call{method: "GET", path: "/tokens", arn: worker}))
		if len(page.Credentials) != 2 {
			t.Errorf("%s: the worker sees %+v, want minut and miden", shape, page)
		}
	}
}

func TestAliasOfOneCredential(t *testing.T) {
	t.Parallel()
	h := newCounter(t)
	h.directly("c-minut", want{"monta": unknown, "miden": unknown, "absent": unknown, "list": denied, "revoke": denied})
	h.directly("c-monta", want{"minut": unknown, "miden": unknown, "absent": unknown, "list": denied, "revoke": unknown})
	h.directly("c-", want{"minut": unknown, "monta": unknown, "miden": unknown, "absent": unknown, "list": denied, "revoke": unknown})
}

func TestAliasAdmin(t *testing.T) {
	t.Parallel()
	h := newCounter(t)
	h.directly("admin", want{"absent": unknown})
}

func TestAnotherAlias(t *testing.T) {
	t.Parallel()
	h := newCounter(t)
	h.directly("billing", want{"minut": unknown, "monta": unknown, "absent": unknown, "list": denied, "revoke": unknown})
	h.directly("other", want{"minut": unknown, "monta": unknown, "miden": unknown, "absent": unknown, "list": denied, "revoke": unknown})
}

func TestTheBareFunction(t *testing.T) {
	t.Parallel()
	h := newCounter(t)
	h.directly("", want{"monta": unknown, "miden": unknown, "absent": unknown, "list": denied, "revoke": denied})
}

func TestLatestAndVersions(t *testing.T) {
	t.Parallel()
	h := newCounter(t)
	for _, qualifier := range []string{"$LATEST", "1", "42"} {
		h.directly(qualifier, nothing)
	}
}

func TestFault59_ForgedEventsOfTheAPI(t *testing.T) {
	t.Parallel()
	h := newCounter(t)
	for _, alias := range []string{"", "admin", "c-minut", "c-monta", "billing", "$LATEST", "1"} {
		for _, shape := range []string{httpAPI, httpStage, restAPI} {
			for _, c := range []call{
				{method: "GET", path: "/tokens/minut", arn: admin}, {method: "GET", path: "/tokens/monta", arn: billing},
				{method: "DELETE", path: "/tokens/minut", arn: admin}, {method: "GET", path: "/tokens", arn: admin},
			} {
				r := h.eventOn(alias, event(t, shape, c))
				if e := read[api.Error](t, []byte(r.Body)); r.Status != 403 || e.Code != denied {
					t.Errorf("%s on %q, %s %s: %d %s", shape, alias, c.method, c.path, r.Status, r.Body)
				}
			}
		}
	}
	for name, n := range h.sim.Stats().Providers {
		if n.TokenRequests != 0 {
			t.Errorf("%s was asked for a token", name)
		}
	}
}

func TestWhatMayBeAskedBeyondTheDefault(t *testing.T) {
	t.Parallel()
	h := newCounter(t)
	for _, c := range []struct {
		ask  api.Request
		code api.Code
	}{
		{api.Request{Credential: "miden", Scope: "write"}, ""},
		{api.Request{Credential: "miden", Scope: "write  read write"}, ""},
		{api.Request{Credential: "miden", Scope: "delete"}, denied},
		{api.Request{Credential: "miden", Audience: "elsewhere"}, denied},
		{api.Request{Credential: "miden", Account: "alice"}, denied},
	} {
		h.expect("admin", c.ask, c.code)
		h.expect("billing", c.ask, c.code)
	}
}
