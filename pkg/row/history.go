package row

import (
	"cmp"
	"encoding/json"
	"slices"

	"github.com/tokenvend/tokenvend/pkg/credential"
	"github.com/tokenvend/tokenvend/pkg/descriptor"
)

// record is what is sealed in a credential record: the terms, and what this
// program has to remember of former ones.
type record struct {
	credential.Terms
	History
}

// History is what a record holds besides its terms.
type History struct {
	// Stamped: written by a program that keeps digests in entries. The rest is
	// empty in a record that is not.
	Stamped bool `json:"stamped,omitempty"`
	// Legacy is the destination of entries without digests, which an older
	// program wrote.
	Legacy string `json:"legacy,omitempty"`
	// Former lists the former destinations, the newest last: grants may remain
	// that were given there.
	Former []credential.Destination `json:"former,omitempty"`
	// Accepted lists the digests of destinations whose grants an operator has
	// accepted for the one in force.
	Accepted []string `json:"accepted,omitempty"`
	// LoginKey is the key of Login, random and as old as the record; nil: a
	// program wrote it that keeps none.
	LoginKey []byte `json:"login_key,omitempty"`
	// Login is the [credential.Credential.MAC] of the secrets in force.
	Login string `json:"login,omitempty"`
	// Revokes lists the grant types of which it was learned that a new token
	// revokes the one before, at the destination in force.
	Revokes []descriptor.Grant `json:"learned_revokes,omitempty"`
}

// maxFormer is how many former destinations a record keeps.
const maxFormer = 4

// MarshalJSON writes the terms and the history as one object.
func (r record) MarshalJSON() ([]byte, error) {
	type terms credential.Terms
	return json.Marshal(struct {
		terms
		History
	}{terms(r.Terms), r.History})
}

// UnmarshalJSON reads what this or another version of the program has written.
func (r *record) UnmarshalJSON(data []byte) error {
	if err := json.Unmarshal(data, &r.Terms); err != nil {
		return err
	}
	return json.Unmarshal(data, &r.History)
}

// next returns the record that follows r with other terms.
func (r record) next(terms credential.Terms) record {
	after := record{Terms: terms, History: r.History}
	before, now := r.Terms.Destination(), terms.Destination()
	if !r.Stamped {
		after.History = History{Stamped: true}
		if r.Name != "" { // where the grants of a deleted record were given is unknown
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
	if extra := len(after.Former) - maxFormer; extra > 0 {
		after.Former = after.Former[extra:]
	}
	return after
}
