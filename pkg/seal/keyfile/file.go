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

// makeFile makes a key. Where another process makes one at the same time, one
// of the two keys stands and the other gets fs.ErrExist.
func makeFile(path string) error {
	if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
		return bare(err)
	}
	key := make([]byte, keyBytes)
	_, _ = rand.Read(key)
	return bare(private.CreateFile(path, []byte(base64.StdEncoding.EncodeToString(key)+"\n")))
}

// bare returns an error without the path, which Open names.
func bare(err error) error {
	if e, ok := errors.AsType[*fs.PathError](err); ok {
		return e.Err
	}
	if e, ok := errors.AsType[*os.LinkError](err); ok {
		return e.Err
	}
	return err
}
