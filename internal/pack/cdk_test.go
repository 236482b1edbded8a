//go:build testall

package main

import (
	"encoding/json"
	"path/filepath"
	"testing"

	"github.com/tokenvend/tokenvend/internal/testbed"
)

// A CDK app that includes the package, as docs/guide/deploy.md shows it, has
// all its resources.
func TestCDKIncludesThePackage(t *testing.T) {
	type resources struct {
		Resources map[string]struct{ Type, DeletionPolicy string }
	}
	var want, got resources
	expansion, err := testbed.Expansion()
	if err == nil {
		err = json.Unmarshal(expansion, &want)
	}
	if err == nil {
		err = json.Unmarshal(testbed.Synth(t, filepath.Join(pack(t), "template.json")), &got)
	}
	if err != nil {
		t.Fatal(err)
	}
	for name, r := range want.Resources {
		if got.Resources[name] != r {
			t.Errorf("the CDK synthesizes %s as %+v, want %+v", name, got.Resources[name], r)
		}
	}
}
