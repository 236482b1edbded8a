// Command sweep makes one discovery and one pass of rotate over the data folder
// of one machine, tells the pass's report, and waits for the end of its input:
// so long its memory can be looked at.
package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/url"
	"os"
	"path/filepath"

	"github.com/tokenvend/tokenvend/pkg/credential/folder"
	"github.com/tokenvend/tokenvend/pkg/mint"
	"github.com/tokenvend/tokenvend/pkg/outbound"
	"github.com/tokenvend/tokenvend/pkg/rotate"
	"github.com/tokenvend/tokenvend/pkg/seal/keyfile"
	"github.com/tokenvend/tokenvend/pkg/store/bolt"
)

func main() {
	if err := run(os.Getenv("SWEEP_DATA"), os.Getenv("SWEEP_PROXY")); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

func run(data, proxy string) (err error) {
	rows, err := bolt.Open(filepath.Join(data, "entries.db"))
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, rows.Close()) }()
	secrets, err := folder.New(filepath.Join(data, "credentials"))
	if err != nil {
		return err
	}
	sealer, err := keyfile.Open(filepath.Join(data, "seal.key"))
	if err != nil {
		return err
	}
	through, err := url.Parse(proxy)
	if err != nil {
		return err
	}
	m := mint.New(mint.Config{
		Store: rows, Source: secrets, Sealer: sealer, HTTP: outbound.NewClient(outbound.Config{Proxy: through}),
		TrustsEmpty: true,
	})
	rotator := &rotate.Rotator{Mint: m, Store: rows}
	if _, err := rotator.Discover(context.Background()); err != nil {
		return err
	}
	report, err := rotator.Run(context.Background())
	if err != nil {
		return err
	}
	if err := json.NewEncoder(os.Stdout).Encode(report); err != nil {
		return err
	}
	_, err = io.Copy(io.Discard, os.Stdin)
	return err
}
