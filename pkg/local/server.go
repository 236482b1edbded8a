package local

import (
	"context"
	"crypto/x509"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"os"
	"path/filepath"
	"sync"
	"time"

	"github.com/tokenvend/tokenvend/pkg/access"
	"github.com/tokenvend/tokenvend/pkg/credential/folder"
	"github.com/tokenvend/tokenvend/pkg/local/gateway"
	"github.com/tokenvend/tokenvend/pkg/local/httpserver"
	"github.com/tokenvend/tokenvend/pkg/local/monitor"
	"github.com/tokenvend/tokenvend/pkg/local/statuspage"
	"github.com/tokenvend/tokenvend/pkg/mint"
	"github.com/tokenvend/tokenvend/pkg/outbound"
	"github.com/tokenvend/tokenvend/pkg/private"
	"github.com/tokenvend/tokenvend/pkg/rotate"
	"github.com/tokenvend/tokenvend/pkg/row"
	"github.com/tokenvend/tokenvend/pkg/seal/keyfile"
	"github.com/tokenvend/tokenvend/pkg/store/bolt"
	"github.com/tokenvend/tokenvend/pkg/vend"
)

// server is the running server with everything that belongs to it.
type server struct {
	Config
	folder Folder         // the data folder
	owners private.Owners // of the data folder
	store  *bolt.Store
	sealer *keyfile.Sealer
	source *folder.Source
	keys   signingKeys
	demo   *demo          // nil: the real providers
	roots  *x509.CertPool // trusted besides the system's; nil: the system's alone
	http   *http.Client   // to providers
	mint   *mint.Mint

	api               *httpserver.Server
	metrics           *monitored // nil: not served
	events            statuspage.Events
	gateway           *gateway.Gateway
	schedule          sync.WaitGroup
	endSchedule       context.CancelFunc
	serverInfoWritten bool
}

// build makes a server that does not answer yet. Its error names everything
// that is wrong; nothing is left open then.
func build(c Config) (*server, error) {
	s := &server{Config: c, folder: c.dataFolder(), endSchedule: func() {}}
	s.Log = slog.New(s.events.Handler(c.log().Handler()))
	err := errors.Join(c.check(), s.openData(), s.readCA(), s.openDemo(), s.listen(), s.openMetrics())
	if err != nil {
		return nil, errors.Join(err, s.close())
	}
	s.assemble()
	return s, nil
}

// openData opens the files of the data folder. Before the store is locked none
// of them is read or written: they may be another server's.
func (s *server) openData() error {
	if err := os.MkdirAll(s.folder.Path, 0o700); err != nil {
		return fmt.Errorf("--data: %w", err)
	}
	owners, err := s.folder.Check()
	if err != nil {
		return fmt.Errorf("--data: %w", err)
	}
	s.owners = owners
	if err := s.checkStoreFile(); err != nil {
		return err
	}
	s.store, err = bolt.Open(filepath.Join(s.folder.Path, storeFile))
	if errors.Is(err, bolt.ErrInUse) {
		return fmt.Errorf("the data folder %s is in use by another tokenvend serve: "+
			"end that one, or choose another folder with --data", s.folder.Path)
	}
	if err != nil {
		return s.storeError(err)
	}
	return errors.Join(s.openSeal(), s.openKeys(), s.openCredentials())
}

func (s *server) openSeal() (err error) {
	if err := s.checkSealFile(); err != nil {
		return err
	}
	s.sealer, err = keyfile.OpenOwned(filepath.Join(s.folder.Path, sealFile), s.owners)
	return err
}

func (s *server) openKeys() (err error) {
	s.keys, err = signingKeysOf(s.Config, s.owners)
	return err
}

func (s *server) openCredentials() (err error) {
	if s.source, err = folder.Open(s.folder.Credentials(), s.owners); err != nil || s.Demo {
		return err
	}
	return refuseDemos(s.source, s.folder.Path)
}

