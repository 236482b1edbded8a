package client

import (
	"io"
	"net/http"
	"net/url"

	"github.com/tokenvend/tokenvend/pkg/api"
)

// Transport sets the Authorization header of every request to a token of the credential, and sends it by base; nil: http.DefaultTransport.
// A 401 is reported to tokenvend, and the request is sent once more with the token that comes back, if its body can be had again (GetBody) and there is another token; else the 401 is the answer.
// A redirect to another host, or to plain http, is followed without the token.
func (c *Client) Transport(credential string, base http.RoundTripper, options ...Option) http.RoundTripper {
	if base == nil {
		base = http.DefaultTransport
	}
	return &transport{client: c, credential: credential, base: base, options: options}
}

type transport struct {
	client     *Client
	credential string
	base       http.RoundTripper
	options    []Option
}

// RoundTrip implements http.RoundTripper.
func (t *transport) RoundTrip(r *http.Request) (*http.Response, error) {
	if led(r) {
		return t.base.RoundTrip(r)
	}
	token, err := t.client.Token(r.Context(), t.credential, t.options...)
	if err != nil {
		if r.Body != nil {
			_ = r.Body.Close()
		}
		return nil, err
	}
	answer, err := t.base.RoundTrip(with(r, token))
	if err != nil || answer.StatusCode != http.StatusUnauthorized {
		return answer, err
	}
	return t.again(r, answer, token)
}

// again reports the token that brought a 401, and sends the request once more where it can.
func (t *transport) again(r *http.Request, answer *http.Response, rejected api.Token) (*http.Response, error) {
	next, err := t.client.Reject(r.Context(), t.credential, rejected.Fingerprint, t.options...)
	if err != nil {
		return answer, nil
	}
	second := with(r, next)
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

// with is a copy of a request that carries a token; a RoundTripper must not change its request.
func with(r *http.Request, t api.Token) *http.Request {
	r = r.Clone(r.Context())
	if r.Header == nil {
		r.Header = http.Header{}
	}
	r.Header.Set("Authorization", t.TokenType+" "+t.AccessToken)
	return r
}

// led says whether a redirect led away from where the caller meant to go.
func led(r *http.Request) bool {
	first := r
	for first.Response != nil && first.Response.Request != nil {
		first = first.Response.Request
	}
	return origin(first.URL) != origin(r.URL)
}

func origin(u *url.URL) string { return u.Scheme + "://" + u.Host }
