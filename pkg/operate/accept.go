package operate

import (
	"context"
	"errors"

	"github.com/tokenvend/tokenvend/pkg/api"
	"github.com/tokenvend/tokenvend/pkg/clock"
	"github.com/tokenvend/tokenvend/pkg/failure"
	"github.com/tokenvend/tokenvend/pkg/store"
	"github.com/tokenvend/tokenvend/pkg/token"
)

// Accept has the grants of a credential continue at the destination that its
// secret names now. Until then, a grant that was given at another one is kept
// and sent nowhere. digest is that of the destination that the operator has
// looked at: [Status] shows it beside what changed.
//
// The error is InvalidRequest if the destination in force is another one, or if
// there is nothing to accept.
func (o Operator) Accept(ctx context.Context, name, digest string) error {
	rows, err := o.mint.Records.Load(ctx, store.Strong, token.RecordKey(name))
	if err != nil {
		return failure.API(err)
	}
	record, err := o.mint.Registry.Existing(ctx, rows[0])
	if err != nil {
		return failure.API(err)
	}
	if _, record, err = o.mint.Registry.Credential(ctx, record); err != nil {
		return failure.Of(err).APIError(clock.Now())
	}
	switch {
	case record.Digests.Destination != digest:
		return invalid("accept: the destination in force is another one: look at the status again")
	case len(record.History.Former) == 0:
		return invalid("accept: the credential's destination has never changed")
	}
	err = o.mint.Registry.Accept(ctx, record)
	switch {
	case errors.Is(err, store.ErrChanged):
		return failure.Soon(api.StoreUnavailable, "the credential is being changed by another")
	case err != nil:
		return failure.API(err)
	}
	return nil
}
