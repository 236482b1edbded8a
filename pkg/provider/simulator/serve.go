package simulator

import (
	"cmp"
	"context"
	"errors"
	"io"
	"maps"
	"net"
	"net/http"
	"net/url"
	"os"
	"strconv"
	"strings"
	"syscall"
	"time"
)

// The kinds of requests. They are also the values of [Fault.Only].
const (
	kindToken     = "token"
	kindRefresh   = "refresh"
	kindCode      = "code"
	kindAuthorize = "authorize"
	kindVerify    = "verify"
	kindRevoke    = "revoke"
	kindOther     = "other"
)

// maxBody is more than any request of the documents has, in bytes.
const maxBody = 64 << 10

var (
	errHost    = errors.New("simulator: no provider lives at this host")
	errDropped = &net.OpError{Op: "read", Net: "tcp", Err: os.NewSyscallError("read", syscall.ECONNRESET)}
	errRefused = &net.OpError{Op: "dial", Net: "tcp", Err: os.NewSyscallError("connect", syscall.ECONNREFUSED)}
)

// call is one request to one provider.
type call struct {
	*provider
	route     *route // nil: the path is unknown
	kind      string
	fault     Fault
	now       time.Time
	method    string
	path      string
	query     string
	header    http.Header
	crossSite bool // a browser reports that another site sent it
	body      []byte
	values    url.Values // the body as a form, even if it is malformed: see checkForm
}

// providerTime returns the time of the provider's clock.
func (c *call) providerTime() time.Time { return c.now.Add(c.fault.Skew) }

// ServeHTTP serves the provider that r.Host names. Where a fault drops the
// connection, it panics with [http.ErrAbortHandler], as net/http expects.
func (s *Simulator) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	p := s.hosts[hostOf(r)]
	if p == nil {
		http.Error(w, errHost.Error(), http.StatusMisdirectedRequest)
		return
	}
	s.write(w, r, p, r.URL.EscapedPath())
}

// write serves a request as if it had arrived at that path of p.
func (s *Simulator) write(w http.ResponseWriter, r *http.Request, p *provider, path string) {
	a, err := s.serve(r, p, path)
	if err != nil {
		panic(http.ErrAbortHandler)
	}
	maps.Copy(w.Header(), a.header)
	w.WriteHeader(a.status)
	if err := copyFlushing(w, a.reader(r.Context())); err != nil {
		panic(http.ErrAbortHandler)
	}
}

// copyFlushing copies body to w and flushes after each read, so that a fault
// cuts off exactly the rest.
func copyFlushing(w http.ResponseWriter, body io.Reader) error {
	piece := make([]byte, 32<<10)
	for {
		n, err := body.Read(piece)
		if _, werr := w.Write(piece[:n]); werr != nil {
			return werr
		}
		if err == io.EOF {
			return nil
		}
		if ferr := http.NewResponseController(w).Flush(); err != nil || ferr != nil {
			return errors.Join(err, ferr)
		}
	}
}

// RoundTrip serves r without a network, in the goroutine of the caller, faults
// and delays included. Delays end with the context of r. An unknown host is a
// DNS error; plain http is refused.
func (s *Simulator) RoundTrip(r *http.Request) (*http.Response, error) {
	if r.Body != nil {
		defer func() { _ = r.Body.Close() }()
	}
	if r.URL.Scheme != "https" {
		return nil, errRefused
	}
	if err := r.Context().Err(); err != nil {
		return nil, err
	}
	p := s.hosts[hostOf(r)]
	if p == nil {
		return nil, &net.OpError{
			Op:  "dial",
			Net: "tcp",
			Err: &net.DNSError{Err: "no such host", Name: r.URL.Hostname(), IsNotFound: true},
		}
	}
	a, err := s.serve(r, p, r.URL.EscapedPath())
	if err != nil {
		return nil, err
	}
	length, err := strconv.ParseInt(a.header.Get("Content-Length"), 10, 64)
	if err != nil {
		length = 0
	}
	return &http.Response{
		Status: strconv.Itoa(a.status) + " " + http.StatusText(a.status), StatusCode: a.status,
		Proto: "HTTP/1.1", ProtoMajor: 1, ProtoMinor: 1,
		Header: a.header, Body: io.NopCloser(a.reader(r.Context())), ContentLength: length, Request: r,
	}, nil
}

// serve handles one request. An error means that there is no response.
func (s *Simulator) serve(r *http.Request, p *provider, path string) (response, error) {
	c, err := newCall(p, r, path)
	if err != nil {
		return response{}, err
	}
	a, err := c.respond(r.Context())
	s.log.add(c.event(a, err))
	return a, err
}

func hostOf(r *http.Request) string {
	host := r.Host
	if host == "" {
		host = r.URL.Host
	}
	if name, _, err := net.SplitHostPort(host); err == nil {
		host = name
	}
	return strings.ToLower(host)
}

func newCall(p *provider, r *http.Request, path string) (*call, error) {
	c := &call{provider: p, now: time.Now(), method: r.Method, path: path, query: r.URL.RawQuery, header: r.Header}
	c.crossSite = new(http.CrossOriginProtection).Check(r) != nil
	if r.Body != nil {
		body, err := io.ReadAll(io.LimitReader(r.Body, maxBody+1))
		if err != nil {
			return nil, err
		}
		c.body = body
	}
	c.values, _ = url.ParseQuery(string(c.body))
	c.kind = kindOther
	if at, ok := p.routes[c.path]; ok {
		c.route, c.kind = &at, at.kind
	}
	if c.kind == kindToken {
		c.kind = cmp.Or(
			map[string]string{refreshToken: kindRefresh, authorizationCode: kindCode}[c.param("grant_type")],
			kindToken,
		)
	}
	return c, nil
}

func (c *call) respond(ctx context.Context) (response, error) {
	c.arrive()
	defer c.leave()
	if c.fault.Down {
		return response{}, errRefused
	}
	a := c.process()
	if err := pause(ctx, c.fault.Delay); err != nil {
		return response{}, err
	}
	if c.fault.Drop {
		return response{}, errDropped
	}
	c.addHeader(&a)
	return a, nil
}

// process returns the provider's response, or that of the fault in its place.
func (c *call) process() response {
	if !c.fault.replacesProvider() {
		return c.handle()
	}
	if c.fault.Late {
		c.handle()
	}
	return c.fault.replacement()
}

func (c *call) handle() response {
	c.mu.Lock()
	defer c.mu.Unlock()
	a := c.dispatch()
	if a.status >= 400 {
		c.counts.Rejected++
	}
	return a
}

func (c *call) dispatch() response {
	switch {
	case c.route == nil:
		return c.refuse(c, http.StatusNotFound, "not_found", "Nothing is here")
	case !c.route.takes(c.method):
		a := c.refuse(c, http.StatusMethodNotAllowed, "method_not_allowed", "Method not allowed")
		a.header.Set("Allow", c.route.methods)
		return a
	case len(c.body) > maxBody:
		return c.refuse(c, http.StatusRequestEntityTooLarge, "invalid_request", "The body is too large")
	}
	return c.route.serve(c)
}

func (c *call) arrive() {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.fault = c.takeFault(c.kind)
	c.counts.countRequest(c.kind)
	c.inFlight++
	c.counts.ConcurrentMax = max(c.counts.ConcurrentMax, c.inFlight)
}

func (c *call) leave() {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.inFlight--
}

// pause waits for d, or until ctx is done.
func pause(ctx context.Context, d time.Duration) error {
	if d <= 0 {
		return ctx.Err()
	}
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-ctx.Done():
		return ctx.Err()
	case <-t.C:
		return nil
	}
}
