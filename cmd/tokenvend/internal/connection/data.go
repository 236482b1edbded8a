package connection

import (
	"cmp"
	"os"
	"path/filepath"

	"github.com/tokenvend/tokenvend/cmd/tokenvend/internal/clierror"
	"github.com/tokenvend/tokenvend/cmd/tokenvend/internal/hint"
	"github.com/tokenvend/tokenvend/pkg/local/datafolder"
	"github.com/tokenvend/tokenvend/pkg/private"
)

// EnvData names the data folder of the server on this machine.
const EnvData = "TOKENVEND_DATA"

// dataName is the name of a data folder: the user's own is in the home
// directory, and the demo's in the current one.
const dataName = ".tokenvend"

// DataFolder returns the data folder that the flag --data or the environment
// names, else the user's own.
//
// Earlier versions used .tokenvend in the current folder. Where this user keeps
// data there and no folder is named, either could be meant, so the error asks
// for one of them. Such a folder of another user is ignored.
func DataFolder(flag string) (datafolder.Folder, error) {
	if named := cmp.Or(flag, os.Getenv(EnvData)); named != "" {
		return datafolder.Folder{Path: named, Named: true}, nil
	}
	home, err := os.UserHomeDir()
	if err != nil {
		return datafolder.Folder{}, clierror.Usage("--data is needed, or %s: there is no home directory", EnvData)
	}
	own := datafolder.Folder{Path: filepath.Join(home, dataName)}
	if !holdsOwnData(dataName) || isSame(dataName, own.Path) {
		return own, nil
	}
	return datafolder.Folder{}, clierror.Usage("the folder %s here holds data, and no data folder is named; "+
		"add one of:\n  --data %s\n  --data %s", dataName, dataName, hint.Quote(own.Path))
}

// DemoFolder returns the data folder of a demo: the one that the flag --data
// names, else .tokenvend in the current folder. The environment is ignored,
// because it names the folder of a server with real credentials.
func DemoFolder(flag string) datafolder.Folder {
	return datafolder.Folder{Path: cmp.Or(flag, dataName), Named: flag != ""}
}

// holdsOwnData reports whether a folder of this user holds data.
func holdsOwnData(path string) bool {
	f, err := os.Open(path) // #nosec G304 -- a constant name
	if err != nil {
		return false
	}
	defer func() { _ = f.Close() }()
	return private.Owners{}.CheckOwner(f, path) == nil && datafolder.Folder{Path: path}.HoldsData()
}

func isSame(a, b string) bool {
	first, err := os.Stat(a)
	if err != nil {
		return false
	}
	second, err := os.Stat(b)
	return err == nil && os.SameFile(first, second)
}
