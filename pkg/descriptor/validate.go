package descriptor

import (
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"

	"github.com/tokenvend/tokenvend/pkg/jws"
	"github.com/tokenvend/tokenvend/pkg/loopback"
	"github.com/tokenvend/tokenvend/pkg/redact"
)

// nameForm is what [ValidName] accepts, as a regular expression for people.
const nameForm = `^[a-z0-9][a-z0-9_-]{0,62}$`

const (
	lower       = "abcdefghijklmnopqrstuvwxyz"
	upper       = "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
	digits      = "0123456789"
	tokenSigns  = "!#$%&'*+-.^_`|~" // #nosec G101 -- RFC 9110 §5.6.2
	longestName = 63
)

// ValidName reports whether a provider or a credential can have that name: up
// to 63 of a-z, 0-9, _ and -, the first a letter or a digit.
func ValidName(name string) bool {
	return name != "" && len(name) <= longestName &&
		strings.Trim(name, lower+digits+"_-") == "" && strings.Trim(name[:1], "_-") != ""
}

// isHeader reports whether a header field can have that name.
func isHeader(name string) bool {
	return name != "" && strings.Trim(name, lower+upper+digits+tokenSigns) == ""
}

// validate adds every inconsistency of a descriptor, with its path.
func (d *Descriptor) validate(p *problems) {
	if d.Name != "" && !ValidName(d.Name) {
		p.add("name", "expected %s", nameForm)
	}
	if u, err := url.Parse(d.Docs); d.Docs != "" && (err != nil || u.Scheme != "https" || u.Host == "") {
		p.add("docs", "expected an https URL")
	}
	if _, err := time.Parse(time.DateOnly, d.Checked); d.Checked != "" && err != nil {
		p.add("checked", "expected a day, such as 2026-11-22")
	}
	if n := d.Renew.Concurrency; n < 0 || n > maxConcurrency {
		p.add("renew.concurrency", "expected a number from 1 to %d", maxConcurrency)
	}
	d.Token.validate(p)
	d.Response.validate(p)
	d.Use.validate(p)
	d.validateEndpoints(p)
	for grant, overlap := range d.Overlaps {
		oneOf(p, "overlap", grant, grants[:]...)
		oneOf(p, "overlap."+string(grant), overlap, OverlapUnknown, OverlapKeeps, OverlapRevokes)
	}
	if e, l := d.Renew.Earliest, d.Renew.Latest; e != 0 && l > e {
		p.add("renew.latest", "expected no more than renew.earliest: both count back from the end")
	}
	d.Limits.validate(p)
	for i, status := range d.Permanent.Status {
		if status < 400 || status > 499 || status == http.StatusTooManyRequests {
			p.add(fmt.Sprintf("permanent.status[%d]", i), "expected 400 to 499, and not 429")
		}
	}
	d.Errors.validate(p)
	slices.Sort(p.list)
}

func (d *Descriptor) validateEndpoints(p *problems) {
	if r := d.Refresh; r != nil {
		p.url("refresh.url", r.URL, true)
		oneOfAuth(p, "refresh.auth", r.Auth)
		oneOf(p, "refresh.body", r.Body, BodyForm, BodyJSON, BodyQuery)
		p.fields("refresh.fields", d.EndpointFor(RefreshToken), r.Fields)
		p.params("refresh.params", d.EndpointFor(RefreshToken), r.Params)
		oneOf(p, "refresh.rotates", r.Rotates, RotatesUnknown, RotatesYes, RotatesNo)
		oneOf(p, "refresh.reuse", r.Reuse, ReuseUnknown, ReuseTolerated, ReuseRefused, ReuseRevokesFamily)
	}
	if a := d.Authorize; a != nil {
		p.required("authorize.url", a.URL)
		oneOf(p, "authorize.pkce", a.PKCE, PKCES256, PKCENone)
		p.authorizeParams(a.Params)
	}
	if r := d.Revoke; r != nil {
		p.required("revoke.url", r.URL)
		oneOfAuth(p, "revoke.auth", r.Auth)
		oneOf(p, "revoke.body", r.Body, BodyForm, BodyJSON, BodyQuery)
		p.revokeParams(d.EndpointFor(ClientCredentials), r.Params)
	}
	if v := d.Verify; v != nil {
		p.required("verify.url", v.URL)
		p.headers("verify.headers", v.Headers)
		for i, status := range v.Refused {
			if status < 400 || status > 499 || status == http.StatusTooManyRequests {
				p.add(fmt.Sprintf("verify.refused[%d]", i), "expected 400 to 499, and not 429")
			}
		}
	}
}

