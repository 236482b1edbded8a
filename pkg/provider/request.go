package provider

import (
	"bytes"
	"cmp"
	"crypto/tls"
	"encoding/json"
	"errors"
	"maps"
	"net/http"
	"net/url"
	"slices"
	"strings"

	"github.com/tokenvend/tokenvend/pkg/mask"
	"github.com/tokenvend/tokenvend/pkg/redact"
)

// call is one request, built and not yet sent.
type call struct {
	grant  Grant
	method string
	url    *url.URL
	header http.Header
	body   []byte
	cert   *tls.Certificate // for tls; nil: none
	params map[string]string
	mask   mask.Set

	refresh   redact.String   // that is redeemed; zero: none is
	answered  []string        // tokens of the answer
	refreshes []redact.String // refresh tokens of the answer, by their names

	proven bool   // it carries client authentication
	hint   string // what to say when that is refused; "": nothing
	replay bool   // it may go over a kept connection, and once more where that one is dead
}

// prepare builds a request. Its errors are all Misconfigured.
func (d *Descriptor) prepare(c Client, ask Ask) (*call, *Error) {
	if err := d.grants(ask); err != nil {
		return nil, err
	}
	t := d.request(ask.Grant)
	u, err := d.endpoint(c, ask.Grant)
	if err != nil {
		return nil, err
	}
	q := &call{grant: ask.Grant, method: t.Method, url: u, header: t.header(), params: map[string]string{}}
	q.replay = ask.Grant == ClientCredentials && t.Auth != AuthPrivateKey && t.Method == http.MethodPost // a GET, net/http would send again over each dead one
	q.maskQuery()
	err = cmp.Or(q.ask(t, ask), q.authenticate(t, c), q.extra(t, c))
	if err != nil {
		return nil, err
	}
	q.encode(t.Body)
	return q, nil
}

// grants says whether the grant can be asked for.
func (d *Descriptor) grants(ask Ask) *Error {
	switch {
	case ask.Grant == ClientCredentials:
		return nil
	case ask.Grant == AuthorizationCode:
		return d.grantsCodes(ask)
	case ask.Grant != RefreshToken:
		return misconfigured("grant %s is not implemented", ask.Grant)
	case d.Refresh == nil:
		return misconfigured("refresh: this provider has no refresh tokens")
	case ask.Refresh.IsZero():
		return misconfigured("refresh: no refresh token to redeem")
	}
	return nil
}

func (d *Descriptor) grantsCodes(ask Ask) *Error {
	if d.Authorize == nil {
		return misconfigured("authorize: this provider connects no accounts")
	}
	if ask.Code.IsZero() || ask.RedirectURI == "" {
		return misconfigured("authorize: no code to redeem, or not the redirect_uri that it was asked for with")
	}
	return nil
}

// endpoint is the URL to ask.
func (d *Descriptor) endpoint(c Client, g Grant) (*url.URL, *Error) {
	raw := cmp.Or(c.TokenURL, d.Token.URL)
	if raw == "" {
		return nil, ofClient(misconfigured("token_url: missing, and the vendor publishes none"))
	}
	u, err := url.Parse(raw)
	if err == nil && g == RefreshToken && d.Refresh.URL != "" {
		u, err = u.Parse(d.Refresh.URL)
	}
	if err == nil {
		err = checkURL(u)
	}
	if err != nil {
		return nil, ofClient(misconfigured("token_url: expected an https URL without user, password and fragment"))
	}
	return u, nil
}

// relative is a URL of the descriptor's, which may be relative to the token URL in use.
func (d *Descriptor) relative(c Client, raw, field string) (*url.URL, *Error) {
	base, failure := d.endpoint(c, ClientCredentials)
	if failure != nil {
		return nil, failure
	}
	u, err := base.Parse(raw)
	if err == nil {
		err = checkURL(u)
	}
	if err != nil {
		return nil, misconfigured("%s: expected an https URL without user, password and fragment", field)
	}
	return u, nil
}

// checkURL holds for every URL that a secret is sent to. There is no exception for loopback: a simulator speaks TLS too.
func checkURL(u *url.URL) error {
	if u.Scheme != "https" || u.Hostname() == "" || u.User != nil || u.Fragment != "" || u.Opaque != "" {
		return errors.New("not an https URL without user, password and fragment")
	}
	return nil
}

