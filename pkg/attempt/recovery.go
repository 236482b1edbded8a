package attempt

import (
	"context"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"github.com/tokenvend/tokenvend/pkg/api"
	"github.com/tokenvend/tokenvend/pkg/clock"
	"github.com/tokenvend/tokenvend/pkg/descriptor"
	"github.com/tokenvend/tokenvend/pkg/failure"
	"github.com/tokenvend/tokenvend/pkg/journal"
	"github.com/tokenvend/tokenvend/pkg/records"
	"github.com/tokenvend/tokenvend/pkg/redact"
	"github.com/tokenvend/tokenvend/pkg/row"
	"github.com/tokenvend/tokenvend/pkg/schedule"
	"github.com/tokenvend/tokenvend/pkg/seal"
	"github.com/tokenvend/tokenvend/pkg/store"
	"github.com/tokenvend/tokenvend/pkg/token"
)

// recovery is a refresh token that the provider has returned and the store has
// not accepted. Without it the grant is lost, because the one before is used
// up. It goes to the log, sealed, and comes back by [Attempts.Recover].
type recovery struct {
	Account       string    `json:"account,omitempty"`
	Audience      string    `json:"audience,omitempty"`
	Scope         string    `json:"scope,omitempty"`
	Generation    int64     `json:"generation"` // of the entry when the token came; it fits no other
	RequestDigest string    `json:"made"`
	Destination   string    `json:"destination,omitempty"` // see [row.Digests], like Request
	Request       string    `json:"request,omitempty"`
	Refresh       string    `json:"refresh_token"`
	Until         time.Time `json:"until,omitzero"` // its expiry
	// NewGrant: it came for a code, with these further values.
	NewGrant bool              `json:"new_grant,omitempty"`
	Extra    map[string]string `json:"extra,omitempty"`
}

// recoveryBinding is the additional data of a blob, so that nothing else that
// was sealed opens as one.
const recoveryBinding = "tokenvend recovery 1"

// rescue is for a grant's new refresh token that could not be committed, as err
// says. If another holder has committed meanwhile, it is written into the entry
// as that one left it. Else it goes to the log.
func (a *attempt) rescue(ctx context.Context, next *row.Row, err error) {
	key, v := a.lease.Entry.Key, a.lease.Entry.Key.Variant
	r := recovery{
		Account: v.Account, Audience: v.Audience, Scope: v.Scope, Generation: a.lease.Entry.Generation,
		RequestDigest: next.RequestDigest, Destination: next.Digests.Destination, Request: next.Digests.Request,
		Refresh: next.Refresh.Reveal(), Until: next.RefreshUntil,
	}
	if r.NewGrant = a.grant == descriptor.AuthorizationCode; r.NewGrant {
		r.Extra = next.Token.Extra.Reveal()
	}
	if errors.Is(err, store.ErrLeaseLost) && a.restore(ctx, key, r) == nil {
		return
	}
	blob, sealErr := a.sealRecovery(key.Credential, r)
	detail := "tokenvend recover puts it back"
	if sealErr != nil {
		blob, detail = "", "the refresh token is lost: "+sealErr.Error()
	}
	a.Journal.NotPersisted(ctx, journal.NotPersisted{
		Credential: key.Credential, Variant: key.Sort(), Generation: r.Generation, Recovery: blob, Detail: detail,
	})
}

// sealTime bounds the sealing of a blob. The time of the mint has passed by
// then.
const sealTime = time.Second

func (t *Attempts) sealRecovery(credential string, r recovery) (string, error) {
	if _, off := t.Records.Sealer.(seal.Off); off {
		return "", errors.New("with sealing off nothing secret is written to the log")
	}
	ctx, cancel := context.WithTimeout(context.Background(), sealTime)
	defer cancel()
	plain, err := json.Marshal(r) // #nosec G117 -- it is sealed before it goes anywhere
	if err != nil {
		return "", err
	}
	sealed, err := t.Records.Sealer.Seal(ctx, credential, plain, []byte(recoveryBinding))
	return base64.StdEncoding.EncodeToString(sealed), err
}

// Recover writes the refresh token of a recovery blob into the entry that it is
// for, and returns that entry's key. An entry whose token was replaced since
// does not accept it. Errors are of type *api.Error: InvalidRequest for a blob
// that does not open, or comes too late.
func (t *Attempts) Recover(ctx context.Context, name, blob string) (token.Key, error) {
	sealed, err := base64.StdEncoding.DecodeString(blob)
	if err != nil {
		return token.Key{}, &api.Error{Code: api.InvalidRequest, Detail: "recovery: expected base64"}
	}
	plain, err := t.Records.Sealer.Open(ctx, name, sealed, []byte(recoveryBinding))
	var r recovery
	switch {
	case errors.Is(err, seal.ErrUnavailable):
		return token.Key{}, failure.SealUnavailable(err)
	case err != nil || json.Unmarshal(plain, &r) != nil || r.Refresh == "":
		const detail = "recovery: it is not a blob of this credential and this sealing key, whole"
		return token.Key{}, &api.Error{Code: api.InvalidRequest, Detail: detail}
	}
	key := token.Key{Credential: name, Variant: token.NewVariant(r.Account, r.Audience, r.Scope)}
	return key, t.restore(ctx, key, r)
}

// restore writes a refresh token into an entry, under its lease, if the entry's
// token was not replaced since.
func (t *Attempts) restore(ctx context.Context, key token.Key, r recovery) error {
	lease, s, err := t.Acquire(ctx, key)
	if err != nil {
		return err
	}
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), Timeout)
	defer cancel()
	e := lease.Entry
	// The entry may have been deleted after its revocation.
	e.Generation = max(e.Generation, t.Records.SeenGeneration(key))
	if e.Generation != r.Generation || e.State == store.Revoking {
		_ = t.Release(ctx, lease) // it ends by itself
		detail := fmt.Sprintf(
			"recovery: it is for generation %d, and the entry has gone on to %d",
			r.Generation,
			e.Generation,
		)
		return &api.Error{Code: api.InvalidRequest, Detail: detail}
	}
	next := s.Row.With(e)
	next.Stamp(s.Record.Row)
	obtained := row.Row{
		Entry:   store.Entry{RequestDigest: r.RequestDigest},
		Digests: row.Digests{Destination: r.Destination, Request: r.Request},
	}
	if r.NewGrant {
		next.ReplaceGrant(redact.New(r.Refresh), r.Until, obtained, token.NewExtra(r.Extra))
	} else {
		next.KeepGrant(redact.New(r.Refresh), r.Until, obtained)
	}
	next.State, next.Failure = store.Live, store.Failure{}
	schedule.Due(&next.Entry, clock.Now())
	if err := t.Records.Seal(ctx, &next); err != nil {
		_ = t.Release(ctx, lease)
		return failure.SealUnavailable(err)
	}
	if err := t.Commit(ctx, lease, next.Entry); err != nil {
		return failure.StoreUnavailable(err)
	}
	t.Records.Committed(lease, &next, records.Store)
	return nil
}
