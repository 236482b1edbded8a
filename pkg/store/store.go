// Package store is the contract of what remembers: one [Entry] per key, and the exclusive, time-limited, fenced right to replace it. A store sees no secret: tokens and terms arrive sealed.
//
// The contract's tests are package storetest. A backend is a folder beside this file.
package store

import (
	"context"
	"errors"
	"time"

	"github.com/tokenvend/tokenvend/pkg/token"
)

// Errors of a store, to be asked for with errors.Is. Any other error means that the store could not be reached or did not answer, and that it is unknown whether a write was done.
var (
	// ErrChanged: the entry's revision is no longer the one that was seen.
	ErrChanged = errors.New("store: the entry has changed")
	// ErrLeased: another holder's lease still lives.
	ErrLeased = errors.New("store: the entry is leased")
	// ErrLeaseLost: the lease is no longer the entry's; nothing was written.
	ErrLeaseLost = errors.New("store: the lease was lost")
	// ErrNewer: what was read was written by a newer program, in a format that this one does not know. The message names the key, or the file.
	ErrNewer = errors.New("store: written by a newer program")
	// ErrUnreadable: what was read is damaged, or not ours. The message names the key, or the file, and quotes nothing of it.
	ErrUnreadable = errors.New("store: damaged, or not an entry")
)

// MaxLease bounds leases. No program takes a lease for more than half of it;
// the other half is room for clocks that differ. A lease that would end later
// than MaxLease from now was written by something else, and counts as over:
// one write to the store must not stop an entry for ever.
const MaxLease = 2 * time.Minute

// Leased reports whether a lease on the entry lives at the time now.
func (e Entry) Leased(now time.Time) bool {
	return now.Before(e.LeasedUntil) && !e.LeasedUntil.After(now.Add(MaxLease))
}

// Consistency says how old an answer may be.
type Consistency int

const (
	// Eventual may answer with what stood a moment ago. It is the cheap one, and harmless where a conditional write follows.
	Eventual Consistency = iota
	// Strong answers with every write that was confirmed before the call.
	Strong
)

// State says what has become of an entry's credential or grant. The zero value is a living one.
type State string

// The states that are stored; the others of the status report are worked out from the times.
const (
	Live        State = ""
	Gone        State = "gone"        // the secret was removed: not vended, kept until ForgetAt
	Revoking    State = "revoking"    // revoked by an operator, not yet by the provider: not vended
	Reauthorize State = "reauthorize" // a person's grant is over: only a new connect helps. A token that still lives is vended
)

// Entry is all that is kept for one key. Times are wall time to the millisecond, UTC; a zero time means never (or, for AskedAt and IssuedAt, not yet).
type Entry struct {
	Key        token.Key
	Revision   int64  // grows by one with each Commit and Replace; 0: nothing is stored
	Generation int64  // grows by one when the token is replaced
	State      State  //
	Sealed     []byte // the token and its refresh token, or a credential's terms; opaque here
	Format     int    // how Sealed is bound to the rest of the entry: 0 is the first format, 2 the second
	Made       string // digest of what the token was minted for: provider, URL, client, scope, audience. Of an own row: the secret's version

	Type, Scope, Fingerprint string
	LifetimeFrom             string // which source told the lifetime

	IssuedAt, ExpiresAt, CacheUntil time.Time
	RenewAt                         time.Time // the time to renew, which a failure does not move
	AskedAt                         time.Time // when somebody last asked, to the hour
	NextAt                          time.Time // due: the time to renew, or to try again; zero: not in the index
	HoldUntil                       time.Time // no exchange before, though the token is short of life: the provider would hand out the same one
	CooldownUntil                   time.Time // own rows only: no request to the provider before
	RefreshUntil                    time.Time // the refresh token's end; zero: unknown or none
	ForgetAt                        time.Time // the row may be dropped after it
	RefreshSpent                    bool      // the refresh token was sent once and no answer came back: the provider may have used it up

	Failure Failure

	ForcedCount int       // renewals in a row that reports of the token forced
	ForcedAt    time.Time // the last of them
	ClaimedBy   string    // digest of the caller who had a variant minted

	LeasedUntil time.Time // a lease lives until then; zero: free. Written by Acquire, Commit and Replace alone
}

