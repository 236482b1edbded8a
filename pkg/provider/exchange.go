package provider

import (
	"context"
	"time"

	"github.com/tokenvend/tokenvend/pkg/descriptor"
	"github.com/tokenvend/tokenvend/pkg/descriptor/placeholder"
	"github.com/tokenvend/tokenvend/pkg/provider/request"
	"github.com/tokenvend/tokenvend/pkg/provider/skew"
	"github.com/tokenvend/tokenvend/pkg/redact"
)

// Exchange sends one token request, for any [descriptor.Grant]. It follows no
// redirects and uses https alone.
//
// Every error is an [*Error]. Once a response has arrived, SentAt, Clock and
// Limit of the [TokenResponse] are set, with an error too. So are Refresh and
// RefreshExpiry where the response has a usable refresh token beside an error.
// The old refresh token may be spent: store the new one before handling the
// error.
//
// A client_credentials request that meets a dead idle connection is sent once
// more, over a new one. A refresh token, a code and a signed assertion are sent
// once, unless the provider refused the assertion and its Date shows that the
// assertion was signed by a wrong clock: then the request is sent once more.
func (e Endpoint) Exchange(ctx context.Context, req TokenRequest) (TokenResponse, error) {
	resp, sent, err := e.exchange(ctx, req, skew.Skew{})
	if err != nil && e.refusedByClock(req, err, resp, sent) {
		resp, sent, err = e.exchange(ctx, req, resp.Clock)
	}
	if err == nil {
		resp, err = e.then(ctx, sent, resp)
	}
	if err != nil {
		return resp, err
	}
	return resp, nil
}

// exchange sends one token request by the provider's clock, or by the one that
// is remembered where that is not known. sent is that request; nil: none was
// sent.
func (e Endpoint) exchange(ctx context.Context, req TokenRequest, clock skew.Skew) (
	resp TokenResponse, sent *request.Call, err *Error,
) {
	if req.Grant == descriptor.SelfSigned {
		resp, err = e.selfSigned(ctx, req)
		return resp, nil, err
	}
	b := e.builder(ctx)
	var taken map[string]redact.String
	if req.Grant.IsDirect() {
		if taken, err = e.runSteps(ctx, &b, req); err != nil {
			return TokenResponse{}, nil, err
		}
	}
	q, err := b.Token(req, clock, taken)
	if err != nil {
		return TokenResponse{}, nil, err
	}
	m, err := e.send(ctx, q)
	if e.Sent != nil && (err == nil || err.Sent) {
		e.Sent()
	}
	if err != nil {
		return TokenResponse{}, q, err
	}
	resp, err = q.Token(m)
	if !resp.Clock.Known() {
		resp.Clock = q.Clock
	}
	return resp, q, err
}

// clockTolerance is how far the clocks may differ before a refused assertion is
// signed again. It allows for a slow response, whose Date is late.
const clockTolerance = 5 * time.Second

// refusedByClock reports whether a provider may have refused an assertion
// because of its times. A refresh token or a code is sent again only after an
// error that concerns the client: it was not redeemed, because a server
// authenticates the client first (RFC 6749 §3.2.1). Servers have different
// codes for it, invalid_request among them. A response that names a time to
// come back is obeyed, and one with a new refresh token is kept: the one that
// was sent may be spent.
func (e Endpoint) refusedByClock(req TokenRequest, err *Error, resp TokenResponse, sent *request.Call) bool {
	if sent == nil || err.Kind != Rejected || !resp.Limit.RetryAt.IsZero() || !resp.Refresh.IsZero() {
		return false
	}
	signs := req.Grant == descriptor.JWTBearer || e.Descriptor.EndpointFor(req.Grant).Auth.Needs().Assertion ||
		placeholder.Uses(e.Descriptor)[placeholder.Assertion]
	repeatable := req.Grant.IsDirect() || err.Client
	byToken := e.Client.Proof != "" && !e.Client.Proof.Signs() // its times are not ours
	return signs && !byToken && repeatable && resp.Clock.DiffersFrom(sent.Clock, clockTolerance)
}
