package local

import (
	"errors"
	"fmt"
	"os"

	"github.com/tokenvend/tokenvend/pkg/credential/folder"
	"github.com/tokenvend/tokenvend/pkg/local/datafolder"
	"github.com/tokenvend/tokenvend/pkg/local/demo"
	"github.com/tokenvend/tokenvend/pkg/private"
	"github.com/tokenvend/tokenvend/pkg/seal/keyfile"
	"github.com/tokenvend/tokenvend/pkg/store/bolt"
)

// data is what a server keeps in its data folder.
type data struct {
	folder datafolder.Folder
	owners private.Owners
	store  *bolt.Store // nil: it is not open
	sealer *keyfile.Sealer
	source *folder.Source
	keys   signingKeys
}

// openData opens the files of the data folder. Before the store is locked none
// of them is read or written: they may be another server's. What it returns is
// to be closed, with an error too.
func openData(c Config) (data, error) {
	d := data{folder: c.dataFolder()}
	if err := d.openStore(c); err != nil {
		return d, err
	}
	return d, errors.Join(d.openSeal(c), d.openKeys(c), d.openCredentials(c))
}

func (d *data) openStore(c Config) (err error) {
	if err := os.MkdirAll(d.folder.Path, 0o700); err != nil {
		return fmt.Errorf("--data: %w", err)
	}
	if d.owners, err = d.folder.Check(); err != nil {
		return fmt.Errorf("--data: %w", err)
	}
	if err := checkStoreFile(c, d.folder); err != nil {
		return err
	}
	d.store, err = bolt.Open(d.folder.StoreFile())
	if errors.Is(err, bolt.ErrInUse) {
		return fmt.Errorf("the data folder %s is in use by another tokenvend serve: "+
			"end that one, or choose another folder with --data", d.folder.Path)
	}
	if err != nil {
		return storeError(c, err)
	}
	return nil
}

func (d *data) openSeal(c Config) (err error) {
	if err := checkSealFile(c, d.folder, d.store); err != nil {
		return err
	}
	d.sealer, err = keyfile.OpenOwned(d.folder.SealFile(), d.owners)
	return err
}

func (d *data) openKeys(c Config) (err error) {
	d.keys, err = signingKeysOf(c, d.owners)
	return err
}

func (d *data) openCredentials(c Config) (err error) {
	if d.source, err = folder.Open(d.folder.Credentials(), d.owners); err != nil || c.Demo {
		return err
	}
	return demo.RefuseCredentials(d.source, d.folder)
}
