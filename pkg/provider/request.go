package provider

import (
	"bytes"
	"cmp"
	"crypto/tls"
	"encoding/json"
	"maps"
	"net/http"
	"net/url"
	"slices"
	"strings"

	"github.com/tokenvend/tokenvend/pkg/descriptor"
	"github.com/tokenvend/tokenvend/pkg/provider/response"
	"github.com/tokenvend/tokenvend/pkg/provider/skew"
)

// call is one request, built and not yet sent.
type call struct {
	response.Request

	method string
	url    *url.URL
	header http.Header
	body   []byte
	cert   *tls.Certificate // for auth tls; nil means none
	params map[string]string
	clock  skew.Skew // of the provider

	// replay reports whether the request may use a kept connection, and may be
	// sent once more where that connection is dead.
	replay bool
}

// prepare builds a request by the provider's clock. Its errors are all of kind
// Misconfigured.
func (e Endpoint) prepare(req TokenRequest, clock skew.Skew) (*call, *Error) {
	d, c := e.Descriptor, e.Client
	if err := checkGrant(d, req); err != nil {
		return nil, err
	}
	t := d.EndpointFor(req.Grant)
	u, err := e.url(req.Grant)
	if err != nil {
		return nil, err
	}
	if !clock.Known() {
		clock = e.Clocks.at(u)
	}
	q := &call{
		Request: response.Request{Descriptor: d, Grant: req.Grant},
		method:  t.Method,
		url:     u,
		header:  headers(t.Headers),
		params:  map[string]string{},
		clock:   clock,
	}
	// A GET is not replayed: net/http would send it again over each dead
	// connection.
	q.replay = req.Grant == descriptor.ClientCredentials &&
		!t.Auth.Needs().Assertion && t.Method == http.MethodPost
	q.maskQuery()
	err = cmp.Or(q.setGrant(t, req, c), q.authenticate(t, c), q.extra(t, c))
	if err != nil {
		return nil, err
	}
	q.encode(t.Body)
	return q, nil
}

// checkGrant reports, as an error, that the provider has no such grant or that
// the request lacks something.
func checkGrant(d *descriptor.Descriptor, req TokenRequest) *Error {
	switch {
	case req.Grant == descriptor.ClientCredentials, req.Grant == descriptor.JWTBearer:
		return nil
	case req.Grant == descriptor.AuthorizationCode:
		return checkCode(d, req)
	case req.Grant != descriptor.RefreshToken:
		return misconfigured("grant %s is not implemented", req.Grant)
	case d.Refresh == nil:
		return misconfigured("refresh: this provider has no refresh tokens")
	case req.Refresh.IsZero():
		return misconfigured("refresh: no refresh token to redeem")
	}
	return nil
}

func checkCode(d *descriptor.Descriptor, req TokenRequest) *Error {
	if d.Authorize == nil {
		return misconfigured("authorize: this provider connects no accounts")
	}
	if req.Code.IsZero() || req.RedirectURI == "" {
		return misconfigured("authorize: no code to redeem, or not the redirect_uri that it was asked for with")
	}
	return nil
}

// url returns the URL of the endpoint for a grant.
func (e Endpoint) url(g descriptor.Grant) (*url.URL, *Error) {
	d := e.Descriptor
	raw := cmp.Or(e.Client.TokenURL, d.Token.URL)
	if raw == "" {
		return nil, ofClient(misconfigured("token_url: missing, and the vendor publishes none"))
	}
	u, err := url.Parse(raw)
	if err == nil && g == descriptor.RefreshToken && d.Refresh.URL != "" {
		u, err = u.Parse(d.Refresh.URL)
	}
	if err == nil {
		err = descriptor.CheckURL(u)
	}
	if err != nil {
		return nil, ofClient(misconfigured("token_url: expected an https URL without user, password and fragment"))
	}
	return u, nil
}

// relative returns a URL of the descriptor that may be relative to the token
// URL.
func (e Endpoint) relative(raw, field string) (*url.URL, *Error) {
	base, failure := e.url(descriptor.ClientCredentials)
	if failure != nil {
		return nil, failure
	}
	u, err := base.Parse(raw)
	if err == nil {
		err = descriptor.CheckURL(u)
	}
	if err != nil {
		return nil, misconfigured("%s: expected an https URL without user, password and fragment", field)
	}
	return u, nil
}

