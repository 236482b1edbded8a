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
	"github.com/tokenvend/tokenvend/pkg/failure"
	"github.com/tokenvend/tokenvend/pkg/journal"
	"github.com/tokenvend/tokenvend/pkg/registry"
	"github.com/tokenvend/tokenvend/pkg/token"
)

// Answer answers one call with what is to be sent as JSON, a value of the type
// of the operation's Reply. Errors are of type [*api.Error]. Every answer is
// one line of the journal: who asked for what, the decision, and the
// fingerprint of the token.
func (s *Service) Answer(ctx context.Context, received Call) (any, error) {
	began := time.Now()
	received.Request = loggable(received.Request)
	c := &call{Call: received, line: journal.Vend{
		Action: cmp.Or(received.Request.Action, api.Vend), Caller: received.Caller.String(),
		Credential: received.Request.Credential, RequestID: received.RequestID,
	}}
	answer, err := s.answer(ctx, c)
	if err != nil {
		err = s.refused(err, c.Call, &c.line)
	}
	c.line.Took = time.Since(began)
	s.Journal.Vend(ctx, c.line)
	return answer, err
}

// refuse returns the error for a request that was not understood, and logs it.
func (s *Service) refuse(ctx context.Context, c Call, err error) error {
	line := journal.Vend{
		Action: "request", Caller: c.Caller.String(), Credential: c.Request.Credential, RequestID: c.RequestID,
	}
	err = s.refused(err, c, &line)
	s.Journal.Vend(ctx, line)
	return err
}

// refused completes an error for the caller and notes it in the line.
func (s *Service) refused(err error, c Call, line *journal.Vend) error {
	known := &api.Error{Code: api.Internal, Detail: failure.InternalDetail}
	if !errors.As(err, &known) {
		line.Detail = err.Error()
	}
	completed := *known // mint's errors are shared by all who waited for them
	completed.Credential, completed.RequestID = c.Request.Credential, c.RequestID
	line.Code, line.Cause = string(completed.Code), journal.Cause(err)
	line.Failed = line.Action == api.Vend && completed.Code.Status() >= http.StatusInternalServerError
	if line.Detail == "" {
		line.Detail = completed.Detail
	}
	return &completed
}

func (s *Service) answer(ctx context.Context, c *call) (any, error) {
	if c.Caller.IsNobody() {
		return nil, &api.Error{Code: api.AccessDenied, Detail: "the caller is not known: it is not authenticated"}
	}
	operation, known := api.Operations().Operation(c.Request.Action)
	if !known {
		return nil, invalid("action: expected one of " + strings.Join(api.Operations().Actions(), ", "))
	}
	if err := check(operation, c.Request); err != nil {
		return nil, err
	}
	if err := s.permit(ctx, c, operation); err != nil {
		return nil, err
	}
	return handlers[operation.Action](s, ctx, c)
}

// permit returns an error unless the caller may call the operation, and have
// the credential that it is on.
func (s *Service) permit(ctx context.Context, c *call, o api.Operation) (err error) {
	if c.Caller.MayOnlyVend() && o.Action != api.Vend {
		return &api.Error{Code: api.AccessDenied, Detail: "action: " + o.Action + " takes an operator's key"}
	}
	if o.HasCredential() {
		if c.key, err = s.admit(ctx, c); err != nil {
			return err
		}
		c.line.Variant = c.key.SortKey()
	}
	if o.Operator && !c.Caller.MayAdminister() {
		return &api.Error{
			Code: api.AccessDenied, Detail: "action: " + o.Action + " is for the alias admin and for the API",
		}
	}
	return nil
}

// admit returns the key of the requested token if the caller may have it. A
// credential that does not exist and one that is not for this caller get the
// same error.
func (s *Service) admit(ctx context.Context, c *call) (token.Key, error) {
	r := c.Request
	requested := token.Key{Credential: r.Credential, Variant: token.NewVariant(r.Account, r.Audience, r.Scope)}
	requester := registry.Requester{Caller: c.Caller, Operator: s.isOperator(c.Caller), Beside: requested}
	terms, err := s.Mint.Registry.Admit(ctx, r.Credential, requester)
	gone := terms.Name != "" && r.Action == api.Status
	if err != nil && !gone {
		return token.Key{}, err
	}
	parameters := access.Requested{Scope: r.Scope, Audience: r.Audience, Account: r.Account}
	defaults := access.Requested{Scope: terms.Scope, Audience: terms.Audience}
	if r.Action != api.Revoke { // what was allowed once must stay revocable
		if err := terms.Allow.Permits(parameters, defaults); err != nil {
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
