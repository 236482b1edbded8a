package provider

import (
	"cmp"
	"context"
	"net/http"
	"slices"
	"strings"

	"github.com/tokenvend/tokenvend/pkg/descriptor"
	"github.com/tokenvend/tokenvend/pkg/provider/response"
	"github.com/tokenvend/tokenvend/pkg/redact"
)

// VerifyToken asks the provider's API whether it accepts an access token (RFC
// 6750 §2.1): yes by a status 2xx, no by what [call.refusesToken] takes for a
// refusal. The request changes nothing.
//
// Any other response says nothing of the token and is an [*Error]. One of kind
// Unavailable may change later.
func (e Endpoint) VerifyToken(ctx context.Context, token redact.String) (works bool, err error) {
	q, failure := e.prepareVerification(token)
	if failure != nil {
		return false, failure
	}
	m, failure := q.send(ctx, e)
	switch {
	case failure != nil:
		return false, failure
	case m.Status/100 == 2:
		return true, nil
	case q.refusesToken(m):
		return false, nil
	}
	failure = q.Error(m)
	if isForeignPage(m) {
		failure.Kind = Unavailable
	}
	return false, failure
}

// refusesToken reports whether a response means that a token is not accepted:
// by a status 401 or one of the descriptor's, or by the error invalid_token
// (RFC 6750 §3.1), which some servers send with 400 or 403. A token that lacks
// a scope is one that works. A web page without a challenge counts as a
// proxy's or a firewall's.
func (q *call) refusesToken(m response.Message) bool {
	doc, _, _ := m.Body.Document()
	code, _ := doc.Lookup("/error").(string)
	names := func(word string) bool {
		return code == word || strings.Contains(strings.Join(m.Header.Values("WWW-Authenticate"), ","), word)
	}
	known := []int{http.StatusBadRequest, http.StatusUnauthorized, http.StatusForbidden}
	switch {
	case names("insufficient_scope"):
		return false
	case names("invalid_token") && slices.Contains(known, m.Status):
		return true
	}
	says := m.Status == http.StatusUnauthorized || slices.Contains(q.Descriptor.Verify.Refused, m.Status)
	return says && !isForeignPage(m)
}

// isForeignPage reports whether a response is a web page, such as a proxy or a
// firewall sends, and no answer of an API.
func isForeignPage(m response.Message) bool {
	isPage := strings.HasPrefix(http.DetectContentType(m.Body.Text), "text/html")
	return isPage && m.Header.Get("WWW-Authenticate") == ""
}

func (e Endpoint) prepareVerification(token redact.String) (*call, *Error) {
	d := e.Descriptor
	if d.Verify == nil {
		return nil, misconfigured("verify: this provider has no request that proves a token")
	}
	u, err := e.relative(d.Verify.URL, "verify.url")
	if err != nil {
		return nil, err
	}
	q := &call{
		Request: response.Request{Descriptor: d},
		method:  http.MethodGet,
		url:     u,
		header:  headers(d.Verify.Headers),
		cert:    e.Client.Certificate,
	}
	q.Mask.Add(token.Reveal())
	q.maskQuery()
	q.maskValues(d.Verify.Headers)
	q.use(d.Use, token)
	return q, nil
}

// use has the request carry an access token as the provider's API expects it.
func (q *call) use(u descriptor.Use, token redact.String) {
	switch {
	case u == (descriptor.Use{}):
		q.header.Set("Authorization", "Bearer "+token.Reveal())
	case u.Query != "":
		at, query := *q.url, q.url.Query()
		query.Set(u.Query, token.Reveal())
		at.RawQuery = query.Encode()
		q.url = &at
	default:
		q.header.Set(cmp.Or(u.Header, "Authorization"), u.Prefix+token.Reveal())
	}
}
