package simulator

import (
	"encoding/json"
	"maps"
	"reflect"
	"slices"
	"strings"
	"testing"
)

// Each of the faults can be set, over the wire too, and together they use every
// field that makes a fault.
func TestEveryFault(t *testing.T) {
	s := New(Options{})
	used := map[string]bool{"Times": true, "Only": true} // they say when, not what
	for name, f := range EveryFault("told", "token") {
		text, err := json.Marshal(f)
		var read Fault
		if err == nil {
			err = json.Unmarshal(text, &read)
		}
		if err == nil {
			err = s.SetFaults(read)
		}
		if err != nil || !reflect.DeepEqual(read, f) {
			t.Errorf("%s: %v, want no error and reflect.DeepEqual(read, f)", name, err)
		}
		v := reflect.ValueOf(f)
		for i := range v.NumField() {
			used[v.Type().Field(i).Name] = used[v.Type().Field(i).Name] || !v.Field(i).IsZero()
		}
	}
	for _, field := range slices.Sorted(maps.Keys(used)) {
		if !used[field] {
			t.Errorf("no fault uses %s, want used[field]", field)
		}
	}
}

func TestIssued(t *testing.T) {
	s := New(Options{})
	refresh, err := s.IssueRefreshToken("movemint", "demo-movemint", "someone", "")
	if err != nil {
		t.Fatal(err)
	}
	if got := s.IssuedTokens("movemint"); len(got) != 2 || !slices.Contains(got, refresh) ||
		strings.Contains(strings.Join(got, ""), " ") {
		t.Errorf(`%d tokens, want len(got) = 2 and slices.Contains(got, refresh) and not strings.Contains(strings.Join(got, ""), " ")`, len(got))
	}
	if got := s.IssuedTokens("nobody"); got != nil {
		t.Errorf(`s.IssuedTokens("nobody") = %q, want nil`, got)
	}
}
