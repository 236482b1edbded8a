// Package store is the contract of the token store: one [Entry] per key, and a
// lease, which is the exclusive, time-limited, fenced right to replace it. A
// store sees no secret: tokens and terms are sealed before they are stored.
//
// The contract's tests are in package storetest. Each backend is a
// subdirectory.
package store

import (
	"context"
	"errors"
	"time"

	"github.com/tokenvend/tokenvend/pkg/token"
)

// The errors of a store, for use with errors.Is. Any other error means that the
// store did not answer, and that a write may or may not have been done.
var (
	// ErrChanged means that the entry's revision is no longer the one that was
	// seen.
	ErrChanged = errors.New("store: the entry has changed")
	// ErrLeased means that another holder's lease has not ended.
	ErrLeased = errors.New("store: the entry is leased")
	// ErrLeaseLost means that the lease is no longer the entry's. Nothing was
	// written.
	ErrLeaseLost = errors.New("store: the lease was lost")
	// ErrNewer means that a newer program wrote the entry in a format that this
	// one does not know. The message names the key or the file.
	ErrNewer = errors.New("store: written by a newer program")
	// ErrUnreadable means that the entry is damaged or was not written by this
	// program. The message names the key or the file and quotes none of its
	// content.
	ErrUnreadable = errors.New("store: damaged, or not an entry")
	// ErrFull means that the store has no space left. Nothing was written.
	ErrFull = errors.New("store: no space is left")
)

// MaxLease bounds leases. No program takes a lease for more than half of it;
// the other half allows for clocks that differ. A lease that would end later
// than MaxLease from now was not written by this program and counts as ended,
// so that one forged write cannot block an entry for ever.
const MaxLease = 2 * time.Minute

// Leased reports whether the entry is leased at the time now.
func (e Entry) Leased(now time.Time) bool {
	return now.Before(e.LeasedUntil) && !e.LeasedUntil.After(now.Add(MaxLease))
}

// Consistency is the read consistency, as in DynamoDB.
type Consistency int

const (
	// Eventual may return an earlier state. It is cheaper, and safe if a
	// conditional write follows.
	Eventual Consistency = iota
	// Strong returns every write that was confirmed before the call.
	Strong
)

// State is the stored state of an entry's credential or grant. The zero value
// is an active one.
type State string

// The stored states. The status report derives the others from the times.
const (
	Live     State = ""
	Gone     State = "gone"     // the secret was deleted: not vended, kept until ForgetAt
	Revoking State = "revoking" // revoked by an operator, not yet at the provider: not vended
	// the grant has ended and needs a new connect. A token that has not expired
	// is vended
	Reauthorize State = "reauthorize"
)

// Entry is all that is stored for one key. Times are wall-clock times in UTC
// and whole milliseconds. A zero time means never, or for AskedAt and IssuedAt,
// not yet.
type Entry struct {
	Key        token.Key
	Revision   int64  // incremented by each Commit and Replace; 0 if nothing is stored
	Generation int64  // incremented when the token is replaced
	State      State  //
	Sealed     []byte // the token and its refresh token, or a credential's terms; opaque here
	Format     int    // how Sealed is bound to the rest of the entry: 0 is the first format, else its number
	// digest of the request: provider, URL, client, scope, audience. Of a
	// credential record: the secret's version
	RequestDigest string

	Type, Scope, Fingerprint string
	LifetimeFrom             string // which source named the lifetime
	Warnings                 string // what was odd about the response with the token

	IssuedAt, ExpiresAt, CacheUntil time.Time
	RenewAt                         time.Time // the renewal time, which a failure does not change
	AskedAt                         time.Time // the last request for it, to the hour
	NextAt                          time.Time // the time to renew or to retry; zero: not in the index
	// no token request before, even if the token is about to expire: the
	// provider would return the same one
	HoldUntil     time.Time
	CooldownUntil time.Time // credential records only: no request to the provider before
	RefreshUntil  time.Time // the refresh token's expiry; zero if unknown or none
	ForgetAt      time.Time // the row may be deleted after it
	// the refresh token was sent and no response came: the provider may have
	// consumed it
	RefreshSpent bool

	Failure Failure

	ForcedCount int       // renewals in a row that were forced by reports of the token
	ForcedAt    time.Time // the time of the last of them
	ClaimedBy   string    // digest of the caller for whom the variant was minted

	// where renewals of the entry wait: the host of the token endpoint, and how
	// many renewals it takes at once. "" and 0: not known
	ProviderHost  string
	ProviderLimit int
	AlarmAt       time.Time // from then on the entry is overdue; zero: never

	// the end of the lease; zero if there is none. Written by Acquire, Commit
	// and Replace only
	LeasedUntil time.Time
}

// Failure describes the last attempt if it failed. All instances share it. The
// zero value means that the last attempt succeeded.
type Failure struct {
	Code    string    // the api.Code
	Detail  string    // the message; masked
	Since   time.Time // the first failure in a row
	Count   int       // the number of failures in a row
	RetryAt time.Time // no attempt before
	Version string    // of the secret that was in use
}

