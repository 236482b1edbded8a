package local

import (
	"context"
	"crypto/x509"
	"errors"
	"fmt"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"sync"

	"github.com/tokenvend/tokenvend/pkg/access"
	"github.com/tokenvend/tokenvend/pkg/credential/folder"
	"github.com/tokenvend/tokenvend/pkg/journal"
	"github.com/tokenvend/tokenvend/pkg/mint"
	"github.com/tokenvend/tokenvend/pkg/outbound"
	"github.com/tokenvend/tokenvend/pkg/private"
	"github.com/tokenvend/tokenvend/pkg/provider/simulator"
	"github.com/tokenvend/tokenvend/pkg/rotate"
	"github.com/tokenvend/tokenvend/pkg/row"
	"github.com/tokenvend/tokenvend/pkg/seal/keyfile"
	"github.com/tokenvend/tokenvend/pkg/store/bolt"
	"github.com/tokenvend/tokenvend/pkg/vend"
)

// server is the running server with everything that belongs to it.
type server struct {
	Config
	owners  private.Owners // of the data folder
	store   *bolt.Store
	sealer  *keyfile.Sealer
	source  *folder.Source
	signers signers
	demo    *simulator.Simulator // nil: the real internet
	roots   *x509.CertPool       // trusted besides the system's; nil: the system's alone
	http    *http.Client
	mint    *mint.Mint

	front, control    *web // control: the simulator's, nil without one
	sweeps            sync.WaitGroup
	stopSweeps        context.CancelFunc
	serverInfoWritten bool
}

// build makes a server that does not answer yet. Its error names everything
// that is wrong; nothing is left open then.
func build(c Config) (*server, error) {
	h := &server{Config: c, stopSweeps: func() {}}
	errs := []error{c.check()}
	errs = append(errs, h.openData(), h.openCA())
	if c.Demo {
		errs = append(errs, h.openDemo())
	}
	front, err := listen(c.listen(), "--listen")
	errs = append(errs, err)
	if err == nil {
		errs = append(errs, h.wellKnown(front))
		h.front = newWeb(front, nil, c.log())
	}
	if err := errors.Join(errs...); err != nil {
		return nil, errors.Join(err, h.close())
	}
	h.assemble()
	return h, nil
}

// openData opens the files of the data folder. Before the store is locked none
// of them is read or written: they may be another server's.
func (h *server) openData() error {
	data := h.data()
	if err := os.MkdirAll(data, 0o700); err != nil {
		return fmt.Errorf("--data: %w", err)
	}
	owners, err := h.folder().Check()
	if err != nil {
		return fmt.Errorf("--data: %w", err)
	}
	h.owners = owners
	h.store, err = bolt.Open(filepath.Join(data, storeFile))
	if errors.Is(err, bolt.ErrInUse) {
		return fmt.Errorf("the data folder %s is in use by another tokenvend serve: "+
			"end that one, or choose another folder with --data", data)
	}
	if err != nil {
		return err
	}
	return errors.Join(h.openSeal(), h.openSigners(), h.openCredentials())
}

func (h *server) openSeal() (err error) {
	h.sealer, err = keyfile.OpenOwned(filepath.Join(h.data(), sealFile), h.owners)
	return err
}

func (h *server) openSigners() (err error) {
	h.signers, err = signersOf(h.Config, h.owners)
	return err
}

func (h *server) openCredentials() (err error) {
	if h.source, err = folder.Open(filepath.Join(h.data(), credentialFolder), h.owners); err != nil || h.Demo {
		return err
	}
	return refuseDemos(h.source, h.data())
}

// wellKnown refuses the demo's well-known key on an address beyond loopback.
func (h *server) wellKnown(front net.Listener) error {
	if h.Demo && len(h.Keys) == 0 && !isLoopback(front) {
		return errors.New("--listen: beyond loopback everybody knows the demo's key: " +
			"with --admin-key ID:SECRET or --key ID:SECRET it is no longer taken")
	}
	return nil
}

// assemble wires the parts.
func (h *server) assemble() {
	h.http = outbound.NewClient(h.outside())
	lines := journal.Journal{Log: h.log()}
	h.mint = mint.New(mint.Config{
		Store: h.store, Source: h.source, Sealer: h.sealer, HTTP: h.http, Journal: lines,
		Every: h.every(), StaleMax: h.StaleMax, TrustsEmpty: true, RowFormat: row.FormatMigrate,
	})
	desk := &vend.Service{Mint: h.mint, Journal: lines, Browse: h.browse, Operator: access.Caller.IsOperator}
	g := newGateway(h.region(), h.signers.keys, h.log())
	g.answer = desk.HTTP
	h.front.server.Handler = g
}

// open starts answering and renewing. A later failure is passed to fail.
func (h *server) open(fail func(error)) {
	h.front.start(fail)
	if h.control != nil {
		h.control.start(fail)
	}
	var ctx context.Context
	ctx, h.stopSweeps = context.WithCancel(context.Background())
	s := &schedule{
		sweep: &rotate.Rotator{
			Mint: h.mint, Store: h.store, Journal: journal.Journal{Log: h.log()}, Look: lookEvery, Canary: h.Canary,
		},
		store: h.store, folder: h.source, every: h.every(), log: h.log(),
	}
	h.sweeps.Go(func() { s.run(ctx) })
}

// close ends everything and waits for it, in an order that loses nothing: calls
// first, then renewals, then requests to providers that are under way. The
// store is the last, for it is also the lock on the folder.
func (h *server) close() error {
	if h.front != nil {
		h.front.stop(grace)
	}
	h.stopSweeps()
	h.sweeps.Wait()
	if h.mint != nil {
		h.mint.Wait()
		h.http.CloseIdleConnections()
	}
	err := h.closeDemo()
	if h.serverInfoWritten {
		err = errors.Join(err, os.Remove(filepath.Join(h.data(), serverInfoFile)))
	}
	if h.store != nil {
		err = errors.Join(err, h.store.Close())
	}
	return err
}
