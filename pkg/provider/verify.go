package provider

import (
	"context"
	"net/http"
	"strings"

	"github.com/tokenvend/tokenvend/pkg/provider/response"
	"github.com/tokenvend/tokenvend/pkg/redact"
)

// VerifyToken asks the provider's API whether it accepts an access token (RFC
// 6750 §2.1): yes by a status 2xx, no by 401. The request changes nothing. A
// web page with 401 and without a challenge counts as a proxy's or a
// firewall's.
//
// Any other response says nothing of the token and is an [*Error]. One of kind
// Unavailable may change later.
func (e Endpoint) VerifyToken(ctx context.Context, token redact.String) (works bool, err error) {
	q, failure := e.builder().Verification(token)
	if failure != nil {
		return false, failure
	}
	m, failure := e.send(ctx, q)
	switch {
	case failure != nil:
		return false, failure
	case m.Status/100 == 2:
		return true, nil
	case m.Status == http.StatusUnauthorized && !isForeignPage(m):
		return false, nil
	}
	failure = q.Error(m)
	if isForeignPage(m) {
		failure.Kind = Unavailable
	}
	return false, failure
}

// isForeignPage reports whether a response is a web page, such as a proxy or a
// firewall sends, and no answer of an API.
func isForeignPage(m response.Message) bool {
	isPage := strings.HasPrefix(http.DetectContentType(m.Body.Text), "text/html")
	return isPage && m.Header.Get("WWW-Authenticate") == ""
}
