// Package row is what the store keeps of an entry or of a credential record,
// opened: its types, its formats, and what it was obtained for. It reads and
// writes no store.
package row

import (
	"crypto/rand"
	"crypto/sha256"
	"encoding/json"
	"net/url"
	"slices"
	"time"

	"github.com/tokenvend/tokenvend/pkg/credential"
	"github.com/tokenvend/tokenvend/pkg/descriptor"
	"github.com/tokenvend/tokenvend/pkg/redact"
	"github.com/tokenvend/tokenvend/pkg/schedule"
	"github.com/tokenvend/tokenvend/pkg/store"
	"github.com/tokenvend/tokenvend/pkg/token"
)

// Row is one row of the store as it was last seen, opened: an entry, or a
// credential record. Rows in memory are never changed; change a copy.
type Row struct {
	store.Entry
	Broken   bool // it does not open, or is older than what was seen: nothing of it counts
	Outdated bool // its format is not read any more, see [Format2]

	// Digests say what an entry's token and refresh token were obtained for;
	// of a record, what they would be obtained for now.
	Digests Digests

	// Of an entry.
	Token        token.Token   // zero: none, or none that opens
	Refresh      redact.String // zero: none
	IssuedWithin time.Duration // see [schedule.IssuedWithin]; 0: unknown
	Seed         string        // fingerprint of the secret's refresh token that was last sent; "": none was

	// Of a credential record.
	Terms      credential.Terms
	History    History
	Descriptor *descriptor.Descriptor // of the terms' provider; nil: unknown to this program
}

// Digests are the digests of a destination and of a token request, see
// [credential.Terms.Destination] and [credential.Terms.RequestDigest].
//
// Login is the [History.Login] of the record then. It is "" of a user's grant,
// which belongs to no secret of the client.
type Digests struct{ Destination, Request, Login string }

// Same reports whether two tokens were obtained in the same way, as far as is
// known: an older program noted no login.
func (d Digests) Same(other Digests) bool {
	if d.Login == "" || other.Login == "" {
		d.Login, other.Login = "", ""
	}
	return d == other
}

// With returns the row with its entry as it is seen now, of other times or
// another lease, and the same sealed part.
func (r *Row) With(e store.Entry) Row {
	now := *r
	now.Entry = e
	return now
}

// Provider returns the name of a record's provider.
func (r *Row) Provider() string {
	if r.Terms.Provider != "" || r.Descriptor == nil {
		return r.Terms.Provider
	}
	return r.Descriptor.Name
}

// IsWarm reports whether an entry of the record's credential is renewed without
// requests: the default of a credential that is kept warm.
func (r *Row) IsWarm(key token.Key) bool {
	return r.Terms.KeepWarm && key == token.Key{Credential: r.Terms.Name}
}

// Rules returns what a record says about the times of an entry's next token.
func (r *Row) Rules(entry *Row) schedule.Rules {
	g := r.Terms.Strategy(entry.Key.Variant).RenewedBy(!entry.Refresh.IsZero())
	return schedule.RulesOf(r.Terms, r.Descriptor, r.History.Revokes, g)
}

// ObtainedFor notes that a token of the entry is obtained as the credential's
// record says now.
func (r *Row) ObtainedFor(record *Row) {
	r.RequestDigest = record.Terms.LegacyDigest(r.Key.Variant) // for a row of the first format
	r.Digests = Digests{
		Destination: record.Digests.Destination, Request: record.Terms.RequestDigest(r.Key.Variant),
		Login: record.loginOf(r.Key.Variant),
	}
}

// loginOf returns the MAC of the secrets that a variant's tokens belong to.
func (r *Row) loginOf(v token.Variant) string {
	if r.Terms.Granted(v) {
		return ""
	}
	return r.History.Login
}

// sameLogin reports whether an entry was obtained with the secrets in force, as
// far as is known: nothing is known of an entry that an older program wrote,
// nor by a record without a key.
func (r *Row) sameLogin(entry *Row) bool {
	has := entry.Digests.Login
	unknown := has == "" || r.History.Login == ""
	return unknown || r.Terms.Granted(entry.Key.Variant) || has == r.History.Login
}

// LoginMoved reports whether the secrets that a variant's tokens belong to are
// others in a later state of the record.
func (r *Row) LoginMoved(later *Row, v token.Variant) bool {
	before, after := r.loginOf(v), later.loginOf(v)
	return before != "" && after != "" && before != after
}

// KeepGrant keeps a refresh token that came without a usable access token and
// was obtained as another row says. An access token that was obtained
// otherwise is dropped: both cannot stand under the same digests.
func (r *Row) KeepGrant(refresh redact.String, until time.Time, obtained Row) {
	r.Refresh, r.RefreshUntil, r.RefreshSpent = refresh, until, false
	otherRequest := r.RequestDigest != "" && r.RequestDigest != obtained.RequestDigest
	if !r.Digests.Same(obtained.Digests) || otherRequest {
		r.dropToken(token.Extra{})
	}
	r.Digests, r.RequestDigest = obtained.Digests, obtained.RequestDigest
}

// ReplaceGrant is KeepGrant for the grant of a new code, which may be another
// account's: no access token stays, and only these further values.
func (r *Row) ReplaceGrant(refresh redact.String, until time.Time, obtained Row, extra token.Extra) {
	r.KeepGrant(refresh, until, obtained)
	r.dropToken(extra)
}

func (r *Row) dropToken(extra token.Extra) {
	r.Token, r.Fingerprint, r.Warnings, r.ExpiresAt = token.Token{Extra: extra}, "", "", time.Time{}
}

