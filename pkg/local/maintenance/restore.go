package maintenance

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"strings"

	"github.com/tokenvend/tokenvend/pkg/local/datafolder"
	"github.com/tokenvend/tokenvend/pkg/private"
	"github.com/tokenvend/tokenvend/pkg/seal/keyfile"
	"github.com/tokenvend/tokenvend/pkg/store"
	"github.com/tokenvend/tokenvend/pkg/store/bolt"
)

// Restore puts the files of a backup back, and returns the new names of files
// that had to give way. A backup whose store is not sound is refused, and so is
// a folder that a server uses. A file that the backup does not hold stays. An
// error, such as that of a full disk, means that nothing was changed.
func Restore(ctx context.Context, f datafolder.Folder, from string) (aside []string, err error) {
	files, err := readBackup(from)
	if err != nil {
		return nil, err
	}
	if err := checkFolder(f); err != nil {
		return nil, err
	}
	if err := checkFiles(ctx, files); err != nil {
		return nil, fmt.Errorf("%s: %w: nothing was changed", from, err)
	}
	owners, err := f.Owners()
	if err != nil {
		return nil, err
	}
	if err := owners.MakeFolder(f.Path, credentialsDir); err != nil {
		return nil, err
	}
	unlock, err := lock(f)
	if err != nil {
		return nil, err
	}
	defer unlock()
	all, err := writeNew(f, files, owners)
	if err == nil {
		err = replaceAll(all)
	}
	if err != nil {
		return nil, fmt.Errorf("%w: nothing was changed", err)
	}
	for _, r := range all {
		aside = append(aside, r.aside...)
	}
	return aside, nil
}

// lock keeps a server from starting on a store. One that cannot be opened needs
// no lock: no server can open it either. Windows renames no file that is open.
func lock(f datafolder.Folder) (unlock func(), err error) {
	if !exists(f.StoreFile()) || runtime.GOOS == "windows" {
		return func() {}, nil
	}
	s, err := bolt.Open(f.StoreFile())
	switch {
	case errors.Is(err, bolt.ErrInUse):
		return nil, fmt.Errorf("%w: end tokenvend serve first", err)
	case err != nil:
		return func() {}, nil
	}
	return func() { _ = s.Close() }, nil
}

// checkFolder refuses a folder that is not this user's, and one that a server
// uses.
func checkFolder(f datafolder.Folder) error {
	if err := os.MkdirAll(f.Path, 0o700); err != nil {
		return err
	}
	if _, err := f.Check(); err != nil {
		return err
	}
	if _, err := bolt.Inspect(f.StoreFile()); errors.Is(err, bolt.ErrInUse) {
		return fmt.Errorf("%w: end tokenvend serve first", err)
	}
	return nil
}

// checkFiles checks the store and the key of a backup, in a folder of their
// own.
func checkFiles(ctx context.Context, files map[string][]byte) error {
	temp, err := os.MkdirTemp("", "tokenvend-restore") // mode 0700
	if err != nil {
		return err
	}
	defer func() { _ = os.RemoveAll(temp) }()
	for _, name := range []string{storeName, sealName} {
		if err := os.WriteFile(filepath.Join(temp, name), files[name], 0o600); err != nil {
			return err
		}
	}
	h, err := Check(ctx, datafolder.Folder{Path: temp, Named: true})
	return errors.Join(append(h.Problems, err)...)
}

// Repair mends a folder that a server refuses. It keeps the rows that can be
// read where the store is damaged and its key is there, and sets aside what is
// of no use alone: a store without its key, or a key without its store. It
// returns what it did, nothing where the folder is sound.
func Repair(ctx context.Context, f datafolder.Folder) (done []string, err error) {
	h, err := Check(ctx, f)
	if err != nil {
		return nil, err
	}
	if len(h.Problems) == 0 {
		return nil, nil
	}
	suffix := asideSuffix()
	if info, err := os.Stat(f.StoreFile()); err == nil && info.Size() > 0 && exists(f.SealFile()) {
		if done, err := salvage(ctx, f, suffix); done != nil || err != nil {
			return done, err
		}
	}
	for _, path := range []string{f.StoreFile(), f.SealFile()} {
		renamed, err := setAside(path, suffix)
		if err != nil {
			return done, err
		}
		for _, name := range renamed {
			done = append(done, path+" was renamed to "+name)
		}
	}
	return append(done, "the next start makes a new store and a new key"), nil
}

// salvage writes the rows that can be read and that the key opens to a new
// store, and sets the old one aside. It does nothing where there is no such
// row.
func salvage(ctx context.Context, f datafolder.Folder, suffix string) ([]string, error) {
	owners, err := f.Owners()
	if err != nil {
		return nil, err
	}
	sealer, err := keyfile.OpenOwned(f.SealFile(), owners)
	if err != nil {
		return nil, nil // the key is damaged, and no row is of use
	}
	fresh := f.StoreFile() + suffix + ".new"
	text, kept, err := salvaged(f, func(e store.Entry) bool { return opens(ctx, sealer, e) })
	switch _, unreadable := bolt.Inspect(f.StoreFile()); {
	case err != nil && unreadable == nil:
		return nil, fmt.Errorf("%w: nothing was changed", err) // the new store could not be written
	case err != nil || kept == 0:
		return nil, nil // the store cannot be opened, or holds nothing
	}
	if err := owners.CreateFile(fresh, text); err != nil {
		return nil, fmt.Errorf("%w: nothing was changed", err)
	}
	renamed, err := setAside(f.StoreFile(), suffix)
	if err != nil {
		return nil, err
	}
	if err := os.Rename(fresh, f.StoreFile()); err != nil {
		return nil, err
	}
	return []string{
		fmt.Sprintf("%d rows were kept in a new store", kept),
		f.StoreFile() + " was renamed to " + strings.Join(renamed, ""),
	}, private.SyncFolder(f.Path)
}

// salvaged returns a store with those rows that can be read and that keep
// reports true for. It is made in a folder of its own: where root works in the
// folder of another user, that user could put another file in its place.
func salvaged(f datafolder.Folder, keep func(store.Entry) bool) (text []byte, kept int, err error) {
	temp, err := os.MkdirTemp("", "tokenvend-repair") // mode 0700
	if err != nil {
		return nil, 0, err
	}
	defer func() { _ = os.RemoveAll(temp) }()
	path := filepath.Join(temp, storeName)
	if kept, err = bolt.Salvage(f.StoreFile(), path, keep); err != nil || kept == 0 {
		return nil, kept, err
	}
	text, err = os.ReadFile(path) // #nosec G304 -- just made
	return text, kept, err
}
