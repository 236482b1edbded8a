package xray

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/netip"
	"time"
)

// header precedes each document that is sent to the daemon.
const header = `{"format":"json","version":1}` + "\n"

// Tracer sends subsegments to the X-Ray daemon, and does not wait for it: what
// the daemon does not receive is lost, and harms nobody. It is safe for
// concurrent use.
type Tracer struct {
	conn net.Conn
}

// NewTracer returns a Tracer that sends to a daemon's address, an IP address
// and a port.
func NewTracer(daemon string) (*Tracer, error) {
	at, err := netip.ParseAddrPort(daemon)
	if err != nil || at.Port() == 0 {
		return nil, errors.New("xray: the daemon's address: expected an IP address and a port")
	}
	conn, err := net.DialUDP("udp", nil, net.UDPAddrFromAddrPort(at))
	if err != nil {
		return nil, fmt.Errorf("xray: %w", err)
	}
	return &Tracer{conn}, nil
}

// AWSCall records a call of AWS that ends now, if its trace is sampled.
func (t *Tracer) AWSCall(ctx context.Context, c AWSCall) {
	if isSampled(ctx) {
		t.send(ctx, ofAWS(c))
	}
}

// Request records a request to a provider whose response has begun, or which
// has failed: then res is nil. It fits the field Observe of outbound.Config.
func (t *Tracer) Request(req *http.Request, began time.Time, res *http.Response) {
	if !isSampled(req.Context()) {
		return
	}
	status := 0
	if res != nil {
		status = res.StatusCode
	}
	s := ofRequest(req.Method, req.URL, status)
	s.StartTime = seconds(began)
	t.send(req.Context(), s)
}

// isSampled reports whether ctx has a trace that is recorded.
func isSampled(ctx context.Context) bool {
	t, _ := ctx.Value(traceKey{}).(trace)
	return t.sampled
}

// send completes a subsegment and sends it.
func (t *Tracer) send(ctx context.Context, s subsegment) {
	of, _ := ctx.Value(traceKey{}).(trace)
	s.ID, s.TraceID, s.ParentID, s.Type = newID(), of.id, of.parent, "subsegment"
	s.EndTime = max(s.StartTime, seconds(time.Now()))
	document, err := json.Marshal(s)
	if err != nil {
		return // no field can make it fail
	}
	_, _ = t.conn.Write(append([]byte(header), document...))
}
