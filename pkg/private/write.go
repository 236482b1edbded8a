package private

import (
	"errors"
	"os"
	"path/filepath"
	"time"
)

// ReplaceFile writes a file of mode 0600, in the place of an older one. A
// reader finds the old file or the new one, whole, and after a crash too. Two
// versions never have the same time of modification.
func ReplaceFile(path string, data []byte) error {
	return writeFile(path, data, os.Rename)
}

// CreateFile is ReplaceFile for a file that must not exist yet. If it does, the
// error is fs.ErrExist and the file is not changed.
func CreateFile(path string, data []byte) error {
	return writeFile(path, data, os.Link)
}

// writeFile writes a temporary file in the same folder, and has name give it
// its path once it is complete.
func writeFile(path string, data []byte, name func(from, to string) error) error {
	temp, err := os.CreateTemp(filepath.Dir(path), ".new-*") // mode 0600
	if err != nil {
		return err
	}
	defer func() { _ = os.Remove(temp.Name()) }() // renamed, it is gone already
	_, err = temp.Write(data)
	err = errors.Join(err, temp.Sync(), temp.Close())
	if err == nil {
		// The file system's own clock counts in milliseconds.
		err = os.Chtimes(temp.Name(), time.Time{}, time.Now())
	}
	if err == nil {
		err = name(temp.Name(), path)
	}
	if err != nil {
		return err
	}
	return SyncFolder(filepath.Dir(path))
}

// SyncFolder makes changes of names in a folder outlast a crash.
func SyncFolder(path string) error {
	if !hasModes {
		return nil // Windows cannot sync a folder and need not
	}
	f, err := os.Open(path) // #nosec G304 -- the operator names the folder
	if err != nil {
		return err
	}
	return errors.Join(f.Sync(), f.Close())
}
