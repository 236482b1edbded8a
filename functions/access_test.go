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

// newThreeCredentials returns an installation with three credentials: one for
// every caller that IAM admits, one for the principals billing-*, one for the
// alias billing.
func newThreeCredentials(t *testing.T) *installation {
	t.Helper()
	h := newInstallation(t, simulator.Options{})
	h.put("minut", "minut", nil)
	h.put("monta", "monta", map[string]any{
		"allow": map[string]any{"principals": []string{"arn:aws:iam::123456789012:role/billing-*"}},
	})
	h.put("miden", "miden", map[string]any{
		"allow": map[string]any{"aliases": []string{"billing"}, "scopes": []string{"write"}}, "scope": "read",
	})
	h.start("vend")
	h.makeKnown("minut", "monta", "miden")
	return h
}

// want has the error code of a direct invocation; "" is an answer.
type want map[string]api.Code

// checkAlias checks the result of a direct invocation for each of the three
// credentials, and for the other actions.
func (h *installation) checkAlias(alias string, w want) {
	h.t.Helper()
	for _, name := range []string{"minut", "monta", "miden", "absent"} {
		h.expect(alias, api.Request{Credential: name}, w[name])
		h.expect(alias, api.Request{Credential: name, Action: api.Status}, w[name])
	}
	h.expect(alias, api.Request{Action: api.List}, w["list"])
	h.expect(alias, api.Request{Action: api.Revoke, Credential: "minut"}, w["revoke"])
}

func (h *installation) expect(alias string, r api.Request, code api.Code) {
	h.t.Helper()
	answer, refused := h.direct(alias, r)
	if got := codeOf(refused); got != code {
		h.t.Errorf("direct(%q, %s of %q) = %s, %q, want %q", alias, r.Action, r.Credential, answer, got, code)
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

var allDenied = want{"minut": denied, "monta": denied, "miden": denied, "absent": denied, "list": denied,
	"revoke": denied}

func TestAliasAPI(t *testing.T) {
	t.Parallel()
	h := newThreeCredentials(t)
	h.checkAlias("api", allDenied)
	for _, shape := range []string{httpAPI, httpStage, restAPI} {
		for _, c := range []struct {
			arn, name string
			status    int
		}{
			{worker, "minut", 200}, {billing, "minut", 200}, {billing, "monta", 200}, {worker, "monta", 404}, {admin,
				"monta", 404},
			{worker, "miden", 200}, {worker, "absent", 404}, {none, "minut", 403}, {"root", "minut", 403},
			{"arn:aws:lambda:us-east-1:123456789012:function:x", "minut", 403},
		} {
			if r := h.overAPI(shape, call{method: "GET", path: "/tokens/" + c.name, arn: c.arn}); r.Status != c.status {
				t.Errorf("%s of %s by %s = %d %s, want %d", shape, c.name, c.arn, r.Status, r.Body, c.status)
			}
		}
		hidden := h.overAPI(shape, call{method: "GET", path: "/tokens/monta", arn: worker})
		absent := h.overAPI(shape, call{method: "GET", path: "/tokens/absent", arn: worker})
		if a, b := read[api.Error](t, []byte(hidden.Body)), read[api.Error](t,
			[]byte(absent.Body)); a.Detail != b.Detail || a.Code != b.Code {
			t.Errorf("%s of a forbidden credential = %s, want as of an absent one, %s", shape, hidden.Body, absent.Body)
		}
		page := read[api.Page](t, h.ok(shape, call{method: "GET", path: "/tokens", arn: worker}))
		if len(page.Credentials) != 2 {
			t.Errorf("%s of the list by the worker = %+v, want minut and miden", shape, page)
		}
	}
}

func TestAliasOfOneCredential(t *testing.T) {
	t.Parallel()
	h := newThreeCredentials(t)
	h.checkAlias("c-minut", want{"monta": unknown, "miden": unknown, "absent": unknown, "list": denied,
		"revoke": denied})
	h.checkAlias("c-monta", want{"minut": unknown, "miden": unknown, "absent": unknown, "list": denied,
		"revoke": unknown})
	h.checkAlias("c-", want{"minut": unknown, "monta": unknown, "miden": unknown, "absent": unknown, "list": denied,
		"revoke": unknown})
}

func TestAliasAdmin(t *testing.T) {
	t.Parallel()
	h := newThreeCredentials(t)
	h.checkAlias("admin", want{"absent": unknown})
}

func TestAnotherAlias(t *testing.T) {
	t.Parallel()
	h := newThreeCredentials(t)
	h.checkAlias("billing", want{"minut": unknown, "monta": unknown, "absent": unknown, "list": denied,
		"revoke": unknown})
	h.checkAlias("other", want{"minut": unknown, "monta": unknown, "miden": unknown, "absent": unknown,
		"list": denied, "revoke": unknown})
}

func TestBareFunction(t *testing.T) {
	t.Parallel()
	h := newThreeCredentials(t)
	h.checkAlias("", want{"monta": unknown, "miden": unknown, "absent": unknown, "list": denied, "revoke": denied})
}

func TestLatestAndVersions(t *testing.T) {
	t.Parallel()
	h := newThreeCredentials(t)
	for _, qualifier := range []string{"$LATEST", "1", "42"} {
		h.checkAlias(qualifier, allDenied)
	}
}

func TestFault59_ForgedEventsOfTheAPI(t *testing.T) {
	t.Parallel()
	h := newThreeCredentials(t)
	for _, alias := range []string{"", "admin", "c-minut", "c-monta", "billing", "$LATEST", "1"} {
		for _, shape := range []string{httpAPI, httpStage, restAPI} {
			for _, c := range []call{
				{method: "GET", path: "/tokens/minut", arn: admin}, {method: "GET", path: "/tokens/monta",
					arn: billing},
				{method: "DELETE", path: "/tokens/minut", arn: admin}, {method: "GET", path: "/tokens", arn: admin},
			} {
				r := h.sendEvent(alias, event(t, shape, c))
				if e := read[api.Error](t, []byte(r.Body)); r.Status != 403 || e.Code != denied {
					t.Errorf("%s %s as %s at the alias %q = %d %s, want 403", c.method, c.path, shape, alias,
						r.Status, r.Body)
				}
			}
		}
	}
	for name, n := range h.sim.Stats().Providers {
		if n.TokenRequests != 0 {
			t.Errorf("%s had %d token requests, want 0", name, n.TokenRequests)
		}
	}
}

func TestParametersBeyondTheDefault(t *testing.T) {
	t.Parallel()
	h := newThreeCredentials(t)
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
