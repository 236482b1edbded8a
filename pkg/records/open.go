package records

import (
	"context"
	"errors"

	"github.com/tokenvend/tokenvend/pkg/api"
	"github.com/tokenvend/tokenvend/pkg/failure"
	"github.com/tokenvend/tokenvend/pkg/seal"
	"github.com/tokenvend/tokenvend/pkg/store"
)

// open opens a row. One that does not open counts as empty, with an alarm, and
// its token is minted anew.
func (r *Records) open(ctx context.Context, e store.Entry) (*Row, error) {
	row := &Row{Entry: e}
	if len(e.Sealed) == 0 {
		return row, nil
	}
	if r.RowFormat.Refuses(e) {
		row.Outdated = true
		r.alarm(ctx, e, "a row of the first format, which is not read any more: ")
		return row, nil
	}
	plain, err := r.Sealer.Open(ctx, e.Key.Credential, e.Sealed, Additional(e))
	switch {
	case errors.Is(err, seal.ErrIntegrity):
		r.alarm(ctx, e, "what is stored does not open: ")
		return brokenRow(e), nil
	case err != nil:
		return nil, failure.SealUnavailable()
	}
	if err := row.read(plain); err != nil {
		return nil, &api.Error{
			Code:   api.Internal,
			Detail: "a stored row of a form that is not known: " + e.Key.String(),
		}
	}
	// The first format does not bind the version, by which rotate finds
	// changes.
	if e.Key.IsRecord() && row.Terms.Version != e.RequestDigest {
		r.alarm(ctx, e, "the terms are of another version than their row says: ")
		return brokenRow(e), nil
	}
	return row, nil
}

func (r *Records) alarm(ctx context.Context, e store.Entry, detail string) {
	r.Journal.Integrity(ctx, e.Key.Credential, detail+e.Key.String())
}

// ObtainedOtherwise reports whether an entry's token was obtained for something
// else than its credential's record says now. An entry that does not open is
// handled when it is next requested.
func (r *Records) ObtainedOtherwise(ctx context.Context, record *Known, e store.Entry) bool {
	row, err := r.open(ctx, e)
	if err != nil || row.Broken || row.Outdated || row.Token.IsZero() && row.Refresh.IsZero() {
		return false
	}
	return !compare(record.Row, row).Requested
}
