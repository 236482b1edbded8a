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

// namedForm is what [isNamed] accepts, as a regular expression for people.
const namedForm = `^[A-Za-z][A-Za-z0-9_-]{0,62}$`

// isNamed reports whether a secret, a variable, a step or a value of a step can
// have that name.
func isNamed(name string) bool {
	return name != "" && len(name) <= longestName && strings.Trim(name, lower+upper+digits+"_-") == "" &&
		strings.Trim(name[:1], digits+"_-") != ""
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
	if _, err := time.Parse(time.DateOnly, d.Checked); d.Checked != "" && d.Checked != NotRead && err != nil {
		p.add("checked", "expected a day, such as 2026-11-22, or %q", NotRead)
	}
	if n := d.Renew.Concurrency; n < 0 || n > maxConcurrency {
		p.add("renew.concurrency", "expected a number from 1 to %d", maxConcurrency)
	}
	d.Response.validate(p)
	d.Use.validate(p)
	d.validateEndpoints(p)
	d.validateGrants(p)
	d.validateAssertion(p)
	d.validateSteps(p)
	d.validateTemplates(p)
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
	direct := d.EndpointFor(d.DirectGrant())
	p.request("token", d.Token.Request, direct.Request, d.grantFields()...)
	oneOf(p, "token.algorithm", d.Token.Alg, jws.Asymmetric()...)
	if d.Authorize != nil && d.DirectGrant() != AuthorizationCode {
		p.authFields("token", d.EndpointFor(AuthorizationCode).Request)
	}
	if r := d.Refresh; r != nil {
		p.request("refresh", r.Request, d.EndpointFor(RefreshToken).Request)
		oneOf(p, "refresh.rotates", r.Rotates, RotatesUnknown, RotatesYes, RotatesNo)
		oneOf(p, "refresh.reuse", r.Reuse, ReuseUnknown, ReuseTolerated, ReuseRefused, ReuseRevokesFamily)
	}
	if a := d.Authorize; a != nil {
		p.required("authorize.url", a.URL)
		oneOf(p, "authorize.pkce", a.PKCE, PKCES256, PKCENone)
		p.authorizeParams(a)
	}
	if r := d.Revoke; r != nil {
		p.required("revoke.url", r.URL)
		p.request("revoke", r.Request, d.RevokeRequest(), FieldToken)
	}
	if v := d.Verify; v != nil {
		p.required("verify.url", v.URL)
		p.headers("verify.headers", v.Headers, true)
		for i, status := range v.Refused {
			if status < 400 || status > 499 || status == http.StatusTooManyRequests {
				p.add(fmt.Sprintf("verify.refused[%d]", i), "expected 400 to 499, and not 429")
			}
		}
	}
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

func oneOfKind(p *problems, path string, got ExpiryKind) {
	oneOf(p, path, got, expiryKinds[:]...)
}

func (p *problems) required(path, raw string) {
	if raw == "" {
		p.add(path, "missing")
	}
	p.url(path, raw, true)
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
