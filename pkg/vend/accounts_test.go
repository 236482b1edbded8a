package vend_test

import (
	"encoding/json"
	"fmt"
	"net/url"
	"strings"
	"testing"

	"github.com/tokenvend/tokenvend/pkg/api"
	"github.com/tokenvend/tokenvend/pkg/token"
)

// The accounts of a credential come a page at a time, also where one account
// has several entries, and nothing else of the credential is among them.
func TestAccountsComeByPages(t *testing.T) {
	w := newWorld(t)
	tokenOf(t, w.send(billing, "GET", "/tokens/movemint", ""))
	for _, v := range []token.Variant{
		token.NewVariant("ann", "", ""), token.NewVariant("ann", "", "write"), token.NewVariant("ann b", "", ""),
		token.NewVariant("bob", "", ""),
	} {
		w.Connect(w.NewProcess(), token.Key{Credential: "movemint", Variant: v})
	}
	for limit := 1; limit <= 5; limit++ {
		var got []string
		for after := ""; ; {
			target := fmt.Sprintf("/tokens/movemint/accounts?limit=%d&after=%s", limit, url.QueryEscape(after))
			var page api.AccountPage
			reply := w.send(billing, "GET", strings.TrimSuffix(target, "&after="), "")
			if err := json.Unmarshal(reply.Body, &page); err != nil || len(page.Accounts) > limit {
				t.Fatalf("GET %s = %d %s, %v, want a page", target, reply.Status, reply.Body, err)
			}
			for _, a := range page.Accounts {
				got = append(got, a.Account+":"+a.Scope+":"+string(a.State))
			}
			if after = page.Next; after == "" {
				break
			}
		}
		const want = "ann:read:fresh, ann b:read:fresh, ann:write:fresh, bob:read:fresh"
		if all := strings.Join(got, ", "); all != want {
			t.Errorf("the accounts by pages of %d = %s, want %s", limit, all, want)
		}
	}
	w.send(billing, "DELETE", "/tokens/movemint?account=bob", "")
	if reply := w.send(billing, "GET", "/tokens/movemint/accounts", ""); strings.Contains(string(reply.Body), "bob") {
		t.Errorf("the accounts after a revocation = %s, want no bob", reply.Body)
	}
	if reply := w.send(anybody, "GET", "/tokens/movemint/accounts", ""); reply.Status != 404 {
		t.Errorf("the accounts for another caller = %d %s, want 404", reply.Status, reply.Body)
	}
}
