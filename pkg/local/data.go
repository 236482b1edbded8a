package local

import (
	"errors"
	"io/fs"
	"path/filepath"

	"github.com/tokenvend/tokenvend/pkg/credential/folder"
	"github.com/tokenvend/tokenvend/pkg/private"
)

// The files of a data folder, beside server.json and the credentials.
const (
	keyFile   = "key"
	sealFile  = "seal.key"
	storeFile = "entries.db"
)

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
	data := Config{Data: named}.data()
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

// CredentialFolder is where in a data folder the credentials are.
func CredentialFolder(named string) string {
	return filepath.Join(Config{Data: named}.data(), credentialFolder)
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
