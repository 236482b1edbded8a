package response

import (
	"bytes"
	"cmp"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strings"

	"github.com/tokenvend/tokenvend/pkg/descriptor"
	"github.com/tokenvend/tokenvend/pkg/jsonpointer"
	"github.com/tokenvend/tokenvend/pkg/mask"
	"github.com/tokenvend/tokenvend/pkg/provider/refusal"
)

// String returns the kind in lower case, as errors show it.
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
	case Unproven:
		return "unproven"
	}
	return fmt.Sprintf("kind %d", int(k))
}

// Error returns kind, status, OAuth error and description in one line.
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
// the code, itself: sending it again does not help.
func (e *Error) RefusesGrant() bool { return e.Meaning == descriptor.GrantOver }

// Unwrap returns the Cause.
func (e *Error) Unwrap() error { return e.Cause }

// refused returns the error of a message without success.
func (q *Request) refused(m Message) *Error {
	v := m.ofError()
	q.maskTokens(v)
	said := refusal.Read(q.Descriptor, v)
	if m.Status/100 == 3 {
		to := target(m.Header.Get("Location"))
		said = refusal.Refusal{Text: "redirected to " + to + "; redirects are not followed: is token_url right?"}
	}
	e := q.classify(m.Status, said)
	e.Intermediary = e.Kind == Rejected && e.Meaning == "" && mayBeIntermediary(m, v.Document, said)
	return e
}

// mayBeIntermediary reports whether a proxy, a gateway or a firewall may have
// answered in the place of the token endpoint, which answers with an OAuth
// error in JSON (RFC 6749 §5.2) or, where it requires client authentication,
// with a challenge (RFC 9110 §11.6.1).
func mayBeIntermediary(m Message, doc jsonpointer.Document, said refusal.Refusal) bool {
	isChallenge := m.Status == http.StatusUnauthorized && m.Header.Get("WWW-Authenticate") != ""
	switch {
	case said.Business != "":
		return false
	case len(bytes.TrimSpace(m.Body.Text)) == 0:
		return !isChallenge
	case !doc.IsObject():
		return true
	case m.Status == http.StatusBadRequest, m.Status == http.StatusUnauthorized:
		return false // the endpoint itself, in words of its own
	}
	return !refusal.IsOAuth(said.Code)
}

// target returns the host of a Location, and no more of it: the rest may repeat
// parameters.
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

// code returns a code of the server, masked and printable.
func (q *Request) code(text string) string { return q.Mask.Line(text, maxCode) }

// classify returns the error of a status and an OAuth error.
func (q *Request) classify(status int, said refusal.Refusal) *Error {
	e := &Error{Kind: Rejected, Status: status, Sent: true}
	e.Code = q.code(said.Code)
	e.Description = q.describe(status, said)
	meaning, word := said.Meaning(q.Descriptor.Errors, q.Grant, status)
	e.Meaning, e.Code = meaning, cmp.Or(e.Code, word)
	if meaning == descriptor.GrantOver && refusal.IsVague(e.Code) {
		e.Code = "invalid_grant" // a sentence says so
	}
	switch {
	case status == http.StatusTooManyRequests:
		e.Kind, e.Client, e.Meaning = Unavailable, true, ""
	case meaning == descriptor.TryLater,
		meaning == "" && status/100 != 2 && status/100 != 4,
		refusal.IsTransient(status):
		e.Kind = Unavailable
	case meaning == descriptor.UnknownClient, meaning == descriptor.GrantOver && q.provesClient():
		// A grant of the client itself that is refused with invalid_grant has
		// the wrong key or issuer (RFC 7523 §3.1), or the wrong password (RFC
		// 6749 §5.2). To send it again may lock the account.
		e.Client, e.Permanent = true, true
	case meaning == "":
		e.Client = refusesClient(q, status, said.Code)
		e.Permanent = e.Client || isPermanent(q.Descriptor, status, said)
	}
	return e
}

// describe returns the server's description, or our words for its status. It
// adds a hint where the client authentication may have the wrong form.
func (q *Request) describe(status int, said refusal.Refusal) string {
	text := said.Text
	if text == "" && said.Code == "" {
		text = "no OAuth error in the answer" + ownWords(status)
	}
	// A server that cannot decode the authentication may answer
	// invalid_request.
	notAuthenticated := status == http.StatusUnauthorized || said.Code == "invalid_client" ||
		said.Code == "invalid_request"
	if !notAuthenticated || q.AuthHint == "" {
		return q.Mask.Line(text, MaxDescription)
	}
	left := MaxDescription - len("; ") - len(q.AuthHint)
	return strings.TrimPrefix(q.Mask.Line(text, left)+"; "+q.AuthHint, "; ")
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

// refusesClient reports whether the client as a whole was refused: by an error
// code, or by a 401 that gives no other reason. With a refresh, an unknown
// error code and a 401 may mean the refresh token.
func refusesClient(q *Request, status int, code string) bool {
	if code == "invalid_client" || code == "unauthorized_client" {
		return true
	}
	if status != http.StatusUnauthorized || !q.Authenticated {
		return false
	}
	return !refusal.IsOAuth(code) || q.Grant.IsDirect() && !aboutRequest(code)
}

// provesClient reports whether the grant is made of the client's secret: an
// assertion that it signs, a password, a login.
func (q *Request) provesClient() bool {
	return q.Grant.IsDirect() && q.Grant != descriptor.ClientCredentials
}

// isPermanent reports whether the same request would be refused again.
func isPermanent(d *descriptor.Descriptor, status int, said refusal.Refusal) bool {
	code := said.Code
	switch {
	case slices.Contains(d.Permanent.Status, status), slices.Contains(d.Permanent.Errors, code):
		return true
	case said.Business != "" && slices.Contains(d.Permanent.Errors, said.Business):
		return true
	case slices.Contains([]string{"unsupported_grant_type", "invalid_scope", "invalid_target"}, code):
		return true
	}
	return status == http.StatusForbidden && refusal.IsOAuth(code) && code != said.Business && code != "invalid_grant"
}

// aboutRequest reports whether an error of RFC 6749 §5.2 or RFC 8707 §2 is
// about something other than the client authentication.
func aboutRequest(code string) bool {
	return slices.Contains([]string{
		"invalid_request", "invalid_grant", "unsupported_grant_type", "invalid_scope", "invalid_target",
		"access_denied",
	}, code)
}

// Misconfiguration returns an error of kind [Misconfigured].
func Misconfiguration(format string, args ...any) *Error {
	text := mask.Line(fmt.Sprintf(format, args...), MaxDescription)
	return &Error{Kind: Misconfigured, Description: text, Permanent: true}
}

// ClientMisconfiguration is [Misconfiguration], of the client as a whole.
func ClientMisconfiguration(format string, args ...any) *Error {
	e := Misconfiguration(format, args...)
	e.Client = true
	return e
}
