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

// accepted returns the reasons of docs/explanation/security.md for findings of
// cdk-nag that are accepted, by rule and resource.
func accepted(t *testing.T) map[[2]string]string {
	t.Helper()
	page, err := os.ReadFile(filepath.Join("..", "docs", "explanation", "security.md"))
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
	results := testbed.Lint(t)
	if len(results) != 2 {
		t.Errorf("Lint() = %d files, want the template and its expansion", len(results))
	}
	for file, findings := range results {
		if findings != "" {
			t.Errorf("Lint() of %s = %s, want no findings", filepath.Base(file), findings)
		}
	}
}

func TestTemplateKeepsTheRulesOfCDKNag(t *testing.T) {
	t.Parallel()
	found, reasons := testbed.Nag(t), accepted(t)
	reported := map[[2]string]bool{}
	for _, f := range found {
		at := [2]string{f.Rule, f.Resource}
		if reported[at] = true; reasons[at] == "" {
			t.Errorf("Nag() has %s: %s: %s, want it fixed, or its reason in docs/explanation/security.md", f.Resource, f.Rule,
				f.Info)
		}
	}
	for _, at := range slices.SortedFunc(maps.Keys(reasons),
		func(a, b [2]string) int { return slices.Compare(a[:], b[:]) }) {
		if !reported[at] {
			t.Errorf("docs/explanation/security.md accepts %s of %s, want it removed: cdk-nag does not report it", at[0], at[1])
		}
	}
	t.Logf("cdk-nag: %d findings, each with its reason", len(reported))
}
