package mint

import (
	"context"
	"time"

	"github.com/tokenvend/tokenvend/pkg/api"
	"github.com/tokenvend/tokenvend/pkg/credential"
	"github.com/tokenvend/tokenvend/pkg/store"
	"github.com/tokenvend/tokenvend/pkg/token"
)

// Status is everything about an entry but its token.
type Status struct {
	Entry    store.Entry
	Terms    credential.Terms
	Provider string
	State    api.State
	Stale    bool          // there is a living token that should have been renewed by now
	Failure  store.Failure // the credential's as a whole, else the entry's

	// Destination is the digest of the destination in force, and Changes is what
	// differs from where the entry's grant was given; both are empty unless the
	// grant is held back because of it. See [Mint.Accept].
	Destination string
	Changes     []credential.Change
	Warning     string // what will go wrong though nothing has yet; "": nothing is known
}

// Status reads an entry and its credential's row, strongly, and says how they are doing. It counts as nobody's asking for a token.
func (m *Mint) Status(ctx context.Context, key token.Key) (Status, error) {
	rows, err := m.load(ctx, store.Strong, token.RecordKey(key.Credential), key)
	if err != nil {
		return Status{}, problem(err)
	}
	v := m.viewOf(rows[0], rows[1])
	now := wall()
	s := Status{
		Entry: v.entry.entry, Terms: v.own.terms, Provider: providerOf(v.own.terms, v.own.descriptor),
		State: m.state(v, now), Stale: m.stale(v, now), Failure: v.failure(), Warning: v.warning(now),
	}
	if s.State == api.DestinationChanged {
		s.Destination, s.Changes = v.own.digests.destination, v.changes()
	}
	return s, nil
}

// warning tells of a grant that ends with its access token, because the
// provider gave no refresh token.
func (v view) warning(now time.Time) string {
	if !v.holds(now) || !v.granted() || !v.entry.refresh.IsZero() {
		return ""
	}
	return "the provider gave no refresh token, so this grant ends with its access token: " + askForRefresh
}

func (m *Mint) state(v view, now time.Time) api.State {
	e := v.entry.entry
	switch {
	case v.own.entry.State == store.Gone:
		return api.Gone
	case v.moved():
		return api.DestinationChanged
	case e.State == store.Reauthorize && v.grantOver(Want{}) != nil, e.Generation > 0 && e.State == store.Live && v.grantOver(Want{}) != nil && !v.holds(now):
		return api.Reauthorize
	case e.State == store.Revoking:
		return api.Revoking
	case m.stale(v, now):
		return api.Stale
	case v.holds(now):
		return api.Fresh
	case !v.failure().IsZero():
		return api.Failing
	case e.Fingerprint == "":
		return api.None
	case e.NextAt.IsZero():
		return api.Idle
	}
	return api.Stale
}

// List returns the terms of up to limit credentials after a name, in order, and the name to go on after: "" at the end. Those that are gone are left out.
func (m *Mint) List(ctx context.Context, after string, limit int) ([]credential.Terms, string, error) {
	page, err := m.Store.List(ctx, token.RecordPartition, after, limit)
	if err != nil {
		return nil, "", m.unread(ctx, "", err)
	}
	var all []credential.Terms
	next := ""
	for _, e := range page {
		k, err := m.rememberListed(ctx, e)
		if err != nil {
			return nil, "", err
		}
		if k.live() {
			all = append(all, k.terms)
		}
		next = e.Key.Sort()
	}
	if len(page) < limit {
		next = ""
	}
	return all, next, nil
}
