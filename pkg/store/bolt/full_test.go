package bolt

import (
	"errors"
	"os"
	"strings"
	"syscall"
	"testing"

	"github.com/tokenvend/tokenvend/pkg/store"
)

// A full disk is told from a store that does not answer.
func TestFullDiskIsNamed(t *testing.T) {
	s := &Store{path: "entries.db"}
	for _, err := range []error{syscall.ENOSPC, &os.PathError{Op: "write", Path: "entries.db", Err: syscall.ENOSPC}} {
		got := s.guard(func() error { return err })
		if !errors.Is(got, store.ErrFull) || !strings.HasPrefix(got.Error(), "entries.db: ") {
			t.Errorf("guard(%v) = %v, want ErrFull and the path", err, got)
		}
	}
	if got := s.guard(func() error { return syscall.EIO }); errors.Is(got, store.ErrFull) {
		t.Errorf("guard(EIO) = %v, want no ErrFull", got)
	}
}
