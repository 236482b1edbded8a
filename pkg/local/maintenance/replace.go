package maintenance

import (
	"errors"
	"maps"
	"os"
	"path/filepath"
	"slices"

	"github.com/tokenvend/tokenvend/pkg/local/datafolder"
	"github.com/tokenvend/tokenvend/pkg/private"
)

// replacement is a file of a backup that stands beside the one that it
// replaces.
type replacement struct {
	path, fresh string
	suffix      string
	aside       []string // the new name of the older file; none: there was none
}

// writeNew writes those files that differ from what the folder holds, each
// under a name of its own. On an error none of them is left: a full disk is met
// before anything has to give way.
func writeNew(
	f datafolder.Folder, files map[string][]byte, owners private.Owners,
) (all []replacement, err error) {
	suffix := asideSuffix()
	for _, name := range slices.Sorted(maps.Keys(files)) {
		path := filepath.Join(f.Path, filepath.FromSlash(name))
		now, err := os.ReadFile(path) // #nosec G304 -- of the folder
		if err == nil && string(now) == string(files[name]) {
			continue
		}
		r := replacement{path: path, fresh: path + suffix + ".new", suffix: suffix}
		if err := owners.CreateFile(r.fresh, files[name]); err != nil {
			for _, written := range all {
				err = errors.Join(err, os.Remove(written.fresh))
			}
			return nil, err
		}
		all = append(all, r)
	}
	return all, nil
}

// replaceAll gives the new files their names. On an error it puts the older
// ones back.
func replaceAll(all []replacement) error {
	for i := range all {
		if err := all[i].replace(); err != nil {
			for _, r := range all[:i+1] {
				err = errors.Join(err, r.undo())
			}
			for _, r := range all[i+1:] {
				err = errors.Join(err, os.Remove(r.fresh))
			}
			return err
		}
	}
	return nil
}

func (r *replacement) replace() (err error) {
	if r.aside, err = setAside(r.path, r.suffix); err != nil {
		return err
	}
	if err := os.Rename(r.fresh, r.path); err != nil {
		return err
	}
	return private.SyncFolder(filepath.Dir(r.path))
}

// undo removes the new file, wherever it stands, and gives the older one its
// name again.
func (r *replacement) undo() error {
	fresh := r.path
	if exists(r.fresh) {
		fresh = r.fresh
	}
	err := os.Remove(fresh)
	if len(r.aside) > 0 {
		err = errors.Join(err, os.Rename(r.aside[0], r.path))
	}
	return err
}
