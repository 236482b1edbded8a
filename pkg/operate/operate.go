// Package operate is what an operator asks for: connect, revoke, recover,
// renew, accept, verify, status and list. What changes an entry is done under
// its lease, by mint's lease, exchange and commit.
package operate

import (
	"context"

	"github.com/tokenvend/tokenvend/pkg/api"
	"github.com/tokenvend/tokenvend/pkg/failure"
	"github.com/tokenvend/tokenvend/pkg/mint"
	"github.com/tokenvend/tokenvend/pkg/recovery"
	"github.com/tokenvend/tokenvend/pkg/store"
	"github.com/tokenvend/tokenvend/pkg/token"
)

// Operator does what an operator asks for. It has no state of its own. All its
// methods are safe for concurrent use, and their errors are of type *api.Error.
type Operator struct{ mint *mint.Mint }

// New returns an Operator.
func New(m *mint.Mint) Operator { return Operator{m} }

// RenewNow renews an entry that is due or failing, and mints one that has no
// token, without waiting for a back-off.
func (o Operator) RenewNow(ctx context.Context, key token.Key) error {
	return o.mint.Renew(ctx, key, mint.Want{IgnoreBackoff: true})
}

// Replace replaces a key's token now, without waiting for a back-off. A grant
// that has ended is tried once more by the refresh token that was kept. A token
// younger than 30 seconds stays.
func (o Operator) Replace(ctx context.Context, key token.Key) error {
	s, err := o.mint.Records.LoadSnapshot(ctx, store.Strong, key)
	if err != nil {
		return failure.API(err)
	}
	return o.mint.Renew(ctx, key, mint.Want{IgnoreBackoff: true, Rejected: s.Row.Fingerprint})
}

// Recover puts back the refresh token of a recovery blob, see
// [recovery.Recovery.Recover].
func (o Operator) Recover(ctx context.Context, name, blob string) (token.Key, error) {
	return recovery.Recovery{Records: o.mint.Records, Journal: o.mint.Journal}.Recover(ctx, name, blob)
}

func invalid(detail string) *api.Error { return &api.Error{Code: api.InvalidRequest, Detail: detail} }
