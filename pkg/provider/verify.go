package provider

import (
	"context"
	"net/http"
	"slices"
	"strings"

	"github.com/tokenvend/tokenvend/pkg/descriptor"
	"github.com/tokenvend/tokenvend/pkg/provider/response"
	"github.com/tokenvend/tokenvend/pkg/redact"
)

// VerifyToken asks the provider's API whether it accepts an access token (RFC
// 6750 §2.1): yes by a status 2xx without a vendor's own code of a refusal, no
// by what [refusesToken] takes for a refusal. The request changes nothing.
//
// Any other response says nothing of the token and is an [*Error]. One of kind
// Unavailable may change later.
func (e Endpoint) VerifyToken(ctx context.Context, token redact.String) (works bool, err error) {
	q, failure := e.builder(ctx).Verification(token)
	if failure != nil {
		return false, failure
	}
	m, failure := e.send(ctx, q)
	switch {
	case failure != nil:
		return false, failure
	case q.Succeeds(m):
		return true, nil
	case refusesToken(e.Descriptor, m):
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
func refusesToken(d *descriptor.Descriptor, m response.Message) bool {
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
	says := m.Status == http.StatusUnauthorized || slices.Contains(d.Verify.Refused, m.Status)
	return says && !isForeignPage(m)
}

// isForeignPage reports whether a response is a web page, such as a proxy or a
// firewall sends, and no answer of an API.
func isForeignPage(m response.Message) bool {
	isPage := strings.HasPrefix(http.DetectContentType(m.Body.Text), "text/html")
	return isPage && m.Header.Get("WWW-Authenticate") == ""
}
