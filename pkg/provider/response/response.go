package response

import (
	"cmp"
	"slices"
	"strings"
	"time"
	"unicode"

	"github.com/tokenvend/tokenvend/pkg/descriptor"
	"github.com/tokenvend/tokenvend/pkg/jsonpointer"
	"github.com/tokenvend/tokenvend/pkg/mask"
	"github.com/tokenvend/tokenvend/pkg/provider/body"
	"github.com/tokenvend/tokenvend/pkg/provider/expiry"
	"github.com/tokenvend/tokenvend/pkg/provider/refusal"
	"github.com/tokenvend/tokenvend/pkg/redact"
)

// read reads a response with a status of success. A good token is not lost
// because of what stands beside it: what was odd becomes a warning. A refresh
// token is taken from part of a response too: the old one may be spent.
func (q *Request) read(m Message) (TokenResponse, *Error) {
	v, isForm, broken := q.ofSuccess(m)
	q.maskTokens(v)
	token := TokenResponse{}
	readRefresh(q.Descriptor, v, m.At, &token)
	if broken != "" {
		return token.WithoutToken(), unusable(m, broken)
	}
	problem := q.readToken(v, m.At, &token)
	said := refusal.Read(q.Descriptor, v)
	switch {
	case problem == "" && said.Business == "":
		q.readExtra(v, q.Descriptor.Response.Extra, &token)
		m.warn(said, isForm, &token)
		return token, nil
	case said.Given:
		return token.WithoutToken(), q.classify(m.Status, said)
	}
	return token.WithoutToken(), unusable(m, problem)
}

// WithoutToken returns what an error leaves of a token response.
func (a TokenResponse) WithoutToken() TokenResponse {
	return TokenResponse{
		Refresh: a.Refresh, RefreshExpiry: a.RefreshExpiry, SentAt: a.SentAt, Clock: a.Clock, Limit: a.Limit,
	}
}

// warn adds what was odd about the response as a whole.
func (m Message) warn(said refusal.Refusal, isForm bool, resp *TokenResponse) {
	if said.Given {
		resp.warn("an error stands beside the token")
	}
	if m.Body.Compressed {
		resp.warn("the answer is compressed, though the request asked for identity")
	}
	if isForm {
		resp.warn("the answer is form-encoded, not JSON")
	}
}

// unusable returns the error of a response without a usable token.
func unusable(m Message, problem string) *Error {
	if m.TimedOut != nil {
		m.TimedOut.Status = m.Status
		return m.TimedOut
	}
	return &Error{Kind: Malformed, Status: m.Status, Description: mask.Line(problem, MaxDescription), Sent: true}
}

// readRefresh sets the refresh token, where the response has a usable one.
func readRefresh(d *descriptor.Descriptor, v body.Values, now time.Time, resp *TokenResponse) {
	token := v.Token(refreshAt(d))
	if token == "" {
		return
	}
	if problem := unsafeToken(token); problem != "" {
		resp.warn("the refresh token " + problem + " and is not kept")
		return
	}
	resp.Refresh = redact.New(token)
	at := d.Response.RefreshExpiry
	if at.At == "" {
		return
	}
	var odd expiry.Oddity
	if resp.RefreshExpiry, odd = expiry.ReadAt(v.Lookup(at.At), at, now); odd == expiry.Negative {
		// A negative expiry is no reason to lose a grant.
		resp.RefreshExpiry, odd = expiry.Expiry{}, expiry.Unreadable
	}
	if odd != "" {
		resp.warn("the refresh token's expiry " + string(odd))
	}
}

// readToken sets all other fields. problem says why the token cannot be used,
// in words that quote nothing; "" means that it can.
func (q *Request) readToken(v body.Values, now time.Time, resp *TokenResponse) (problem string) {
	d := q.Descriptor
	token := v.Token(accessAt(d))
	if token == "" {
		return "no access token at " + accessAt(d)
	}
	if problem = unsafeToken(token); problem != "" {
		return "the access token at " + accessAt(d) + " " + problem
	}
	if q.holdsRefresh(token, resp.Refresh) {
		return "the value at " + accessAt(d) + " is a refresh token, or holds one"
	}
	if problem = q.readType(v, resp); problem != "" {
		return problem
	}
	at := d.Response.Expiry
	var odd expiry.Oddity
	if resp.Expiry, odd = expiry.ReadAt(v.Lookup(cmp.Or(at.At, "/expires_in")), at, now); odd != "" {
		resp.warn("the expiry " + string(odd))
	}
	resp.Access = redact.New(token)
	readScope(d, v, resp)
	if resp.Scope != "" && q.holdsToken(resp.Scope) {
		resp.Scope = ""
		resp.warn("the scope holds a token or a secret and counts as not named")
	}
	return ""
}

