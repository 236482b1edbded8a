package functions_test

import (
	"maps"
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

// Only the documented command for a first deployment turns the table's deletion
// protection off.
func TestOnlyFirstDeploymentLeavesTableUnprotected(t *testing.T) {
	t.Parallel()
	text, err := os.ReadFile(filepath.Join("..", "samconfig.toml"))
	if err != nil {
		t.Fatal(err)
	}
	found := map[string]string{}
	for _, section := range strings.Split(string(text), "\n[")[1:] {
		name, body, _ := strings.Cut(section, "]\n")
		if _, value, has := strings.Cut(body, "DeletionProtection="); has {
			found[name], _, _ = strings.Cut(value, `"`)
		}
	}
	want := map[string]string{"default.deploy.parameters": "on", "first.deploy.parameters": "off"}
	if !maps.Equal(found, want) {
		t.Errorf("samconfig.toml sets DeletionProtection to %v, want %v", found, want)
	}
}