func (t TokenRequest) header() http.Header {
	h := http.Header{"Accept": {"application/json"}, "User-Agent": {"tokenvend"}}
	for name, value := range t.Headers {
		h.Set(name, value)
	}
	h.Set("Accept-Encoding", "identity") // set, so that no transport unpacks an answer before it is measured
	return h
}

// ask puts the standard parameters in.
func (q *call) ask(t TokenRequest, ask Ask) *Error {
	q.set(t, FieldGrantType, string(ask.Grant))
	switch ask.Grant {
	case RefreshToken:
		q.mask.Add(ask.Refresh.Reveal())
		q.refresh = ask.Refresh
		if !q.set(t, FieldRefreshToken, ask.Refresh.Reveal()) {
			return misconfigured("refresh.fields: leaves refresh_token out")
		}
	case AuthorizationCode:
		return q.code(t, ask)
	}
	scope := strings.Join(strings.Fields(ask.Scope), t.ScopeSep)
	if scope != "" && !q.set(t, FieldScope, scope) {
		return misconfigured("scope: this provider takes none")
	}
	if ask.Audience != "" && !q.set(t, FieldAudience, ask.Audience) {
		return misconfigured("audience: this provider takes none")
	}
	return nil
}

// code puts a code in. Its scope was settled where the person granted it (RFC 6749 §4.1.3).
func (q *call) code(t TokenRequest, ask Ask) *Error {
	q.mask.Add(ask.Code.Reveal())
	q.mask.Add(ask.Verifier.Reveal())
	if !q.set(t, FieldCode, ask.Code.Reveal()) || !q.set(t, FieldRedirectURI, ask.RedirectURI) {
		return misconfigured("fields: leaves code or redirect_uri out")
	}
	if !ask.Verifier.IsZero() && !q.set(t, FieldCodeVerifier, ask.Verifier.Reveal()) {
		return misconfigured("fields: leaves code_verifier out, though a code challenge was sent")
	}
	return nil
}

// set gives a standard parameter its value, under the name that the provider has for it; false: it has none.
func (q *call) set(t TokenRequest, f Field, value string) bool {
	name := t.name(f)
	if name == "" {
		return false
	}
	q.params[name] = value
	return true
}

// extra adds the descriptor's and the credential's own parameters.
func (q *call) extra(t TokenRequest, c Client) *Error {
	for _, name := range slices.Sorted(maps.Keys(c.Params)) {
		if _, taken := q.params[name]; taken {
			return ofClient(misconfigured("params.%s: the request has that parameter already", name))
		}
	}
	all := merge(t.Params, c.Params)
	maps.Copy(q.params, all)
	q.maskValues(all)
	q.maskValues(t.Headers)
	return nil
}

// maskValues hides configured values: any of them may be a secret.
func (q *call) maskValues(values map[string]string) {
	for _, value := range values {
		q.mask.AddValue(value)
	}
}

// maskQuery hides the parameters of the configured URL.
func (q *call) maskQuery() {
	for _, values := range q.url.Query() {
		for _, value := range values {
			q.mask.AddValue(value)
		}
	}
}

// uses says whether name is what the endpoint calls some standard parameter.
func (t TokenRequest) uses(name string) bool {
	for _, f := range []Field{FieldGrantType, FieldClientID, FieldClientSecret, FieldScope, FieldAudience, FieldRefreshToken,
		FieldAssertion, FieldAssertionType, FieldCode, FieldRedirectURI, FieldCodeVerifier} {
		if t.name(f) == name {
			return true
		}
	}
	return false
}

// encode puts the parameters where the provider looks for them.
func (q *call) encode(b Body) {
	form := url.Values{}
	for name, value := range q.params {
		form.Set(name, value)
	}
	switch b {
	case BodyJSON:
		var buf bytes.Buffer
		enc := json.NewEncoder(&buf)
		enc.SetEscapeHTML(false)
		_ = enc.Encode(q.params) // a map of strings: cannot fail
		q.body = bytes.TrimSpace(buf.Bytes())
		q.header.Set("Content-Type", "application/json")
	case BodyQuery:
		u := *q.url
		u.RawQuery = strings.TrimPrefix(u.RawQuery+"&"+form.Encode(), "&")
		q.url = &u
	default:
		q.body = []byte(form.Encode())
		q.header.Set("Content-Type", "application/x-www-form-urlencoded")
	}
}
