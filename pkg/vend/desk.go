// Package vend answers callers: who asks, whether they may, and the token, from memory, the store or, where neither holds one good enough, the provider.
package vend

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/tokenvend/tokenvend/pkg/access"
	"github.com/tokenvend/tokenvend/pkg/api"
	"github.com/tokenvend/tokenvend/pkg/credential"
	"github.com/tokenvend/tokenvend/pkg/journal"
	"github.com/tokenvend/tokenvend/pkg/mint"
	"github.com/tokenvend/tokenvend/pkg/token"
)

// Desk answers callers. All its methods are safe for concurrent use.
type Desk struct {
	Mint    *mint.Mint
	Journal journal.Journal // zero: silent

	// Browse says where a person's browser finds the authorize page that is at a URL. nil: there. A demo's providers are elsewhere.
	Browse func(url string) string

	// Operator reports whether a caller is an operator. nil: who comes by the
	// alias admin.
	Operator func(access.Caller) bool
}

func (d *Desk) isOperator(c access.Caller) bool {
	if d.Operator == nil {
		return c.Via == access.Admin
	}
	return d.Operator(c)
}

// Call is one request and who sent it.
type Call struct {
	Caller    access.Caller // as far as it is proven
	Request   api.Request
	RequestID string // names the call in the log and in errors
}

// Answer answers one call with what is to be sent as JSON: an api.Token, api.StatusReport, api.Page, api.Forgotten or api.Authorization. Errors are of type *api.Error.
// Every answer is one line of the journal: who asked for what, what was decided, and the fingerprint of what was given.
func (d *Desk) Answer(ctx context.Context, c Call) (any, error) {
	began := time.Now()
	c.Request = mentionable(c.Request)
	line := journal.Vend{Action: c.Request.Action, Caller: c.Caller.String(), Credential: c.Request.Credential, RequestID: c.RequestID}
	if line.Action == "" {
		line.Action = api.Vend
	}
	answer, err := d.answer(ctx, c, &line)
	if err != nil {
		err = d.refused(err, c, &line)
	}
	line.Took = time.Since(began)
	d.Journal.Vend(ctx, line)
	return answer, err
}

// turnAway is the answer, and the journal's line, for what was not even understood.
func (d *Desk) turnAway(ctx context.Context, r HTTPRequest, at api.Request, err error) error {
	line := journal.Vend{Action: "request", Caller: r.Caller.String(), Credential: at.Credential, RequestID: r.RequestID}
	err = d.refused(err, Call{Request: at, RequestID: r.RequestID}, &line)
	d.Journal.Vend(ctx, line)
	return err
}

// refused completes an error for the caller and notes it in the line.
func (d *Desk) refused(err error, c Call, line *journal.Vend) error {
	known := &api.Error{Code: api.Internal, Detail: "an unexpected error, told in the log"}
	if !errors.As(err, &known) {
		line.Detail = err.Error()
	}
	told := *known // an error of mint's is shared by all who waited for it
	told.Credential, told.RequestID = c.Request.Credential, c.RequestID
	line.Code = string(told.Code)
	if line.Detail == "" {
		line.Detail = told.Detail
	}
	return &told
}

func (d *Desk) answer(ctx context.Context, c Call, line *journal.Vend) (any, error) {
	if c.Caller.IsNobody() {
		return nil, &api.Error{Code: api.AccessDenied, Detail: "the caller is not known by any way that proves it"}
	}
	if err := check(c.Request); err != nil {
		return nil, err
	}
	if c.Caller.MayOnlyVend() && line.Action != api.Vend {
		return nil, &api.Error{Code: api.AccessDenied, Detail: "action: " + line.Action + " takes an operator's key"}
	}
	if line.Action == api.List {
		return d.list(ctx, c)
	}
	key, err := d.admit(ctx, c)
	if err != nil {
		return nil, err
	}
	line.Variant = key.Sort()
	switch line.Action {
	case api.Status:
		return d.status(ctx, c, key)
	case api.Revoke, api.Authorize, api.Connect, api.Recover, api.Accept, api.Renew:
		return d.administer(ctx, c, key, line)
	}
	return d.vend(ctx, c, key, line)
}

// admit decides whether the caller may have what it asks for, and returns the key of that. A credential that is not there and one that is not for this caller look the same.
func (d *Desk) admit(ctx context.Context, c Call) (token.Key, error) {
	r := c.Request
	guess := token.Key{Credential: r.Credential, Variant: token.NewVariant(r.Account, r.Audience, r.Scope)}
	asking := mint.Asking{Caller: c.Caller, Operator: d.isOperator(c.Caller), Beside: guess}
	terms, err := d.Mint.Admit(ctx, r.Credential, asking)
	gone := terms.Name != "" && r.Action == api.Status
	if err != nil && !gone {
		return token.Key{}, err
	}
	asked := access.Asked{Scope: r.Scope, Audience: r.Audience, Account: r.Account}
	if r.Action != api.Revoke { // what was allowed once must stay revocable
		if err := terms.Allow.Permits(asked, access.Asked{Scope: terms.Scope, Audience: terms.Audience}); err != nil {
			return token.Key{}, denied(err)
		}
	}
	return terms.Key(r.Account, r.Audience, r.Scope), nil
}

