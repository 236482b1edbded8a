package mint

import (
	"cmp"
	"context"
	"encoding/json"
	"slices"

	"github.com/tokenvend/tokenvend/pkg/credential"
	"github.com/tokenvend/tokenvend/pkg/descriptor"
	"github.com/tokenvend/tokenvend/pkg/store"
	"github.com/tokenvend/tokenvend/pkg/token"
)

// record is what is sealed in a credential's own row: its terms, and what this
// program has to remember of the terms before.
type record struct {
	credential.Terms
	history
}

// history is what a record says besides its terms.
type history struct {
	// Stamped: written by a program that keeps digests in entries. The rest is
	// empty in a record that is not.
	Stamped bool `json:"stamped,omitempty"`
	// Legacy is the destination of entries without digests, which an older
	// program wrote.
	Legacy string `json:"legacy,omitempty"`
	// Former lists the destinations before, the newest last: grants may remain
	// that were given there.
	Former []credential.Destination `json:"former,omitempty"`
	// Accepted lists the digests of destinations whose grants an operator has
	// accepted for the one in force.
	Accepted []string `json:"accepted,omitempty"`
	// Revokes lists the grants of which it was learned that a new token ends
	// the one before, at the destination in force.
	Revokes []descriptor.Grant `json:"learned_revokes,omitempty"`
}

// mostFormer is how many former destinations a record keeps.
const mostFormer = 4

// MarshalJSON writes the terms and the history as one object.
func (r record) MarshalJSON() ([]byte, error) {
	type terms credential.Terms
	return json.Marshal(struct {
		terms
		history
	}{terms(r.Terms), r.history})
}

// UnmarshalJSON reads what this or another version of the program has written.
func (r *record) UnmarshalJSON(data []byte) error {
	if err := json.Unmarshal(data, &r.Terms); err != nil {
		return err
	}
	return json.Unmarshal(data, &r.history)
}

// readRecord reads a record. A provider that this build does not know leaves
// the descriptor nil: there is no new token then.
func (r *row) readRecord(plain []byte) error {
	var read record
	if err := json.Unmarshal(plain, &read); err != nil {
		return err
	}
	r.setRecord(read)
	return nil
}

// setRecord sets a record and what follows from it.
func (r *row) setRecord(is record) {
	r.terms, r.history = is.Terms, is.history
	r.descriptor, _ = is.Speaks()
	r.digests.destination = is.Destination().Digest()
}

// next returns the record that follows r with other terms.
func (r record) next(terms credential.Terms) record {
	after := record{Terms: terms, history: r.history}
	before, now := r.Terms.Destination(), terms.Destination()
	if !r.Stamped {
		after.history = history{Stamped: true}
		if r.Name != "" { // of a record that was deleted, nobody knows where grants were given
			after.Legacy = cmp.Or(before.Digest(), now.Digest())
		}
	}
	if len(before) == 0 || before.Digest() == now.Digest() {
		return after
	}
	after.Accepted, after.Revokes = nil, nil
	after.Former = slices.DeleteFunc(slices.Clone(after.Former), func(d credential.Destination) bool {
		return d.Digest() == before.Digest() || d.Digest() == now.Digest()
	})
	after.Former = append(after.Former, before)
	if extra := len(after.Former) - mostFormer; extra > 0 {
		after.Former = after.Former[extra:]
	}
	return after
}

// digests say what an entry's token and refresh token were obtained for; of a
// record, what they would be obtained for now. See [credential.Destination] and
// [credential.Terms.RequestDigest].
type digests struct{ destination, request string }

// standing says how an entry relates to its credential's record.
type standing struct {
	destination bool // obtained from the destination in force
	request     bool // and asked for as it is asked for now
	accepted    bool // the destination is in force, or an operator accepted its grants for it
}

// compare returns how an entry stands to a record. What an older program wrote
// without digests counts as obtained where that program obtained tokens, if its
// digest matches; it is so adopted once, for the next write adds digests.
func compare(own, entry *row) standing {
	stamped := *entry
	stamped.stamp(own)
	has, variant := stamped.digests, entry.entry.Key.Variant
	s := standing{destination: has.destination != "" && has.destination == own.digests.destination}
	s.request = s.destination && has.request == own.terms.RequestDigest(variant)
	s.accepted = s.destination || has.destination != "" && slices.Contains(own.history.Accepted, has.destination)
	return s
}

// stamp gives an entry of an older program the digests that it is adopted with.
func (r *row) stamp(own *row) {
	if r.digests == (digests{}) && r.entry.RequestDigest != "" {
		r.digests = own.adopt(r.entry.RequestDigest, r.entry.Key.Variant)
	}
}

// adopt returns the digests of an entry of which only the legacy digest is
// known.
func (r *row) adopt(legacy string, v token.Variant) digests {
	if legacy != r.terms.LegacyDigest(v) {
		return digests{}
	}
	d := digests{destination: r.digests.destination, request: r.terms.RequestDigest(v)}
	if r.history.Stamped {
		d.destination = r.history.Legacy
	}
	return d
}

// obtainedOtherwise reports whether an entry's token was obtained for something
// else than its credential's record says now. One that does not open is found
// out when it is next asked for.
func (m *Mint) obtainedOtherwise(ctx context.Context, own *known, e store.Entry) bool {
	r, err := m.open(ctx, e)
	if err != nil || r.broken || r.outdated || r.token.IsZero() && r.refresh.IsZero() {
		return false
	}
	return !compare(own.row, r).request
}
