//go:build testall

package functions_test

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/tokenvend/tokenvend/pkg/provider/simulator"
)

// olderVersion is the last commit whose program does not know the index queue.
const olderVersion = "731e99e"

// buildOlder builds a function of the older version, from git's history.
func buildOlder(t *testing.T, function string) string {
	t.Helper()
	dir := t.TempDir()
	archive := exec.Command("git", "archive", "--format=tar", olderVersion, "go.mod", "go.sum", "functions", "pkg")
	archive.Dir = ".."
	out, err := archive.Output()
	if err != nil {
		t.Fatalf("git archive %s: %v; a shallow clone lacks it: git fetch --unshallow", olderVersion, err)
	}
	unpack := exec.Command("tar", "-x", "-C", dir)
	unpack.Stdin = strings.NewReader(string(out))
	if output, err := unpack.CombinedOutput(); err != nil {
		t.Fatalf("tar -x: %v: %s", err, output)
	}
	path := filepath.Join(dir, function+"-bootstrap")
	tags := "lambda.norpc,nethttpomithttp2"
	compile := exec.Command("go", "build", "-trimpath", "-tags", tags, "-o", path, "./functions/"+function)
	compile.Dir, compile.Env = dir, append(os.Environ(), "CGO_ENABLED=0")
	if output, err := compile.CombinedOutput(); err != nil {
		t.Fatalf("go build %s at %s: %v: %s", function, olderVersion, err, output)
	}
	return path
}

// version is the programs of one version of tokenvend.
type version struct{ name, vend, rotate string }

// run ends the processes that run and starts those of a version.
func (h *installation) run(v version) {
	h.t.Helper()
	for function, program := range map[string]string{"vend": v.vend, "rotate": v.rotate} {
		h.runtimes[function] = freshRuntime(h)
		h.startProgram(program, function)
	}
}

// The older and the present version work on one table, one after the other in
// both directions: upgrade, roll-back, and upgrade again. Each renews what the
// other has stored, and a grant whose refresh token can be used once is not
// lost. What the older version has written is not overdue for the present one.
func TestOlderVersionWorksOnTheSameTable(t *testing.T) {
	t.Parallel()
	const life = 5 * time.Second
	h := newInstallation(t, simulator.Options{
		Lifetime: life, Reuse: map[string]simulator.Reuse{"trackmania": simulator.RevokesFamily},
	})
	older := version{"older", buildOlder(t, "vend"), buildOlder(t, "rotate")}
	present := version{
		"present", bootstrap(t, build{function: "vend"}), bootstrap(t, build{function: "rotate"}),
	}
	h.put("minut", "minut", map[string]any{"keep_warm": true})
	h.put("trackmania", "trackmania", map[string]any{"allow": map[string]any{"accounts": []string{"*"}}})
	h.run(older)
	if got := h.tick(); got.Error != "" || got.Learnt != 2 || got.Renewed != 1 {
		t.Fatalf("tick() of the older version = %+v, want two learned and one renewed", got)
	}
	h.connect("trackmania", "ann")
	token := h.token("minut").Fingerprint
	for _, v := range []version{present, older, present, older, present} {
		h.run(v)
		if v == present {
			if found := h.discover(); found.Error != "" || found.Learnt+found.Gone != 0 {
				t.Errorf("discover() of what the older version has learned = %+v, want nothing new", found)
			}
		}
		time.Sleep(life)
		if got := h.tick(); got.Error != "" || got.Renewed < 1 || got.Failed+got.Left+got.Overdue != 0 {
			t.Errorf("tick() of the %s version = %+v, want what the other one stored renewed, nothing overdue", v.name, got)
		}
		next := h.token("minut").Fingerprint
		if next == token {
			t.Errorf("token(minut) of the %s version = %s, want another than before", v.name, next)
		}
		token = next
		if _, refused := h.accountToken("trackmania", "ann"); refused != nil {
			t.Fatalf("accountToken(ann) of the %s version = %v, want the grant alive", v.name, refused)
		}
		s := h.status("minut")
		if s.Failure != nil {
			t.Errorf("status(minut) of the %s version = %+v, want no failure", v.name, s)
		}
	}
	if n := h.sim.Stats().Providers["trackmania"]; n.Reused != 0 || n.RefreshRequests < 5 {
		t.Errorf("trackmania had %d refreshes, %d of used tokens; want 5 and 0", n.RefreshRequests, n.Reused)
	}
}
