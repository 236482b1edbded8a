//go:build testall

package testbed

import (
	"bytes"
	"encoding/json"
	"os"
	"os/exec"
	"path/filepath"
	"testing"
)

// upgradeBase is the commit of the oldest template whose stacks are updated in
// place.
const upgradeBase = "6a1c7b3"

func TestUpgradeFile(t *testing.T) {
	source, err := exec.Command("git", "show", upgradeBase+":template.yaml").Output()
	if err != nil {
		t.Fatalf("git show %s: %v; a shallow clone lacks it: git fetch --unshallow", upgradeBase, err)
	}
	template := filepath.Join(t.TempDir(), "template.yaml")
	if err := os.WriteFile(template, source, 0o600); err != nil {
		t.Fatal(err)
	}
	var expanded map[string]any
	if err := runStackOf(t.Context(), template, &expanded, nil, "expand"); err != nil {
		t.Fatal(err)
	}
	api := expanded["Resources"].(map[string]any)["Api"].(map[string]any)
	delete(api["Properties"].(map[string]any), "Body")
	want, err := json.MarshalIndent(map[string]any{"expansion": expanded}, "", " ")
	if err != nil {
		t.Fatal(err)
	}
	want = append(want, '\n')
	if *update {
		if err := os.WriteFile(upgradeFile, want, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	if got, err := os.ReadFile(upgradeFile); err != nil || !bytes.Equal(got, want) {
		t.Errorf("%s is not the expansion at %s (%v): run %s", upgradeFile, upgradeBase, err, writeGolden)
	}
}
