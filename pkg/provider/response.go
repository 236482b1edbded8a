package provider

import (
	"cmp"
	"errors"
	"slices"
	"strings"
	"time"
	"unicode"

	"github.com/tokenvend/tokenvend/pkg/mask"
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
func (d *Descriptor) read(q *call, r reply) (Answer, *Error) {
	doc, problem := r.document()
	access, refresh := lookup(doc, d.Response.accessAt()), lookup(doc, d.Response.refreshAt())
	q.hide(doc, access, refresh)
	answer := Answer{}
	d.readRefresh(doc, refresh, r.at, &answer) // of half an answer too: the old one may be dead
	broken := cmp.Or(r.problem(q), problem)
	if broken == "" {
		problem = d.readToken(q, doc, access, r.at, &answer)
	}
	said := complaint{}
	if broken == "" {
		said = d.complaint(doc)
	}
	switch {
	case broken == "" && problem == "":
		r.warn(said, &answer)
		return answer, nil
	case said.made:
		return answer.withoutToken(), d.verdict(q, r.status, said)
	}
	return answer.withoutToken(), d.unusable(q, r, cmp.Or(broken, problem))
}

// withoutToken returns what is left of an answer that is an error.
func (a Answer) withoutToken() Answer {
	return Answer{Refresh: a.Refresh, RefreshExpiry: a.RefreshExpiry}
}

// document returns the body as JSON.
func (r *reply) document() (doc document, problem string) {
	if r.form = r.isForm(); r.form {
		return formDocument(r.body), ""
	}
	return parseJSON(r.body)
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
func (r reply) warn(said complaint, answer *Answer) {
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

func (a *Answer) warn(words string) { a.Warnings = append(a.Warnings, words) }

// unusable is the error of an answer that brings no token; problem is in our words. Where our own time was over in the middle of it, that is no fault of the answer.
func (d *Descriptor) unusable(q *call, r reply, problem string) *Error {
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

// readRefresh fills in the refresh token, where there is one that can be used.
func (d *Descriptor) readRefresh(doc document, refresh any, now time.Time, answer *Answer) {
	token, _ := refresh.(string)
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
	var odd oddity
	if answer.RefreshExpiry, odd = readExpiry(lookup(doc, at.At), at.Kind, now); odd == negative {
		answer.RefreshExpiry, odd = Expiry{}, unreadable // no reason to lose a grant
	}
	if odd != "" {
		answer.warn("the refresh token's expiry " + string(odd))
	}
}

// readToken fills in all the rest. It returns why the token cannot be used, in
// words that quote nothing; "": it can.
func (d *Descriptor) readToken(q *call, doc document, access any, now time.Time, answer *Answer) (problem string) {
	token, ok := access.(string)
	if !ok || token == "" {
		return "no access token at " + d.Response.accessAt()
	}
	if problem = unsafeToken(token); problem != "" {
		return "the access token at " + d.Response.accessAt() + " " + problem
	}
	if q.holdsRefresh(token, answer.Refresh) {
		return "the value at " + d.Response.accessAt() + " is a refresh token, or holds one"
	}
	if problem = d.readType(q, doc, answer); problem != "" {
		return problem
	}
	at := d.Response.Expiry
	var odd oddity
	if answer.Expiry, odd = readExpiry(lookup(doc, cmp.Or(at.At, "/expires_in")), at.Kind, now); odd != "" {
		answer.warn("the expiry " + string(odd))
	}
	answer.Access = redact.New(token)
	d.readScope(doc, answer)
	if answer.Scope != "" && q.holdsToken(answer.Scope) {
		answer.Scope = ""
		answer.warn("the scope holds a token and counts as not named")
	}
	return ""
}

func (r Response) accessAt() string  { return cmp.Or(r.Access, "/access_token") }
func (r Response) refreshAt() string { return cmp.Or(r.Refresh, "/refresh_token") }

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
func (d *Descriptor) readType(q *call, doc document, answer *Answer) (problem string) {
	at := cmp.Or(d.Response.Type, "/token_type")
	value := lookup(doc, at)
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
func (d *Descriptor) readScope(doc document, answer *Answer) {
	var text string
	value := lookup(doc, cmp.Or(d.Response.Scope, "/scope"))
	switch v := value.(type) {
	case string:
		text = v[:min(len(v), longestScope+1)]
		text = strings.ReplaceAll(text, cmp.Or(d.Token.ScopeSep, " "), " ")
	case document:
		text = v.joined()
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
func (doc document) joined() string {
	var all strings.Builder
	if !doc.begins('[') {
		return ""
	}
	for item := range doc.elements {
		if word, ok := item.value().(string); ok {
			all.WriteString(word)
			all.WriteByte(' ')
		}
		if all.Len() > longestScope {
			break
		}
	}
	return all.String()
}

// complaint is the OAuth error in an answer.
type complaint struct {
	made bool
	code string // "" where there is none, or none that is one word
	text string

	words, texts []string // whatever else may name the error, for [Descriptor.meaning]
}

// complaint reads {"error":"…","error_description":"…"} (RFC 6749 §5.2), and
// {"error":{"code":"…","message":"…"}}.
func (d *Descriptor) complaint(doc document) complaint {
	var said complaint
	switch v := lookup(doc, cmp.Or(d.Response.Error, "/error")).(type) {
	case string:
		said = complaint{made: v != "", code: v}
	case document:
		if v.begins('{') && !v.isEmpty() {
			said.made = true
			said.code, _ = lookup(v, "/code").(string)
			said.text, _ = lookup(v, "/message").(string)
		}
	}
	if strings.ContainsFunc(said.code, func(r rune) bool { return r <= ' ' || r > '~' }) {
		said.code, said.text = "", cmp.Or(said.text, said.code)
	}
	if text, ok := lookup(doc, cmp.Or(d.Response.Description, "/error_description")).(string); ok {
		said.text = text
	}
	said.words, said.texts = spelledErrors(doc)
	return said
}