func headers(own map[string]string) http.Header {
	h := http.Header{"Accept": {"application/json"}, "User-Agent": {"tokenvend"}}
	for name, value := range own {
		h.Set(name, value)
	}
	// set, so that no transport decompresses
	h.Set("Accept-Encoding", "identity")
	return h
}

// setGrant sets the standard parameters.
func (q *call) setGrant(t descriptor.TokenEndpoint, req TokenRequest, c Client) *Error {
	q.set(t, descriptor.FieldGrantType, string(req.Grant))
	switch req.Grant {
	case descriptor.RefreshToken:
		q.Mask.Add(req.Refresh.Reveal())
		q.Refresh = req.Refresh
		if !q.set(t, descriptor.FieldRefreshToken, req.Refresh.Reveal()) {
			return misconfigured("refresh.fields: leaves refresh_token out")
		}
	case descriptor.AuthorizationCode:
		return q.code(t, req)
	case descriptor.JWTBearer:
		if err := q.setJWT(t, c); err != nil {
			return err
		}
	}
	scope := strings.Join(strings.Fields(req.Scope), t.ScopeSep)
	if scope != "" && !q.set(t, descriptor.FieldScope, scope) {
		return misconfigured("scope: this provider takes none")
	}
	if req.Audience != "" && !q.set(t, descriptor.FieldAudience, req.Audience) {
		return misconfigured("audience: this provider takes none")
	}
	return nil
}

// code sets the parameters of an authorization code. Its scope was decided by
// the authorization request (RFC 6749 §4.1.3).
func (q *call) code(t descriptor.TokenEndpoint, req TokenRequest) *Error {
	q.Mask.Add(req.Code.Reveal())
	q.Mask.Add(req.Verifier.Reveal())
	if !q.set(t, descriptor.FieldCode, req.Code.Reveal()) || !q.set(t, descriptor.FieldRedirectURI, req.RedirectURI) {
		return misconfigured("fields: leaves code or redirect_uri out")
	}
	if !req.Verifier.IsZero() && !q.set(t, descriptor.FieldCodeVerifier, req.Verifier.Reveal()) {
		return misconfigured("fields: leaves code_verifier out, though a code challenge was sent")
	}
	return nil
}

// set sets a standard parameter under the provider's name for it. It returns
// false where the provider has none.
func (q *call) set(t descriptor.TokenEndpoint, f descriptor.Field, value string) bool {
	name := t.ParamName(f)
	if name == "" {
		return false
	}
	q.params[name] = value
	return true
}

// extra adds the additional parameters of the descriptor and of the credential.
func (q *call) extra(t descriptor.TokenEndpoint, c Client) *Error {
	for _, name := range slices.Sorted(maps.Keys(c.Params)) {
		if _, taken := q.params[name]; taken {
			return ofClient(misconfigured("params.%s: the request has that parameter already", name))
		}
	}
	all := map[string]string{}
	maps.Copy(all, t.Params)
	maps.Copy(all, c.Params)
	maps.Copy(q.params, all)
	q.maskValues(all)
	q.maskValues(t.Headers)
	return nil
}

// maskValues masks configured values: any of them may be a secret.
func (q *call) maskValues(values map[string]string) {
	for _, value := range values {
		q.Mask.AddValue(value)
	}
}

// maskQuery masks the parameters of the configured URL.
func (q *call) maskQuery() {
	for _, values := range q.url.Query() {
		for _, value := range values {
			q.Mask.AddValue(value)
		}
	}
}

// encode writes the parameters where the provider expects them.
func (q *call) encode(b descriptor.Body) {
	form := url.Values{}
	for name, value := range q.params {
		form.Set(name, value)
	}
	switch b {
	case descriptor.BodyJSON:
		var buf bytes.Buffer
		enc := json.NewEncoder(&buf)
		enc.SetEscapeHTML(false)
		_ = enc.Encode(q.params) // a map of strings: cannot fail
		q.body = bytes.TrimSpace(buf.Bytes())
		q.header.Set("Content-Type", "application/json")
	case descriptor.BodyQuery:
		u := *q.url
		u.RawQuery = strings.TrimPrefix(u.RawQuery+"&"+form.Encode(), "&")
		q.url = &u
	default:
		q.body = []byte(form.Encode())
		q.header.Set("Content-Type", "application/x-www-form-urlencoded")
	}
}