// boundTypes are words of token types that are no bearer tokens: their holder
// has to prove a key, or to sign each request. See RFC 9449, IANA's registry
// "OAuth Access Token Types", and drafts.
var boundTypes = []string{"dpop", "pop", "mac", "hmac", "hok", "hotk", "hawk", "digest", "signature", "signed"}

// readType refuses a token that is not a bearer token. Vendors have their own
// words for Bearer, so any other word counts as Bearer.
func (q *Request) readType(v body.Values, resp *TokenResponse) (problem string) {
	at := cmp.Or(q.Descriptor.Response.Type, "/token_type")
	value := v.Lookup(at)
	name, isText := value.(string)
	name = strings.TrimSpace(name)
	switch {
	case value == nil, isText && name == "":
		return ""
	case strings.EqualFold(name, "bearer"):
		resp.Type = "Bearer"
		return ""
	}
	name = name[:min(len(name), maxCode)]
	words := strings.FieldsFunc(strings.ToLower(name), func(r rune) bool { return !unicode.IsLetter(r) })
	if slices.ContainsFunc(words, func(word string) bool { return slices.Contains(boundTypes, word) }) {
		return "the token type at " + at + " needs more than a bearer token does: it is not supported"
	}
	resp.Type = q.Mask.Line(name, maxCode)
	resp.warn("the token type is not Bearer and counts as Bearer")
	return ""
}

// maxScope is more than any scope has, in bytes.
const maxScope = 16 << 10

// readScope sets the granted scope, separated by spaces. A scope that cannot be
// read counts as not given: the token works without it.
func readScope(d *descriptor.Descriptor, in body.Values, resp *TokenResponse) {
	var text string
	value := in.Lookup(cmp.Or(d.Response.Scope, "/scope"))
	switch v := value.(type) {
	case string:
		text = v[:min(len(v), maxScope+1)]
		text = strings.ReplaceAll(text, cmp.Or(d.Token.ScopeSep, " "), " ")
	case jsonpointer.Document:
		text = joined(v)
	}
	scope := ""
	if len(text) <= maxScope {
		scope = strings.Join(strings.Fields(text), " ")
	}
	if strings.ContainsFunc(scope, func(r rune) bool { return r < ' ' || r > '~' }) {
		scope = ""
	}
	if resp.Scope = scope; scope == "" && value != nil && strings.TrimSpace(text) != "" {
		resp.warn("the scope cannot be read and counts as not named")
	}
}

// joined returns the strings of an array, separated by spaces.
func joined(doc jsonpointer.Document) string {
	var all strings.Builder
	if !doc.IsArray() {
		return ""
	}
	for item := range doc.Elements {
		if word, ok := item.Value().(string); ok {
			all.WriteString(word)
			all.WriteByte(' ')
		}
		if all.Len() > maxScope {
			break
		}
	}
	return all.String()
}

// JWTExpiry returns the "exp" of an access token that is a JWT.
func (a TokenResponse) JWTExpiry() expiry.Expiry { return expiry.OfJWT(a.Access.Reveal()) }

// ofSuccess returns the values of a response with success. problem says why
// its body cannot be read; isForm reports whether it was a form.
func (q *Request) ofSuccess(m Message) (v body.Values, isForm bool, problem string) {
	v.Header = m.Header
	if q.Descriptor.Response.Format == descriptor.FormatText {
		v.Document, problem = m.Body.TextDocument("access_token")
	} else {
		v.Document, isForm, problem = m.Body.Document()
	}
	if cut := m.Body.Problem(q.code); cut != "" {
		problem = cut
	}
	if _, apart := descriptor.HeaderPlace(q.Descriptor.Response.Access); apart {
		problem = "" // the token does not stand in the body
	}
	return v, isForm, problem
}
