package vend

import (
	"testing"

	"github.com/tokenvend/tokenvend/pkg/api"
)

func TestEveryOperationHasAHandler(t *testing.T) {
	actions := map[string]bool{}
	for o := range api.Operations().All() {
		actions[o.Action] = true
		if handlers[o.Action] == nil {
			t.Errorf("handlers[%q] = nil, want the handler of %s", o.Action, o.Name)
		}
	}
	for action := range handlers {
		if !actions[action] {
			t.Errorf("handlers has %q, which is the action of no operation", action)
		}
	}
}

// Each parameter that an operation requires or limits is checked.
func TestCheckRefusesEachParameter(t *testing.T) {
	unchecked := map[string]bool{"min_ttl": true, "limit": true, "verify": true, "renew": true} // when they are read
	bad := api.Request{
		Credential: "minut", Scope: "\x07", Audience: "\x07", Account: "\x07", Rejected: "x", After: "../x",
		RedirectURI: "http://example.com/", Code: "\x07", CodeVerifier: "x", Recovery: "!", Destination: "x",
		Accept: "x", AuthorizationResponse: "%",
	}
	for o := range api.Operations().All() {
		for _, name := range append(append([]string{}, o.Parameters...), o.Direct...) {
			t.Run(o.Name+" "+name, func(t *testing.T) {
				one := api.Operation{Path: o.Path, Parameters: []string{name}}
				if err := check(one, bad); (err == nil) != unchecked[name] {
					t.Errorf("check() of a bad %s = %v, want an error: %t", name, err, !unchecked[name])
				}
			})
		}
	}
}
