package client

import (
	"io"
	"net/http"
	"net/url"
)

// RoundTripper returns a transport for an [http.Client] that has every request
// carry a token, as [Token.SetAuthHeader] does, and sends it by base; nil:
// [http.DefaultTransport].
//
// A 401 is reported to tokenvend, and the request is sent once more with the
// token that comes back, if its body can be had again (GetBody) and there is
// another token; else the 401 is the answer. A request that a redirect has led
// to another host, or to plain http, goes without the token, and so does each
// one after it.
func (s *Source) RoundTripper(base http.RoundTripper) http.RoundTripper {
	if base == nil {
		base = http.DefaultTransport
	}
	return &roundTripper{source: s, base: base}
}

type roundTripper struct {
	source *Source
	base   http.RoundTripper
}

// RoundTrip implements http.RoundTripper. The response names the request as the
// caller made it, whatever base says: the next redirect is judged by it.
func (t *roundTripper) RoundTrip(r *http.Request) (*http.Response, error) {
	answer, err := t.send(r)
	if answer != nil {
		answer.Request = r
	}
	return answer, err
}

func (t *roundTripper) send(r *http.Request) (*http.Response, error) {
	if isLedAway(r) {
		return t.base.RoundTrip(r)
	}
	token, err := t.source.Token(r.Context())
	if err != nil {
		if r.Body != nil {
			_ = r.Body.Close()
		}
		return nil, err
	}
	answer, err := t.base.RoundTrip(authorized(r, token))
	if err != nil || answer.StatusCode != http.StatusUnauthorized {
		return answer, err
	}
	return t.sendAgain(r, answer, token)
}

// sendAgain reports the token that brought a 401, and sends the request once
// more where it can.
func (t *roundTripper) sendAgain(r *http.Request, answer *http.Response, rejected Token) (*http.Response, error) {
	next, err := t.source.Reject(r.Context(), rejected.Fingerprint)
	if err != nil || next.Fingerprint == rejected.Fingerprint {
		return answer, nil
	}
	second := authorized(r, next)
	switch {
	case r.Body == nil || r.Body == http.NoBody:
	case r.GetBody == nil:
		return answer, nil
	default:
		if second.Body, err = r.GetBody(); err != nil {
			return answer, nil
		}
	}
	_, _ = io.CopyN(io.Discard, answer.Body, maxDrained) // lets the connection be used again
	_ = answer.Body.Close()
	return t.base.RoundTrip(second)
}

// maxDrained is how much of an answer that nobody wants is read, in bytes.
const maxDrained = 64 << 10

// authorized returns a copy of a request that carries a token; a RoundTripper
// must not change its request.
func authorized(r *http.Request, t Token) *http.Request {
	r = r.Clone(r.Context())
	if r.Header == nil {
		r.Header = http.Header{}
	}
	t.SetAuthHeader(r)
	return r
}

// isLedAway reports whether a redirect has led away from the server that the
// caller asked, at any step. Where a step does not say which request was
// redirected, it may have been any.
func isLedAway(r *http.Request) bool {
	for step := r; step.Response != nil; {
		from := step.Response.Request
		if from == nil || origin(from.URL) != origin(step.URL) {
			return true
		}
		step = from
	}
	return false
}

func origin(u *url.URL) string { return u.Scheme + "://" + u.Host }
