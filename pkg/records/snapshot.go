package records

import (
	"time"

	"github.com/tokenvend/tokenvend/pkg/api"
	"github.com/tokenvend/tokenvend/pkg/credential"
	"github.com/tokenvend/tokenvend/pkg/grant"
	"github.com/tokenvend/tokenvend/pkg/row"
	"github.com/tokenvend/tokenvend/pkg/schedule"
	"github.com/tokenvend/tokenvend/pkg/store"
)

// Snapshot is an entry and its credential's record as they are known at one
// moment. Either is nil if it was not seen yet; what the record says of the
// entry is nil without both.
type Snapshot struct {
	Record *Known
	Row    *Known // the entry
	*relation
}

// relation is what a credential's record says of an entry.
type relation struct {
	record *row.Row
	Rules  schedule.Rules
	row.Standing
}

// NewSnapshot returns a snapshot of two rows.
func NewSnapshot(record, entry *Known) Snapshot {
	if record == nil || entry == nil {
		return Snapshot{Record: record}
	}
	known := entry.relation.Load()
	if known == nil || known.record != record.Row {
		known = &relation{
			record: record.Row, Rules: record.Rules(entry.Row), Standing: row.Compare(record.Row, entry.Row),
		}
		entry.relation.Store(known)
	}
	return Snapshot{Record: record, Row: entry, relation: known}
}

// IsFresh reports whether both rows may be used without reading the store.
func (s Snapshot) IsFresh(now time.Time) bool { return s.Record.IsFresh(now) && s.Row.IsFresh(now) }

// JustRead reports whether both rows were read a moment ago, by the call that
// goes before: a conditional write needs no further read.
func (s Snapshot) JustRead(now time.Time) bool {
	return now.Sub(s.Record.seen) < moment && now.Sub(s.Row.seen) < moment
}

// moment is the age up to which a read counts as this call's own.
const moment = 100 * time.Millisecond

// HasToken reports whether there is a token that may be vended at all: obtained
// as the record says, and not expired.
func (s Snapshot) HasToken(now time.Time) bool {
	return s.Record.IsLive() && s.Row != nil && !s.Row.Token.IsZero() && s.isVendable() && s.Requested &&
		s.Row.Token.Left(now) > 0
}

// isVendable reports whether the entry's state allows its token to be vended. A
// token that outlives its grant may be.
func (s Snapshot) isVendable() bool {
	return s.Row.State == store.Live || s.Row.State == store.Reauthorize
}

// IsStale reports whether a token should have been renewed by now: its renewal
// time has passed, and an attempt has failed or rotate has had a whole period.
func (s Snapshot) IsStale(period time.Duration, now time.Time) bool {
	if !s.HasToken(now) {
		return false
	}
	late := now.Sub(s.Row.RenewAt)
	return late >= period || late >= 0 && !s.Failure().IsZero()
}

// Failure returns the last failure: of the client as a whole, else of this
// entry. A failure with another version of the secret does not count.
func (s Snapshot) Failure() store.Failure {
	for _, k := range []*Known{s.Record, s.Row} {
		if k != nil && !k.Failure.IsZero() && k.Failure.Version == s.Version() {
			return k.Failure
		}
	}
	return store.Failure{}
}

// Version returns the version of the secret; "" if it is not known.
func (s Snapshot) Version() string {
	if s.Record == nil {
		return ""
	}
	return s.Record.Terms.Version
}

// Granted reports whether the entry's tokens are obtained by a grant that
// somebody gave.
func (s Snapshot) Granted() bool { return s.Record.Terms.Granted(s.Row.Key.Variant) }

// Connected reports whether a user gives that grant by connecting an account.
func (s Snapshot) Connected() bool { return s.Record.Terms.Connected(s.Row.Key.Variant) }

// HeldUntil returns when a refresh token may be sent whose answer was lost, see
// [schedule.HeldUntil].
func (s Snapshot) HeldUntil() time.Time { return schedule.HeldUntil(s.Row.Token, s.Row.IssuedWithin) }

// HoldsRefresh reports whether a refresh token that may be used up must not be
// sent now. If a token can be obtained without it, it need never be.
func (s Snapshot) HoldsRefresh(reuse grant.Reuse, now time.Time) bool {
	if !s.Granted() {
		return grant.Holds(reuse, grant.Living)
	}
	return grant.Holds(reuse, grant.AccessOf(now.Before(s.HeldUntil())))
}

// IsHeldBack reports whether the entry holds a grant that was given at another
// destination than the one in force. It is kept, and sent nowhere.
func (s Snapshot) IsHeldBack() bool {
	return s.Granted() && !s.Row.Refresh.IsZero() && !s.Accepted && s.Row.Digests.Destination != ""
}

// Changes returns the parts of the destination that differ between where the
// entry's grant was given and where the secret points now; nil unless the grant
// is held back.
func (s Snapshot) Changes() []credential.Change {
	if !s.IsHeldBack() {
		return nil
	}
	for _, former := range s.Record.History.Former {
		if former.Digest() == s.Row.Digests.Destination {
			return s.Record.Terms.Destination().Changes(former)
		}
	}
	return nil
}

// GrantEnded returns an error if only a user can help: the account was never
// connected, or its grant has ended. A new secret may hold another refresh
// token, and an operator may have one that is left tried again.
func (s Snapshot) GrantEnded(tryAgain bool) *api.Error {
	left := !s.Row.Refresh.IsZero() && s.Accepted
	mayTry := tryAgain && (left || !s.Connected())
	switch {
	case s.Row.Outdated && s.Granted():
		return &api.Error{Code: api.Misconfigured, Detail: "the grant is stored in the first row format, " +
			"which is not read any more: set the parameter RowFormat to migrate"}
	case s.IsHeldBack():
		return reauthorize("the credential's destination has changed since the grant was given: " +
			"an operator accepts that (tokenvend accept " + s.Record.Terms.Name +
			"), or the account is connected again")
	case s.Row.State == store.Reauthorize && !mayTry && s.endHolds():
		return reauthorize(s.Row.Failure.Detail)
	case s.Row.State == store.Live && s.Connected() && !left:
		return reauthorize(s.MissingRefresh())
	}
	return nil
}

func reauthorize(detail string) *api.Error {
	return &api.Error{Code: api.ReauthorizationRequired, Detail: detail}
}

// endHolds reports whether the end of the grant holds for the secret as it is
// now. A new version may hold another refresh token, and an attempt with it
// that failed for another reason goes on.
func (s Snapshot) endHolds() bool {
	f := s.Row.Failure
	return s.Connected() || f.Version == s.Version() && f.Code == string(api.ReauthorizationRequired)
}

// MissingRefresh says why there is no refresh token to send.
func (s Snapshot) MissingRefresh() string {
	if !s.Connected() {
		return "there is no refresh token that works any more: put a new one into the secret"
	}
	switch {
	case s.Row.Fingerprint == "" && s.Row.RequestDigest == "" && s.Row.Digests == (row.Digests{}):
		return "nobody has connected this account yet"
	case !s.Accepted:
		return "the account was connected at other endpoints or for another client: connect it again"
	}
	return "the provider gave no refresh token, so the grant ended with its access token; " +
		AskForRefresh + ", and connect the account again"
}

// AskForRefresh is what helps if a provider returns no refresh token.
const AskForRefresh = `ask for one (many providers want the scope "offline_access", ` +
	`others a parameter such as access_type=offline in the descriptor's "authorize", ` +
	`with prompt=consent for an account that was connected before, or a setting of the app)`
