package local

import (
	"cmp"
	"errors"
	"io/fs"
	"path/filepath"

	"github.com/tokenvend/tokenvend/pkg/credential/folder"
	"github.com/tokenvend/tokenvend/pkg/private"
)

// The files of a data folder, and its folder of credentials.
const (
	keyFile          = "key"
	sealFile         = "seal.key"
	storeFile        = "entries.db"
	serverInfoFile   = "server.json"
	credentialFolder = "credentials"
)

// dataFolder returns the data folder that the operator has named, or with ""
// the folder .tokenvend below the current one.
func dataFolder(named string) string { return cmp.Or(named, ".tokenvend") }

// CheckData checks the data folder that the operator has named, or with "" the
// folder .tokenvend below the current one. It returns whose files may stand in
// it.
//
// The current folder may belong to another user, who could have put a data
// folder with known keys there, and root may run there. So the folder and
// its files belong to this user or to root and nobody else may write them, and
// root takes another user's folder only where it is named.
func CheckData(named string) (private.Owners, error) {
	owners, err := ownersOf(named)
	if err != nil {
		return owners, err
	}
	data := dataFolder(named)
	if err := owners.CheckFolder(data); err != nil {
		return owners, err
	}
	for _, name := range []string{keyFile, sealFile, serverInfoFile, storeFile} {
		if err := owners.CheckFile(filepath.Join(data, name)); err != nil && !errors.Is(err, fs.ErrNotExist) {
			return owners, err
		}
	}
	return owners, nil
}

func ownersOf(named string) (private.Owners, error) {
	if named == "" {
		return private.Owners{}, nil
	}
	return private.OwnersOf(named)
}

// CredentialFolder returns the folder of the credentials in a data folder.
// named is as for [CheckData].
func CredentialFolder(named string) string {
	return filepath.Join(dataFolder(named), credentialFolder)
}

// OpenCredentials opens the credentials in a data folder, which is made where
// it is absent. named is as for [CheckData].
func OpenCredentials(named string) (*folder.Source, error) {
	owners, err := CheckData(named)
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return nil, err
	}
	return folder.Open(CredentialFolder(named), owners)
}
