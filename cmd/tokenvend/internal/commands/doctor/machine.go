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
func (s *setup) machine(ctx context.Context, at connection.Place) {
	if _, err := os.Stat(at.Data.Path); errors.Is(err, fs.ErrNotExist) {
		s.Fail("data folder", at.Data.Path+" does not exist",
			s.Commands.Line("serve")+" makes it; --data names another, --url or --function a stack")
		return
	}
	if !s.isPrivate(at.Data) {
		return // what stands in it may be another user's
	}
	s.disk(at.Data.Path)
	s.files(ctx, at.Data)
	caller, err := at.Client()
	if none, ok := errors.AsType[*connection.NoServerError](err); ok {
		s.Warn("server", "no server runs on "+none.Data, s.Commands.Line("serve")+" starts one")
		return
	}
	if err != nil {
		s.Unread("server", err)
		return
	}
	s.tokens(ctx, caller)
}

// isPrivate adds a failure for each file that another user could have put
// there, could change or read. It reports whether the folder is this user's
// alone.
func (s *setup) isPrivate(data datafolder.Folder) bool {
	owners, err := data.Owners()
	if err == nil {
		err = owners.CheckFolder(data.Path)
	}
	if err != nil {
		s.Fail("data folder", err.Error(), "then take what it holds for known")
		return false
	}
	s.OK("data folder", "%s is its owner's alone", data.Path)
	for _, name := range []string{"key", "seal.key", "server.json", "entries.db"} {
		path := filepath.Join(data.Path, name)
		err := owners.CheckSecret(path)
		switch {
		case errors.Is(err, fs.ErrNotExist):
		case err != nil:
			s.Fail(name, err.Error(), "then take what it holds for known")
		default:
			s.OK(name, "%s is its owner's alone", path)
		}
	}
	return true
}

// files checks the credentials in a data folder. It creates nothing.
func (s *setup) files(ctx context.Context, data datafolder.Folder) {
	if _, err := os.Stat(data.Credentials()); err != nil {
		s.Warn(
			"credentials",
			data.Credentials()+" does not exist",
			s.Commands.Line("add", "NAME")+" makes a credential",
		)
		return
	}
	source, err := data.OpenCredentials()
	if err != nil {
		s.Fail("credentials", err.Error(), "")
		return
	}
	s.secrets(ctx, source)
}
