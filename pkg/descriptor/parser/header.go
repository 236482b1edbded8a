package parser

import (
	"net/http"
	"slices"
	"strings"

	"github.com/tokenvend/tokenvend/pkg/descriptor"
	"github.com/tokenvend/tokenvend/pkg/descriptor/template"
	"github.com/tokenvend/tokenvend/pkg/redact"
)

// headers checks header fields. Authorization is allowed where nothing else
// sets it.
func (p *problems) headers(path string, headers map[string]string, authorization bool) {
	for name, value := range headers {
		canonical := http.CanonicalHeaderKey(name)
		isFree := canonical == "Authorization" && authorization ||
			canonical == contentType && path != "verify.headers"
		if !isHeader(name) || reservedHeader(canonical) && !isFree {
			p.add(path+"."+redact.Name(name), "expected the name of a header that the request does not set itself")
		}
		// A text in a placeholder, such as one that is signed, is not sent.
		t, err := template.Parse(value)
		if err == nil && strings.ContainsFunc(t.Literal(), func(r rune) bool { return r < ' ' || r > '~' }) {
			p.add(path+"."+redact.Name(name), "expected printable ASCII")
		}
	}
}

const contentType = "Content-Type"

// contentType refuses a media type that is not of the request's body.
func (p *problems) contentType(path string, full descriptor.Request) {
	for name, value := range full.Headers {
		if http.CanonicalHeaderKey(name) != contentType || full.Body == descriptor.BodyQuery {
			continue // a query is no body: some servers want the field without one
		}
		media := strings.ToLower(value)
		isJSON := strings.HasPrefix(media, "application/") && strings.Contains(media, "json")
		isForm := strings.HasPrefix(media, "application/x-www-form-urlencoded")
		if full.Body == descriptor.BodyJSON && !isJSON || full.Body != descriptor.BodyJSON && !isForm {
			p.add(path+".headers."+redact.Name(name), "expected a media type of the body, which is %s", full.Body)
		}
	}
}

// reservedHeader reports whether a header field belongs to the client
// authentication, the body or the connection.
func reservedHeader(name string) bool {
	reserved := []string{
		"Authorization", "Connection", "Content-Length", contentType, "Cookie", "Host", "Accept-Encoding",
		"Idempotency-Key", "X-Idempotency-Key", "Transfer-Encoding", "Upgrade", "Trailer", "Te", "Expect",
	}
	return slices.Contains(reserved, name)
}