func denied(err error) error {
	what := "this"
	if refused := (*access.Refused)(nil); errors.As(err, &refused) {
		what = refused.Parameter
	}
	return &api.Error{Code: api.AccessDenied, Detail: what + ": not among the credential's defaults, nor what it allows beyond them"}
}

// vend gives out a token.
func (d *Desk) vend(ctx context.Context, c Call, key token.Key, line *journal.Vend) (any, error) {
	got, err := d.Mint.Token(ctx, key, mint.Want{
		Caller: c.Caller, Trusted: d.isOperator(c.Caller),
		Life: time.Duration(c.Request.MinTTL), Rejected: c.Request.Rejected,
	})
	if err != nil {
		return nil, err
	}
	line.Fingerprint, line.Source, line.Stale = got.Token.Fingerprint, string(got.Origin), got.Stale
	return vended(got.Token, time.Now()), nil
}

// vended is a token as callers see it, at the time now.
func vended(t token.Token, now time.Time) api.Token {
	until := t.CacheUntil
	if until.Before(now) {
		until = now.UTC().Truncate(time.Millisecond)
	}
	return api.Token{
		AccessToken: t.Access.Reveal(), TokenType: t.Type, ExpiresIn: api.Seconds(t.Left(now)), ExpiresAt: t.ExpiresAt,
		CacheUntil: until, Scope: t.Scope, Fingerprint: t.Fingerprint,
	}
}

// status reports on an entry; with verify, the provider is asked what it thinks of the token.
func (d *Desk) status(ctx context.Context, c Call, key token.Key) (any, error) {
	s, err := d.Mint.Status(ctx, key)
	if err != nil {
		return nil, err
	}
	var verified *api.Verified
	if c.Request.Verify {
		if verified, err = d.Mint.Verify(ctx, key); err != nil {
			return nil, err
		}
	}
	e := s.Entry
	scope, audience := s.Terms.Asks(key.Variant)
	report := api.StatusReport{
		Credential: key.Credential, Provider: s.Provider, Version: s.Terms.Version, Scope: cmp.Or(e.Scope, scope), Audience: audience, Account: key.Variant.Account,
		State: s.State, Stale: s.Stale, Generation: e.Generation, Fingerprint: e.Fingerprint, IssuedAt: e.IssuedAt, ExpiresAt: e.ExpiresAt,
		CacheUntil: e.CacheUntil, NextAt: e.NextAt, AskedAt: e.AskedAt, LifetimeFrom: e.LifetimeFrom, GrantUntil: e.RefreshUntil, Verified: verified, Warning: s.Warning,
	}
	if f := s.Failure; !f.IsZero() {
		report.Failure = &api.Failure{Code: api.Code(f.Code), Detail: f.Detail, Since: f.Since, Count: f.Count, RetryAt: f.RetryAt}
	}
	if c.Caller.MayAdminister() {
		report.Destination = s.Destination
		for _, change := range s.Changes {
			report.Changes = append(report.Changes, api.Change{Part: change.Name, Old: change.Old, New: change.New})
		}
	}
	return report, nil
}

// defaultPage and mostPage bound a page of the list.
const (
	defaultPage = 100
	mostPage    = 1000
)

// list names the credentials that the caller may have. The name to go on after
// is one of those, and there is another page only if one more follows: neither
// tells that a credential exists that is not for the caller.
func (d *Desk) list(ctx context.Context, c Call) (any, error) {
	if !c.Caller.MayAdminister() {
		return nil, &api.Error{Code: api.AccessDenied, Detail: "action: list is for the alias admin and for the API"}
	}
	limit := c.Request.Limit
	if limit == 0 {
		limit = defaultPage
	}
	if limit < 0 || limit > mostPage {
		return nil, invalid(fmt.Sprintf("limit: expected a number from 1 to %d", mostPage))
	}
	page := api.Page{Credentials: []api.Listed{}}
	for after := c.Request.After; ; {
		all, next, err := d.Mint.List(ctx, after, max(limit+1, defaultPage))
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

func listed(t credential.Terms) api.Listed {
	l := api.Listed{Credential: t.Name, Provider: t.Provider}
	if l.Provider == "" && t.Descriptor != nil {
		l.Provider = t.Descriptor.Name
	}
	return l
}
