package iampolicy

import (
	"encoding/json"
	"slices"
	"strings"
	"testing"
)

func TestReaches(t *testing.T) {
	const arn = "arn:aws:lambda:us-east-1:123456789012:function:F"
	for policy, want := range map[string]string{
		`{"Resource":"*"}`:                          "api admin -",
		`{"Resource":["` + arn + `:a*"]}`:           "api admin",
		`{"Resource":"` + arn + `:${*}"}`:           "api admin",
		`{"Resource":"arn:aws:lambda:*:*:*:F:api"}`: "api",
		`{"Resource":"` + arn + `?api"}`:            "api",
		`{"Resource":"` + arn + `:API"}`:            "",
		`{"NotResource":"` + arn + `:*"}`:           "-",
		`{"NotResource":"` + arn + `:${x}"}`:        "api admin -",
		`{"NotResource":"*"}`:                       "",
	} {
		var s Statement
		if err := json.Unmarshal([]byte(policy), &s); err != nil {
			t.Fatal(err)
		}
		var names []string
		for _, some := range s.Reaches(arn) {
			names = append(names, some...)
		}
		if i := slices.Index(names, ""); i >= 0 {
			names[i] = "-"
		}
		if got := strings.Join(names, " "); got != want {
			t.Errorf("Reaches(%s) = %q, want %q", policy, got, want)
		}
	}
}

func TestInvokes(t *testing.T) {
	for policy, want := range map[string]bool{
		`{"Effect":"Allow","Action":"LAMBDA:invoke*"}`:                     true,
		`{"Effect":"Allow","Action":["lambda:Get*","lambda:InvokeAsync"]}`: true,
		`{"Effect":"Allow","NotAction":"lambda:Invoke*"}`:                  false,
		`{"Effect":"Allow","NotAction":"lambda:InvokeFunction"}`:           true,
		`{"Effect":"Deny","Action":"*"}`:                                   false,
		`{"Effect":"Allow","Action":"lambda:GetFunction"}`:                 false,
	} {
		var s Statement
		if err := json.Unmarshal([]byte(policy), &s); err != nil || s.Invokes() != want {
			t.Errorf("Invokes(%s) = %t, %v, want %t", policy, s.Invokes(), err, want)
		}
	}
	if !(Statement{NotPrincipal: "x"}).Anybody() {
		t.Error("Anybody() of a statement with NotPrincipal = false, want true")
	}
}
