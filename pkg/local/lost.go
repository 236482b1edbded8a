package local

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"

	"github.com/tokenvend/tokenvend/pkg/local/datafolder"
	"github.com/tokenvend/tokenvend/pkg/store"
	"github.com/tokenvend/tokenvend/pkg/store/bolt"
)

// checkStoreFile refuses a folder that has the key of a store and no store, or
// an empty file in its place. The store may be in a backup, and a new one would
// take its name.
func checkStoreFile(c Config, folder datafolder.Folder) error {
	path := folder.StoreFile()
	info, err := os.Stat(path)
	switch {
	case err != nil && !errors.Is(err, fs.ErrNotExist):
		return err
	case err == nil && info.Size() > 0, !datafolder.Exists(folder.SealFile()):
		return nil
	}
	what := "is empty"
	if err != nil {
		what = "is gone"
	}
	return fmt.Errorf("%s %s, and its key %s is there: nothing was changed; %s", path, what, datafolder.SealName,
		restoreOrRepair(c))
}

// storeError returns the error of a store that does not open, with what to do.
func storeError(c Config, err error) error {
	if errors.Is(err, store.ErrUnreadable) {
		return fmt.Errorf("%w: nothing was changed; %s shows what is left", err, c.commandLine("store check"))
	}
	return err
}

// checkSealFile refuses a folder whose store has rows and whose key is lost. A
// new key would not open them, and would stand where the old one belongs.
func checkSealFile(c Config, folder datafolder.Folder, s *bolt.Store) error {
	path := folder.SealFile()
	if datafolder.Exists(path) {
		return nil
	}
	used, err := s.HasRows(context.Background())
	if err != nil || !used {
		return err
	}
	return fmt.Errorf("%s is gone, and %s has rows that only this key opens: nothing was changed; %s", path,
		datafolder.StoreName, restoreOrRepair(c))
}

// restoreOrRepair says what to do about a part of the data that is lost.
func restoreOrRepair(c Config) string {
	return fmt.Sprintf("%s puts a backup back, and %s sets what is left aside and begins anew",
		c.commandLine("store restore FILE"), c.commandLine("store repair"))
}
