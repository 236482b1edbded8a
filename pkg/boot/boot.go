package boot

import (
	"context"
	"fmt"
	"io"
	"log/slog"
	"sync"
	"time"

	"github.com/aws/aws-lambda-go/lambda"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	awskms "github.com/aws/aws-sdk-go-v2/service/kms"
	awssecrets "github.com/aws/aws-sdk-go-v2/service/secretsmanager"

	"github.com/tokenvend/tokenvend/pkg/credential/secretsmanager"
	"github.com/tokenvend/tokenvend/pkg/journal"
	"github.com/tokenvend/tokenvend/pkg/mint"
	"github.com/tokenvend/tokenvend/pkg/outbound"
	"github.com/tokenvend/tokenvend/pkg/rotate"
	"github.com/tokenvend/tokenvend/pkg/row"
	"github.com/tokenvend/tokenvend/pkg/seal"
	"github.com/tokenvend/tokenvend/pkg/seal/kms"
	"github.com/tokenvend/tokenvend/pkg/store/dynamo"
	"github.com/tokenvend/tokenvend/pkg/store/dynamo/places"
	"github.com/tokenvend/tokenvend/pkg/vend"
)

// core holds what both functions use.
type core struct {
	settings
	dialer  *dialer
	mint    *mint.Mint
	store   *dynamo.Store
	journal journal.Journal
	canary  time.Duration
}

// Process is what a function's main gives to its parts.
type Process struct {
	Version string // the stamped version; "": that of the module, as Go knows it
	Getenv  func(string) string
	Log     io.Writer // gets JSON lines
}

// Vend returns the vend function's handler. An error names every wrong setting.
func Vend(ctx context.Context, p Process) (lambda.Handler, error) {
	c, err := assemble(ctx, p)
	if err != nil {
		return nil, err
	}
	ctx, cancel := context.WithTimeout(ctx, connectWithin)
	defer cancel()
	var both sync.WaitGroup
	both.Go(func() { c.connectKMS(ctx) })
	err = c.connect(ctx, false)
	both.Wait()
	if err != nil {
		return nil, err
	}
	return c.traced(&vend.Service{Mint: c.mint, Journal: c.journal}), nil
}

// Rotate returns the rotate function's handler. See [Vend].
func Rotate(ctx context.Context, p Process) (lambda.Handler, error) {
	c, err := assemble(ctx, p)
	if err != nil {
		return nil, err
	}
	ctx, cancel := context.WithTimeout(ctx, connectWithin)
	defer cancel()
	if err := c.connect(ctx, true); err != nil {
		return nil, err
	}
	return c.traced(&rotate.Rotator{Mint: c.mint, Store: c.store, Journal: c.journal, Canary: c.canary}), nil
}

func assemble(ctx context.Context, p Process) (core, error) {
	collect(p.Getenv)
	s, err := read(p.Getenv)
	j := journal.Journal{Log: newLog(p.Log, s.logLevel), Metrics: s.metrics}
	j.Start(ctx, p.Version)
	if err != nil {
		j.NotStarted(ctx, err.Error())
		return core{}, err
	}
	d := newDialer()
	cfg := s.config(d)
	c := core{
		settings: s, dialer: d,
		store:   dynamo.New(dynamodb.NewFromConfig(cfg), s.table).WithLayout(layoutOf(s.rowFormat)),
		canary:  s.canary,
		journal: j,
	}
	var sealer seal.Sealer = seal.Off{}
	if s.sealing {
		sealer = kms.New(awskms.NewFromConfig(cfg), kms.Config{
			KeyID: s.key, SealID: s.sealID, Buckets: s.rowFormat.Buckets(),
		})
	}
	c.mint = mint.New(mint.Config{
		Store: c.store, Sealer: sealer, Journal: c.journal, RowFormat: s.rowFormat, StaleMax: s.staleMax,
		Progress: c.store, Prover: s.prover(ctx, cfg),
		Source: secretsmanager.New(awssecrets.NewFromConfig(cfg), s.prefix),
		HTTP: outbound.NewClient(outbound.Config{
			AllowPrivate: s.allowPrivate, Proxy: s.proxy, Roots: s.roots, Observe: s.observer(),
		}),
	})
	return c, nil
}

// layoutOf returns where a row format has the credential records stand.
func layoutOf(f row.Format) places.Layout {
	switch f {
	case row.FormatMigrate4:
		return places.Moving
	case row.Format4:
		return places.OwnPartitions
	}
	return places.OnePartition
}

func newLog(out io.Writer, level string) *slog.Logger {
	var least slog.Level
	_ = least.UnmarshalText([]byte(level)) // "" and unknown levels mean info
	return slog.New(slog.NewJSONHandler(out, &slog.HandlerOptions{Level: least}))
}

// connectWithin is how long a start waits for a table that does not answer.
// Lambda ends an initialization after ten seconds.
const connectWithin = 2 * time.Second

// connect reads the table's notes, so that the connection to the table is open
// before the first request. Its cost falls into the runtime's start. If it
// fails, the first request gets the error. A table that these settings do not
// fit is an error.
func (c core) connect(ctx context.Context, claims bool) error {
	notes, err := c.store.Notes(ctx)
	if err == nil && claims {
		notes, err = c.note(ctx, notes)
	}
	if err != nil {
		return nil
	}
	if err = c.fits(notes); err != nil {
		c.journal.NotStarted(ctx, err.Error())
	}
	return err
}

// note completes the notes of the table, unless it is for other secrets.
func (c core) note(ctx context.Context, notes dynamo.Notes) (dynamo.Notes, error) {
	own := dynamo.Notes{SecretPrefix: c.prefix, Sealed: c.sealing || notes.Sealed}
	if notes == own || notes.SecretPrefix != "" && notes.SecretPrefix != c.prefix {
		return notes, nil
	}
	return c.store.Note(ctx, own)
}

// fits returns nil if the function may work on a table with these notes. The
// rows of a table for other secrets are of credentials that the prefix does not
// have. Sealed rows cannot be opened without sealing, and so would be replaced.
func (c core) fits(notes dynamo.Notes) error {
	switch {
	case notes.SecretPrefix != "" && notes.SecretPrefix != c.prefix:
		return fmt.Errorf("%s: expected %.200q, the prefix of the secrets that the table %s is for: "+
			"set the stack's parameter SecretPrefix to it (docs/guide/upgrade.md)",
			EnvSecretPrefix, notes.SecretPrefix, c.table)
	case notes.Sealed && !c.sealing && !c.overSealed:
		return fmt.Errorf("%s: expected on, because the table %s has sealed rows: "+
			"set the stack's parameter Sealing to on, or to %s to give up "+
			"the tokens and grants in them (docs/guide/restore.md)",
			EnvSealing, c.table, offOverSealed)
	}
	return nil
}

// connectKMS opens a connection to KMS for the first Decrypt and sends no
// request.
func (c core) connectKMS(ctx context.Context) {
	if !c.sealing {
		return
	}
	base, named, _ := c.endpoints.GetServiceBaseEndpoint(ctx, awskms.ServiceID)
	at := awskms.EndpointParameters{
		Region: &c.region, UseFIPS: &c.endpoints.fips, UseDualStack: &c.endpoints.dualStack,
	}
	if named {
		at.Endpoint = &base
	}
	if endpoint, err := awskms.NewDefaultEndpointResolverV2().ResolveEndpoint(ctx, at.WithDefaults()); err == nil {
		c.dialer.open(ctx, endpoint.URI)
	}
}
