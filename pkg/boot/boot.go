package boot

import (
	"context"
	"io"
	"log/slog"
	"sync"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	awskms "github.com/aws/aws-sdk-go-v2/service/kms"
	awssecrets "github.com/aws/aws-sdk-go-v2/service/secretsmanager"

	"github.com/tokenvend/tokenvend/pkg/credential/secretsmanager"
	"github.com/tokenvend/tokenvend/pkg/journal"
	"github.com/tokenvend/tokenvend/pkg/mint"
	"github.com/tokenvend/tokenvend/pkg/outbound"
	"github.com/tokenvend/tokenvend/pkg/rotate"
	"github.com/tokenvend/tokenvend/pkg/seal"
	"github.com/tokenvend/tokenvend/pkg/seal/kms"
	"github.com/tokenvend/tokenvend/pkg/store"
	"github.com/tokenvend/tokenvend/pkg/store/dynamo"
	"github.com/tokenvend/tokenvend/pkg/token"
	"github.com/tokenvend/tokenvend/pkg/vend"
)

// core is what both functions work with.
type core struct {
	settings
	dialer  *dialer
	mint    *mint.Mint
	store   store.Store
	journal journal.Journal
	canary  time.Duration
}

// Vend makes the vend function's Desk. getenv is os.Getenv; out takes the log, one JSON line each. An error names every setting that is wrong.
func Vend(ctx context.Context, getenv func(string) string, out io.Writer) (*vend.Desk, error) {
	c, err := assemble(getenv, out)
	if err != nil {
		return nil, err
	}
	ctx, cancel := context.WithTimeout(ctx, connectWithin)
	defer cancel()
	var both sync.WaitGroup
	both.Go(func() { c.connectKMS(ctx) })
	c.connect(ctx)
	both.Wait()
	return &vend.Desk{Mint: c.mint, Journal: c.journal}, nil
}

// Rotate makes the rotate function's Sweep, as [Vend] makes the Desk.
func Rotate(ctx context.Context, getenv func(string) string, out io.Writer) (*rotate.Sweep, error) {
	c, err := assemble(getenv, out)
	if err != nil {
		return nil, err
	}
	ctx, cancel := context.WithTimeout(ctx, connectWithin)
	defer cancel()
	c.connect(ctx)
	return &rotate.Sweep{Mint: c.mint, Store: c.store, Journal: c.journal, Canary: c.canary}, nil
}

func assemble(getenv func(string) string, out io.Writer) (core, error) {
	collect(getenv)
	s, err := read(getenv)
	if err != nil {
		return core{}, err
	}
	d := newDialer()
	cfg := s.config(d)
	c := core{
		settings: s, dialer: d,
		store:   dynamo.New(dynamodb.NewFromConfig(cfg), s.table),
		canary:  s.canary,
		journal: journal.Journal{Log: newLog(out, s.logLevel), Metrics: s.metrics},
	}
	var sealer seal.Sealer = seal.Off{}
	if s.sealing {
		sealer = kms.New(awskms.NewFromConfig(cfg), s.key, s.sealID)
	}
	c.mint = mint.New(mint.Config{
		Store: c.store, Sealer: sealer, Journal: c.journal, RowFormat: s.rowFormat, StaleMax: s.staleMax,
		Source: secretsmanager.New(awssecrets.NewFromConfig(cfg), s.prefix),
		HTTP:   outbound.NewClient(outbound.Config{AllowPrivate: s.allowPrivate, Proxy: s.proxy}),
	})
	return c, nil
}

func newLog(out io.Writer, level string) *slog.Logger {
	var least slog.Level
	_ = least.UnmarshalText([]byte(level)) // "" and what settings let through; else info
	return slog.New(slog.NewJSONHandler(out, &slog.HandlerOptions{Level: least}))
}

// connectWithin is how long a start waits for a table that does not answer. Lambda ends a start of ten seconds.
const connectWithin = 2 * time.Second

// connect reads a row that does not exist, so that the connection to the table is open before the first caller comes: what that costs is spent while the runtime starts. Its failure is the first caller's to see.
func (c core) connect(ctx context.Context) {
	_, _ = c.store.Get(ctx, store.Eventual, token.Own("-"))
}

// connectKMS opens the connection by which the first caller's token will be opened, and asks nothing.
func (c core) connectKMS(ctx context.Context) {
	if !c.sealing {
		return
	}
	base, named, _ := endpoints{c.getenv}.GetServiceBaseEndpoint(ctx, awskms.ServiceID)
	at := awskms.EndpointParameters{Region: &c.region}
	if named {
		at.Endpoint = &base
	}
	if endpoint, err := awskms.NewDefaultEndpointResolverV2().ResolveEndpoint(ctx, at.WithDefaults()); err == nil {
		c.dialer.open(ctx, endpoint.URI)
	}
}
