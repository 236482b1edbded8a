package local

import (
	"context"
	"crypto/x509"
	"errors"
	"log/slog"
	"net/http"
	"sync"

	"github.com/tokenvend/tokenvend/pkg/access"
	"github.com/tokenvend/tokenvend/pkg/api"
	"github.com/tokenvend/tokenvend/pkg/journal"
	"github.com/tokenvend/tokenvend/pkg/local/demo"
	"github.com/tokenvend/tokenvend/pkg/local/gateway"
	"github.com/tokenvend/tokenvend/pkg/local/httpserver"
	"github.com/tokenvend/tokenvend/pkg/local/monitor"
	"github.com/tokenvend/tokenvend/pkg/local/statuspage"
	"github.com/tokenvend/tokenvend/pkg/mint"
	"github.com/tokenvend/tokenvend/pkg/operate"
	"github.com/tokenvend/tokenvend/pkg/outbound"
	"github.com/tokenvend/tokenvend/pkg/proof"
	"github.com/tokenvend/tokenvend/pkg/rotate"
	"github.com/tokenvend/tokenvend/pkg/row"
	"github.com/tokenvend/tokenvend/pkg/store"
	"github.com/tokenvend/tokenvend/pkg/token"
	"github.com/tokenvend/tokenvend/pkg/vend"
)

// server is the running server with everything that belongs to it.
type server struct {
	Config
	data
	demo  *demo.Demo     // nil: the real providers
	roots *x509.CertPool // trusted besides the system's; nil: the system's alone
	http  *http.Client   // to providers
	mint  *mint.Mint

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
	s := &server{Config: c, endSchedule: func() {}}
	s.Log = slog.New(s.events.Handler(c.log().Handler()))
	if err := errors.Join(c.check(), s.open()); err != nil {
		return nil, errors.Join(err, s.close())
	}
	s.assemble()
	return s, nil
}

// open opens everything that the server uses and closes.
func (s *server) open() error {
	var dataErr, rootsErr, metricsErr error
	s.data, dataErr = openData(s.Config)
	s.roots, rootsErr = rootsWith(s.CA)
	demoErr, listenErr := s.openDemo(), s.listen()
	s.metrics, metricsErr = openMetrics(s.Config)
	return errors.Join(dataErr, rootsErr, demoErr, listenErr, metricsErr)
}

// openDemo starts the simulator of a demo, and writes the demo's credentials.
func (s *server) openDemo() (err error) {
	if !s.Demo {
		return nil
	}
	s.demo, err = demo.Open(demo.Options{Listen: s.demoAddress(), Lifetime: s.DemoLifetime, Log: s.log()})
	if err != nil || s.source == nil || s.sealer == nil {
		return err
	}
	if err := s.demo.Keep(s.folder, s.owners, s.sealer); err != nil {
		return err
	}
	return s.demo.WriteCredentials(s.source)
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
		providers = s.demo.Outbound()
		service.Browse = s.demo.BrowserURL
	}
	s.http = outbound.NewClient(providers)
	s.mint = mint.New(mint.Config{
		Store: s.store, Source: s.source, Sealer: s.sealer, HTTP: s.http, Journal: lines,
		Prover: &proof.Prover{Bindings: s.TokenFiles},
		Every:  s.every(), StaleMax: s.StaleMax, TrustsEmpty: true, RowFormat: row.FormatMigrate,
	})
	service.Mint = s.mint
	s.gateway = gateway.New(s.region(), s.keys.all, service.HTTP, s.log())
}

// journal returns the server's journal.
func (s *server) journal() journal.Journal {
	j := journal.Journal{Log: s.log()}
	if s.metrics != nil {
		j.Observe = s.metrics.counters.Observe
	}
	return j
}

// works reports by nil that the store can be read.
func (s *server) works(ctx context.Context) error {
	_, err := s.store.Get(ctx, store.Strong, token.RecordKey("healthz"))
	return err
}

// statusPage returns a handler that answers the status page, and leaves all
// else to next.
func (s *server) statusPage(next http.Handler) http.Handler {
	c := statuspage.Config{
		Tokens: operate.New(s.mint).Overview, Secret: s.keys.operator.Secret, Events: &s.events, Command: s.commandLine,
	}
	if s.Advice != nil {
		c.Advice = func(of operate.Status) string {
			r := api.StatusReport{
				Credential: of.Entry.Key.Credential, Account: of.Entry.Key.Variant.Account, State: of.State,
			}
			if f := of.Failure; !f.IsZero() {
				r.Failure = &api.Failure{Code: api.Code(f.Code)}
			}
			return s.Advice(r)
		}
	}
	return statuspage.Handler(c, next)
}

// start starts answering and renewing. A later failure is passed to fail.
func (s *server) start(fail func(error)) {
	s.api.Start(monitor.Health(s.works, s.statusPage(s.gateway)), fail)
	s.metrics.start(s.mint, fail)
	var ctx context.Context
	ctx, s.endSchedule = context.WithCancel(context.Background())
	if s.demo != nil {
		s.demo.Start(fail)
		s.schedule.Go(func() { s.demo.Run(ctx) })
	}
	passes := &schedule{
		rotator: &rotate.Rotator{
			Mint: s.mint, Store: s.store, Journal: s.journal(), Look: pollEvery, Canary: s.Canary,
		},
		store: s.store, folder: s.source, every: s.every(), log: s.log(),
	}
	s.schedule.Go(func() { passes.run(ctx) })
}

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
		err = s.demo.Close(grace)
	}
	if s.serverInfoWritten {
		err = errors.Join(err, s.folder.RemoveServerInfo())
	}
	if s.store != nil {
		err = errors.Join(err, s.store.Close())
	}
	return err
}
