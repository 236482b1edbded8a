// Package recovery keeps the refresh tokens that a provider has returned and
// the store has not accepted. Without such a token the grant is lost, because
// the one before is used up. It goes to the log, sealed, and an operator puts
// it back.
package recovery

import (
	"context"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"github.com/tokenvend/tokenvend/pkg/api"
	"github.com/tokenvend/tokenvend/pkg/clock"
	"github.com/tokenvend/tokenvend/pkg/failure"
	"github.com/tokenvend/tokenvend/pkg/journal"
	"github.com/tokenvend/tokenvend/pkg/leases"
	"github.com/tokenvend/tokenvend/pkg/records"
	"github.com/tokenvend/tokenvend/pkg/redact"
	"github.com/tokenvend/tokenvend/pkg/row"
	"github.com/tokenvend/tokenvend/pkg/schedule"
	"github.com/tokenvend/tokenvend/pkg/seal"
	"github.com/tokenvend/tokenvend/pkg/store"
	"github.com/tokenvend/tokenvend/pkg/token"
)

// Recovery keeps refresh tokens and puts them back. Its fields are required.
type Recovery struct {
	Records *records.Records
	Journal journal.Journal
}

// grant is a refresh token in a recovery blob, and what it was obtained for.
type grant struct {
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

// binding is the additional data of a blob, so that nothing else that was
// sealed opens as one.
const binding = "tokenvend recovery 1"

// Keep is for the refresh token of next, which could not be committed over
// before, as err says. If another holder of the lease has committed meanwhile,
// it is written into the entry as that one left it. Else it goes to the log.
// isNew reports whether it belongs to a new grant.
func (k Recovery) Keep(ctx context.Context, before store.Entry, next *row.Row, isNew bool, err error) {
	key, v := before.Key, before.Key.Variant
	g := grant{
		Account: v.Account, Audience: v.Audience, Scope: v.Scope, Generation: before.Generation,
		RequestDigest: next.RequestDigest, Destination: next.Digests.Destination, Request: next.Digests.Request,
		Refresh: next.Refresh.Reveal(), Until: next.RefreshUntil, NewGrant: isNew,
	}
	if isNew {
		g.Extra = next.Token.Extra.Reveal()
	}
	if errors.Is(err, store.ErrLeaseLost) && k.restore(ctx, key, g) == nil {
		return
	}
	blob, sealErr := k.seal(key.Credential, g)
	detail := "tokenvend recover puts it back"
	if len(blob) > longestBlob && len(g.Extra) > 0 {
		g.Extra, detail = nil, "tokenvend recover puts it back, without the further values, which are too long"
		blob, sealErr = k.seal(key.Credential, g)
	}
	switch {
	case sealErr != nil:
		blob, detail = "", "the refresh token is lost: "+sealErr.Error()
	case len(blob) > longestBlob:
		detail = "too long for a request that puts it back: tokenvend connect connects the account again"
	}
	k.Journal.NotPersisted(ctx, journal.NotPersisted{
		Credential: key.Credential, Variant: key.SortKey(), Generation: g.Generation, Recovery: blob, Detail: detail,
	})
}

// longestBlob is the longest blob that fits into a request, in bytes, beside
// the other members of a direct invocation.
const longestBlob = api.MaxBody - 256

// sealTime bounds the sealing of a blob. The time of the mint has passed by
// then.
const sealTime = time.Second

func (k Recovery) seal(credential string, g grant) (string, error) {
	if _, off := k.Records.Sealer.(seal.Off); off {
		return "", errors.New("with sealing off nothing secret is written to the log")
	}
	ctx, cancel := context.WithTimeout(context.Background(), sealTime)
	defer cancel()
	plain, err := json.Marshal(g) // #nosec G117 -- it is sealed before it goes anywhere
	if err != nil {
		return "", err
	}
	sealed, err := k.Records.Sealer.Seal(ctx, credential, plain, []byte(binding))
	return base64.StdEncoding.EncodeToString(sealed), err
}

// Recover writes the refresh token of a recovery blob into the entry that it is
// for, and returns that entry's key. An entry whose token was replaced since
// does not accept it. Errors are of type *api.Error: InvalidRequest for a blob
// that does not open, or comes too late.
func (k Recovery) Recover(ctx context.Context, name, blob string) (token.Key, error) {
	sealed, err := base64.StdEncoding.DecodeString(blob)
	if err != nil {
		return token.Key{}, &api.Error{Code: api.InvalidRequest, Detail: "recovery: expected base64"}
	}
	plain, err := k.Records.Sealer.Open(ctx, name, sealed, []byte(binding))
	var g grant
	switch {
	case errors.Is(err, seal.ErrUnavailable):
		return token.Key{}, failure.SealUnavailable(err)
	case err != nil || json.Unmarshal(plain, &g) != nil || g.Refresh == "":
		const detail = "recovery: it is not a blob of this credential and this sealing key, whole"
		return token.Key{}, &api.Error{Code: api.InvalidRequest, Detail: detail}
	}
	key := token.Key{Credential: name, Variant: token.NewVariant(g.Account, g.Audience, g.Scope)}
	return key, k.restore(ctx, key, g)
}

// restore writes a refresh token into an entry, under its lease, if the entry's
// token was not replaced since.
func (k Recovery) restore(ctx context.Context, key token.Key, g grant) error {
	lease, s, err := leases.Acquire(ctx, k.Records, key)
	if err != nil {
		return err
	}
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), leases.Timeout)
	defer cancel()
	e := lease.Entry
	// The entry may have been deleted after its revocation.
	e.Generation = max(e.Generation, k.Records.SeenGeneration(key))
	if e.Generation != g.Generation || e.State == store.Revoking {
		_ = leases.Release(ctx, k.Records.Store, lease) // it ends by itself
		detail := fmt.Sprintf(
			"recovery: it is for generation %d, and the entry has gone on to %d",
			g.Generation,
			e.Generation,
		)
		return &api.Error{Code: api.InvalidRequest, Detail: detail}
	}
	next := s.Row.With(e)
	next.Stamp(s.Record.Row)
	obtained := row.Row{
		Entry:   store.Entry{RequestDigest: g.RequestDigest},
		Digests: row.Digests{Destination: g.Destination, Request: g.Request},
	}
	if g.NewGrant {
		next.ReplaceGrant(redact.New(g.Refresh), g.Until, obtained, token.NewExtra(g.Extra))
	} else {
		next.KeepGrant(redact.New(g.Refresh), g.Until, obtained)
	}
	next.State, next.Failure = store.Live, store.Failure{}
	schedule.Due(&next.Entry, clock.Now())
	if err := k.Records.Seal(ctx, &next); err != nil {
		_ = leases.Release(ctx, k.Records.Store, lease)
		return failure.SealUnavailable(err)
	}
	if err := leases.Commit(ctx, k.Records.Store, lease, next.Entry); err != nil {
		return failure.StoreUnavailable(err)
	}
	k.Records.Committed(lease, &next, records.Store)
	return nil
}
