package client_test

import (
	"context"
	"encoding/json"
	"fmt"
	"testing"

	"github.com/tokenvend/tokenvend/pkg/api"
	"github.com/tokenvend/tokenvend/pkg/client"
)

// pages answers the operation list with the page after a name.
type pages func(after string) api.Page

func (p pages) Send(_ context.Context, r api.Request) ([]byte, error) {
	return json.Marshal(p(r.After))
}

func TestListFollowsThePages(t *testing.T) {
	next := map[string]string{"": "b", "b": "d", "d": ""}
	all, err := client.NewAdmin(pages(func(after string) api.Page {
		return api.Page{Credentials: []api.Listed{{Credential: after + "x"}}, Next: next[after]}
	})).List(t.Context())
	if err != nil || len(all) != 3 || all[2].Credential != "dx" {
		t.Errorf("List() = %+v, %v, want the credentials of three pages", all, err)
	}
}

func TestListEndsWhereTheServerHasNoEnd(t *testing.T) {
	n := 0
	for name, next := range map[string]func(after string) string{
		"the same page":     func(string) string { return "a" },
		"a page before":     func(after string) string { return map[string]string{"": "b", "b": "a", "a": "b"}[after] },
		"ever more of them": func(string) string { n++; return fmt.Sprintf("a%09d", n) },
	} {
		t.Run(name, func(t *testing.T) {
			all, err := client.NewAdmin(pages(func(after string) api.Page {
				return api.Page{Credentials: []api.Listed{{Credential: "x"}}, Next: next(after)}
			})).List(t.Context())
			if err == nil || all != nil {
				t.Errorf("List() = %d credentials, %v, want an error", len(all), err)
			}
		})
	}
}
