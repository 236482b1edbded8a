package operate

import (
	"context"

	"github.com/tokenvend/tokenvend/pkg/store"
	"github.com/tokenvend/tokenvend/pkg/token"
)

// overviewPage is how many rows are read at once.
const overviewPage = 500

// Overview returns the status of every token: of each credential's default, and
// of all accounts and variants that are stored. They are in the order of their
// credentials.
func (o Operator) Overview(ctx context.Context) (all []Status, err error) {
	for after := ""; ; {
		page, next, err := o.List(ctx, after, overviewPage)
		if err != nil {
			return nil, err
		}
		for _, terms := range page {
			of, err := o.Statuses(ctx, terms.Name)
			if err != nil {
				return nil, err
			}
			all = append(all, of...)
		}
		if after = next; after == "" {
			return all, nil
		}
	}
}

// Statuses returns the status of a credential's default token, and without the
// quota those of its accounts and variants that are stored.
func (o Operator) Statuses(ctx context.Context, name string) (all []Status, err error) {
	keys := []token.Key{{Credential: name}}
	for after := ""; ; {
		page, err := o.mint.Records.Store.List(ctx, name, after, overviewPage)
		if err != nil {
			return nil, o.mint.Records.ReadError(ctx, "", err)
		}
		for _, e := range page {
			if after = e.Key.SortKey(); e.Key != keys[0] {
				keys = append(keys, e.Key)
			}
		}
		if len(page) < overviewPage {
			break
		}
	}
	for i, key := range keys {
		read := o.statusOfEntry
		if i == 0 {
			read = o.Status
		}
		s, err := read(ctx, key)
		if err != nil {
			return nil, err
		}
		s.Entry.Key = key
		if key != keys[0] && isForgotten(s.Entry) {
			continue
		}
		all = append(all, s)
	}
	return all, nil
}

// Accounts returns the status of up to limit entries of a credential's
// accounts, after an entry's sort key, and the sort key to continue after: ""
// at the end. They are without the quota.
func (o Operator) Accounts(ctx context.Context, name, after string, limit int) (all []Status, next string, err error) {
	for {
		page, err := o.mint.Records.Store.List(ctx, name, after, overviewPage)
		if err != nil {
			return nil, "", o.mint.Records.ReadError(ctx, "", err)
		}
		for _, e := range page {
			if len(all) == limit {
				return all, after, nil
			}
			after = e.Key.SortKey()
			if e.Key.Variant.Account == "" {
				continue
			}
			s, err := o.statusOfEntry(ctx, e.Key)
			if err != nil {
				return nil, "", err
			}
			if s.Entry.Key = e.Key; !isForgotten(s.Entry) {
				all = append(all, s)
			}
		}
		if len(page) < overviewPage {
			return all, "", nil
		}
	}
}

// isForgotten reports whether nothing is left of an account's grant or of a
// variant's token.
func isForgotten(e store.Entry) bool {
	return e.State == store.Live && e.Fingerprint == "" && e.Failure.IsZero() && e.NextAt.IsZero()
}
