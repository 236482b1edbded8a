package datafolder

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"slices"

	"github.com/tokenvend/tokenvend/pkg/store/bolt"
)

// Absent returns what a start creates and does not exist yet: the data folder
// and its missing parents, then the files in it. more are names of files that
// this start creates besides those of any.
func (f Folder) Absent(more ...string) []string {
	var paths []string
	for dir := filepath.Clean(f.Path); !Exists(dir); dir = filepath.Dir(dir) {
		paths = append(paths, dir)
	}
	slices.Reverse(paths)
	for _, name := range append([]string{StoreName, KeyName, SealName, CredentialsName}, more...) {
		if path := filepath.Join(f.Path, name); !Exists(path) {
			paths = append(paths, path)
		}
	}
	return paths
}

// RemoveCreated removes what a refused start has created. It removes nothing of
// another server that uses the folder.
func (f Folder) RemoveCreated(absentBefore []string) error {
	path := f.StoreFile()
	// an empty file that was there before is no store, and Open makes it one
	if slices.Contains(absentBefore, path) && Exists(path) || size(path) > 0 {
		store, err := bolt.Open(path) // locks the folder
		if errors.Is(err, bolt.ErrInUse) {
			return nil
		}
		if err == nil {
			defer func() { _ = store.Close() }()
		}
	}
	var errs []error
	for _, path := range slices.Backward(absentBefore) {
		info, err := os.Lstat(path)
		if err != nil {
			continue
		}
		err = os.Remove(path)
		if info.IsDir() || errors.Is(err, fs.ErrNotExist) {
			continue // a folder may hold what somebody else has put there
		}
		errs = append(errs, err)
	}
	return errors.Join(errs...)
}

// Exists reports whether a file or folder stands at path, or may.
func Exists(path string) bool {
	_, err := os.Lstat(path)
	return !errors.Is(err, fs.ErrNotExist)
}

// size returns the size of a file; 0 if there is none.
func size(path string) int64 {
	info, err := os.Stat(path)
	if err != nil {
		return 0
	}
	return info.Size()
}
