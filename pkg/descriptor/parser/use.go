package parser

import (
	"net/http"
	"slices"
	"strings"

	"github.com/tokenvend/tokenvend/pkg/descriptor"
)

// longestUse is how long a prefix or the name of a parameter may be, in bytes.
const longestUse = 64

func (p *problems) use(u descriptor.Use) {
	if u.Query != "" && u != (descriptor.Use{Query: u.Query}) {
		p.add("use.query", "not given beside header or prefix: one of the two")
	}
	if len(u.Query) > longestUse || strings.Trim(u.Query, lower+upper+digits+"-._~") != "" {
		p.add("use.query", "expected the name of a parameter: letters, digits and -._~")
	}
	if u.Header != "" && (!isHeader(u.Header) || !carriesToken(u.Header)) {
		p.add("use.header", "expected the name of a header that can carry a token, such as X-Access-Token")
	}
	isPrintable := !strings.ContainsFunc(u.Prefix, func(r rune) bool { return r < ' ' || r > '~' })
	if !isPrintable || len(u.Prefix) > longestUse || strings.HasPrefix(u.Prefix, " ") {
		p.add("use.prefix", "expected at most %d characters of printable ASCII, the first no space", longestUse)
	}
}

// carriesToken reports whether a header field may carry a token: Authorization
// and Cookie may, besides those that a request does not set itself.
func carriesToken(name string) bool {
	carriers := []string{"Authorization", "Cookie"}
	return slices.Contains(carriers, http.CanonicalHeaderKey(name)) || !reservedHeader(http.CanonicalHeaderKey(name))
}
