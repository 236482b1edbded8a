//go:build testall

package testbed

import (
	"bytes"
	"flag"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"
)

var update = flag.Bool("update", false, "write testdata/template.json anew")

func TestGoldenTemplate(t *testing.T) {
	_, path, err := goldenFile()
	if err != nil {
		t.Fatal(err)
	}
	want, err := newGolden(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if *update {
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, want, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	if got, err := os.ReadFile(path); err != nil || !bytes.Equal(got, want) {
		t.Errorf("%s is not what the translator makes of template.yaml (%v): run %s", path, err, writeGolden)
	}
}

// The functions that the resolver in Go returns equal those that moto creates.
func TestGoldenTemplateResolvesAsMotoDoes(t *testing.T) {
	ours, motos := GoldenTemplate(t), motoTemplate(t)
	if !reflect.DeepEqual(ours.Aliases, motos.Aliases) || ours.TTL != motos.TTL ||
		!reflect.DeepEqual(ours.Table, motos.Table) {
		t.Errorf(
			"aliases %v, TTL %s, table %+v; moto has %v, %s, %+v", ours.Aliases, ours.TTL, ours.Table, motos.Aliases,
			motos.TTL, motos.Table,
		)
	}
	if len(ours.Functions) != len(motos.Functions) {
		t.Errorf("%d functions, moto makes %d", len(ours.Functions), len(motos.Functions))
	}
	for name, f := range ours.Functions {
		got, want := ours.neutral(f), motos.neutral(motos.Functions[name])
		if !reflect.DeepEqual(got, want) {
			t.Errorf("%s resolves to\n%+v, moto's is\n%+v", name, got, want)
		}
	}
}

// neutral replaces the values in which two stacks must differ.
func (s *Stack) neutral(f Function) Function {
	words := map[string]string{
		s.Parameters.Table: "TABLE", s.SecretKey: "SECRET-KEY", f.Environment["TOKENVEND_SEAL_KEY"]: "SEAL-KEY",
		f.account(): "ACCOUNT",
	}
	replace := func(text string) string {
		for _, from := range []string{
			s.Parameters.Table, s.SecretKey, f.Environment["TOKENVEND_SEAL_KEY"], f.account(),
		} {
			text = strings.ReplaceAll(text, from, words[from])
		}
		return text
	}
	n := Function{Name: f.Name, Timeout: f.Timeout, Memory: f.Memory, Environment: map[string]string{}}
	for name, value := range f.Environment {
		n.Environment[name] = replace(value)
	}
	for _, st := range f.Policy {
		if st.Sid == "Logs" { // its resource ends in a name that the stack generates
			st.Resource = nil
		}
		resources := OneOrMore{}
		for _, r := range st.Resource {
			resources = append(resources, replace(r))
		}
		condition := Condition{}
		for operator, keys := range st.Condition {
			condition[operator] = map[string]OneOrMore{}
			for key, values := range keys {
				for _, value := range values {
					condition[operator][key] = append(condition[operator][key], replace(value))
				}
			}
		}
		st.Resource, st.Condition = resources, condition
		n.Policy = append(n.Policy, st)
	}
	return n
}
