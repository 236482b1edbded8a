//go:build testall

package testbed

import (
	"context"
	_ "embed"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"testing"
)

// What npm installs cdk-nag from. The lock file is made as dynalite's is.
var (
	//go:embed nag/package.json
	nagManifest []byte
	//go:embed nag/package-lock.json
	nagLock []byte
	//go:embed nag/nag.js
	nagProgram []byte
	//go:embed nag/synth.js
	synthProgram []byte
)

// Finding is a rule of cdk-nag's that a resource of the template does not keep.
type Finding struct {
	Rule     string `json:"rule"`     // AwsSolutions-IAM5, and in brackets what it found, where the rule says
	Resource string `json:"resource"` // its name in the expanded template
	Info     string `json:"info"`
}

// Nag returns what cdk-nag's packs AwsSolutions and Serverless find in
// template.yaml, expanded.
func Nag(t testing.TB) []Finding {
	t.Helper()
	var expansion json.RawMessage
	if err := runStack(t.Context(), &expansion, nil, "expand"); err != nil {
		t.Fatal(err)
	}
	template := filepath.Join(t.TempDir(), "template.json")
	if err := os.WriteFile(template, expansion, 0o600); err != nil {
		t.Fatal(err)
	}
	found, err := nag(t.Context(), template, t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	return found
}

// Synth returns what a CDK app synthesizes that includes a CloudFormation
// template by CfnInclude.
func Synth(t testing.TB, template string) json.RawMessage {
	t.Helper()
	var synthesized json.RawMessage
	if err := runCDK(t.Context(), synthProgram, template, t.TempDir(), &synthesized); err != nil {
		t.Fatal(err)
	}
	return synthesized
}

func nag(ctx context.Context, template, out string) (found []Finding, err error) {
	return found, runCDK(ctx, nagProgram, template, out, &found)
}

// runCDK runs a program that uses the CDK on a template and decodes what it
// prints.
func runCDK(ctx context.Context, js []byte, template, out string, into any) error {
	node, err := program("node", nodeJS)
	if err != nil {
		return err
	}
	dir, err := npmInstalled("cdk-nag", nagManifest, nagLock)
	if err != nil {
		return err
	}
	ctx, cancel := context.WithTimeout(ctx, stackWithin)
	defer cancel()
	cmd := exec.CommandContext(ctx, node, "-e", string(js), "--", template, out)
	cmd.Dir = dir
	cmd.Env = append(cmd.Environ(), "CDK_DISABLE_VERSION_CHECK=1", "HOME="+out)
	answer, err := cmd.Output()
	if exit, ok := errors.AsType[*exec.ExitError](err); ok {
		return fmt.Errorf("testbed: a program of the CDK: %w\n%s", err, exit.Stderr)
	}
	if err != nil {
		return err
	}
	return json.Unmarshal(answer, into)
}
