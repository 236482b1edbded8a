package provider

import (
	"bytes"
	"context"
	"errors"
	"net"
	"net/http"
	"net/http/httptrace"
	"sync/atomic"
	"time"

	"github.com/tokenvend/tokenvend/pkg/clock"
	"github.com/tokenvend/tokenvend/pkg/outbound"
	"github.com/tokenvend/tokenvend/pkg/provider/body"
	"github.com/tokenvend/tokenvend/pkg/provider/response"
)

func wall() time.Time { return clock.Now() }

// send sends the request, reads the response, and remembers the provider's
// clock where the request was refused. An assertion that was accepted was
// signed by a clock that is good enough, whatever the Date field shows: a
// gateway with a wrong clock may have written it.
func (q *call) send(ctx context.Context, e Endpoint) (m response.Message, err *Error) {
	m, err = q.sendBy(ctx, e.HTTP)
	if err == nil && (m.Status == http.StatusBadRequest || m.Status == http.StatusUnauthorized) {
		e.Clocks.learn(q.url, m)
	}
	return m, err
}

// sendBy sends the request and reads the response. A request that may be
// replayed is sent once more, over a new connection, where a kept connection
// was dead.
func (q *call) sendBy(ctx context.Context, hc *http.Client) (response.Message, *Error) {
	rt, err := q.transport(hc)
	if err != nil {
		return response.Message{}, err
	}
	if hc.Timeout > 0 {
		var cancel context.CancelFunc
		ctx, cancel = context.WithTimeout(ctx, hc.Timeout)
		defer cancel()
	}
	r, died, err := q.attempt(ctx, rt)
	if !died || !q.replay {
		return r, err
	}
	if rt, err = q.ownConnection(rt); err != nil {
		return response.Message{}, err
	}
	if r, _, err = q.attempt(ctx, rt); err != nil {
		err.Sent = true // the first time, if not now
	}
	return r, err
}

// attempt sends the request by a RoundTripper, which follows no redirects. died
// reports whether a kept connection failed before the first byte of a response.
func (q *call) attempt(ctx context.Context, rt http.RoundTripper) (m response.Message, died bool, err *Error) {
	var connected, kept, answered atomic.Bool
	req, failed := q.request(httptrace.WithClientTrace(ctx, &httptrace.ClientTrace{
		GotConn:              func(c httptrace.GotConnInfo) { connected.Store(true); kept.Store(c.Reused) },
		GotFirstResponseByte: func() { answered.Store(true) },
	}))
	if failed != nil {
		return response.Message{}, false, ofClient(misconfigured("token_url: no request can be made of it"))
	}
	sentAt := wall()
	res, failed := rt.RoundTrip(req)
	if failed != nil {
		over := contextError(ctx)
		died = kept.Load() && !answered.Load() && over == nil && !isTimeout(failed)
		return response.Message{}, died, q.networkError(failed, over, mayHaveArrived(failed, rt, connected.Load()))
	}
	defer func() { _ = res.Body.Close() }()
	m = response.Message{Status: res.StatusCode, Header: res.Header, SentAt: sentAt, At: wall()}
	m.Body, failed = body.Read(res.Header, res.Body)
	over := contextError(ctx)
	if over != nil && failed == nil {
		// A server that sees us leave may end the body while the connection is
		// being closed.
		failed = over
	}
	if isTimeout(failed) || over != nil {
		m.TimedOut = q.networkError(failed, over, true)
	}
	return m, false, nil
}

func isTimeout(err error) bool {
	var slow net.Error
	return errors.As(err, &slow) && slow.Timeout()
}

// request returns the request for net/http, without GetBody. With it, net/http
// would send the body again over each kept connection that is dead.
func (q *call) request(ctx context.Context) (*http.Request, error) {
	req, err := http.NewRequestWithContext(ctx, q.method, q.url.String(), bytes.NewReader(q.body))
	if err != nil {
		return nil, err
	}
	req.Header, req.GetBody = q.header, nil
	return req, nil
}

// transport returns what sends the request. A request that must not be sent
// twice, and one that a client certificate authenticates, get a connection of
// their own.
func (q *call) transport(hc *http.Client) (http.RoundTripper, *Error) {
	if hc == nil || hc.Transport == nil {
		return nil, misconfigured("no HTTP client with a transport")
	}
	if q.replay && q.cert == nil {
		return hc.Transport, nil
	}
	return q.ownConnection(hc.Transport)
}

// ownConnection returns a RoundTripper with a connection for each request,
// where net/http made the shared one.
func (q *call) ownConnection(shared http.RoundTripper) (http.RoundTripper, *Error) {
	rt, ok := outbound.SingleUse(shared, q.cert)
	switch {
	case ok:
		return rt, nil
	case q.cert != nil:
		return nil, misconfigured("auth tls needs the client of outbound.NewClient, or an http.Transport")
	}
	return shared, nil
}
