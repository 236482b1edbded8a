package mint_test

import (
	"compress/gzip"
	"crypto/tls"
	"errors"
	"io"
	"net"
	"net/http"
	"strings"
	"syscall"
	"time"

	"github.com/tokenvend/tokenvend/pkg/outbound"
)

// answer is what stands before a provider and answers in its place. The
// request never reaches the provider.
type answer func(*http.Request) (*http.Response, error)

func fails(err error) answer {
	return func(*http.Request) (*http.Response, error) { return nil, err }
}

// page answers with a status and a body; header holds pairs of names and
// values.
func page(status int, body string, header ...string) answer {
	return func(r *http.Request) (*http.Response, error) {
		h := http.Header{"Content-Type": {"text/html"}}
		for i := 0; i+1 < len(header); i += 2 {
			h.Set(header[i], header[i+1])
		}
		sent := io.NopCloser(strings.NewReader(body))
		return &http.Response{StatusCode: status, Header: h, Body: sent, Request: r}, nil
	}
}

// dripping sends a byte a second.
type dripping struct{ r *http.Request }

func (d dripping) Read(p []byte) (int, error) {
	select {
	case <-time.After(time.Second):
		p[0] = ' '
		return 1, nil
	case <-d.r.Context().Done():
		return 0, d.r.Context().Err()
	}
}
func (dripping) Close() error { return nil }

func gzipped(text string) string {
	var b strings.Builder
	w := gzip.NewWriter(&b)
	_, _ = io.WriteString(w, text)
	_ = w.Close()
	return b.String()
}

// said answers in JSON.
func said(status int, body string) answer {
	return page(status, body, "Content-Type", "application/json")
}

const html = "<!DOCTYPE html><html><head><title>Request blocked</title></head><body><h1>Error</h1></body></html>"

// intermediaries are answers of what stands between tokenvend and a provider.
var intermediaries = map[string]answer{
	"502 page":              page(502, html),
	"500 page":              page(500, html),
	"503 page":              page(503, html),
	"520 page":              page(520, html),
	"reset":                 fails(&net.OpError{Op: "read", Net: "tcp", Err: syscall.ECONNRESET}),
	"refused":               fails(&net.OpError{Op: "dial", Net: "tcp", Err: syscall.ECONNREFUSED}),
	"no such host":          fails(&net.DNSError{Err: "no such host", IsNotFound: true}),
	"sinkhole":              fails(&net.OpError{Op: "dial", Net: "tcp", Err: outbound.ErrPrivate}),
	"certificate":           fails(&tls.CertificateVerificationError{Err: errors.New("expired")}),
	"no TLS":                fails(tls.RecordHeaderError{Msg: "first record does not look like a TLS handshake"}),
	"captive portal":        page(200, html),
	"captive redirect":      page(302, "", "Location", "https://portal.test/"),
	"511":                   page(511, html),
	"407":                   page(407, html),
	"403 page":              page(403, html),
	"403 empty":             page(403, ""),
	"403 JSON of a gateway": said(403, `{"message":"Forbidden"}`),
	"403 code of a gateway": said(403, `{"error":"forbidden"}`),
	"403 word of a gateway": said(403, `{"error":"Forbidden"}`),
	"404 page":              page(404, html),
	"404 JSON":              said(404, `{"message":"no Route matched with those values"}`),
	"405 page":              page(405, html),
	"406 page":              page(406, html),
	"429 page":              page(429, html),
	"400 page":              page(400, html),
	"401 page":              page(401, html),
	"401 page, Basic":       page(401, html, "WWW-Authenticate", `Basic realm="proxy"`),
	"401 empty":             page(401, ""),
	"200 empty":             page(200, ""),
	"204":                   page(204, ""),
	"truncated JSON":        said(200, `{"access_token":"abcdefgh`),
	"damaged gzip":          page(200, gzipped(html)[:30], "Content-Encoding", "gzip"),
	"another coding":        page(200, "\x00\x01\x02\x03", "Content-Encoding", "br"),
	"200 error":             said(200, `{"error":"server_error"}`),
	"200 maintenance":       said(200, `{"error":"maintenance","message":"We will be back soon"}`),
	"200 status":            said(200, `{"status":"maintenance"}`),
	"400 maintenance":       said(400, `{"error":"maintenance_mode","error_description":"We will be back"}`),
	"400 overloaded":        said(400, `{"error":"invalid_request","error_description":"Server is busy"}`),
	"drip": func(r *http.Request) (*http.Response, error) {
		return &http.Response{StatusCode: 200, Header: http.Header{}, Body: dripping{r}, Request: r}, nil
	},
}

// intermediary is a transport that may answer in the place of the provider.
type intermediary struct {
	next http.RoundTripper
	in   *answer // nil: requests reach the provider
}

// RoundTrip implements [http.RoundTripper].
func (x intermediary) RoundTrip(r *http.Request) (*http.Response, error) {
	if *x.in != nil {
		return (*x.in)(r)
	}
	return x.next.RoundTrip(r)
}
