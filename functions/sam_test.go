//go:build testall

package functions_test

import (
	"path/filepath"
	"runtime"
	"testing"

	"github.com/tokenvend/tokenvend/internal/testbed"
	"github.com/tokenvend/tokenvend/pkg/provider/simulator"
)

func TestSAMValidatesTheTemplates(t *testing.T) {
	t.Parallel()
	for _, template := range []string{"template.yaml", "examples/secretrotation/template.yaml"} {
		testbed.SAM(t, nil, "validate", "--lint", "--template", template)
	}
}

// What sam build makes of both functions runs, and vends and renews a token. It
// is built for this machine's processor.
func TestSAMBuildsFunctionsThatRun(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	own := []string{"LAMBDA_ARCH=" + runtime.GOARCH}
	testbed.SAM(t, own, "build", "--template", "template.yaml", "--build-dir", dir)
	h := newInstallation(t, simulator.Options{})
	h.put("minut", "minut", nil)
	for function, name := range logical {
		h.startProgram(filepath.Join(dir, name, "bootstrap"), function)
	}
	first := h.token("minut")
	if _, failed := h.invoke("rotate", "", []byte(`{}`)); failed != nil {
		t.Errorf("invoke(rotate) = %v, want a pass", failed)
	}
	if got := h.token("minut"); got.Fingerprint != first.Fingerprint {
		t.Errorf("token(minut) = %s after a pass, want %s", got.Fingerprint, first.Fingerprint)
	}
}