func (t TokenEndpoint) validate(p *problems) {
	p.url("token.url", t.URL, false)
	oneOf(p, "token.method", t.Method, http.MethodPost, http.MethodGet)
	oneOfAuth(p, "token.auth", t.Auth)
	oneOf(p, "token.body", t.Body, BodyForm, BodyJSON, BodyQuery)
	if t.Method == http.MethodGet && t.Body != BodyQuery {
		p.add("token.method", "GET needs token.body to be query")
	}
	oneOf(p, "token.algorithm", t.Alg, jws.Asymmetric()...)
	p.fields("token.fields", t, t.Fields)
	p.params("token.params", t, t.Params)
	p.headers("token.headers", t.Headers)
}

func (l Limits) validate(p *problems) {
	for path, header := range map[string]string{"limits.remaining": l.Remaining, "limits.reset": l.Reset} {
		if header != "" && !isHeader(header) {
			p.add(path, "expected the name of a header")
		}
	}
	oneOfKind(p, "limits.reset_kind", l.ResetKind)
}

// oneOf checks the value of an enumeration. "" is always the default.
func oneOf[S ~string](p *problems, path string, got S, allowed ...S) {
	if got == "" || slices.Contains(allowed, got) {
		return
	}
	words := make([]string, len(allowed))
	for i, word := range allowed {
		words[i] = string(word)
	}
	p.add(path, "expected one of %s", strings.Join(words, ", "))
}

func oneOfAuth(p *problems, path string, got Auth) {
	var methods []Auth
	for _, known := range auths {
		methods = append(methods, known.method)
	}
	oneOf(p, path, got, methods...)
}

func oneOfKind(p *problems, path string, got ExpiryKind) {
	oneOf(p, path, got, expiryKinds[:]...)
}

func (p *problems) required(path, raw string) {
	if raw == "" {
		p.add(path, "missing")
	}
	p.url(path, raw, true)
}

// url accepts an https URL, "" and, where relative is true, a reference
// relative to the token URL.
func (p *problems) url(path, raw string, relative bool) {
	if raw == "" {
		return
	}
	u, err := url.Parse(raw)
	if err == nil && relative && u.Scheme == "" && u.Host == "" && u.Fragment == "" {
		return
	}
	if err == nil {
		err = CheckURL(u)
	}
	if err != nil {
		p.add(path, "expected an https URL without user, password and fragment")
	}
}

// params refuses a parameter that the request has already: servers differ in
// how they read two values of one name.
func (p *problems) params(path string, t TokenEndpoint, params map[string]string) {
	for name := range params {
		if t.uses(name) {
			p.add(path+"."+redact.Name(name), "is a standard parameter; leave that out by fields first")
		}
	}
}

func (p *problems) headers(path string, headers map[string]string) {
	for name, value := range headers {
		if !isHeader(name) || reservedHeader(name) {
			p.add(path+"."+redact.Name(name), "expected the name of a header that the request does not set itself")
		}
		if strings.ContainsFunc(value, func(r rune) bool { return r < ' ' || r > '~' }) {
			p.add(path+"."+redact.Name(name), "expected printable ASCII")
		}
	}
}

// reservedHeader reports whether a header field belongs to the client
// authentication, the body or the connection.
func reservedHeader(name string) bool {
	reserved := []string{
		"Authorization", "Connection", "Content-Length", "Content-Type", "Cookie", "Host", "Accept-Encoding",
		"Idempotency-Key", "X-Idempotency-Key", "Transfer-Encoding", "Upgrade", "Trailer", "Te", "Expect",
	}
	return slices.Contains(reserved, http.CanonicalHeaderKey(name))
}

// CheckURL returns an error for a URL that no secret may be sent to: it accepts
// https, and http to a loopback host, without user, password and fragment.
// Whether http is sent at all, the HTTP client decides.
func CheckURL(u *url.URL) error {
	isPlain := u.Scheme == "http" && loopback.IsHost(u.Hostname())
	if u.Scheme != "https" && !isPlain || u.Hostname() == "" || u.User != nil || u.Fragment != "" || u.Opaque != "" {
		return errors.New("not an https URL (or http to a loopback host) without user, password and fragment")
	}
	return nil
}

// uses reports whether the endpoint has that name for a standard parameter.
func (t TokenEndpoint) uses(name string) bool {
	return slices.ContainsFunc(standardFields, func(f Field) bool { return t.ParamName(f) == name })
}
