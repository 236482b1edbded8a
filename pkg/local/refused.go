package local

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"slices"

	"github.com/tokenvend/tokenvend/pkg/provider/simulator"
	"github.com/tokenvend/tokenvend/pkg/store/bolt"
)

// absent returns what a start creates and does not exist yet: the data folder
// and its missing parents, then what stands in it.
func (f Folder) absent(demo bool) []string {
	var paths []string
	for dir := filepath.Clean(f.Path); !exists(dir); dir = filepath.Dir(dir) {
		paths = append(paths, dir)
	}
	slices.Reverse(paths)
	names := []string{storeFile, keyFile, sealFile, credentialFolder}
	if demo {
		names = append(names, demoStateFile)
		for _, provider := range simulator.New(simulator.Options{}).Providers() {
			names = append(names, filepath.Join(credentialFolder, provider+".json"))
		}
	}
	for _, name := range names {
		if path := filepath.Join(f.Path, name); !exists(path) {
			paths = append(paths, path)
		}
	}
	return paths
}

// removeCreated removes what a refused start has created. It removes nothing of
// another server that uses the folder.
func (f Folder) removeCreated(absentBefore []string) error {
	path := filepath.Join(f.Path, storeFile)
	// an empty file that was there before is no store, and Open makes it one
	if slices.Contains(absentBefore, path) && exists(path) || size(path) > 0 {
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

func exists(path string) bool {
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
