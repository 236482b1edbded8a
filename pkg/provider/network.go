package provider

import (
	"context"
	"crypto/tls"
	"errors"
	"io"
	"net"
	"net/http"
	"net/netip"
	"syscall"
	"time"

	"github.com/tokenvend/tokenvend/pkg/outbound"
	"github.com/tokenvend/tokenvend/pkg/provider/request"
	"github.com/tokenvend/tokenvend/pkg/provider/response"
)

// networkError returns the error of a failed round trip. The texts of net/http
// are not used: some of them quote what the server sent.
func networkError(q *request.Call, err, over error, sent bool) *Error {
	e := &Error{Kind: Unavailable, Sent: sent, Cause: over}
	if isRefusal(err) {
		e.Kind, e.Permanent, e.Client = Misconfigured, true, true // only a setting helps, or another URL
		_, literal := netip.ParseAddr(q.URL.Hostname())
		// DNS may answer otherwise later: a sinkhole, a captive portal
		e.Intermediary = literal != nil && !errors.Is(err, outbound.ErrPlain)
	}
	e.Description = q.Mask.Line(q.URL.Hostname()+": "+reason(err), response.MaxDescription)
	return e
}

// isRefusal reports whether the HTTP client has refused to send a request.
func isRefusal(err error) bool {
	return errors.Is(err, outbound.ErrPrivate) || errors.Is(err, outbound.ErrLinkLocal) ||
		errors.Is(err, outbound.ErrPlain)
}

// contextError returns the error of a context. A connection's own deadline,
// taken from the context, may pass a moment before the context reports it.
func contextError(ctx context.Context) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	if end, ok := ctx.Deadline(); ok && !time.Now().Before(end) {
		return context.DeadlineExceeded
	}
	return nil
}

// reason returns why a round trip failed, in our own words.
func reason(err error) string {
	var dns *net.DNSError
	var untrusted *tls.CertificateVerificationError
	var noTLS tls.RecordHeaderError
	var alert tls.AlertError
	var slow net.Error
	switch {
	case errors.Is(err, context.Canceled):
		return "canceled"
	case errors.Is(err, outbound.ErrPrivate):
		return "its address is private, which is refused unless the stack's parameter AllowPrivate or serve " +
			"--allow-private admits it"
	case errors.Is(err, outbound.ErrLinkLocal):
		return "its address is link-local, which is always refused"
	case errors.Is(err, outbound.ErrPlain):
		return "its URL is http, which is refused unless it is on this machine and serve --allow-private admits it"
	case errors.As(err, &dns) && dns.IsNotFound:
		return "no such host"
	case errors.As(err, &untrusted):
		return "its certificate is not trusted: " + untrusted.Err.Error()
	case errors.As(err, &noTLS):
		return "it does not speak TLS"
	case errors.As(err, &alert):
		return "it refused the TLS handshake: " + alert.Error()
	case errors.As(err, &slow) && slow.Timeout(), errors.Is(err, context.DeadlineExceeded):
		return "timed out"
	case errors.As(err, &dns):
		return "its name cannot be resolved now"
	}
	return lostReason(err)
}

func lostReason(err error) string {
	switch {
	case errors.Is(err, syscall.ECONNREFUSED):
		return "connection refused"
	case errors.Is(err, syscall.ECONNRESET), errors.Is(err, syscall.EPIPE):
		return "connection reset"
	case errors.Is(err, io.EOF), errors.Is(err, io.ErrUnexpectedEOF):
		return "the connection closed before an answer"
	}
	return "the connection failed"
}

// mayHaveArrived reports whether a part of a failed request may have reached
// the provider. In doubt, it returns true.
func mayHaveArrived(err error, rt http.RoundTripper, connected bool) bool {
	if connected {
		return true
	}
	var dns *net.DNSError
	var op *net.OpError
	notDialled := errors.As(err, &dns) || errors.As(err, &op) && op.Op == "dial"
	return !notDialled && !outbound.TracesConnections(rt)
}
