//go:build testall

package testbed

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"runtime"
	"slices"
	"testing"
)

// Guard returns what AWS's rules for cfn-guard find in template.yaml, expanded:
// the proactive controls of AWS Control Tower. It looks at the stack in which
// every condition is true, and at the one in which every condition is false,
// because the rules do not evaluate conditions.
func Guard(t testing.TB) []Finding {
	t.Helper()
	expansion, err := Expansion()
	if err != nil {
		t.Fatal(err)
	}
	var files []string
	for _, truth := range []bool{true, false} {
		file, err := decidedFile(t.TempDir(), expansion, truth)
		if err != nil {
			t.Fatal(err)
		}
		files = append(files, file)
	}
	found, err := guard(t.Context(), files)
	if err != nil {
		t.Fatal(err)
	}
	return found
}

// decidedFile writes an expansion with [decided] resources.
func decidedFile(dir string, expansion json.RawMessage, truth bool) (string, error) {
	var template map[string]any
	if err := json.Unmarshal(expansion, &template); err != nil {
		return "", err
	}
	template["Resources"] = decided(template["Resources"], truth)
	text, err := json.Marshal(template)
	if err != nil {
		return "", err
	}
	file := filepath.Join(dir, "template.json")
	return file, os.WriteFile(file, text, 0o600)
}

// decided returns a node of a template in which every condition has that truth;
// nil for AWS::NoValue.
func decided(node any, truth bool) any {
	switch node := node.(type) {
	case []any:
		list := []any{}
		for _, one := range node {
			if value := decided(one, truth); value != nil {
				list = append(list, value)
			}
		}
		return list
	case map[string]any:
		if node["Ref"] == noValue {
			return nil
		}
		if branches, is := node["Fn::If"].([]any); is && truth {
			return decided(branches[1], truth)
		} else if is {
			return decided(branches[2], truth)
		}
		object := map[string]any{}
		for name, one := range node {
			if value := decided(one, truth); value != nil {
				object[name] = value
			}
		}
		return object
	}
	return node
}

// guardPrograms are the builds of cfn-guard that the package has.
var guardPrograms = map[string]string{
	"linux/amd64": "ubuntu/x86_64", "linux/arm64": "ubuntu/aarch64",
	"darwin/amd64": "macos/x86_64", "darwin/arm64": "macos/aarch64",
}

// guardFindings is the exit status of cfn-guard when a rule is not kept.
const guardFindings = 19

// guard runs cfn-guard on templates.
func guard(ctx context.Context, templates []string) ([]Finding, error) {
	dir, err := npmInstalled("cdk-nag", nagManifest, nagLock)
	if err != nil {
		return nil, err
	}
	dir = filepath.Join(dir, "node_modules", "@cdklabs", "cdk-validator-cfnguard")
	build, known := guardPrograms[runtime.GOOS+"/"+runtime.GOARCH]
	if !known {
		return nil, fmt.Errorf("testbed: there is no build of cfn-guard for %s/%s", runtime.GOOS, runtime.GOARCH)
	}
	args := []string{"validate", "--rules", filepath.Join(dir, "rules", "control-tower", "cfn-guard"),
		"--structured", "--output-format", "json", "--show-summary", "none"}
	for _, template := range templates {
		args = append(args, "--data", template)
	}
	ctx, cancel := context.WithTimeout(ctx, stackWithin)
	defer cancel()
	answer, err := exec.CommandContext(ctx, filepath.Join(dir, "bin", build, "cfn-guard"), args...).Output()
	if exit, ok := errors.AsType[*exec.ExitError](err); ok && exit.ExitCode() != guardFindings {
		return nil, fmt.Errorf("testbed: cfn-guard: %w\n%s", err, exit.Stderr)
	} else if err != nil && !ok {
		return nil, err
	}
	return readGuard(answer, len(templates))
}

var guardedResource = regexp.MustCompile(`"/Resources/(\w+)`)

// readGuard reads the reports of cfn-guard, one for each template. A report in
// which no rule applies is an error: the rules were not found.
func readGuard(answer []byte, templates int) (found []Finding, err error) {
	var reports []struct {
		Compliant    []string                         `json:"compliant"`
		NotCompliant []struct{ Rule json.RawMessage } `json:"not_compliant"`
	}
	if err := json.Unmarshal(answer, &reports); err != nil {
		return nil, err
	}
	if len(reports) != templates {
		return nil, fmt.Errorf("testbed: cfn-guard reports on %d templates, want %d", len(reports), templates)
	}
	for _, r := range reports {
		if len(r.Compliant) == 0 {
			return nil, errors.New("testbed: cfn-guard finds no rule that the template keeps")
		}
		for _, broken := range r.NotCompliant {
			var rule struct{ Name string }
			if err := json.Unmarshal(broken.Rule, &rule); err != nil {
				return nil, err
			}
			for _, match := range guardedResource.FindAllSubmatch(broken.Rule, -1) {
				if f := (Finding{Rule: rule.Name, Resource: string(match[1])}); !slices.Contains(found, f) {
					found = append(found, f)
				}
			}
		}
	}
	return found, nil
}
