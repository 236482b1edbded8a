package testworld

import (
	"context"

	"github.com/tokenvend/tokenvend/pkg/credential"
	"github.com/tokenvend/tokenvend/pkg/migration"
	"github.com/tokenvend/tokenvend/pkg/mint"
	"github.com/tokenvend/tokenvend/pkg/operate"
	"github.com/tokenvend/tokenvend/pkg/rotate"
	"github.com/tokenvend/tokenvend/pkg/store"
	"github.com/tokenvend/tokenvend/pkg/token"
	"github.com/tokenvend/tokenvend/pkg/vend"
)

// Process is one process of tokenvend, with the methods of its parts. Only its
// memory is its own.
type Process struct {
	*mint.Mint
	operate.Operator
	migrator migration.Migrator
}

// NewProcess returns a new process. Each change is applied to its
// configuration, which otherwise holds the parts of the world.
func (w *World) NewProcess(changes ...func(*mint.Config)) *Process {
	c := mint.Config{Store: w.Store, Source: w.Secrets, Sealer: w.Sealer, HTTP: w.HTTP, Journal: w.Journal}
	for _, change := range changes {
		change(&c)
	}
	m := mint.New(c)
	return &Process{Mint: m, Operator: operate.New(m)}
}

// WithStore returns a change for [World.NewProcess]: the process has another
// store.
func WithStore(s store.Store) func(*mint.Config) {
	return func(c *mint.Config) { c.Store = s }
}

// NewService returns the service of vend in a process.
func (w *World) NewService(p *Process) *vend.Service {
	return &vend.Service{Mint: p.Mint, Journal: w.Journal}
}

// NewRotator returns the rotator in a process.
func (w *World) NewRotator(p *Process) *rotate.Rotator {
	return &rotate.Rotator{Mint: p.Mint, Store: w.Store, Journal: w.Journal}
}

// Renew renews an entry that is due, as a pass of rotate does.
func (p *Process) Renew(ctx context.Context, k token.Key) (rotate.Renewal, error) {
	return (&rotate.Rotator{Mint: p.Mint}).Renew(ctx, k)
}

// Recover puts back the refresh token of a recovery blob.
func (p *Process) Recover(ctx context.Context, name, blob string) (token.Key, error) {
	return p.Operator.Recover(ctx, name, blob)
}

// Terms returns the terms of a credential.
func (p *Process) Terms(ctx context.Context, name string) (credential.Terms, error) {
	return p.Registry.Terms(ctx, name)
}

// Discover finds added, changed and removed credentials, as a pass of rotate
// does.
func (p *Process) Discover(ctx context.Context) (learned, deleted int, err error) {
	found, err := p.Registry.Discover(ctx)
	return found.Learned, found.Deleted, err
}

// Migrate rewrites the rows of other formats.
func (p *Process) Migrate(ctx context.Context) (migration.Result, error) {
	return p.migrator.Migrate(ctx, p.Records)
}
