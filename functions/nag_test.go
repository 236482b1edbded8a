//go:build testall

package functions_test

import (
	"maps"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/tokenvend/tokenvend/internal/testbed"
)

// The names of the rules of cdk-nag, and of AWS Control Tower.
const (
	nagRule   = `(?:AwsSolutions|Serverless)-[^|]+`
	guardRule = `[a-z0-9_]+_check`
)

// accepted returns the reasons of docs/explanation/security.md for findings
// that are accepted, by rule and resource, of the rules with such names. A row
// may have several resources.
func accepted(t *testing.T, rules string) map[[2]string]string {
	t.Helper()
	page, err := os.ReadFile(filepath.Join("..", "docs", "explanation", "security.md"))
	if err != nil {
		t.Fatal(err)
	}
	reasons := map[[2]string]string{}
	row := regexp.MustCompile(`(?m)^\| (` + rules + `) \| ([A-Za-z0-9, ]+) \| (\S[^|]+) \|$`)
	for _, r := range row.FindAllStringSubmatch(string(page), -1) {
		for resource := range strings.SplitSeq(r[2], ", ") {
			reasons[[2]string{r[1], resource}] = r[3]
		}
	}
	return reasons
}

// checkFindings fails for a finding without a reason, and for a reason without
// a finding.
func checkFindings(t *testing.T, found []testbed.Finding, reasons map[[2]string]string) {
	t.Helper()
	reported := map[[2]string]bool{}
	for _, f := range found {
		at := [2]string{f.Rule, f.Resource}
		if reported[at] = true; reasons[at] == "" {
			t.Errorf("%s is found in %s: %s, want it fixed, or its reason in docs/explanation/security.md", f.Rule, f.Resource, f.Info)
		}
	}
	for _, at := range slices.SortedFunc(maps.Keys(reasons),
		func(a, b [2]string) int { return slices.Compare(a[:], b[:]) }) {
		if !reported[at] {
			t.Errorf("docs/explanation/security.md accepts %s of %s, want it removed: it is not found", at[0], at[1])
		}
	}
	t.Logf("%d findings, each with its reason", len(reported))
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
	checkFindings(t, testbed.Nag(t), accepted(t, nagRule))
}

func TestTemplateKeepsTheRulesOfControlTower(t *testing.T) {
	t.Parallel()
	checkFindings(t, testbed.Guard(t), accepted(t, guardRule))
}
