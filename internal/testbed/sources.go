package testbed

import (
	"io/fs"
	"path/filepath"
	"sync"
	"testing"
)

// LookAtSources is for tests of programs that they build themselves. go test
// keeps a result as long as the test's own program and the files that it looked
// at are the same: of what another program is built from it knows nothing else.
// It must be called from within a test: before the first, nobody notes what is
// looked at.
func LookAtSources(t testing.TB) {
	t.Helper()
	if err := lookAtSources(); err != nil {
		t.Fatal(err)
	}
}

var lookAtSources = sync.OnceValue(func() error {
	root, err := repository()
	if err != nil {
		return err
	}
	for _, folder := range []string{"cmd", "functions", "pkg"} {
		if err := filepath.WalkDir(filepath.Join(root, folder), func(_ string, _ fs.DirEntry, err error) error {
			return err
		}); err != nil {
			return err
		}
	}
	return nil
})
