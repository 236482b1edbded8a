package local

import (
	"context"
	"errors"
	"fmt"
	"net/http"

	"github.com/tokenvend/tokenvend/pkg/api"
	"github.com/tokenvend/tokenvend/pkg/journal"
	"github.com/tokenvend/tokenvend/pkg/local/gateway"
	"github.com/tokenvend/tokenvend/pkg/local/httpserver"
	"github.com/tokenvend/tokenvend/pkg/local/monitor"
	"github.com/tokenvend/tokenvend/pkg/local/statuspage"
	"github.com/tokenvend/tokenvend/pkg/mint"
	"github.com/tokenvend/tokenvend/pkg/operate"
	"github.com/tokenvend/tokenvend/pkg/private"
	"github.com/tokenvend/tokenvend/pkg/redact"
	"github.com/tokenvend/tokenvend/pkg/store"
	"github.com/tokenvend/tokenvend/pkg/token"
)

// monitored is the listener of the metrics. Its methods do nothing on nil.
type monitored struct {
	server   *httpserver.Server
	token    redact.String
	counters monitor.Counters
	version  string
}

// openMetrics listens on the address of the metrics, if there is one.
func (s *server) openMetrics() error {
	if s.Metrics == "" {
		if s.MetricsToken != "" {
			return errors.New("--metrics-token: expected --metrics ADDRESS beside it")
		}
		return nil
	}
	if s.MetricsToken == "" {
		return errors.New("--metrics: expected --metrics-token FILE beside it")
	}
	text, err := private.Owners{}.ReadSecret(s.MetricsToken)
	if err != nil {
		return fmt.Errorf("--metrics-token: %w", err)
	}
	bearer, err := monitor.ParseToken(string(text))
	if err != nil {
		return fmt.Errorf("--metrics-token: %s: %w", s.MetricsToken, err)
	}
	l, err := httpserver.Listen(s.Metrics, "--metrics")
	if err != nil {
		return err
	}
	s.metrics = &monitored{
		server: httpserver.New(l, gateway.Timeout, s.log()), token: bearer, version: s.Version,
	}
	return nil
}

// start starts answering. A later failure is passed to fail.
func (m *monitored) start(of *mint.Mint, fail func(error)) {
	if m == nil {
		return
	}
	all := monitor.Metrics{Counters: &m.counters, Tokens: operate.New(of).Overview, Version: m.version}
	m.server.Start(all.Handler(m.token), fail)
}

func (m *monitored) stop() {
	if m != nil {
		m.server.Stop(grace)
	}
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
