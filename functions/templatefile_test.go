package functions_test

import (
	"maps"
	"os"
	"path/filepath"
	"reflect"
	"regexp"
	"strings"
	"testing"

	"github.com/tokenvend/tokenvend/internal/testbed"
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

// What an account demands is left out unless its parameter is given.
func TestTemplateObeysTheAccountsRules(t *testing.T) {
	t.Parallel()
	given := map[string]any{
		"PermissionsBoundaryArn": "arn:aws:iam::123456789012:policy/boundary", "RolePath": "/teams/a/",
		"SubnetIds": "subnet-1,subnet-2", "SecurityGroupIds": "sg-1", "VendConcurrency": "50", "RotateConcurrency": "2",
		"LogKeyArn": "arn:aws:kms:us-east-1:123456789012:key/logs", "VendMemory": "3008",
		"CaLayerArn": "arn:aws:lambda:us-east-1:123456789012:layer:ca:1", "SecretKeyArn": "arn:aws:kms:::key/1",
		"Tracing": "on",
	}
	network := map[string]any{
		"SubnetIds": []any{"subnet-1", "subnet-2"}, "SecurityGroupIds": []any{"sg-1"},
	}
	for _, c := range []struct {
		resource, property string
		want               any
	}{
		{"VendRole", "PermissionsBoundary", given["PermissionsBoundaryArn"]}, {"VendRole", "Path", "/teams/a/"},
		{"RotateRole", "PermissionsBoundary", given["PermissionsBoundaryArn"]}, {"RotateRole", "Path", "/teams/a/"},
		{"VendFunction", "VpcConfig", network}, {"RotateFunction", "VpcConfig", network},
		{"VendFunction", "Layers", []any{given["CaLayerArn"]}},
		{"RotateFunction", "Layers", []any{given["CaLayerArn"]}},
		{"VendFunction", "ReservedConcurrentExecutions", "50"}, {"RotateFunction", "ReservedConcurrentExecutions", "2"},
		{"VendLog", "KmsKeyId", given["LogKeyArn"]}, {"RotateLog", "KmsKeyId", given["LogKeyArn"]},
		{"AccessLog", "KmsKeyId", given["LogKeyArn"]},
	} {
		if got := testbed.Property(t, c.resource, c.property, given); !reflect.DeepEqual(got, c.want) {
			t.Errorf("%s.%s = %v, want %v", c.resource, c.property, got, c.want)
		}
		if got := testbed.Property(t, c.resource, c.property, nil); got != nil {
			t.Errorf("%s.%s = %v without parameters, want none", c.resource, c.property, got)
		}
	}
	name := testbed.Property(t, "AccessLog", "LogGroupName", nil)
	if got, want := name, "/aws/vendedlogs/tokenvend-1/access"; got != want {
		t.Errorf("AccessLog.LogGroupName = %v, want %s", got, want)
	}
	if got := testbed.Property(t, "VendFunction", "MemorySize", given); got != "3008" {
		t.Errorf("VendFunction.MemorySize = %v, want 3008", got)
	}
	for _, role := range []string{"VendRole", "RotateRole"} {
		all, _ := testbed.Property(t, role, "Policies", given).([]any)
		none, _ := testbed.Property(t, role, "Policies", nil).([]any)
		if len(all) != 5 || len(none) != 2 {
			t.Errorf("%s has %d policies with all parameters and %d without, want 5 and 2", role, len(all), len(none))
		}
	}
}
