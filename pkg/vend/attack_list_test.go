package vend_test

import (
	"encoding/json"
	"fmt"
	"slices"
	"testing"

	"github.com/tokenvend/tokenvend/pkg/api"
)

// A page of the list ends with a name to go on after. That name, and how many
// pages there are, tell nothing of credentials that are not for the caller.
func TestAttack08_TheListsPagesTellNoForbiddenName(t *testing.T) {
	w := newWorld(t)
	tokenOf(t, w.send(billing, "GET", "/tokens/minut", ""))
	tokenOf(t, w.send(billing, "GET", "/tokens/movemint", ""))
	for limit := 1; limit <= 3; limit++ {
		for who, want := range map[string][]string{anybody: {"minut"}, billing: {"minut", "movemint"}} {
			var got []string
			for after := ""; ; {
				target := fmt.Sprintf("/tokens?limit=%d", limit)
				if after != "" {
					target += "&after=" + after
				}
				var page api.Page
				reply := w.send(who, "GET", target, "")
				if err := json.Unmarshal(reply.Body, &page); err != nil {
					t.Fatalf("GET %s = %s: %v", target, reply.Body, err)
				}
				for _, l := range page.Credentials {
					got = append(got, l.Credential)
				}
				if after = page.Next; after == "" {
					break
				}
				if !slices.Contains(want, after) {
					t.Errorf("GET %s for %s: next = %q, which is not for this caller", target, who, after)
				}
			}
			if !slices.Equal(got, want) {
				t.Errorf("the list for %s by pages of %d = %q, want %q", who, limit, got, want)
			}
		}
	}
}
