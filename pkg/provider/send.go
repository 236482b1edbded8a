package provider

import (
	"bytes"
	"context"
	"crypto/tls"
	"io"
	"net/http"
	"net/http/httptrace"
	"sync/atomic"
	"time"
)

// longestAnswer is as much as is read of an answer's body, in bytes.
const longestAnswer = 1 << 20

// reply is what came back over the wire.
type reply struct {
	status  int
	header  http.Header
	body    []byte
	tooLong bool
	cut     error     // why the body ends early; nil: it does not
	over    error     // of the context, where that is why
	sentAt  time.Time // just before the request was sent
	at      time.Time // when the status and the headers were there
}

// date is the answer's Date header, on the provider's clock; zero: none.
func (r reply) date() time.Time {
	t, _ := http.ParseTime(r.header.Get("Date"))
	return t
}

// wall is the time to the millisecond, without the monotonic clock: that one stops while a function is frozen.
func wall() time.Time { return time.Now().Round(0).Truncate(time.Millisecond) }

// send sends the request, and reads what comes back. A RoundTripper alone follows no redirect.
func (q *call) send(ctx context.Context, hc *http.Client) (reply, *Error) {
	rt, err := q.over(hc)
	if err != nil {
		return reply{}, err
	}
	if hc.Timeout > 0 {
		var cancel context.CancelFunc
		ctx, cancel = context.WithTimeout(ctx, hc.Timeout)
		defer cancel()
	}
	var connected atomic.Bool
	trace := &httptrace.ClientTrace{GotConn: func(httptrace.GotConnInfo) { connected.Store(true) }}
	req, failed := q.request(httptrace.WithClientTrace(ctx, trace))
	if failed != nil {
		return reply{}, ofClient(misconfigured("token_url: no request can be made of it"))
	}
	sentAt := wall()
	res, failed := rt.RoundTrip(req)
	if failed != nil {
		return reply{}, q.broken(failed, timeIsOver(ctx), sent(failed, rt, connected.Load()))
	}
	defer res.Body.Close()
	r := reply{status: res.StatusCode, header: res.Header, sentAt: sentAt, at: wall()}
	r.take(ctx, res.Body)
	return r, nil
}

// take reads the body.
func (r *reply) take(ctx context.Context, body io.Reader) {
	r.body, r.cut = io.ReadAll(io.LimitReader(body, longestAnswer+1))
	if r.cut != nil {
		r.over = timeIsOver(ctx)
	}
	if r.tooLong = len(r.body) > longestAnswer; r.tooLong {
		r.body = nil
	}
}

// request is the call as net/http wants it. For net/http, a body that can be had again and an idempotency key (one without a value is not sent) mean that the request may go out once more where a kept connection turns out dead.
func (q *call) request(ctx context.Context) (*http.Request, error) {
	req, err := http.NewRequestWithContext(ctx, q.method, q.url.String(), bytes.NewReader(q.body))
	if err != nil {
		return nil, err
	}
	req.Header = q.header
	if q.replay {
		req.Header["Idempotency-Key"] = nil
	}
	return req, nil
}

// over is what takes the request to the provider. What must not go out twice, or proves itself by its connection, gets a connection of its own.
func (q *call) over(hc *http.Client) (http.RoundTripper, *Error) {
	if hc == nil || hc.Transport == nil {
		return nil, misconfigured("no HTTP client with a transport")
	}
	if q.replay && q.cert == nil {
		return hc.Transport, nil
	}
	switch t := hc.Transport.(type) {
	case *carrier:
		return t.alone(q.cert), nil
	case *http.Transport:
		return alone(t, q.cert), nil
	}
	if q.cert != nil {
		return nil, misconfigured("auth tls needs the client of NewHTTPClient, or an http.Transport")
	}
	return hc.Transport, nil
}

// alone does for a transport from elsewhere what carrier.alone does.
func alone(shared *http.Transport, cert *tls.Certificate) *http.Transport {
	t := shared.Clone()
	t.DisableKeepAlives = true
	if cert == nil {
		return t
	}
	if t.TLSClientConfig == nil {
		t.TLSClientConfig = new(tls.Config)
	}
	show(t.TLSClientConfig, cert)
	return t
}
