//go:build testall

package functions_test

import (
	"maps"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"testing"

	"github.com/tokenvend/tokenvend/internal/testbed"
)

// accepted are the rows of docs/security.md that say why a finding of cdk-nag's stands, by rule and resource.
func accepted(t *testing.T) map[[2]string]string {
	t.Helper()
	page, err := os.ReadFile(filepath.Join("..", "docs", "security.md"))
	if err != nil {
		t.Fatal(err)
	}
	rows := map[[2]string]string{}
	for _, row := range regexp.MustCompile(`(?m)^\| ((?:AwsSolutions|Serverless)-[^|]+) \| ([A-Za-z0-9]+) \| (\S[^|]+) \|$`).FindAllStringSubmatch(string(page), -1) {
		rows[[2]string{row[1], row[2]}] = row[3]
	}
	return rows
}

func TestTemplateIsClean(t *testing.T) {
	t.Parallel()
	said := testbed.Lint(t)
	if len(said) != 2 {
		t.Errorf("cfn-lint saw %d files, want the template and its expansion", len(said))
	}
	for file, findings := range said {
		if findings != "" {
			t.Errorf("%s:\n%s", filepath.Base(file), findings)
		}
	}
}

func TestTemplateKeepsTheRulesOfCDKNag(t *testing.T) {
	t.Parallel()
	found, reasons := testbed.Nag(t), accepted(t)
	stands := map[[2]string]bool{}
	for _, f := range found {
		at := [2]string{f.Rule, f.Resource}
		if stands[at] = true; reasons[at] == "" {
			t.Errorf("%s: %s: %s; mend it, or say in docs/security.md why it stands", f.Resource, f.Rule, f.Info)
		}
	}
	for _, at := range slices.SortedFunc(maps.Keys(reasons), func(a, b [2]string) int { return slices.Compare(a[:], b[:]) }) {
		if !stands[at] {
			t.Errorf("%s: %s is no finding any more; docs/security.md says why it stands", at[1], at[0])
		}
	}
	t.Logf("cdk-nag: %d findings, each with its reason", len(stands))
}
