package mint

import (
	"context"
	"errors"
	"log/slog"

	"github.com/tokenvend/tokenvend/pkg/api"
	"github.com/tokenvend/tokenvend/pkg/credential"
	"github.com/tokenvend/tokenvend/pkg/store"
	"github.com/tokenvend/tokenvend/pkg/token"
)

// Accept has the grants of a credential go on at the destination that its
// secret names now. Until then, a grant that was given at another one is kept
// and sent nowhere. digest is that of the destination that the operator has
// looked at: [Status] shows it beside what changed.
//
// Errors are of type *api.Error; InvalidRequest if the destination in force is
// another one, or if there is nothing to accept.
func (m *Mint) Accept(ctx context.Context, name, digest string) error {
	rows, err := m.load(ctx, store.Strong, token.RecordKey(name))
	if err != nil {
		return problem(err)
	}
	own, err := m.living(ctx, rows[0])
	if err != nil {
		return problem(err)
	}
	if _, own, err = m.client(ctx, own); err != nil {
		return faultOf(err).told()
	}
	switch {
	case own.digests.destination != digest:
		return &api.Error{Code: api.InvalidRequest, Detail: "accept: the destination in force is another one: look at the status again"}
	case len(own.history.Former) == 0:
		return &api.Error{Code: api.InvalidRequest, Detail: "accept: the credential's destination has never changed"}
	}
	return m.accept(ctx, own)
}

func (m *Mint) accept(ctx context.Context, own *known) error {
	next := *own.row
	next.history.Accepted = nil
	for _, former := range own.history.Former {
		next.history.Accepted = append(next.history.Accepted, former.Digest())
	}
	next.entry.Generation = m.nextGeneration(own.entry)
	if err := m.closeRecord(ctx, &next); err != nil {
		return faultOf(err).told()
	}
	stands, err := m.replaceOwn(ctx, own.entry, next)
	if errors.Is(err, store.ErrChanged) {
		return &api.Error{Code: api.StoreUnavailable, Detail: "the credential is being changed by another", RetryAfter: shortestWait}
	}
	if err != nil {
		return problem(err)
	}
	m.Journal.Event(ctx, slog.LevelWarn, "destination accepted", own.terms.Name, "grants go on at the endpoints that the secret names now")
	m.requeue(ctx, stands)
	return nil
}

// changes returns the parts of the destination that differ between where an
// entry's grant was given and where the secret points now; nil if the grant is
// not held back.
func (v view) changes() []credential.Change {
	if !v.moved() {
		return nil
	}
	for _, former := range v.own.history.Former {
		if former.Digest() == v.entry.digests.destination {
			return v.own.terms.Destination().Changes(former)
		}
	}
	return nil
}
