package doctor

import (
	"context"
	"errors"
	"io/fs"
	"os"
	"path/filepath"

	"github.com/tokenvend/tokenvend/cmd/tokenvend/internal/connection"
	"github.com/tokenvend/tokenvend/pkg/local/datafolder"
)

// machine checks the data folder of this machine, and the server that uses it.
func (f *findings) machine(ctx context.Context, at connection.Place) {
	if _, err := os.Stat(at.Data.Path); errors.Is(err, fs.ErrNotExist) {
		f.fail("data folder", at.Data.Path+" does not exist",
			f.commands.Line("serve")+" makes it; --data names another, --url or --function a stack")
		return
	}
	if !f.isPrivate(at.Data) {
		return // what stands in it may be another user's
	}
	f.disk(at.Data.Path)
	f.files(ctx, at.Data)
	caller, err := at.Client()
	if none, ok := errors.AsType[*connection.NoServerError](err); ok {
		f.warn("server", "no server runs on "+none.Data, f.commands.Line("serve")+" starts one")
		return
	}
	if err != nil {
		f.unread("server", err)
		return
	}
	f.tokens(ctx, caller)
}

// isPrivate adds a failure for each file that another user could have put
// there, could change or read. It reports whether the folder is this user's
// alone.
func (f *findings) isPrivate(data datafolder.Folder) bool {
	owners, err := data.Owners()
	if err == nil {
		err = owners.CheckFolder(data.Path)
	}
	if err != nil {
		f.fail("data folder", err.Error(), "then take what it holds for known")
		return false
	}
	f.ok("data folder", "%s is its owner's alone", data.Path)
	for _, name := range []string{"key", "seal.key", "server.json", "entries.db"} {
		path := filepath.Join(data.Path, name)
		err := owners.CheckSecret(path)
		switch {
		case errors.Is(err, fs.ErrNotExist):
		case err != nil:
			f.fail(name, err.Error(), "then take what it holds for known")
		default:
			f.ok(name, "%s is its owner's alone", path)
		}
	}
	return true
}

// files checks the credentials in a data folder. It creates nothing.
func (f *findings) files(ctx context.Context, data datafolder.Folder) {
	if _, err := os.Stat(data.Credentials()); err != nil {
		f.warn(
			"credentials",
			data.Credentials()+" does not exist",
			f.commands.Line("add", "NAME")+" makes a credential",
		)
		return
	}
	source, err := data.OpenCredentials()
	if err != nil {
		f.fail("credentials", err.Error(), "")
		return
	}
	f.secrets(ctx, source)
}