// readCA reads the certificates that are trusted besides the system's.
func (s *server) readCA() (err error) {
	s.roots, err = rootsWith(s.CA)
	return err
}

// openDemo starts the simulator of a demo, and writes the demo's credentials.
func (s *server) openDemo() (err error) {
	if !s.Demo {
		return nil
	}
	s.demo, err = openDemo(s.Config)
	if err != nil || s.source == nil || s.sealer == nil {
		return err
	}
	state := &demoState{
		path: filepath.Join(s.folder.Path, demoStateFile), simulator: s.demo.simulator, sealer: s.sealer,
	}
	if err := state.restore(s.owners); err != nil {
		return err
	}
	s.demo.state = state
	return writeDemos(s.source, s.demo.simulator)
}

// listen listens on the address of the API. It refuses the demo's well-known
// key on an address beyond loopback.
func (s *server) listen() error {
	l, err := httpserver.Listen(s.listenAddress(), "--listen")
	if err != nil {
		return err
	}
	s.api = httpserver.New(l, gateway.Timeout, s.log())
	if s.Demo && len(s.Keys) == 0 && !s.api.IsLoopback() {
		return errors.New("--listen: beyond loopback everybody knows the demo's key: " +
			"with --admin-key ID:SECRET or --key ID:SECRET it is no longer taken")
	}
	return nil
}

// assemble wires the parts.
func (s *server) assemble() {
	lines := s.journal()
	service := &vend.Service{Journal: lines, Operator: access.Caller.IsOperator}
	providers := outbound.Config{
		AllowPrivate: s.AllowPrivate, PlainLoopback: s.AllowPrivate, Proxy: s.Proxy, Roots: s.roots,
	}
	if s.demo != nil {
		providers = outbound.Config{Roots: s.demo.simulator.Roots(), Route: s.demo.simulator.Route}
		service.Browse = s.demo.browserURL
	}
	s.http = outbound.NewClient(providers)
	s.mint = mint.New(mint.Config{
		Store: s.store, Source: s.source, Sealer: s.sealer, HTTP: s.http, Journal: lines,
		Every: s.every(), StaleMax: s.StaleMax, TrustsEmpty: true, RowFormat: row.FormatMigrate,
	})
	service.Mint = s.mint
	s.gateway = gateway.New(s.region(), s.keys.all, service.HTTP, s.log())
}

// start starts answering and renewing. A later failure is passed to fail.
func (s *server) start(fail func(error)) {
	s.api.Start(monitor.Health(s.works, s.statusPage(s.gateway)), fail)
	s.metrics.start(s.mint, fail)
	var ctx context.Context
	ctx, s.endSchedule = context.WithCancel(context.Background())
	if s.demo != nil {
		s.demo.control.Start(s.demo.simulator.Control(), fail)
		s.schedule.Go(func() { s.demo.state.run(ctx, s.log()) })
	}
	passes := &schedule{
		rotator: &rotate.Rotator{
			Mint: s.mint, Store: s.store, Journal: s.journal(), Look: pollEvery, Canary: s.Canary,
		},
		store: s.store, folder: s.source, every: s.every(), log: s.log(),
	}
	s.schedule.Go(func() { passes.run(ctx) })
}

// grace is how long calls that are under way may take once the server ends.
const grace = 10 * time.Second

// close ends everything and waits for it, in an order that loses nothing: calls
// first, then renewals, then requests to providers that are under way. The
// store is the last, for it is also the lock on the folder.
func (s *server) close() error {
	if s.api != nil {
		s.api.Stop(grace)
	}
	s.metrics.stop()
	s.endSchedule()
	s.schedule.Wait()
	if s.mint != nil {
		s.mint.Wait()
		s.http.CloseIdleConnections()
	}
	var err error
	if s.demo != nil {
		err = s.demo.close(grace)
	}
	if s.serverInfoWritten {
		err = errors.Join(err, os.Remove(filepath.Join(s.folder.Path, serverInfoFile)))
	}
	if s.store != nil {
		err = errors.Join(err, s.store.Close())
	}
	return err
}