// IsZero reports whether the last attempt succeeded.
func (f Failure) IsZero() bool { return f.Code == "" }

// Lease is the right to replace one entry, until Until.
type Lease struct {
	Entry Entry     // at the time of Acquire; its LeasedUntil is Until
	ID    string    // a nonce that fences late writers
	Until time.Time // by the holder's clock
	// holders in a row that did not commit, including this one; above 1, an
	// earlier holder's request may have reached the provider
	Attempt int
}

// Due names an entry whose NextAt or AlarmAt has passed. The other fields are
// those of the [Entry].
type Due struct {
	Key           token.Key
	NextAt        time.Time
	ExpiresAt     time.Time // zero if it has no token
	AlarmAt       time.Time
	ProviderHost  string
	ProviderLimit int
}

// Due returns what an index says of the entry.
func (e Entry) Due() Due {
	return Due{
		Key: e.Key, NextAt: e.NextAt, ExpiresAt: e.ExpiresAt, AlarmAt: e.AlarmAt,
		ProviderHost: e.ProviderHost, ProviderLimit: e.ProviderLimit,
	}
}

// DueSince returns the time from which on the entry is due or overdue; zero:
// never. An entry that waits for its next attempt can be overdue.
func (e Entry) DueSince() time.Time {
	if e.NextAt.IsZero() || e.AlarmAt.IsZero() || e.NextAt.Before(e.AlarmAt) {
		return e.NextAt
	}
	return e.AlarmAt
}

// Reader holds the methods that vend and rotate may call. All methods are safe
// for concurrent use.
type Reader interface {
	// Get reads entries in one round trip and returns them in the order of
	// keys. A key may occur twice. If nothing is stored for a key, its Entry
	// has Revision 0, and LeasedUntil if the key is leased.
	Get(ctx context.Context, c Consistency, keys ...token.Key) ([]Entry, error)

	// Due returns up to limit entries whose DueSince is not after before,
	// ordered by ExpiresAt; entries without a token come first. It may miss
	// recent writes. If there are more than limit, it may choose those that
	// have been due longest.
	Due(ctx context.Context, before time.Time, limit int) ([]Due, error)

	// List returns up to limit entries of a partition (a credential's name, or
	// token.RecordPartition) in the order of their sort keys, starting after
	// the sort key after, or at the first if it is "". It omits keys that were
	// leased and never written, and it may miss recent writes. A row that is no
	// entry is a [*RowError], and nothing is returned.
	List(ctx context.Context, partition, after string, limit int) ([]Entry, error)
}

// Store holds the methods that only mint may call. All methods are safe for
// concurrent use by many processes.
type Store interface {
	Reader
	Counting

	// Acquire atomically takes the lease on an entry for ttl, at most
	// MaxLease/2, if its revision is still seen.Revision and it is not leased.
	// A seen with Revision 0 claims a key with nothing stored. Otherwise
	// Acquire returns ErrChanged (also if the entry is leased as well) or
	// ErrLeased, and a Lease that holds only Entry: the stored entry, strongly
	// read.
	Acquire(ctx context.Context, seen Entry, ttl time.Duration) (Lease, error)

	// Commit replaces the leased entry by next and releases the lease, in one
	// write, if the lease is still the entry's. This holds after the lease's
	// end too, if no Acquire, Replace or Delete came since. The new revision is
	// that of the leased entry plus one; Key, Revision and LeasedUntil of next
	// are ignored.
	//
	// ErrLeaseLost means that nothing was written. A Commit that is repeated,
	// after an error or by a retry of the SDK, recognises its own write,
	// changes nothing and returns nil, even if the next holder's lease is
	// active. After another Commit, Replace or Delete it cannot be recognised
	// and returns ErrLeaseLost.
	Commit(ctx context.Context, l Lease, next Entry) error

	// Replace combines Acquire and Commit, for writes without a token request.
	// It succeeds if the revision is still seen.Revision and the entry is not
	// leased, and returns next as stored. ErrChanged and ErrLeased come with
	// the stored entry, strongly read. Replace ends a lease whose time is over.
	// It keeps the count of holders that did not commit, because their requests
	// may have arrived; the next Lease's Attempt includes them.
	Replace(ctx context.Context, seen, next Entry) (Entry, error)

	// Touch sets AskedAt only. It changes neither revision nor lease, and does
	// nothing if nothing is stored. A Commit of an entry that was read earlier
	// undoes it.
	Touch(ctx context.Context, key token.Key, asked time.Time) error

	// Delete removes an entry and its lease. It returns nil if nothing is
	// stored. Revisions and generations start again, so commit an empty entry
	// instead if a process may remember the old one.
	Delete(ctx context.Context, key token.Key) error
}

// Mover is a Store with two places for credential records: records at the one
// where it does not write new ones are found, and can be moved.
type Mover interface {
	// MoveRecords moves the records to the place of new ones, and returns how
	// many it moved. It reports those that it could not, one at a time.
	MoveRecords(ctx context.Context, report func(credential string, err error)) (moved int, err error)
}
