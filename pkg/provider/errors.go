package provider

import (
	"cmp"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strings"

	"github.com/tokenvend/tokenvend/pkg/mask"
)

// String is the kind in lower case, as in texts of errors.
func (k Kind) String() string {
	switch k {
	case Unavailable:
		return "unavailable"
	case Malformed:
		return "malformed"
	case Rejected:
		return "rejected"
	case Misconfigured:
		return "misconfigured"
	}
	return fmt.Sprintf("kind %d", int(k))
}

// Error is one line: kind, status, OAuth error and description.
func (e *Error) Error() string {
	text := "provider: " + e.Kind.String()
	if e.Status != 0 {
		text += fmt.Sprintf(" (HTTP %d)", e.Status)
	}
	for _, part := range []string{e.Code, e.Description} {
		if part != "" {
			text += ": " + part
		}
	}
	return text
}

// RefusesGrant reports whether the provider has refused the refresh token, or
// the code, itself: sending it again is no use.
func (e *Error) RefusesGrant() bool { return e.Meaning == GrantOver }

// Unwrap is context.Canceled or context.DeadlineExceeded where the request's time was over, else nil.
func (e *Error) Unwrap() error { return e.cause }

func misconfigured(format string, args ...any) *Error {
	text := mask.Line(fmt.Sprintf(format, args...), longestDescription)
	return &Error{Kind: Misconfigured, Description: text, Permanent: true}
}

// ofClient marks an error as the whole client's.
func ofClient(e *Error) *Error {
	e.Client = true
	return e
}

// refused judges an answer without success.
func (d *Descriptor) refused(q *call, r reply) *Error {
	doc, _ := r.document()
	q.hide(lookup(doc, d.Response.accessAt()), lookup(doc, d.Response.refreshAt()))
	said := d.complaint(doc)
	if r.status/100 == 3 {
		said = complaint{text: "redirected to " + target(r.header.Get("Location")) + "; redirects are not followed: is token_url right?"}
	}
	return d.verdict(q, r.status, said)
}

// target is the host of a Location and nothing more of it: the rest may repeat parameters.
func target(location string) string {
	u, err := url.Parse(location)
	switch {
	case location == "" || err != nil:
		return "nowhere"
	case u.Host == "":
		return "the same host"
	}
	return u.Scheme + "://" + u.Host
}

// verdict makes an error of a status and of what the body complained of.
func (d *Descriptor) verdict(q *call, status int, said complaint) *Error {
	e := &Error{Kind: Rejected, Status: status, Sent: true}
	e.Code = q.mask.Line(said.code, longestCode)
	e.Description = d.describe(q, status, said)
	meaning, word := d.meaning(q, status, said)
	e.Meaning, e.Code = meaning, cmp.Or(e.Code, word)
	if meaning == GrantOver && slices.Contains(vagueCodes, strings.ToLower(e.Code)) {
		e.Code = "invalid_grant" // a sentence says so
	}
	switch {
	case status == http.StatusTooManyRequests:
		e.Kind, e.Client, e.Meaning = Unavailable, true, ""
	case meaning == TryLater, meaning == "" && status/100 != 2 && status/100 != 4, passing(status):
		e.Kind = Unavailable
	case meaning == UnknownClient:
		e.Client, e.Permanent = true, true
	case meaning == "":
		e.Client = refusesClient(q, status, said.code)
		e.Permanent = e.Client || d.forGood(status, said.code)
	}
	return e
}

// describe is the server's description, or our words for its status; and a hint, where the client authentication may have the wrong form.
func (d *Descriptor) describe(q *call, status int, said complaint) string {
	text := said.text
	if text == "" && said.code == "" {
		text = "no OAuth error in the answer" + ownWords(status)
	}
	unproven := status == http.StatusUnauthorized || said.code == "invalid_client" || said.code == "invalid_request" // the last: what does not decode is no request at all
	if !unproven || q.hint == "" {
		return q.mask.Line(text, longestDescription)
	}
	room := longestDescription - len("; ") - len(q.hint)
	return strings.TrimPrefix(q.mask.Line(text, room)+"; "+q.hint, "; ")
}

func ownWords(status int) string {
	switch status {
	case http.StatusNotFound, http.StatusGone:
		return ": is token_url right?"
	case http.StatusMethodNotAllowed, http.StatusNotAcceptable, http.StatusUnsupportedMediaType:
		return ": are token_url, method and body right?"
	}
	return ""
}

// passing reports whether a 4xx is about the server's moment and not about
// the request.
func passing(status int) bool {
	return slices.Contains([]int{http.StatusRequestTimeout, http.StatusMisdirectedRequest, http.StatusTooEarly}, status)
}

// refusesClient says whether it is the client as a whole that was refused: by name, or by a 401 that says nothing else. Of a refresh, an unknown error of a 401 may mean the refresh token.
func refusesClient(q *call, status int, code string) bool {
	if code == "invalid_client" || code == "unauthorized_client" {
		return true
	}
	if status != http.StatusUnauthorized || !q.proven {
		return false
	}
	return !isOAuth(code) || q.grant == ClientCredentials && !aboutRequest(code)
}

// forGood says whether the same request would be refused again.
func (d *Descriptor) forGood(status int, code string) bool {
	switch {
	case slices.Contains(d.Permanent.Status, status), slices.Contains(d.Permanent.Errors, code):
		return true
	case slices.Contains([]string{"unsupported_grant_type", "invalid_scope", "invalid_target"}, code):
		return true
	}
	return status == http.StatusForbidden && isOAuth(code) && code != "invalid_grant"
}

// aboutRequest names the errors of RFC 6749 §5.2 and RFC 8707 §2 that do not concern the client's authentication.
func aboutRequest(code string) bool {
	return slices.Contains([]string{"invalid_request", "invalid_grant", "unsupported_grant_type", "invalid_scope", "invalid_target", "access_denied"}, code)
}

// isOAuth tells an OAuth error from the "Forbidden" and "Unauthorized" that gateways and frameworks put in the same field.
func isOAuth(code string) bool {
	return code != "" && code == strings.ToLower(code)
}
