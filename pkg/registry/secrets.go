package registry

import (
	"bytes"
	"context"
	"encoding/json"
	"iter"

	"github.com/tokenvend/tokenvend/pkg/api"
	"github.com/tokenvend/tokenvend/pkg/credential"
	"github.com/tokenvend/tokenvend/pkg/failure"
	"github.com/tokenvend/tokenvend/pkg/records"
	"github.com/tokenvend/tokenvend/pkg/store"
)

// maxReads bounds how often a secret is read that changes meanwhile.
const maxReads = 3

// Credential returns the credential whose terms stand in its record, and that
// record, learned anew if the secret says something else. The credential
// decides what is sent to a provider, never the record alone.
func (r *Registry) Credential(
	ctx context.Context, record *records.Known,
) (credential.Credential, *records.Known, error) {
	c, held := r.secrets.get(record.Terms.Name)
	for range maxReads {
		if held && agree(c, record) {
			return c, record, nil
		}
		if !held || c.Version != record.Terms.Version {
			// The caller that reads it began no later than those that wait for
			// it, so that it ends no later than they may.
			read, err, _ := r.secrets.reads.Do(record.Terms.Name, func() (any, error) {
				return r.Source.Read(ctx, record.Terms.Name, credential.Current)
			})
			c, _ = read.(credential.Credential)
			if err != nil {
				return c, record, err
			}
		}
		var err error
		if record, err = r.Adopt(ctx, record, c); err != nil {
			return c, record, err
		}
		held = true
	}
	return c, record, failure.Soon(api.SecretUnavailable, "the secret is being changed")
}

// agree reports whether a record says what a credential says.
func agree(c credential.Credential, record *records.Known) bool {
	if c.Version != record.Terms.Version || !record.KnowsLogin(c) {
		return false
	}
	first, err := json.Marshal(c.Terms)
	second, otherErr := json.Marshal(record.Terms)
	return err == nil && otherErr == nil && bytes.Equal(first, second)
}

// Adopt makes a credential that was read afresh the one that this process and
// the record know. A record that says something else of the same version was
// written by an older program, or by somebody who can seal.
func (r *Registry) Adopt(
	ctx context.Context, record *records.Known, c credential.Credential,
) (*records.Known, error) {
	r.secrets.keep(c)
	if agree(c, record) {
		return record, nil
	}
	moved := c.Destination().Digest() != record.Digests.Destination
	if c.Version == record.Terms.Version && record.History.Stamped && moved {
		r.Journal.Integrity(ctx, c.Name, "the stored record of the credential names other endpoints than its secret")
	}
	var kept store.Failure // the shared failure, unless it belongs to another version of the secret
	if record.Failure.Version == c.Version {
		kept = record.Failure
	}
	learned, err := r.learnTerms(ctx, record.Entry, c.Terms, kept, &c)
	if err != nil {
		return record, err
	}
	return learned, nil
}

// Candidates yields the versions of a secret whose client authentication may be
// tried, each once: c, the current one read afresh, and (if others returns true
// then) the pending and the previous one. Each is used with its own descriptor,
// URLs and parameters, and only if its destination is that of c; the pending
// and the previous one only if they are of the same account. The consumer
// continues as long as the provider refuses the client.
//
// A current version that is newer than c is passed to adopt. One with another
// destination ends the sequence.
func (r *Registry) Candidates(
	ctx context.Context, c credential.Credential, others func() bool, adopt func(credential.Credential),
) iter.Seq[credential.Credential] {
	return func(yield func(credential.Credential) bool) {
		tried := map[string]bool{c.Version: true}
		if !yield(c) {
			return
		}
		for _, stage := range []credential.Stage{credential.Current, credential.Pending, credential.Previous} {
			if stage != credential.Current && !others() {
				return
			}
			next, err := r.Source.Read(ctx, c.Name, stage)
			if err != nil || tried[next.Version] {
				continue
			}
			tried[next.Version] = true
			if stage == credential.Current {
				adopt(next)
			}
			same := next.Destination().Digest() == c.Destination().Digest()
			if stage != credential.Current && !next.SameAccount(c) {
				continue // its tokens are another account's
			}
			if stage == credential.Current && !same || same && !yield(next) {
				return
			}
		}
	}
}
