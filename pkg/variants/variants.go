// Package variants bounds the variants of a credential that callers make by
// scope and audience: rotate renews each, and 12 allowed scopes have 4,095
// combinations. A variant that nobody requests for one life no longer counts.
package variants

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"time"

	"github.com/tokenvend/tokenvend/pkg/access"
	"github.com/tokenvend/tokenvend/pkg/credential"
	"github.com/tokenvend/tokenvend/pkg/records"
	"github.com/tokenvend/tokenvend/pkg/schedule"
	"github.com/tokenvend/tokenvend/pkg/store"
	"github.com/tokenvend/tokenvend/pkg/token"
)

// IsCounted reports whether a variant counts against the bound: not the
// credential's default, and not one that a user connects.
func IsCounted(terms credential.Terms, v token.Variant) bool {
	return v != token.Variant{} && !terms.Connected(v)
}

// counts reports whether an entry of a counted variant counts now. A grant
// always does.
func counts(terms credential.Terms, e store.Entry, now time.Time) bool {
	return e.Revision > 0 && (terms.Granted(e.Key.Variant) || now.Before(schedule.FreedAt(e)))
}

// claimant names a caller in entries, where a name would be too long.
func claimant(c access.Caller) string {
	sum := sha256.Sum256([]byte(c.Identity()))
	return hex.EncodeToString(sum[:8])
}

// Claim notes in an entry which caller has its variant minted, unless it counts
// already.
func Claim(next *store.Entry, terms credential.Terms, c access.Caller, now time.Time) {
	if IsCounted(terms, next.Key.Variant) && !counts(terms, *next, now) {
		next.ClaimedBy = claimant(c)
	}
}

// Limiter refuses variants beyond the bound. All its methods are safe for
// concurrent use.
type Limiter struct {
	Records *records.Records
	claims  claims
}

// Check returns why the variant of an entry may not be minted for a caller; nil
// if it may. The entries of the credential are listed only for a variant that
// does not count yet. Errors are of type *api.Error.
func (l *Limiter) Check(
	ctx context.Context, e store.Entry, terms credential.Terms, c access.Caller, now time.Time,
) error {
	if !IsCounted(terms, e.Key.Variant) || counts(terms, e, now) {
		return nil
	}
	wanted := wanted{key: e.Key, by: claimant(c), at: now}
	if err := l.claims.refusal(wanted); err != nil {
		return err
	}
	listed, err := l.counted(ctx, terms, now)
	if err != nil {
		return err
	}
	if err := l.claims.claim(wanted, terms.VariantBound(), listed); err != nil {
		return err
	}
	return nil
}

// counted lists the entries of a credential that count.
func (l *Limiter) counted(ctx context.Context, terms credential.Terms, now time.Time) ([]store.Entry, error) {
	const page = 1000
	var counted []store.Entry
	for after := "account>"; ; { // after all accounts, which begin with "account="
		entries, err := l.Records.Store.List(ctx, terms.Name, after, page)
		if err != nil {
			return nil, l.Records.ReadError(ctx, terms.Name, err)
		}
		for _, e := range entries {
			if IsCounted(terms, e.Key.Variant) && counts(terms, e, now) {
				counted = append(counted, e)
			}
			after = e.Key.SortKey()
		}
		if len(entries) < page || len(counted) >= terms.VariantBound() {
			return counted, nil
		}
	}
}
