package provider

import (
	"bytes"
	"context"
	"errors"
	"net"
	"net/http"
	"net/http/httptrace"
	"sync/atomic"

	"github.com/tokenvend/tokenvend/pkg/clock"
	"github.com/tokenvend/tokenvend/pkg/outbound"
	"github.com/tokenvend/tokenvend/pkg/provider/body"
	"github.com/tokenvend/tokenvend/pkg/provider/request"
	"github.com/tokenvend/tokenvend/pkg/provider/response"
)

// send sends the request, reads the response, and remembers the provider's
// clock where the request was refused. An assertion that was accepted was
// signed by a clock that is good enough, whatever the Date field shows: a
// gateway with a wrong clock may have written it.
func (e Endpoint) send(ctx context.Context, q *request.Call) (m response.Message, err *Error) {
	m, err = sendBy(ctx, q, e.HTTP)
	if err == nil && e.Observe != nil {
		e.Observe(q, m)
	}
	if err == nil && (m.Status == http.StatusBadRequest || m.Status == http.StatusUnauthorized) {
		e.Clocks.learn(q.URL, m)
	}
	return m, err
}

// sendBy sends the request and reads the response. A request that may be
// replayed is sent once more, over a new connection, where a kept connection
// was dead.
func sendBy(ctx context.Context, q *request.Call, hc *http.Client) (response.Message, *Error) {
	rt, err := transport(q, hc)
	if err != nil {
		return response.Message{}, err
	}
	if hc.Timeout > 0 {
		var cancel context.CancelFunc
		ctx, cancel = context.WithTimeout(ctx, hc.Timeout)
		defer cancel()
	}
	r, died, err := attempt(ctx, q, rt)
	if !died || !q.Replay {
		return r, err
	}
	if rt, err = ownConnection(q, rt); err != nil {
		return response.Message{}, err
	}
	if r, _, err = attempt(ctx, q, rt); err != nil {
		err.Sent = true // the first time, if not now
	}
	return r, err
}

// attempt sends the request by a RoundTripper, which follows no redirects. died
// reports whether a kept connection failed before the first byte of a response.
func attempt(ctx context.Context, q *request.Call, rt http.RoundTripper) (m response.Message, died bool, err *Error) {
	var connected, kept, answered atomic.Bool
	req, failed := httpRequest(httptrace.WithClientTrace(ctx, &httptrace.ClientTrace{
		GotConn:              func(c httptrace.GotConnInfo) { connected.Store(true); kept.Store(c.Reused) },
		GotFirstResponseByte: func() { answered.Store(true) },
	}), q)
	if failed != nil {
		return response.Message{}, false, response.ClientMisconfiguration("token_url: no request can be made of it")
	}
	sentAt := clock.Now()
	res, failed := rt.RoundTrip(req)
	if failed != nil {
		over := contextError(ctx)
		died = kept.Load() && !answered.Load() && over == nil && !isTimeout(failed)
		return response.Message{}, died, networkError(q, failed, over, mayHaveArrived(failed, rt, connected.Load()))
	}
	defer func() { _ = res.Body.Close() }()
	m = response.Message{Status: res.StatusCode, Header: res.Header, SentAt: sentAt, At: clock.Now()}
	m.Body, failed = body.Read(res.Header, res.Body)
	over := contextError(ctx)
	if over != nil && failed == nil {
		// A server that sees us leave may end the body while the connection is
		// being closed.
		failed = over
	}
	if isTimeout(failed) || over != nil {
		m.TimedOut = networkError(q, failed, over, true)
	}
	return m, false, nil
}

func isTimeout(err error) bool {
	var slow net.Error
	return errors.As(err, &slow) && slow.Timeout()
}

// httpRequest returns the request for net/http, without GetBody. With it,
// net/http would send the body again over each kept connection that is dead.
func httpRequest(ctx context.Context, q *request.Call) (*http.Request, error) {
	req, err := http.NewRequestWithContext(ctx, q.Method, q.URL.String(), bytes.NewReader(q.Body))
	if err != nil {
		return nil, err
	}
	req.Header, req.GetBody = q.Header, nil
	return req, nil
}

// transport returns what sends the request. A request that must not be sent
// twice, and one that a client certificate authenticates, get a connection of
// their own.
func transport(q *request.Call, hc *http.Client) (http.RoundTripper, *Error) {
	if hc == nil || hc.Transport == nil {
		return nil, response.Misconfiguration("no HTTP client with a transport")
	}
	if q.Replay && q.Cert == nil {
		return hc.Transport, nil
	}
	return ownConnection(q, hc.Transport)
}

// ownConnection returns a RoundTripper with a connection for each request,
// where net/http made the shared one.
func ownConnection(q *request.Call, shared http.RoundTripper) (http.RoundTripper, *Error) {
	rt, ok := outbound.SingleUse(shared, q.Cert)
	switch {
	case ok:
		return rt, nil
	case q.Cert != nil:
		return nil, response.Misconfiguration("auth tls needs the client of outbound.NewClient, or an http.Transport")
	}
	return shared, nil
}
