// Package datafolder knows the files of a server on one machine: where they
// stand, who may own them, and what a start has created.
package datafolder

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"

	"github.com/tokenvend/tokenvend/pkg/credential/folder"
	"github.com/tokenvend/tokenvend/pkg/private"
)

// The files of a data folder, and its folder of credentials.
const (
	KeyName         = "key"         // of the operator's key
	SealName        = "seal.key"    // of the key that seals the store's rows
	StoreName       = "entries.db"  // of the store
	DemoStateName   = "demo.sealed" // of what the providers of a demo remember
	CredentialsName = "credentials" // of the folder of credentials

	serverInfoName = "server.json"
)

// Folder is a data folder.
type Folder struct {
	Path string
	// Named is whether the operator has named this folder. Then root takes it
	// although it belongs to another user.
	Named bool
}

// Owners returns the users whose files may stand in the folder.
func (f Folder) Owners() (private.Owners, error) {
	if !f.Named {
		return private.Owners{}, nil
	}
	return private.OwnersOf(f.Path)
}

// Check checks the folder and returns the users whose files may stand in it.
//
// The folder above may belong to another user, who could have put a data folder
// with known keys there, and root may run there. So the folder and its files
// belong to this user or to root and nobody else may write them, and root takes
// another user's folder only where it is named.
func (f Folder) Check() (private.Owners, error) {
	owners, err := f.Owners()
	if err != nil {
		return owners, err
	}
	if err := owners.CheckFolder(f.Path); err != nil {
		return owners, err
	}
	for _, name := range []string{KeyName, SealName, serverInfoName, StoreName, DemoStateName} {
		if err := owners.CheckFile(filepath.Join(f.Path, name)); err != nil && !errors.Is(err, fs.ErrNotExist) {
			return owners, err
		}
	}
	return owners, nil
}

// HoldsData reports whether the folder holds a file of a server, or a folder of
// credentials.
func (f Folder) HoldsData() bool {
	for _, name := range []string{KeyName, SealName, serverInfoName, StoreName, CredentialsName} {
		if _, err := os.Lstat(filepath.Join(f.Path, name)); err == nil {
			return true
		}
	}
	return false
}

// Credentials returns the path of the folder of credentials.
func (f Folder) Credentials() string { return filepath.Join(f.Path, CredentialsName) }

// StoreFile returns the path of the store.
func (f Folder) StoreFile() string { return filepath.Join(f.Path, StoreName) }

// SealFile returns the path of the key that seals the store's rows.
func (f Folder) SealFile() string { return filepath.Join(f.Path, SealName) }

// KeyFile returns the path of the operator's key.
func (f Folder) KeyFile() string { return filepath.Join(f.Path, KeyName) }

// DemoStateFile returns the path of what the providers of a demo remember.
func (f Folder) DemoStateFile() string { return filepath.Join(f.Path, DemoStateName) }

// OpenCredentials opens the folder of credentials, and creates it if it is
// absent.
func (f Folder) OpenCredentials() (*folder.Source, error) {
	owners, err := f.Check()
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return nil, err
	}
	return folder.Open(f.Credentials(), owners)
}
