// Package maintenance checks, backs up, restores and repairs the data folder of
// a one-machine server that does not run.
//
// Nothing is overwritten: what has to give way is renamed.
package maintenance

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"

	"github.com/tokenvend/tokenvend/pkg/local/datafolder"
	"github.com/tokenvend/tokenvend/pkg/row"
	"github.com/tokenvend/tokenvend/pkg/seal/keyfile"
	"github.com/tokenvend/tokenvend/pkg/store"
	"github.com/tokenvend/tokenvend/pkg/store/bolt"
)

// Health is what a check of a data folder has found.
type Health struct {
	Rows     int     // that can be read
	Unopened int     // of them: those that the key does not open
	Problems []error // what is wrong; none: the folder is sound
}

// Check reads the store and its key, and changes nothing. Its error says that
// it could not look: the folder is refused, or a server uses it.
func Check(ctx context.Context, f datafolder.Folder) (Health, error) {
	var h Health
	owners, err := f.Check()
	if err != nil {
		return h, err
	}
	hasKey := exists(f.SealFile())
	found, err := bolt.Inspect(f.StoreFile())
	switch {
	case errors.Is(err, bolt.ErrInUse):
		return h, fmt.Errorf("%w: end tokenvend serve first", err)
	case errors.Is(err, store.ErrNewer):
		return h, err
	case errors.Is(err, fs.ErrNotExist) && !hasKey:
		return h, fmt.Errorf("%s holds no store yet", f.Path)
	case err != nil:
		h.Problems = append(h.Problems, err)
		return h, nil
	}
	h.Rows, h.Problems = len(found.Entries), found.Problems
	if !hasKey {
		if h.Rows > 0 {
			h.Problems = append(h.Problems, fmt.Errorf("%s: %w", f.SealFile(), fs.ErrNotExist))
		}
		return h, nil
	}
	sealer, err := keyfile.OpenOwned(f.SealFile(), owners)
	if err != nil {
		h.Problems = append(h.Problems, err)
		return h, nil
	}
	h.Unopened = unopened(ctx, sealer, found.Entries)
	if h.Unopened > 0 {
		h.Problems = append(h.Problems,
			fmt.Errorf("%d of %d rows do not open with %s", h.Unopened, h.Rows, f.SealFile()))
	}
	return h, nil
}

// unopened returns how many rows the key does not open.
func unopened(ctx context.Context, sealer *keyfile.Sealer, entries []store.Entry) (n int) {
	for _, e := range entries {
		if !opens(ctx, sealer, e) {
			n++
		}
	}
	return n
}

// opens reports whether the key opens what is sealed in an entry.
func opens(ctx context.Context, sealer *keyfile.Sealer, e store.Entry) bool {
	if len(e.Sealed) == 0 {
		return true
	}
	_, err := sealer.Open(ctx, e.Key.Credential, e.Sealed, row.AdditionalData(e))
	return err == nil
}

func exists(path string) bool {
	_, err := os.Lstat(path)
	return !errors.Is(err, fs.ErrNotExist)
}
