package records

import (
	"context"
	"errors"

	"github.com/tokenvend/tokenvend/pkg/api"
	"github.com/tokenvend/tokenvend/pkg/failure"
	"github.com/tokenvend/tokenvend/pkg/row"
	"github.com/tokenvend/tokenvend/pkg/seal"
	"github.com/tokenvend/tokenvend/pkg/store"
)

// Open opens a row. One that does not open counts as empty, with an alarm, and
// its token is minted anew.
func (r *Records) Open(ctx context.Context, e store.Entry) (*row.Row, error) {
	opened := &row.Row{Entry: e}
	if len(e.Sealed) == 0 {
		return opened, nil
	}
	if r.RowFormat.Refuses(e) {
		opened.Outdated = true
		r.alarm(ctx, e, "a row of the first format, which is not read any more: ")
		return opened, nil
	}
	plain, err := r.Sealer.Open(ctx, e.Key.Credential, e.Sealed, row.AdditionalData(e))
	switch {
	case errors.Is(err, seal.ErrIntegrity):
		r.alarm(ctx, e, "what is stored does not open: ")
		return row.NewBroken(e), nil
	case err != nil:
		return nil, failure.SealUnavailable(err)
	}
	if err := opened.Read(plain); err != nil {
		return nil, &api.Error{
			Code:   api.Internal,
			Detail: "a stored row of a form that is not known: " + e.Key.String(),
		}
	}
	// The first format does not bind the version, by which rotate finds
	// changes.
	if e.Key.IsRecord() && opened.Terms.Version != e.RequestDigest {
		r.alarm(ctx, e, "the terms are of another version than their row says: ")
		return row.NewBroken(e), nil
	}
	return opened, nil
}

func (r *Records) alarm(ctx context.Context, e store.Entry, detail string) {
	r.Journal.Integrity(ctx, e.Key.Credential, detail+e.Key.String())
}

// ObtainedOtherwise reports whether an entry's token was obtained for something
// else than its credential's record says now. An entry that does not open is
// handled when it is next requested.
func (r *Records) ObtainedOtherwise(ctx context.Context, record *Known, e store.Entry) bool {
	entry, err := r.Open(ctx, e)
	if err != nil || entry.Broken || entry.Outdated || entry.Token.IsZero() && entry.Refresh.IsZero() {
		return false
	}
	return !row.Compare(record.Row, entry).Requested
}
