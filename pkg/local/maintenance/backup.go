package maintenance

import (
	"archive/tar"
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"strings"
	"time"

	"github.com/tokenvend/tokenvend/pkg/credential"
	"github.com/tokenvend/tokenvend/pkg/local/datafolder"
	"github.com/tokenvend/tokenvend/pkg/private"
	"github.com/tokenvend/tokenvend/pkg/store/bolt"
)

// The names of a backup's files, which are those of the data folder.
const (
	storeName      = "entries.db"
	sealName       = "seal.key"
	keyName        = "key"
	credentialsDir = "credentials"
)

// maxBackup bounds what is read of a backup, in bytes.
const maxBackup = 4 << 30

// Backup writes the store, its key, the operator's key and the credentials to a
// new file, a tar of mode 0600. The file holds all secrets in plain. A store
// that is not sound is not backed up.
func Backup(ctx context.Context, f datafolder.Folder, to string) (files int, err error) {
	h, err := Check(ctx, f)
	if err == nil {
		err = errors.Join(h.Problems...)
	}
	if err != nil {
		return 0, err
	}
	lock, err := bolt.Open(f.StoreFile()) // so that no server writes meanwhile
	if err != nil {
		return 0, err
	}
	defer func() { err = errors.Join(err, lock.Close()) }()
	names, err := backedUp(f)
	if err != nil {
		return 0, err
	}
	var archive bytes.Buffer
	w := tar.NewWriter(&archive)
	for _, name := range names {
		content, err := os.ReadFile(filepath.Join(f.Path, filepath.FromSlash(name))) // #nosec G304 -- of the folder
		if err != nil {
			return 0, err
		}
		header := &tar.Header{Name: name, Mode: 0o600, Size: int64(len(content)), ModTime: time.Now()}
		if err := w.WriteHeader(header); err != nil {
			return 0, err
		}
		if _, err := w.Write(content); err != nil {
			return 0, err
		}
	}
	if err := w.Close(); err != nil {
		return 0, err
	}
	err = private.CreateFile(to, archive.Bytes())
	if errors.Is(err, fs.ErrExist) {
		err = fmt.Errorf("%s is there already: name a new file", to)
	}
	return len(names), err
}

// backedUp returns the names of the files of a data folder that a backup holds.
func backedUp(f datafolder.Folder) ([]string, error) {
	var names []string
	for _, name := range []string{sealName, storeName, keyName} {
		if exists(filepath.Join(f.Path, name)) {
			names = append(names, name)
		}
	}
	entries, err := os.ReadDir(f.Credentials())
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return nil, err
	}
	for _, e := range entries {
		if isCredential(e.Name()) {
			names = append(names, credentialsDir+"/"+e.Name())
		}
	}
	return names, nil
}

// isCredential reports whether a file in the folder of credentials is one.
func isCredential(name string) bool {
	base, ok := strings.CutSuffix(name, ".json")
	return ok && credential.ValidName(base)
}

// readBackup returns the files of a backup. It refuses a file that is none.
func readBackup(from string) (map[string][]byte, error) {
	f, err := os.Open(from) // #nosec G304 -- the operator names the file
	if err != nil {
		return nil, err
	}
	defer func() { _ = f.Close() }()
	files, r := map[string][]byte{}, tar.NewReader(io.LimitReader(f, maxBackup))
	for {
		header, err := r.Next()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			return nil, fmt.Errorf("%s: no backup, or a damaged one: %w", from, err)
		}
		dir, base := path.Split(header.Name)
		known := dir == "" && (base == storeName || base == sealName || base == keyName) ||
			dir == credentialsDir+"/" && isCredential(base)
		if !known || header.Typeflag != tar.TypeReg {
			return nil, fmt.Errorf("%s: no backup of tokenvend: it holds another file", from)
		}
		if files[header.Name], err = io.ReadAll(r); err != nil {
			return nil, fmt.Errorf("%s: a damaged backup: %w", from, err)
		}
	}
	if files[storeName] == nil || files[sealName] == nil {
		return nil, fmt.Errorf("%s: no backup of tokenvend: it lacks the store or its key", from)
	}
	return files, nil
}
