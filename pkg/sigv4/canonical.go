package sigv4

import (
	"cmp"
	"errors"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
)

// appendCanonicalRequest appends the request as its signer must have seen it:
// what the claim says is signed, and nothing else.
func (c Claim) appendCanonicalRequest(b []byte, r *http.Request, body Body) ([]byte, error) {
	path, query := Target(r)
	if !strings.HasPrefix(path, "/") {
		return nil, errors.New("the request's target: expected a path")
	}
	query, err := canonicalQuery(query)
	if err != nil {
		return nil, err
	}
	b = append(append(b, r.Method...), '\n')
	b = append(appendEscaped(b, path, pathCharacters), '\n')
	b = append(append(b, query...), '\n')
	for _, name := range c.signed {
		if b, err = c.appendHeader(b, name, r, body); err != nil {
			return nil, err
		}
	}
	b = append(b, '\n')
	for i, name := range c.signed {
		if i > 0 {
			b = append(b, ';')
		}
		b = append(b, name...)
	}
	return append(append(b, '\n'), body.SHA256...), nil
}

// appendHeader appends one header line of a canonical request. The length is
// that of the body as it arrived.
func (c Claim) appendHeader(b []byte, name string, r *http.Request, body Body) ([]byte, error) {
	b = append(append(b, name...), ':')
	switch name {
	case hostHeader:
		b = append(b, collapseSpaces(r.Host)...)
	case lengthHeader:
		b = strconv.AppendInt(b, body.Length, 10)
	case dateHeader:
		b = append(b, c.date...)
	default:
		values := r.Header.Values(name)
		if len(values) == 0 {
			return nil, errors.New("SignedHeaders: a header that is not there")
		}
		for i, value := range values {
			if i > 0 {
				b = append(b, ',')
			}
			b = append(b, strings.TrimSpace(collapseSpaces(value))...)
		}
	}
	return append(b, '\n'), nil
}

// collapseSpaces returns a header's value without spaces around it, and with
// one space in the place of several.
func collapseSpaces(value string) string {
	value = strings.Trim(value, " ")
	for strings.Contains(value, "  ") {
		value = strings.ReplaceAll(value, "  ", " ")
	}
	return value
}

// canonicalQuery escapes each name and value, and sorts the pairs.
func canonicalQuery(query string) (string, error) {
	if query == "" {
		return "", nil
	}
	values, err := url.ParseQuery(query)
	if err != nil {
		return "", errors.New("the query: expected name=value pairs, percent-encoded")
	}
	escape := func(s string) string { return string(appendEscaped(nil, s, unreserved)) }
	var pairs [][2]string
	for name, all := range values {
		for _, value := range all {
			pairs = append(pairs, [2]string{escape(name), escape(value)})
		}
	}
	slices.SortFunc(pairs, func(a, b [2]string) int { return cmp.Or(cmp.Compare(a[0], b[0]), cmp.Compare(a[1], b[1])) })
	var b strings.Builder
	for i, pair := range pairs {
		if i > 0 {
			b.WriteByte('&')
		}
		b.WriteString(pair[0] + "=" + pair[1])
	}
	return b.String(), nil
}

// appendEscaped appends s with all characters percent-encoded that are not in
// the set.
func appendEscaped(b []byte, s string, plain *characterSet) []byte {
	const hexDigits = "0123456789ABCDEF"
	for i := range len(s) {
		if c := s[i]; plain[c] {
			b = append(b, c)
		} else {
			b = append(b, '%', hexDigits[c>>4], hexDigits[c&15])
		}
	}
	return b
}
