package local

import (
	"errors"
	"fmt"

	"github.com/tokenvend/tokenvend/pkg/local/gateway"
	"github.com/tokenvend/tokenvend/pkg/local/httpserver"
	"github.com/tokenvend/tokenvend/pkg/local/monitor"
	"github.com/tokenvend/tokenvend/pkg/mint"
	"github.com/tokenvend/tokenvend/pkg/operate"
	"github.com/tokenvend/tokenvend/pkg/private"
	"github.com/tokenvend/tokenvend/pkg/redact"
)

// monitored is the listener of the metrics. Its methods do nothing on nil.
type monitored struct {
	server   *httpserver.Server
	token    redact.String
	counters monitor.Counters
	version  string
}

// openMetrics listens on the address of the metrics. It returns nil if there is
// none.
func openMetrics(c Config) (*monitored, error) {
	if c.Metrics == "" {
		if c.MetricsToken != "" {
			return nil, errors.New("--metrics-token: expected --metrics ADDRESS beside it")
		}
		return nil, nil
	}
	if c.MetricsToken == "" {
		return nil, errors.New("--metrics: expected --metrics-token FILE beside it")
	}
	text, err := private.Owners{}.ReadSecret(c.MetricsToken)
	if err != nil {
		return nil, fmt.Errorf("--metrics-token: %w", err)
	}
	bearer, err := monitor.ParseToken(string(text))
	if err != nil {
		return nil, fmt.Errorf("--metrics-token: %s: %w", c.MetricsToken, err)
	}
	l, err := httpserver.Listen(c.Metrics, "--metrics")
	if err != nil {
		return nil, err
	}
	return &monitored{server: httpserver.New(l, gateway.Timeout, c.log()), token: bearer, version: c.Version}, nil
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
