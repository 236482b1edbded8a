package provider

import (
	"cmp"
	"errors"
	"slices"
	"strings"
	"time"
	"unicode"

	"github.com/tokenvend/tokenvend/pkg/descriptor"
	"github.com/tokenvend/tokenvend/pkg/jsonpointer"
	"github.com/tokenvend/tokenvend/pkg/mask"
	"github.com/tokenvend/tokenvend/pkg/provider/expiry"
	"github.com/tokenvend/tokenvend/pkg/redact"
)

const (
	longestToken       = 64 << 10 // bytes: more than any header can carry
	longestDescription = 200      // bytes
	longestCode        = 64       // bytes
)

// read reads an answer with a status of success: is there a usable token, and
// if not, what does the answer say is wrong. A good token is not lost because
// of what stands beside it; what was odd is a warning.
func (q *call) read(r reply) (TokenResponse, *Error) {
	doc, problem := r.document()
	access, refresh := doc.Lookup(accessAt(q.descriptor)), doc.Lookup(refreshAt(q.descriptor))
	q.hide(access, refresh)
	answer := TokenResponse{}
	readRefresh(q.descriptor, doc, r.at, &answer) // of half an answer too: the old one may be dead
	broken := cmp.Or(r.problem(q), problem)
	if broken == "" {
		problem = q.readToken(doc, access, r.at, &answer)
	}
	said := oauthError{}
	if broken == "" {
		said = readOAuthError(q.descriptor, doc)
	}
	switch {
	case broken == "" && problem == "":
		r.warn(said, &answer)
		return answer, nil
	case said.made:
		return answer.withoutToken(), q.classify(r.status, said)
	}
	return answer.withoutToken(), q.unusable(r, cmp.Or(broken, problem))
}

// withoutToken returns what is left of an answer that is an error.
func (a TokenResponse) withoutToken() TokenResponse {
	return TokenResponse{Refresh: a.Refresh, RefreshExpiry: a.RefreshExpiry}
}

// document returns the body as JSON.
func (r *reply) document() (doc jsonpointer.Document, problem string) {
	if r.form = r.isForm(); r.form {
		return formDocument(r.body), ""
	}
	doc, err := jsonpointer.Read(r.body)
	switch {
	case err == nil:
		return doc, ""
	case errors.Is(err, jsonpointer.ErrEmpty):
		return doc, "the answer is empty"
	case errors.Is(err, jsonpointer.ErrTruncated):
		return doc, "the answer was cut short"
	case errors.Is(err, jsonpointer.ErrTrailing):
		return doc, "bytes follow the JSON of the answer"
	}
	return doc, "the answer is not JSON"
}

// problem is what is wrong with an answer before its body is looked at.
func (r reply) problem(q *call) string {
	switch {
	case r.tooLong:
		return "the answer is longer than 1 MiB"
	case errors.Is(r.cut, errCoding):
		coding := q.mask.Line(r.coding, longestCode)
		return "the answer is compressed by " + coding + ", which is not read; gzip and deflate are"
	case isCorrupt(r.cut):
		return "the answer is compressed, and damaged"
	case r.cut != nil:
		return "the answer was cut short"
	}
	return ""
}

// warn adds what was odd about the answer as a whole.
func (r reply) warn(said oauthError, answer *TokenResponse) {
	if said.made {
		answer.warn("an error stands beside the token")
	}
	if r.packed {
		answer.warn("the answer is compressed, though the request asked for identity")
	}
	if r.form {
		answer.warn("the answer is form-encoded, not JSON")
	}
}

func (a *TokenResponse) warn(words string) { a.Warnings = append(a.Warnings, words) }

// unusable is the error of an answer that brings no token; problem is in our words. Where our own time was over in the middle of it, that is no fault of the answer.
func (q *call) unusable(r reply, problem string) *Error {
	if r.over != nil || isTimeout(r.cut) {
		e := q.broken(r.cut, r.over, true)
		e.Status = r.status
		return e
	}
	return &Error{Kind: Malformed, Status: r.status, Description: mask.Line(problem, longestDescription), Sent: true}
}

func isTimeout(err error) bool {
	var slow interface{ Timeout() bool }
	return errors.As(err, &slow) && slow.Timeout()
}

// hide masks the answer's own tokens, wherever else the answer repeats them.
func (q *call) hide(tokens ...any) {
	for _, token := range tokens {
		if text, ok := token.(string); ok {
			q.mask.Add(text)
		}
	}
}

// readRefresh fills in the refresh token, where there is one that can be used.
func readRefresh(d *descriptor.Descriptor, doc jsonpointer.Document, now time.Time, answer *TokenResponse) {
	token, _ := doc.Lookup(refreshAt(d)).(string)
	if token == "" {
		return
	}
	if problem := unsafeToken(token); problem != "" {
		answer.warn("the refresh token " + problem + " and is not kept")
		return
	}
	answer.Refresh = redact.New(token)
	at := d.Response.RefreshExpiry
	if at.At == "" {
		return
	}
	var odd expiry.Oddity
	if answer.RefreshExpiry, odd = expiry.Read(doc.Lookup(at.At), at.Kind, now); odd == expiry.Negative {
		answer.RefreshExpiry, odd = expiry.Expiry{}, expiry.Unreadable // no reason to lose a grant
	}
	if odd != "" {
		answer.warn("the refresh token's expiry " + string(odd))
	}
}

