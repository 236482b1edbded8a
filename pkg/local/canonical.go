package local

import (
	"cmp"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"

	"github.com/tokenvend/tokenvend/pkg/redact"
)

// Signature Version 4, as https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_sigv-create-signed-request.html has it. The SDK's own signer makes the same, out of many times as many allocations; the tests hold this to it.

const algorithm = "AWS4-HMAC-SHA256"

// canonical is the request as its signer must have seen it: what its claim says is signed, and nothing else.
func (c claim) canonical(r *http.Request, body payload) ([]byte, error) {
	path, query := onTheWire(r)
	if !strings.HasPrefix(path, "/") {
		return nil, errors.New("the request's target: expected a path")
	}
	query, err := canonicalQuery(query)
	if err != nil {
		return nil, err
	}
	b := make([]byte, 0, 512)
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
	return append(append(b, '\n'), body.sum...), nil
}

// appendHeader is one line of a canonical request. The length is that of the body as it arrived.
func (c claim) appendHeader(b []byte, name string, r *http.Request, body payload) ([]byte, error) {
	b = append(append(b, name...), ':')
	switch name {
	case hostHeader:
		b = append(b, spaced(r.Host)...)
	case lengthHeader:
		b = strconv.AppendInt(b, body.length, 10)
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
			b = append(b, strings.TrimSpace(spaced(value))...)
		}
	}
	return append(b, '\n'), nil
}

// spaced is a header's value without spaces around it, and with one where there are several.
func spaced(value string) string {
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
	var pairs [][2]string
	for name, all := range values {
		for _, value := range all {
			pairs = append(pairs, [2]string{string(appendEscaped(nil, name, unreserved)), string(appendEscaped(nil, value, unreserved))})
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

// appendEscaped percent-encodes all of s but some characters.
func appendEscaped(b []byte, s string, but *characters) []byte {
	const sixteen = "0123456789ABCDEF"
	for i := range len(s) {
		if c := s[i]; but[c] {
			b = append(b, c)
		} else {
			b = append(b, '%', sixteen[c>>4], sixteen[c&15])
		}
	}
	return b
}

// signature is what a day's signing key makes of a canonical request, in hex.
func signature(key []byte, date, region string, canonical []byte) string {
	sum := sha256.Sum256(canonical)
	b := append(make([]byte, 0, 192), algorithm+"\n"...)
	b = append(append(b, date...), '\n')
	b = append(append(append(append(b, date[:len(dayFormat)]...), '/'), region...), "/"+signedService+"/aws4_request\n"...)
	b = hex.AppendEncode(b, sum[:])
	return hex.EncodeToString(mac(key, b))
}

// signingKey is a secret's, for one day.
func signingKey(secret redact.String, day, region string) []byte {
	key := []byte("AWS4" + secret.Reveal())
	for _, part := range []string{day, region, signedService, "aws4_request"} {
		key = mac(key, []byte(part))
	}
	return key
}

func mac(key, text []byte) []byte {
	h := hmac.New(sha256.New, key)
	_, _ = h.Write(text) // a hash never fails
	return h.Sum(nil)
}

// daily is the signing keys of one day.
type daily struct {
	day    string
	byID   map[string][]byte
	nobody []byte
}

// derived makes the signing keys of a day for all at once, and keeps them: what it costs must not tell which id is known, nor which was seen.
func (k *keyring) derived(day string) *daily {
	if d := k.today.Load(); d != nil && d.day == day {
		return d
	}
	d := &daily{day: day, byID: map[string][]byte{}, nobody: signingKey(k.nobody.Secret, day, k.region)}
	for id, key := range k.byID {
		d.byID[id] = signingKey(key.Secret, day, k.region)
	}
	k.today.Store(d)
	return d
}
