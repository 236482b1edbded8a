//go:build testall

package functions_test

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/tokenvend/tokenvend/pkg/api"
	"github.com/tokenvend/tokenvend/pkg/boot"
	"github.com/tokenvend/tokenvend/pkg/provider/simulator"
)

// olderVersion is the last commit whose program does not know the index queue.
const olderVersion = "731e99e"

// older returns the programs of the older version, built from git's history.
func older(t *testing.T) version {
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
	programs := filepath.Join(dir, "programs")
	compile := exec.Command(
		"go", "build", "-trimpath", "-tags", "lambda.norpc,nethttpomithttp2", "-o", programs+"/", "./functions/...",
	)
	compile.Dir, compile.Env = dir, append(os.Environ(), "CGO_ENABLED=0")
	if output, err := compile.CombinedOutput(); err != nil {
		t.Fatalf("go build at %s: %v: %s", olderVersion, err, output)
	}
	return version{"older", filepath.Join(programs, "vend"), filepath.Join(programs, "rotate"), ""}
}

// present returns the programs of the present version, with a row format.
func present(t *testing.T, format string) version {
	t.Helper()
	return version{
		"present", bootstrap(t, build{function: "vend"}), bootstrap(t, build{function: "rotate"}), format,
	}
}

// version is the programs of one version of tokenvend, and the parameter
// RowFormat; "": its default.
type version struct{ name, vend, rotate, format string }

// run ends the processes that run and starts those of a version.
func (h *installation) run(v version) {
	h.t.Helper()
	for function, program := range map[string]string{"vend": v.vend, "rotate": v.rotate} {
		h.runtimes[function] = freshRuntime(h)
		h.startProgram(program, function, boot.EnvRowFormat+"="+v.format)
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
	older, present := older(t), present(t, "")
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

// Rows that are sealed by bucket are of format 3, which the older version
// refuses and leaves as it is, as it does with credential records that stand in
// the partitions of their credentials. With the format in docs/guide/upgrade.md
// for a roll-back, it works on the table again, and no grant is lost on the
// way.
func TestOlderVersionKeepsRowsOfNewerFormats(t *testing.T) {
	t.Parallel()
	const life = 2 * time.Second
	h := newInstallation(t, simulator.Options{
		Lifetime: life, Reuse: map[string]simulator.Reuse{"trackmania": simulator.RevokesFamily},
	})
	older := older(t)
	h.put("trackmania", "trackmania", map[string]any{"allow": map[string]any{"accounts": []string{"*"}}})
	h.run(older)
	h.discover()
	h.connect("trackmania", "ann")
	check := func(v version, want api.Code) {
		t.Helper()
		_, refused := h.accountToken("trackmania", "ann")
		if got := codeOf(refused); got != want {
			t.Errorf("accountToken(ann) of the %s version with format %q = %q, want %q", v.name, v.format, got, want)
		}
	}
	for _, step := range []struct {
		version version
		want    api.Code
	}{
		{present(t, "2"), ""}, {present(t, "migrate-3"), ""}, {present(t, "3"), ""},
		{older, api.StoreUnavailable}, // a roll-back too far
		{present(t, "3"), ""}, {present(t, "migrate"), ""}, {older, ""},
		{present(t, "migrate-4"), ""}, {present(t, "4"), ""}, {present(t, "3"), ""},
		{older, api.StoreUnavailable},
		{present(t, "4"), ""}, {present(t, "migrate"), ""}, {older, ""},
	} {
		h.run(step.version)
		time.Sleep(life)
		if got := h.tick(); step.want == "" && (got.Error != "" || got.Failed != 0) {
			t.Errorf("tick() of the %s version with format %q = %+v, want no failure", step.version.name,
				step.version.format, got)
		}
		check(step.version, step.want)
	}
	if n := h.sim.Stats().Providers["trackmania"]; n.Reused != 0 || n.RefreshRequests < 12 {
		t.Errorf("trackmania had %d refreshes, %d of used tokens; want 12 and 0", n.RefreshRequests, n.Reused)
	}
}
