package main

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"runtime"

	"github.com/tokenvend/tokenvend/pkg/credential"
	"github.com/tokenvend/tokenvend/pkg/credential/folder"
)

// machine looks at this machine's data folder, and at the server that uses it.
func (f *findings) machine(ctx context.Context, data string) {
	if _, err := os.Stat(data); errors.Is(err, fs.ErrNotExist) {
		f.fail("data folder", data+" does not exist", "tokenvend serve makes it; --data names another, --url or --function a stack")
		return
	}
	f.mode("data folder", data, 0o022, "700")
	for _, name := range []string{"key", "seal.key", "server.json", "entries.db"} {
		if _, err := os.Stat(filepath.Join(data, name)); err == nil {
			f.mode(name, filepath.Join(data, name), 0o077, "600")
		}
	}
	f.files(ctx, credentialFolder(data))
	at, err := localClient(data)
	if none, ok := errors.AsType[noServer](err); ok {
		f.warn("server", "no server runs on "+none.data, "tokenvend serve starts one")
		return
	}
	if err != nil {
		f.unread("server", err)
		return
	}
	f.tokens(ctx, at)
}

// mode fails where others have any of those rights on a file or folder.
func (f *findings) mode(subject, path string, forbidden fs.FileMode, right string) {
	info, err := os.Stat(path)
	switch {
	case err != nil:
		f.fail(subject, err.Error(), "")
	case runtime.GOOS != "windows" && info.Mode().Perm()&forbidden != 0:
		f.fail(subject, fmt.Sprintf("%s has mode %#o, and others may use it", path, info.Mode().Perm()), "chmod "+right+" "+path+", and take what it holds for known")
	default:
		f.ok(subject, "%s is its owner's alone", path)
	}
}

// files looks at the credentials in a folder, which is not made where it is absent.
func (f *findings) files(ctx context.Context, dir string) {
	if _, err := os.Stat(dir); err != nil {
		f.warn("credentials", dir+" does not exist", "tokenvend add makes a credential")
		return
	}
	source, err := folder.New(dir)
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
