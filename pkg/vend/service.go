// Package vend answers callers. It decides who asks and whether they may, and
// returns the token: from memory, from the store, or from the provider where
// neither has one that is good enough.
package vend

import (
	"cmp"
	"context"
	"errors"
	"net/http"
	"strings"
	"time"

	"github.com/tokenvend/tokenvend/pkg/access"
	"github.com/tokenvend/tokenvend/pkg/api"
	"github.com/tokenvend/tokenvend/pkg/journal"
	"github.com/tokenvend/tokenvend/pkg/mint"
	"github.com/tokenvend/tokenvend/pkg/registry"
	"github.com/tokenvend/tokenvend/pkg/token"
)

// Service answers callers. All its methods are safe for concurrent use.
type Service struct {
	Mint    *mint.Mint
	Journal journal.Journal // zero: silent

	// Browse returns where a browser finds the authorize page with this URL. nil:
	// there. A demo's providers are elsewhere.
	Browse func(url string) string

	// Operator reports whether a caller is an operator. nil: who comes by the
	// alias admin.
	Operator func(access.Caller) bool
}

func (d *Service) isOperator(c access.Caller) bool {
	if d.Operator == nil {
		return c.Via == access.Admin
	}
	return d.Operator(c)
}

// Call is one request and who sent it.
type Call struct {
	Caller    access.Caller // as far as it is authenticated
	Request   api.Request
	RequestID string // names the call in the log and in errors
}

// call is a call that is being answered.
type call struct {
	Call
	key  token.Key    // of what is asked for; zero: no credential is
	line journal.Vend // what will be logged of it
}

// handlers answer the operations, by their actions.
var handlers = map[string]func(*Service, context.Context, *call) (any, error){
	api.Vend:      (*Service).vend,
	api.Status:    (*Service).status,
	api.Revoke:    (*Service).revoke,
	api.List:      (*Service).list,
	api.Authorize: (*Service).authorize,
	api.Connect:   (*Service).connect,
	api.Recover:   (*Service).recover,
	api.Accept:    (*Service).accept,
	api.Renew:     (*Service).renew,
}

// Answer answers one call with what is to be sent as JSON, a value of the type
// of the operation's Reply. Errors are of type [*api.Error]. Every answer is
// one line of the journal: who asked for what, the decision, and the
// fingerprint of the token.
func (d *Service) Answer(ctx context.Context, asked Call) (any, error) {
	began := time.Now()
	asked.Request = loggable(asked.Request)
	c := &call{Call: asked, line: journal.Vend{
		Action: cmp.Or(asked.Request.Action, api.Vend), Caller: asked.Caller.String(),
		Credential: asked.Request.Credential, RequestID: asked.RequestID,
	}}
	answer, err := d.answer(ctx, c)
	if err != nil {
		err = d.refused(err, c.Call, &c.line)
	}
	c.line.Took = time.Since(began)
	d.Journal.Vend(ctx, c.line)
	return answer, err
}

// turnAway returns the error for a request that was not understood, and logs
// it.
func (d *Service) turnAway(ctx context.Context, r HTTPRequest, at api.Request, err error) error {
	line := journal.Vend{
		Action: "request", Caller: r.Caller.String(), Credential: at.Credential, RequestID: r.RequestID,
	}
	err = d.refused(err, Call{Request: at, RequestID: r.RequestID}, &line)
	d.Journal.Vend(ctx, line)
	return err
}

// refused completes an error for the caller and notes it in the line.
func (d *Service) refused(err error, c Call, line *journal.Vend) error {
	known := &api.Error{Code: api.Internal, Detail: "an unexpected error, told in the log"}
	if !errors.As(err, &known) {
		line.Detail = err.Error()
	}
	told := *known // mint's errors are shared by all who waited for them
	told.Credential, told.RequestID = c.Request.Credential, c.RequestID
	line.Code, line.Cause = string(told.Code), journal.Cause(err)
	line.Failed = line.Action == api.Vend && told.Code.Status() >= http.StatusInternalServerError
	if line.Detail == "" {
		line.Detail = told.Detail
	}
	return &told
}

func (d *Service) answer(ctx context.Context, c *call) (any, error) {
	if c.Caller.IsNobody() {
		return nil, &api.Error{Code: api.AccessDenied, Detail: "the caller is not known by any way that proves it"}
	}
	operation, known := api.Operations().Operation(c.Request.Action)
	if !known {
		return nil, invalid("action: expected one of " + strings.Join(api.Operations().Actions(), ", "))
	}
	if err := check(operation, c.Request); err != nil {
		return nil, err
	}
	if err := d.authorised(ctx, c, operation); err != nil {
		return nil, err
	}
	return handlers[operation.Action](d, ctx, c)
}

// authorised decides whether the caller may call the operation, and have the
// credential that it is on.
func (d *Service) authorised(ctx context.Context, c *call, o api.Operation) (err error) {
	if c.Caller.MayOnlyVend() && o.Action != api.Vend {
		return &api.Error{Code: api.AccessDenied, Detail: "action: " + o.Action + " takes an operator's key"}
	}
	if o.HasCredential() {
		if c.key, err = d.admit(ctx, c); err != nil {
			return err
		}
		c.line.Variant = c.key.Sort()
	}
	if o.Operator && !c.Caller.MayAdminister() {
		return &api.Error{
			Code: api.AccessDenied, Detail: "action: " + o.Action + " is for the alias admin and for the API",
		}
	}
	return nil
}

// admit decides whether the caller may have what it asks for, and returns the
// key of that. A credential that does not exist and one that is not for this
// caller get the same error.
func (d *Service) admit(ctx context.Context, c *call) (token.Key, error) {
	r := c.Request
	guess := token.Key{Credential: r.Credential, Variant: token.NewVariant(r.Account, r.Audience, r.Scope)}
	asking := registry.Asking{Caller: c.Caller, Operator: d.isOperator(c.Caller), Beside: guess}
	terms, err := d.Mint.Registry.Admit(ctx, r.Credential, asking)
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
	return &api.Error{
		Code: api.AccessDenied, Detail: what + ": not among the credential's defaults, nor what it allows beyond them",
	}
}

// vend returns a token.
func (d *Service) vend(ctx context.Context, c *call) (any, error) {
	got, err := d.Mint.Token(ctx, c.key, mint.Want{
		Caller: c.Caller, Trusted: d.isOperator(c.Caller),
		Life: time.Duration(c.Request.MinTTL), Rejected: c.Request.Rejected,
	})
	if err != nil {
		return nil, err
	}
	c.line.Fingerprint, c.line.Source, c.line.Stale = got.Token.Fingerprint, string(got.Origin), got.Stale
	return vended(got.Token, time.Now()), nil
}

// vended returns a token as callers see it at the time now.
func vended(t token.Token, now time.Time) api.Token {
	until := t.CacheUntil
	if until.Before(now) {
		until = now.UTC().Truncate(time.Millisecond)
	}
	return api.Token{
		AccessToken: t.Access.Reveal(), TokenType: t.Type,
		ExpiresIn: api.Seconds(t.Left(now)), ExpiresAt: t.ExpiresAt, CacheUntil: until,
		Scope: t.Scope, Fingerprint: t.Fingerprint,
	}
}