// readToken fills in all the rest. It returns why the token cannot be used, in
// words that quote nothing; "": it can.
func (q *call) readToken(doc jsonpointer.Document, access any, now time.Time, answer *TokenResponse) (problem string) {
	d := q.descriptor
	token, ok := access.(string)
	if !ok || token == "" {
		return "no access token at " + accessAt(d)
	}
	if problem = unsafeToken(token); problem != "" {
		return "the access token at " + accessAt(d) + " " + problem
	}
	if q.holdsRefresh(doc, token, answer.Refresh) {
		return "the value at " + accessAt(d) + " is a refresh token, or holds one"
	}
	if problem = q.readType(doc, answer); problem != "" {
		return problem
	}
	at := d.Response.Expiry
	var odd expiry.Oddity
	if answer.Expiry, odd = expiry.Read(doc.Lookup(cmp.Or(at.At, "/expires_in")), at.Kind, now); odd != "" {
		answer.warn("the expiry " + string(odd))
	}
	answer.Access = redact.New(token)
	readScope(d, doc, answer)
	return ""
}

func accessAt(d *descriptor.Descriptor) string {
	return cmp.Or(d.Response.Access, "/access_token")
}

func refreshAt(d *descriptor.Descriptor) string {
	return cmp.Or(d.Response.Refresh, "/refresh_token")
}

// unsafeToken says why a token could not stand in a header: RFC 6749 §A.12 without the space, which would end it.
func unsafeToken(token string) string {
	if len(token) > longestToken {
		return "is longer than 64 KiB"
	}
	if strings.ContainsFunc(token, func(r rune) bool { return r <= ' ' || r > '~' }) {
		return "has characters that would break a header"
	}
	return ""
}

// bound are the token types that a bearer token is not: whoever holds one has
// to prove a key, or to sign each request, besides sending it. RFC 9449, the
// registry "OAuth Access Token Types" of IANA, and drafts.
var bound = []string{"dpop", "pop", "mac", "hmac", "hok", "hotk", "hawk", "digest", "signature", "signed"}

// readType refuses a token that is no bearer token. Many vendors have a word of
// their own for Bearer, so any other word counts as one.
func (q *call) readType(doc jsonpointer.Document, answer *TokenResponse) (problem string) {
	at := cmp.Or(q.descriptor.Response.Type, "/token_type")
	value := doc.Lookup(at)
	name, isText := value.(string)
	name = strings.TrimSpace(name)
	switch {
	case value == nil, isText && name == "":
		return ""
	case strings.EqualFold(name, "bearer"):
		answer.Type = "Bearer"
		return ""
	}
	name = name[:min(len(name), longestCode)]
	words := strings.FieldsFunc(strings.ToLower(name), func(r rune) bool { return !unicode.IsLetter(r) })
	if slices.ContainsFunc(words, func(word string) bool { return slices.Contains(bound, word) }) {
		return "the token type at " + at + " needs more than a bearer token does: it is not supported"
	}
	answer.Type = q.mask.Line(name, longestCode)
	answer.warn("the token type is not Bearer and counts as Bearer")
	return ""
}

// longestScope is more than any scope has, in bytes.
const longestScope = 16 << 10

// readScope fills in the scope granted, space-separated. One that cannot be
// read counts as not named: the token works without it.
func readScope(d *descriptor.Descriptor, doc jsonpointer.Document, answer *TokenResponse) {
	var text string
	value := doc.Lookup(cmp.Or(d.Response.Scope, "/scope"))
	switch v := value.(type) {
	case string:
		text = v[:min(len(v), longestScope+1)]
		text = strings.ReplaceAll(text, cmp.Or(d.Token.ScopeSep, " "), " ")
	case jsonpointer.Document:
		text = joined(v)
	}
	scope := ""
	if len(text) <= longestScope {
		scope = strings.Join(strings.Fields(text), " ")
	}
	if strings.ContainsFunc(scope, func(r rune) bool { return r < ' ' || r > '~' }) {
		scope = ""
	}
	if answer.Scope = scope; scope == "" && value != nil && strings.TrimSpace(text) != "" {
		answer.warn("the scope cannot be read and counts as not named")
	}
}

// joined returns the texts of an array with a space between.
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
		if all.Len() > longestScope {
			break
		}
	}
	return all.String()
}

// JWTExpiry returns the "exp" of an access token that is a JWT.
func (a TokenResponse) JWTExpiry() expiry.Expiry { return expiry.OfJWT(a.Access.Reveal()) }
