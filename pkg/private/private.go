// Package private opens files and folders that hold secrets, and refuses those
// that another user could have put there or could change.
//
// A check is made on the open file, so what was checked is what is read.
package private

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
)

// Owners are the users whose files a program takes. The zero value is the user
// that the program runs as, and root; a program that runs as root takes root's
// alone.
type Owners struct {
	named owner // of the folder that the operator has named; zero: none
}

// OwnersOf returns the owners for a folder that the operator has named: for a
// program that runs as root, its owner is one of them.
func OwnersOf(folder string) (Owners, error) {
	if !isRoot() {
		return Owners{}, nil
	}
	f, err := os.Open(folder) // #nosec G304 -- the operator names the folder
	if err != nil {
		return Owners{}, err
	}
	defer func() { _ = f.Close() }()
	who, err := ownerOf(f)
	return Owners{named: who}, err
}

// The bits of a mode that others must not have.
const (
	othersWrite fs.FileMode = 0o022
	othersAny   fs.FileMode = 0o077
)

// CheckFolder refuses a folder that belongs to another user, that others may
// write, or whose name others can give to another folder.
func (o Owners) CheckFolder(path string) error {
	if err := o.checkLink(path); err != nil {
		return err
	}
	f, err := os.Open(path) // #nosec G304 -- the operator names the folder
	if err != nil {
		return err
	}
	defer func() { _ = f.Close() }()
	if err := o.checkOpen(f, path, othersWrite); err != nil {
		return err
	}
	return checkParents(path)
}

// CheckFile refuses a file that belongs to another user or that others may
// write. The error for a file that does not exist is fs.ErrNotExist.
func (o Owners) CheckFile(path string) error { return o.checkFile(path, othersWrite) }

// CheckSecret is CheckFile, and refuses a file that others may read.
func (o Owners) CheckSecret(path string) error { return o.checkFile(path, othersAny) }

func (o Owners) checkFile(path string, forbidden fs.FileMode) error {
	f, err := os.Open(path) // #nosec G304 -- the operator names the folder
	if err != nil {
		return err
	}
	defer func() { _ = f.Close() }()
	return o.checkOpen(f, path, forbidden)
}

// ReadSecret reads a file that nobody but its owner may read.
func (o Owners) ReadSecret(path string) ([]byte, error) {
	f, err := os.Open(path) // #nosec G304 -- the operator names the folder
	if err != nil {
		return nil, err
	}
	defer func() { _ = f.Close() }()
	if err := o.checkOpen(f, path, othersAny); err != nil {
		return nil, err
	}
	return io.ReadAll(io.LimitReader(f, maxSecret))
}

// maxSecret is more than any file that ReadSecret is for holds.
const maxSecret = 1 << 20

// ReadSecretIn is ReadSecret of a file in a folder. The folder is checked too,
// and the file is looked up in the very folder that was checked.
func (o Owners) ReadSecretIn(folder, name string) ([]byte, error) {
	if err := o.checkLink(folder); err != nil {
		return nil, err
	}
	root, err := os.OpenRoot(folder)
	if err != nil {
		return nil, err
	}
	defer func() { _ = root.Close() }()
	self, err := root.Open(".")
	if err != nil {
		return nil, err
	}
	defer func() { _ = self.Close() }()
	if err := errors.Join(o.checkOpen(self, folder, othersWrite), checkParents(folder)); err != nil {
		return nil, err
	}
	f, err := root.Open(name)
	if err != nil {
		return nil, err
	}
	defer func() { _ = f.Close() }()
	if err := o.checkOpen(f, filepath.Join(folder, name), othersAny); err != nil {
		return nil, err
	}
	return io.ReadAll(io.LimitReader(f, maxSecret))
}

// CheckOwner refuses an open file or folder that belongs to another user. path
// is its name in the error.
func (o Owners) CheckOwner(f *os.File, path string) error {
	who, err := ownerOf(f)
	if err != nil {
		return err
	}
	return o.checkOwner(who, path)
}

func (o Owners) checkOpen(f *os.File, path string, forbidden fs.FileMode) error {
	if err := o.CheckOwner(f, path); err != nil {
		return err
	}
	info, err := f.Stat()
	if err != nil {
		return err
	}
	mode := info.Mode().Perm()
	switch {
	case !hasModes || mode&forbidden == 0:
		return nil
	case info.IsDir():
		return fmt.Errorf("%s has mode %#o, and others may put files there: chmod 700 %s", path, mode, quoted(path))
	case mode&othersWrite != 0:
		return fmt.Errorf("%s has mode %#o, and others may change it: chmod 600 %s", path, mode, quoted(path))
	}
	return fmt.Errorf("%s has mode %#o, and others may read it: chmod 600 %s", path, mode, quoted(path))
}

// checkOwner refuses what belongs to none of the owners.
func (o Owners) checkOwner(who owner, path string) error {
	switch {
	case isTrusted(who) || who == o.named && o.named != owner{}:
		return nil
	case isRoot():
		return fmt.Errorf("%s belongs to %v, and a program that runs as root takes root's files alone: "+
			"name the folder with --data if you trust its owner, or run %s", path, who, takeOver(path))
	}
	return fmt.Errorf("%s belongs to %v, and not to you or root: choose another folder with --data, "+
		"or, if you trust what it holds, run %s", path, who, takeOver(path))
}

// checkParents refuses a folder under one in which everybody may rename the
// others' files, and give its name to another folder.
func checkParents(path string) error {
	if !hasModes {
		return nil
	}
	resolved, err := filepath.EvalSymlinks(path)
	if err != nil {
		return err
	}
	dir, err := filepath.Abs(resolved)
	if err != nil {
		return err
	}
	for parent := filepath.Dir(dir); parent != dir; dir, parent = parent, filepath.Dir(parent) {
		info, err := os.Stat(parent)
		if errors.Is(err, fs.ErrPermission) {
			return nil // this user cannot look at what lies above
		}
		if err != nil {
			return err
		}
		if mode := info.Mode(); mode.Perm()&0o002 != 0 && mode&fs.ModeSticky == 0 {
			return fmt.Errorf("%s is in %s, where everybody may replace it: chmod o-w %s", path, parent, quoted(parent))
		}
	}
	return nil
}
