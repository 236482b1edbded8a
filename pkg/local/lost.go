package local

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"

	"github.com/tokenvend/tokenvend/pkg/store"
)

// checkStoreFile refuses a folder that has the key of a store and no store, or
// an empty file in its place. The store may be in a backup, and a new one would
// take its name.
func (s *server) checkStoreFile() error {
	path := filepath.Join(s.folder.Path, storeFile)
	info, err := os.Stat(path)
	switch {
	case err != nil && !errors.Is(err, fs.ErrNotExist):
		return err
	case err == nil && info.Size() > 0, !exists(filepath.Join(s.folder.Path, sealFile)):
		return nil
	}
	what := "is empty"
	if err != nil {
		what = "is gone"
	}
	return fmt.Errorf("%s %s, and its key %s is there: nothing was changed; %s", path, what, sealFile,
		s.restoreOrRepair())
}

// storeError returns the error of a store that does not open, with what to do.
func (s *server) storeError(err error) error {
	if errors.Is(err, store.ErrUnreadable) {
		return fmt.Errorf("%w: nothing was changed; %s shows what is left", err, s.commandLine("store check"))
	}
	return err
}

// checkSealFile refuses a folder whose store has rows and whose key is lost. A
// new key would not open them, and would stand where the old one belongs.
func (s *server) checkSealFile() error {
	path := filepath.Join(s.folder.Path, sealFile)
	if exists(path) {
		return nil
	}
	used, err := s.store.HasRows(context.Background())
	if err != nil || !used {
		return err
	}
	return fmt.Errorf("%s is gone, and %s has rows that only this key opens: nothing was changed; %s", path, storeFile,
		s.restoreOrRepair())
}

// restoreOrRepair says what to do about a part of the data that is lost.
func (s *server) restoreOrRepair() string {
	return fmt.Sprintf("%s puts a backup back, and %s sets what is left aside and begins anew",
		s.commandLine("store restore FILE"), s.commandLine("store repair"))
}

// StoreFile returns the path of the store.
func (f Folder) StoreFile() string { return filepath.Join(f.Path, storeFile) }

// SealFile returns the path of the key that seals the store's rows.
func (f Folder) SealFile() string { return filepath.Join(f.Path, sealFile) }

// KeyFile returns the path of the operator's key.
func (f Folder) KeyFile() string { return filepath.Join(f.Path, keyFile) }
