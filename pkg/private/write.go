package private

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"time"
)

// ReplaceFile writes a file of mode 0600, in the place of an older one. A
// reader finds the old file or the new one, whole, and after a crash too. Two
// versions never have the same time of modification.
func ReplaceFile(path string, data []byte) error { return Owners{}.ReplaceFile(path, data) }

// CreateFile is ReplaceFile for a file that must not exist yet. If it does, the
// error is fs.ErrExist and the file is not changed.
func CreateFile(path string, data []byte) error { return Owners{}.CreateFile(path, data) }

// ReplaceFile is [ReplaceFile] in a folder that the operator has named. What
// root writes there belongs to the folder's owner: the server that runs as that
// user could not read it otherwise.
func (o Owners) ReplaceFile(path string, data []byte) error {
	return o.writeFile(path, data, os.Rename)
}

// CreateFile is [CreateFile] in such a folder.
func (o Owners) CreateFile(path string, data []byte) error { return o.writeFile(path, data, os.Link) }

// MakeFolder makes a folder of mode 0700 in such a folder, if there is none of
// that name. It belongs to that one's owner too.
func (o Owners) MakeFolder(parent, name string) error {
	root, err := os.OpenRoot(parent)
	if err != nil {
		return err
	}
	defer func() { _ = root.Close() }()
	err = root.Mkdir(name, 0o700)
	if errors.Is(err, fs.ErrExist) {
		return nil
	}
	if err != nil {
		return err
	}
	f, err := root.Open(name)
	if err != nil {
		return err
	}
	defer func() { _ = f.Close() }()
	info, err := f.Stat()
	if err == nil && info.IsDir() { // nobody has put a link to a file there
		err = o.named.take(f)
	}
	return err
}

// writeFile writes a temporary file in the same folder, and has name give it
// its path once it is complete.
func (o Owners) writeFile(path string, data []byte, name func(from, to string) error) error {
	temp, err := os.CreateTemp(filepath.Dir(path), ".new-*") // mode 0600
	if err != nil {
		return err
	}
	defer func() { _ = os.Remove(temp.Name()) }() // renamed, it is gone already
	_, err = temp.Write(data)
	err = errors.Join(err, o.named.take(temp), temp.Sync(), temp.Close())
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