// SetToken sets the access token that the entry's times and words describe,
// and the values that callers get with it.
func (r *Row) SetToken(access redact.String, extra token.Extra) {
	r.Token = token.Token{
		Access: access, Type: r.Type, Scope: r.Scope, Fingerprint: r.Fingerprint, Generation: r.Generation,
		IssuedAt: r.IssuedAt, ExpiresAt: r.ExpiresAt, CacheUntil: r.CacheUntil, Extra: extra,
	}
}

// Standing is how an entry relates to its credential's record.
type Standing struct {
	Requested bool // obtained from the destination in force, as it is requested now, with the secrets in force
	// Accepted: its destination is in force, or an operator accepted its grants
	// for the one in force; and it was obtained with the secrets in force.
	Accepted bool
	// Revocable: the provider in force is the one that it was obtained from,
	// with whatever secrets.
	Revocable bool
}

// Compare returns the standing of an entry. An entry without digests, which an
// older program wrote, counts as obtained where that program obtained tokens,
// if its digest matches. The next write adds digests.
func Compare(record, entry *Row) Standing {
	stamped := *entry
	stamped.Stamp(record)
	has, inForce := stamped.Digests, record.Digests.Destination
	same := has.Destination != "" && has.Destination == inForce
	accepted := same || has.Destination != "" && slices.Contains(record.History.Accepted, has.Destination)
	if !record.sameLogin(entry) {
		return Standing{Revocable: accepted}
	}
	return Standing{
		Requested: same && has.Request == record.Terms.RequestDigest(entry.Key.Variant),
		Accepted:  accepted, Revocable: accepted,
	}
}

// Stamp gives an entry of an older program the digests that it counts as
// having.
func (r *Row) Stamp(record *Row) {
	if r.Digests == (Digests{}) && r.RequestDigest != "" {
		r.Digests = record.adopt(r.RequestDigest, r.Key.Variant)
	}
}

// adopt returns the digests of an entry of which only the legacy digest is
// known.
func (r *Row) adopt(legacy string, v token.Variant) Digests {
	if legacy != r.Terms.LegacyDigest(v) {
		return Digests{}
	}
	d := Digests{Destination: r.Digests.Destination, Request: r.Terms.RequestDigest(v)}
	if r.History.Stamped {
		d.Destination = r.History.Legacy
	}
	return d
}

// NewBroken returns a row of which nothing counts, not even its state.
func NewBroken(e store.Entry) *Row {
	e.State = store.Live
	return &Row{Entry: e, Broken: true}
}

// Read sets what was sealed in the row.
func (r *Row) Read(plain []byte) error {
	if r.Key.IsRecord() {
		var read record
		err := json.Unmarshal(plain, &read)
		if err == nil {
			r.setRecord(read)
		}
		return err
	}
	var p payload
	if err := json.Unmarshal(plain, &p); err != nil {
		return err
	}
	r.Refresh, r.Seed = redact.New(p.Refresh), p.Seed
	within := time.Duration(p.Within) * time.Millisecond
	r.IssuedWithin = min(max(within, 0), schedule.ExchangeTimeout+time.Second)
	r.Digests = Digests{Destination: p.Destination, Request: p.Request, Login: p.Login}
	r.SetToken(redact.New(p.Access), token.NewExtra(p.Extra))
	return nil
}

// SetTerms gives a record the terms that follow its present ones.
func (r *Row) SetTerms(terms credential.Terms) {
	r.setRecord(record{r.Terms, r.History}.next(terms))
}

// KnowsLogin reports whether a record has the MAC of a credential's secrets, or
// needs none.
func (r *Row) KnowsLogin(c credential.Credential) bool {
	byOlderProgram := r.History.Login == ""
	return r.History.Login == c.MAC(r.History.LoginKey) || byOlderProgram && !c.HasLogin()
}

// SetLogin notes in a record the secrets in force.
func (r *Row) SetLogin(c credential.Credential) {
	if c.HasLogin() && len(r.History.LoginKey) == 0 {
		r.History.LoginKey = make([]byte, sha256.Size)
		_, _ = rand.Read(r.History.LoginKey) // never fails
	}
	r.History.Login = c.MAC(r.History.LoginKey)
}

// ResetTerms gives a record its first terms, without a history.
func (r *Row) ResetTerms(terms credential.Terms) { r.setRecord(record{Terms: terms}) }

// setRecord sets a record and what follows from it. A provider that is unknown
// to this program leaves the descriptor nil.
func (r *Row) setRecord(is record) {
	r.Terms, r.History = is.Terms, is.History
	r.Descriptor, _ = is.ProviderDescriptor()
	r.Digests.Destination = is.Destination().Digest()
}

// Concurrency returns how many renewals a record's provider takes at once.
func (r *Row) Concurrency() int {
	if r.Descriptor == nil {
		return new(descriptor.Descriptor).Concurrency()
	}
	return r.Descriptor.Concurrency()
}

// Queue notes in an entry where its renewals wait.
func (r *Row) Queue(record *Row) {
	r.ProviderHost, r.ProviderLimit = record.Host(), record.Concurrency()
}

// Host returns the host of a record's token endpoint; "": unknown.
func (r *Row) Host() string {
	if r.Descriptor == nil {
		return ""
	}
	at, err := url.Parse(r.Terms.TokenEndpoint(r.Descriptor))
	if err != nil {
		return ""
	}
	return at.Host
}
