package functions_test

import (
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

// templateText returns template.yaml.
func templateText(t *testing.T) string {
	t.Helper()
	text, err := os.ReadFile(filepath.Join("..", "template.yaml"))
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

var yamlAnchor = regexp.MustCompile(`(?:^|[-:,\[{]\s+)[&*][A-Za-z][^\s,}\]]*`)

// CloudFormation accepts no YAML anchors and aliases: the SAM CLI resolves them
// and other ways to deploy do not (AWS CloudFormation User Guide, "Template
// formats").
func TestTemplateHasNoYAMLAnchors(t *testing.T) {
	t.Parallel()
	for i, line := range strings.Split(templateText(t), "\n") {
		if found := yamlAnchor.FindString(line); found != "" && !strings.HasPrefix(strings.TrimSpace(line), "#") {
			t.Errorf("template.yaml:%d has the anchor or alias %q, want none", i+1, strings.TrimSpace(found))
		}
	}
	for _, line := range []string{"Policy: &name", "Policy: *name", "- *name", "{ a: 1, b: *name }"} {
		if !yamlAnchor.MatchString(line) {
			t.Errorf("yamlAnchor does not match %q", line)
		}
	}
}
