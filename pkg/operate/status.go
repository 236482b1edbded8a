package operate

import (
	"context"
	"time"

	"github.com/tokenvend/tokenvend/pkg/api"
	"github.com/tokenvend/tokenvend/pkg/clock"
	"github.com/tokenvend/tokenvend/pkg/credential"
	"github.com/tokenvend/tokenvend/pkg/failure"
	"github.com/tokenvend/tokenvend/pkg/quota"
	"github.com/tokenvend/tokenvend/pkg/quota/counter"
	"github.com/tokenvend/tokenvend/pkg/records"
	"github.com/tokenvend/tokenvend/pkg/store"
	"github.com/tokenvend/tokenvend/pkg/token"
)

// Status is everything about an entry except its token.
type Status struct {
	Entry    store.Entry
	Terms    credential.Terms
	Provider string
	State    api.State
	Stale    bool          // there is an unexpired token that should have been renewed by now
	Failure  store.Failure // the credential's as a whole, else the entry's

	// Destination is the digest of the destination in force, and Changes is
	// what differs from where the entry's grant was given; both are empty
	// unless the grant is held back because of it. See [Operator.Accept].
	Destination string
	Changes     []credential.Change
	Warning     string // what will fail though nothing has yet; "": nothing is known

	// what is used of the quota that the credential states; nil: none is
	// stated, it could not be read, or it was not asked for
	Quota *quota.Use
}

// Status reads an entry and its credential's record, strongly, and the counter
// of a quota. It does not count as a request for a token.
func (o Operator) Status(ctx context.Context, key token.Key) (Status, error) {
	s, err := o.statusOfEntry(ctx, key)
	if err != nil {
		return s, err
	}
	if s.Quota, err = counter.Read(ctx, o.mint.Records.Store, s.Terms); err != nil {
		o.mint.Journal.Failure(ctx, "quota", key.Credential, err)
	}
	return s, nil
}

// statusOfEntry is [Operator.Status] without the quota.
func (o Operator) statusOfEntry(ctx context.Context, key token.Key) (Status, error) {
	s, err := o.mint.Records.LoadSnapshot(ctx, store.Strong, key)
	if err != nil {
		return Status{}, failure.API(err)
	}
	now := clock.Now()
	status := Status{
		Entry: s.Row.Entry, Terms: s.Record.Terms, Provider: s.Record.Provider(),
		State: o.state(s, now), Stale: s.IsStale(o.mint.Period, now), Failure: s.Failure(), Warning: warning(s, now),
	}
	if status.State == api.DestinationChanged {
		status.Destination, status.Changes = s.Record.Digests.Destination, s.Changes()
	}
	return status, nil
}

// warning reports a grant that ends with its access token, because the provider
// returned no refresh token.
func warning(s records.Snapshot, now time.Time) string {
	if !s.HasToken(now) || !s.Granted() || !s.Row.Refresh.IsZero() {
		return ""
	}
	return "the provider gave no refresh token, so this grant ends with its access token: " + records.AskForRefresh
}

func (o Operator) state(s records.Snapshot, now time.Time) api.State {
	switch {
	case s.Record.State == store.Gone:
		return api.Gone
	case s.IsHeldBack():
		return api.DestinationChanged
	case needsUser(s, now):
		return api.Reauthorize
	case s.Row.State == store.Revoking:
		return api.Revoking
	case s.IsStale(o.mint.Period, now):
		return api.Stale
	case s.HasToken(now):
		return api.Fresh
	case !s.Failure().IsZero():
		return api.Failing
	case s.Row.Fingerprint == "":
		return api.None
	case s.Row.NextAt.IsZero():
		return api.Idle
	}
	return api.Stale
}

// needsUser reports whether the grant has ended. One that was never given, or
// whose token has not expired, does not count as ended.
func needsUser(s records.Snapshot, now time.Time) bool {
	if s.GrantEnded(false) == nil {
		return false
	}
	return s.Row.State == store.Reauthorize || s.Row.Generation > 0 && s.Row.State == store.Live && !s.HasToken(now)
}

// List returns the terms of up to limit credentials after a name, in order, and
// the name to continue after: "" at the end. Deleted ones are left out.
func (o Operator) List(ctx context.Context, after string, limit int) ([]credential.Terms, string, error) {
	page, err := o.mint.Records.Store.List(ctx, token.RecordPartition, after, limit)
	if err != nil {
		return nil, "", o.mint.Records.ReadError(ctx, "", err)
	}
	var all []credential.Terms
	next := ""
	for _, e := range page {
		k, err := o.mint.Records.Listed(ctx, e)
		if err != nil {
			return nil, "", err
		}
		if k.IsLive() {
			all = append(all, k.Terms)
		}
		next = e.Key.SortKey()
	}
	if len(page) < limit {
		next = ""
	}
	return all, next, nil
}
