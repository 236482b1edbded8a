package main

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"

	"github.com/tokenvend/tokenvend/pkg/credential"
	"github.com/tokenvend/tokenvend/pkg/local"
	"github.com/tokenvend/tokenvend/pkg/private"
)

// machine looks at this machine's data folder, and at the server that uses it.
func (f *findings) machine(ctx context.Context, at place) {
	if _, err := os.Stat(at.data); errors.Is(err, fs.ErrNotExist) {
		f.fail("data folder", at.data+" does not exist",
			"tokenvend serve makes it; --data names another, --url or --function a stack")
		return
	}
	if !f.private(at) {
		return // what stands in it may be another user's
	}
	f.files(ctx, at.named)
	server, err := at.localClient()
	if none, ok := errors.AsType[noServer](err); ok {
		f.warn("server", "no server runs on "+none.data, "tokenvend serve starts one")
		return
	}
	if err != nil {
		f.unread("server", err)
		return
	}
	f.tokens(ctx, server)
}

// private fails for each file that another user could have put there, could
// change or read. It reports whether the folder is this user's alone.
func (f *findings) private(at place) bool {
	var owners private.Owners
	var err error
	if at.named != "" {
		owners, err = private.OwnersOf(at.named)
	}
	if err == nil {
		err = owners.CheckFolder(at.data)
	}
	if err != nil {
		f.fail("data folder", err.Error(), "then take what it holds for known")
		return false
	}
	f.ok("data folder", "%s is its owner's alone", at.data)
	for _, name := range []string{"key", "seal.key", "server.json", "entries.db"} {
		path := filepath.Join(at.data, name)
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

// files looks at the credentials in a folder, which is not made where it is absent.
func (f *findings) files(ctx context.Context, named string) {
	dir := local.CredentialFolder(named)
	if _, err := os.Stat(dir); err != nil {
		f.warn("credentials", dir+" does not exist", "tokenvend add makes a credential")
		return
	}
	source, err := local.OpenCredentials(named)
	if err != nil {
		f.fail("credentials", err.Error(), "")
		return
	}
	f.secrets(ctx, source)
}

// secrets reads each credential, and says what is wrong with those that can't be used. No value is shown.
func (f *findings) secrets(ctx context.Context, source credential.Source) {
	all, err := source.List(ctx)
	if err != nil {
		f.unread("credentials", err)
		return
	}
	if len(all) == 0 {
		f.warn("credentials", "there is none", "tokenvend add makes one")
		return
	}
	if len(all) > mostLooked {
		f.warn("credentials", fmt.Sprintf("only the first %d of %d were looked at", mostLooked, len(all)), "")
		all = all[:mostLooked]
	}
	sound := 0
	for _, one := range all {
		_, err := source.Read(ctx, one.Name, credential.Current)
		var bad *credential.Malformed
		switch {
		case err == nil:
			sound++
		case errors.As(err, &bad):
			for _, field := range bad.Fields {
				f.fail("credential "+one.Name, field.Field+": "+field.Expected, "tokenvend set "+one.Name)
			}
		default:
			f.unread("credential "+one.Name, err)
		}
	}
	f.ok("credentials", "%d of %d are sound", sound, len(all))
}
