package mint

import (
	"context"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"github.com/tokenvend/tokenvend/pkg/api"
	"github.com/tokenvend/tokenvend/pkg/redact"
	"github.com/tokenvend/tokenvend/pkg/seal"
	"github.com/tokenvend/tokenvend/pkg/store"
	"github.com/tokenvend/tokenvend/pkg/token"
)

// recovery is a refresh token that the provider has given and the store has not taken: without it the grant is lost, for the one before is used up. It goes to the log, sealed, and comes back by [Mint.Recover].
type recovery struct {
	Account       string    `json:"account,omitempty"`
	Audience      string    `json:"audience,omitempty"`
	Scope         string    `json:"scope,omitempty"`
	Generation    int64     `json:"generation"` // of the entry when the token came; it fits no other
	RequestDigest string    `json:"made"`
	Destination   string    `json:"destination,omitempty"` // of [digests], like Request
	Request       string    `json:"request,omitempty"`
	Refresh       string    `json:"refresh_token"`
	Until         time.Time `json:"until,omitzero"` // its end
}

// recoveryBinding is what a blob is sealed beside, so that nothing else that was sealed is taken for one.
const recoveryBinding = "tokenvend recovery 1"

// rescue is for a grant's new refresh token that could not be committed: err says why. Where another holder has come in between, it is put where that one left the entry; else it goes to the log.
func (m *Mint) rescue(ctx context.Context, lease store.Lease, next *row, err error) error {
	v := lease.Entry.Key.Variant
	r := recovery{
		Account: v.Account, Audience: v.Audience, Scope: v.Scope, Generation: lease.Entry.Generation,
		RequestDigest: next.entry.RequestDigest, Destination: next.digests.destination, Request: next.digests.request, Refresh: next.refresh.Reveal(), Until: next.entry.RefreshUntil,
	}
	if errors.Is(err, store.ErrLeaseLost) && m.restore(ctx, lease.Entry.Key, r) == nil {
		return err
	}
	blob, sealErr := m.sealRecovery(lease.Entry.Key.Credential, r)
	if sealErr != nil {
		m.Journal.NotPersisted(ctx, lease.Entry.Key.Credential, lease.Entry.Key.Sort(), r.Generation, "", "the refresh token is lost: "+sealErr.Error())
		return err
	}
	m.Journal.NotPersisted(ctx, lease.Entry.Key.Credential, lease.Entry.Key.Sort(), r.Generation, blob, "tokenvend recover puts it back")
	return err
}

// sealTime is how long the sealing of a blob may take. The time of the mint is over by then.
const sealTime = time.Second

func (m *Mint) sealRecovery(credential string, r recovery) (string, error) {
	if _, off := m.Sealer.(seal.Off); off {
		return "", errors.New("with sealing off nothing secret is written to the log")
	}
	ctx, cancel := context.WithTimeout(context.Background(), sealTime)
	defer cancel()
	plain, err := json.Marshal(r) // #nosec G117 -- it is sealed before it goes anywhere
	if err != nil {
		return "", err
	}
	sealed, err := m.Sealer.Seal(ctx, credential, plain, []byte(recoveryBinding))
	return base64.StdEncoding.EncodeToString(sealed), err
}

// Recover puts the refresh token of a recovery blob into the entry that it was meant for, and returns that entry's key. It is taken only by an entry whose token was not replaced since.
// Errors are of type *api.Error: InvalidRequest for a blob that does not open, or comes too late.
func (m *Mint) Recover(ctx context.Context, name, blob string) (token.Key, error) {
	sealed, err := base64.StdEncoding.DecodeString(blob)
	if err != nil {
		return token.Key{}, &api.Error{Code: api.InvalidRequest, Detail: "recovery: expected base64"}
	}
	plain, err := m.Sealer.Open(ctx, name, sealed, []byte(recoveryBinding))
	var r recovery
	switch {
	case errors.Is(err, seal.ErrUnavailable):
		return token.Key{}, sealUnavailable(err)
	case err != nil || json.Unmarshal(plain, &r) != nil || r.Refresh == "":
		return token.Key{}, &api.Error{Code: api.InvalidRequest, Detail: "recovery: it is not a blob of this credential and this sealing key, whole"}
	}
	key := token.Key{Credential: name, Variant: token.NewVariant(r.Account, r.Audience, r.Scope)}
	return key, m.restore(ctx, key, r)
}

// restore puts a refresh token into an entry, under its lease, if the entry's token was not replaced since.
func (m *Mint) restore(ctx context.Context, key token.Key, r recovery) error {
	lease, v, err := m.seize(ctx, key)
	if err != nil {
		return err
	}
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), Timeout)
	defer cancel()
	e := lease.Entry
	e.Generation = max(e.Generation, m.memory.seen.Highest(key)) // the entry may have been deleted after its revocation
	if e.Generation != r.Generation || e.State == store.Revoking {
		_ = m.release(ctx, lease) // it gives itself back in time
		return &api.Error{Code: api.InvalidRequest, Detail: fmt.Sprintf("recovery: it is for generation %d, and the entry has gone on to %d", r.Generation, e.Generation)}
	}
	next := *v.entry.with(e)
	next.stamp(v.own.row)
	next.keepGrant(redact.New(r.Refresh), r.Until, row{
		entry: store.Entry{RequestDigest: r.RequestDigest}, digests: digests{destination: r.Destination, request: r.Request},
	})
	next.entry.State, next.entry.Failure, next.entry.NextAt = store.Live, store.Failure{}, wall()
	next.entry.ForgetAt = forgetAt(next.entry, wall())
	if err := m.closeToken(ctx, &next, next.token.Access); err != nil {
		_ = m.release(ctx, lease)
		return sealUnavailable(err)
	}
	if err := m.commit(ctx, lease, next.entry); err != nil {
		return storeUnavailable(err)
	}
	next.entry.Revision, next.entry.LeasedUntil = e.Revision+1, time.Time{}
	m.memory.put(&next, Store, wall())
	return nil
}
