package maintenance

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"time"

	"github.com/tokenvend/tokenvend/pkg/private"
)

// asideSuffix is what the names of files that give way get at their end.
func asideSuffix() string { return ".aside-" + time.Now().UTC().Format("20060102T150405") }

// setAside renames a file, and returns its new name; nothing if there is none.
func setAside(path, suffix string) ([]string, error) {
	to := path + suffix
	if exists(to) {
		return nil, fmt.Errorf("%s: %w", to, fs.ErrExist)
	}
	err := os.Rename(path, to)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	return []string{to}, private.SyncFolder(filepath.Dir(path))
}
