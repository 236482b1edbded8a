package vend

import (
	"cmp"
	"context"
	"fmt"

	"github.com/tokenvend/tokenvend/pkg/api"
	"github.com/tokenvend/tokenvend/pkg/credential"
	"github.com/tokenvend/tokenvend/pkg/operate"
)

// defaultPage and maxPage bound a page of the list.
const (
	defaultPage = 100
	maxPage     = 1000
)

// list returns the credentials that the caller may have. The name to go on
// after is one of those, and there is another page only if one more follows:
// neither tells that a credential exists that is not for the caller.
func (s *Service) list(ctx context.Context, c *call) (any, error) {
	limit, err := pageLimit(c.Request)
	if err != nil {
		return nil, err
	}
	page := api.Page{Credentials: []api.Listed{}}
	for after := c.Request.After; ; {
		all, next, err := operate.New(s.Mint).List(ctx, after, max(limit+1, defaultPage))
		if err != nil {
			return nil, err
		}
		for _, t := range all {
			switch {
			case !t.Admits(c.Caller):
			case len(page.Credentials) == limit:
				page.Next = page.Credentials[limit-1].Credential
				return page, nil
			default:
				page.Credentials = append(page.Credentials, listed(t))
			}
		}
		if after = next; after == "" {
			return page, nil
		}
	}
}

// pageLimit returns how many items a page has at most.
func pageLimit(r api.Request) (int, error) {
	limit := cmp.Or(r.Limit, defaultPage)
	if limit < 0 || limit > maxPage {
		return 0, invalid(fmt.Sprintf("limit: expected a number from 1 to %d", maxPage))
	}
	return limit, nil
}

// accounts returns the accounts of a credential, with their states.
func (s *Service) accounts(ctx context.Context, c *call) (any, error) {
	limit, err := pageLimit(c.Request)
	if err != nil {
		return nil, err
	}
	all, next, err := operate.New(s.Mint).Accounts(ctx, c.key.Credential, c.Request.After, limit)
	if err != nil {
		return nil, err
	}
	page := api.AccountPage{Accounts: []api.StatusReport{}, Next: next}
	for _, found := range all {
		page.Accounts = append(page.Accounts, reportOf(c, found.Entry.Key, found, nil))
	}
	return page, nil
}

func listed(t credential.Terms) api.Listed {
	l := api.Listed{Credential: t.Name, Provider: t.Provider}
	if l.Provider == "" && t.Descriptor != nil {
		l.Provider = t.Descriptor.Name
	}
	return l
}
