package structure_test

import (
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/tokenvend/tokenvend/pkg/api"
)

// calls finds the rows of the table of calls in docs/reference/http.md.
var calls = regexp.MustCompile("(?m)^\\| `([A-Z]+) (/tokens[^` ?]*)[^`]*` \\|.*$")

// direct finds that page's lists of actions of a direct invocation.
var direct = regexp.MustCompile("optionally `\"action\"`: (.*?); (.*?) on the alias `admin`")

func reference(t *testing.T) string {
	t.Helper()
	text, err := os.ReadFile(filepath.Join(root, "docs", "reference", "http.md"))
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

func TestReferenceHasTheOperations(t *testing.T) {
	rows := map[string]string{}
	for _, found := range calls.FindAllStringSubmatch(reference(t), -1) {
		rows[found[1]+" "+strings.ReplaceAll(found[2], "NAME", "{credential}")] = found[0]
	}
	seen, described := map[string]bool{}, map[string]string{} // by action: its rows
	for o := range api.Operations().All() {
		at := o.Method + " " + o.Path
		seen[at] = true
		row, has := rows[at]
		if !has {
			t.Errorf("http.md has no row for %s", at)
			continue
		}
		if says := strings.Contains(row, "For operators"); says != o.Operator {
			t.Errorf("http.md says that %s is for operators: %t, want %t", at, says, o.Operator)
		}
		described[o.Action] += row
		for _, name := range o.Parameters {
			if common := []string{"scope", "audience", "account"}; slices.Contains(common, name) {
				continue
			}
			if !strings.Contains(described[o.Action], name) {
				t.Errorf("http.md does not name the parameter %s of %s", name, at)
			}
		}
	}
	for at := range rows {
		if !seen[at] {
			t.Errorf("http.md has a row for %s, which the API has not", at)
		}
	}
}

func TestReferenceHasTheActions(t *testing.T) {
	found := direct.FindStringSubmatch(reference(t))
	if found == nil {
		t.Fatal("http.md does not list the actions of a direct invocation")
	}
	var everybody, operators []string
	for _, action := range api.Operations().Actions() {
		if o, _ := api.Operations().Operation(action); o.Operator {
			operators = append(operators, action)
		} else {
			everybody = append(everybody, action)
		}
	}
	for i, want := range [][]string{everybody, operators} {
		var got []string
		for _, name := range regexp.MustCompile("`([a-z]+)`").FindAllStringSubmatch(found[i+1], -1) {
			got = append(got, name[1])
		}
		if !slices.Equal(got, want) {
			t.Errorf("http.md lists the actions %v, want %v", got, want)
		}
	}
}
