package keyfile

import (
	"crypto/rand"
	"encoding/base64"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"runtime"

	"github.com/tokenvend/tokenvend/pkg/private"
)

const keyBytes = 32

// maxFile is longer than a key with its line ending.
const maxFile = 128

func readOrMake(path string, owners private.Owners) ([]byte, error) {
	key, err := read(path, owners)
	if !errors.Is(err, fs.ErrNotExist) {
		return key, err
	}
	if err := makeFile(path); err != nil && !errors.Is(err, fs.ErrExist) {
		return nil, err
	}
	return read(path, owners)
}

// read checks and reads the same open file.
func read(path string, owners private.Owners) ([]byte, error) {
	f, err := os.Open(path) // #nosec G304 -- the operator names the file
	if err != nil {
		return nil, bare(err)
	}
	defer func() { _ = f.Close() }()
	if err := errors.Join(check(f), owners.CheckOwner(f, filepath.Base(path))); err != nil {
		return nil, err
	}
	text, err := io.ReadAll(io.LimitReader(f, maxFile+1))
	if err != nil {
		return nil, bare(err)
	}
	return parse(text)
}

func check(f *os.File) error {
	info, err := f.Stat()
	if err != nil {
		return bare(err)
	}
	if !info.Mode().IsRegular() {
		return errors.New("not a regular file")
	}
	if mode := info.Mode().Perm(); runtime.GOOS != "windows" && mode&0o077 != 0 {
		return fmt.Errorf(
			"mode %#o lets others read the key; it must be 0600: chmod 600 %s", mode, filepath.Base(f.Name()),
		)
	}
	return nil
}

// parse reads one line of base64, with or without a line ending.
func parse(text []byte) ([]byte, error) {
	key, err := base64.StdEncoding.AppendDecode(nil, text)
	if err != nil || len(key) != keyBytes || len(text) > maxFile {
		return nil, fmt.Errorf("not a key: it must hold %d bytes in base64, on one line", keyBytes)
	}
	return key, nil
}

// makeFile names a new key's file only once it is complete. It uses a link,
// which fails with fs.ErrExist if another process created one.
func makeFile(path string) error {
	dir := filepath.Dir(path)
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return bare(err)
	}
	temp, err := os.CreateTemp(dir, ".key-*")
	if err != nil {
		return bare(err)
	}
	defer func() { _ = os.Remove(temp.Name()) }()
	key := make([]byte, keyBytes)
	_, _ = rand.Read(key)
	_, err = temp.WriteString(base64.StdEncoding.EncodeToString(key) + "\n")
	err = errors.Join(err, temp.Sync(), temp.Close())
	if err == nil {
		err = os.Link(temp.Name(), path)
	}
	if err != nil {
		return bare(err)
	}
	return syncFolder(dir)
}

// syncFolder makes the new name durable. If the key were lost in a crash, so
// would be the tokens sealed under it.
func syncFolder(dir string) error {
	if runtime.GOOS == "windows" {
		return nil
	}
	d, err := os.Open(dir) // #nosec G304 -- the operator names the file
	if err != nil {
		return bare(err)
	}
	return errors.Join(d.Sync(), d.Close())
}

// bare removes the path from an error, because Open adds it.
func bare(err error) error {
	if e, ok := errors.AsType[*fs.PathError](err); ok {
		return e.Err
	}
	if e, ok := errors.AsType[*os.LinkError](err); ok {
		return e.Err
	}
	return err
}
