package provider

import (
	"bytes"
	"context"
	"errors"
	"io"
	"net"
	"net/http"
	"net/http/httptrace"
	"sync/atomic"
	"time"

	"github.com/tokenvend/tokenvend/pkg/clock"
	"github.com/tokenvend/tokenvend/pkg/outbound"
)

// longestAnswer is as much as is read of an answer's body, in bytes.
const longestAnswer = 1 << 20

// reply is what came back over the wire.
type reply struct {
	status  int
	header  http.Header
	body    []byte
	coding  string // the Content-Encoding; "": identity
	packed  bool   // the body was compressed
	form    bool   // the body was a form, and not JSON
	tooLong bool
	cut     error     // why the body could not be read to its end; nil: it could
	over    error     // of the context, where that is why
	sentAt  time.Time // just before the request was sent
	at      time.Time // when the status and the headers were there
}

// date is the answer's Date header, on the provider's clock; zero: none.
func (r reply) date() time.Time {
	t, _ := http.ParseTime(r.header.Get("Date"))
	return t
}

func wall() time.Time { return clock.Now() }

// send sends the request, and reads what comes back. Where the connection that it went over had been kept, and turns out dead, it is sent once more over a new one if it may be.
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
	r, died, err := q.once(ctx, rt)
	if !died || !q.replay {
		return r, err
	}
	if rt, err = q.alone(rt); err != nil {
		return reply{}, err
	}
	if r, _, err = q.once(ctx, rt); err != nil {
		err.Sent = true // the first time, if not now
	}
	return r, err
}

// once sends the request over a RoundTripper, which follows no redirect. With an error it says whether a connection that had been kept died under it, with no byte of an answer.
func (q *call) once(ctx context.Context, rt http.RoundTripper) (r reply, died bool, err *Error) {
	var connected, kept, answered atomic.Bool
	req, failed := q.request(httptrace.WithClientTrace(ctx, &httptrace.ClientTrace{
		GotConn:              func(c httptrace.GotConnInfo) { connected.Store(true); kept.Store(c.Reused) },
		GotFirstResponseByte: func() { answered.Store(true) },
	}))
	if failed != nil {
		return reply{}, false, ofClient(misconfigured("token_url: no request can be made of it"))
	}
	sentAt := wall()
	res, failed := rt.RoundTrip(req)
	if failed != nil {
		over := timeIsOver(ctx)
		var slow net.Error
		died = kept.Load() && !answered.Load() && over == nil && !(errors.As(failed, &slow) && slow.Timeout())
		return reply{}, died, q.broken(failed, over, sent(failed, rt, connected.Load()))
	}
	defer res.Body.Close()
	r = reply{status: res.StatusCode, header: res.Header, sentAt: sentAt, at: wall()}
	r.take(ctx, res.Body)
	return r, false, nil
}

// take reads the body, and decompresses it. The limit holds on both sides.
func (r *reply) take(ctx context.Context, body io.Reader) {
	wire := &io.LimitedReader{R: body, N: longestAnswer + 1}
	r.coding = contentCoding(r.header)
	plain, packed, err := decompress(wire, r.coding)
	r.packed = packed
	if err == nil {
		r.body, err = io.ReadAll(io.LimitReader(plain, longestAnswer+1))
	}
	r.cut = err
	if err != nil {
		r.over = timeIsOver(ctx)
	}
	if r.tooLong = len(r.body) > longestAnswer || wire.N <= 0; r.tooLong {
		r.body = nil
	}
}

// request is the call as net/http wants it. net/http sends a body again only where it can have it again: here it can't, for it would do so over each kept connection that is dead.
func (q *call) request(ctx context.Context) (*http.Request, error) {
	req, err := http.NewRequestWithContext(ctx, q.method, q.url.String(), bytes.NewReader(q.body))
	if err != nil {
		return nil, err
	}
	req.Header, req.GetBody = q.header, nil
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
	return q.alone(hc.Transport)
}

// alone is a RoundTripper that makes a connection for each request, where net/http made the shared one.
func (q *call) alone(shared http.RoundTripper) (http.RoundTripper, *Error) {
	rt, ok := outbound.Alone(shared, q.cert)
	switch {
	case ok:
		return rt, nil
	case q.cert != nil:
		return nil, misconfigured("auth tls needs the client of outbound.NewClient, or an http.Transport")
	}
	return shared, nil
}
