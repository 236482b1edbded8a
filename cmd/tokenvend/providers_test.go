package main

import (
	"encoding/json"
	"strings"
	"testing"

	"github.com/tokenvend/tokenvend/cmd/tokenvend/internal/clierror"
	"github.com/tokenvend/tokenvend/pkg/descriptor/catalog"
)

func TestProvidersListsTheCatalogue(t *testing.T) {
	dir := t.TempDir()
	var list struct {
		Providers []struct {
			Name, Title, Compared string
			Grants                []string
			Asks                  []string `json:"asks_for"`
			Assumed               bool
		}
	}
	out := tv(t, dir, "", "providers", "--json").want(t, clierror.OK).out
	if err := json.Unmarshal([]byte(out), &list); err != nil || len(list.Providers) != len(catalog.Names()) {
		t.Fatalf("providers --json = %d providers, %v, want %d", len(list.Providers), err, len(catalog.Names()))
	}
	for _, p := range list.Providers {
		if p.Title == "" || len(p.Grants) == 0 || p.Assumed != (p.Compared == "") {
			t.Errorf("providers --json has %+v, want a title, grants, and one of assumed and compared", p)
		}
	}
	for search, want := range map[string]string{
		"SERVICENOW": "servicenow,servicenow-jwt", "entra id": "entra,entra-certificate,entra-federated",
	} {
		out := tv(t, dir, "", "providers", search).want(t, clierror.OK).out
		var names []string
		for line := range strings.Lines(out) {
			names = append(names, strings.Fields(line)[0])
		}
		if got := strings.Join(names[1:], ","); got != want {
			t.Errorf("providers %s lists %s, want %s", search, got, want)
		}
	}
	tv(t, dir, "", "providers", "nobody").want(t, clierror.NotFound, "a descriptor describes any other")
	tv(t, dir, "", "providers", "a", "b").want(t, clierror.BadUsage, "one text to search for")
}

func TestProvidersShow(t *testing.T) {
	dir := t.TempDir()
	out := tv(t, dir, "", "providers", "show", "auth0").want(t, clierror.OK).out
	for _, want := range []string{
		"https://auth0.com/docs/", "compared on", "Create a machine-to-machine application",
		"one of us, eu, au, jp, uk, ca", "monthly quota", `"tenant": "acme"`, "add NAME --provider auth0",
	} {
		if !strings.Contains(out, want) {
			t.Errorf("providers show auth0 prints %s\nwant it to have %s", out, want)
		}
	}
	out = tv(t, dir, "", "providers", "show", "atlassian").want(t, clierror.OK).out
	if !strings.Contains(out, "assumed") {
		t.Errorf("providers show atlassian prints %s\nwant it to have assumed", out)
	}
	var shown struct {
		Fields []struct{ Field string }
	}
	out = tv(t, dir, "", "providers", "show", "auth0", "--output", "json").want(t, clierror.OK).out
	if err := json.Unmarshal([]byte(out), &shown); err != nil {
		t.Fatal(err)
	}
	var fields []string
	for _, f := range shown.Fields {
		fields = append(fields, f.Field)
	}
	const want = "client_id variables.tenant variables.region audience client_secret"
	if got := strings.Join(fields, " "); got != want {
		t.Errorf("providers show auth0 has the fields %s, want %s", got, want)
	}
	tv(t, dir, "", "providers", "show", "nobody").want(t, clierror.NotFound, "tokenvend providers lists them")
	tv(t, dir, "", "providers", "show").want(t, clierror.BadUsage, "the name of one provider")
}