// Failure is what went wrong at the last attempt, shared by every instance. The zero value: the last attempt succeeded.
type Failure struct {
	Code    string    // the api.Code
	Detail  string    // for people; masked
	Since   time.Time // the first failure of the run
	Count   int       // how many in a row
	RetryAt time.Time // no attempt before
	Version string    // of the secret that was in use
}

// IsZero says whether the last attempt succeeded.
func (f Failure) IsZero() bool { return f.Code == "" }

// Lease is the right to replace one entry until it ends.
type Lease struct {
	Entry   Entry     // as it stood when the lease was taken; its LeasedUntil is Until
	ID      string    // a nonce; fences a late writer out
	Until   time.Time // by the clock of whoever took it
	Attempt int       // how many holders in a row have not committed, this one included; above 1, what earlier ones sent may have arrived
}

// Due names an entry whose NextAt has passed.
type Due struct {
	Key       token.Key
	NextAt    time.Time
	ExpiresAt time.Time // zero: it has no token
}

// Reader is what vend and rotate may do. All methods are safe for concurrent use.
type Reader interface {
	// Get reads entries in one round trip and returns them in the order of keys; a key may be asked for twice. Where nothing is stored, the Entry has its Key and Revision 0, and LeasedUntil where somebody has leased it all the same.
	Get(ctx context.Context, c Consistency, keys ...token.Key) ([]Entry, error)

	// Due returns up to limit entries whose NextAt is not after before, the one that expires first at the head (no token: at the very head). It may miss what was written a moment ago, and where more than limit are due it may choose those that have been due longest.
	Due(ctx context.Context, before time.Time, limit int) ([]Due, error)

	// List returns up to limit entries of a partition (a credential's name, or token.OwnPartition) in the order of their sort key, beginning after the sort key after ("": at the first). What is leased but was never written is left out. It may miss what was written a moment ago.
	List(ctx context.Context, partition, after string, limit int) ([]Entry, error)
}

// Store is what mint alone may do. All methods are safe for concurrent use, by many processes.
type Store interface {
	Reader

	// Acquire takes the lease on an entry for ttl, at most MaxLease/2,
	// atomically, if its revision is still seen.Revision and no lease on it
	// lives. seen with Revision 0 claims a key of which nothing is stored.
	// Else it returns ErrChanged (also where it is leased besides) or ErrLeased, and a Lease that holds nothing but Entry: the entry as it stands now, strongly read.
	Acquire(ctx context.Context, seen Entry, ttl time.Duration) (Lease, error)

	// Commit replaces the leased entry by next and gives the lease back, in one write, if the lease is still the entry's own; also after its time, if no Acquire, Replace or Delete has come since. The revision becomes that of the leased entry plus one; what next says of Key, Revision and LeasedUntil is not looked at.
	// ErrLeaseLost changes nothing. A Commit that is repeated after an error, or by a retry below, recognises its own write, changes nothing more and returns nil, also while the next holder's lease lives. Once another Commit, Replace or Delete has come, there is nothing left to recognise it by: ErrLeaseLost.
	Commit(ctx context.Context, l Lease, next Entry) error

	// Replace is Acquire and Commit at once, for writes that ask no provider: it succeeds if the revision is still seen.Revision and no lease on it lives. ErrChanged or ErrLeased come with the entry as it stands now, strongly read; success with next as it was stored.
	// It ends the lease of a holder whose time is over, but not the count of those who vanished: what they sent may have arrived, whoever wrote since, and the next Lease's Attempt says so.
	Replace(ctx context.Context, seen, next Entry) (Entry, error)

	// Touch sets AskedAt alone. It changes no revision, disturbs no lease, and does nothing where nothing is stored. A Commit of what was read before it undoes it.
	Touch(ctx context.Context, key token.Key, asked time.Time) error

	// Delete drops an entry whatever it holds, its lease too. Nothing stored: nil. Revisions and generations begin again: where anyone may still remember the entry, commit an emptied one instead.
	Delete(ctx context.Context, key token.Key) error
}
