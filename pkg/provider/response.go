package provider

import (
	"cmp"
	"errors"
	"fmt"
	"strings"

	"github.com/tokenvend/tokenvend/pkg/redact"
)

// longestToken is more than any header can carry, in bytes.
const longestToken = 64 << 10

// read takes an answer with a status of success apart.
func (d *Descriptor) read(q *call, r reply) (Answer, *Error) {
	doc, problem := parseJSON(r.body)
	d.hide(q, doc)
	answer := d.refreshOf(doc) // first, and of half an answer too
	if problem = cmp.Or(r.problem(), problem); problem != "" {
		return answer, d.unusable(q, r, problem)
	}
	if said := d.complaint(doc); said.made {
		return answer, d.verdict(q, r.status, said)
	}
	if problem = d.tokenOf(doc, &answer); problem != "" {
		answer = Answer{Refresh: answer.Refresh, RefreshExpiry: answer.RefreshExpiry}
		return answer, d.unusable(q, r, problem)
	}
	return answer, nil
}

// problem is what is wrong with an answer before its body is looked at.
func (r reply) problem() string {
	encoding := r.header.Get("Content-Encoding")
	switch {
	case r.tooLong:
		return "the answer is longer than 1 MiB"
	case r.cut != nil:
		return "the answer was cut short"
	case encoding != "" && !strings.EqualFold(encoding, "identity"):
		return "the answer is compressed, which nobody asked for"
	}
	return ""
}

// unusable is the error of an answer that brings no token; problem is in our words. Where our own time was over in the middle of it, that is no fault of the answer.
func (d *Descriptor) unusable(q *call, r reply, problem string) *Error {
	if r.over != nil || isTimeout(r.cut) {
		e := q.broken(r.cut, r.over, true)
		e.Status = r.status
		return e
	}
	return &Error{Kind: Malformed, Status: r.status, Description: mask(nil).line(problem, longestDescription), Sent: true}
}

func isTimeout(err error) bool {
	var slow interface{ Timeout() bool }
	return errors.As(err, &slow) && slow.Timeout()
}

// hide masks the answer's own tokens, wherever else the answer repeats them.
func (d *Descriptor) hide(q *call, doc any) {
	for _, pointer := range []string{cmp.Or(d.Response.Access, "/access_token"), cmp.Or(d.Response.Refresh, "/refresh_token")} {
		if token, ok := lookup(doc, pointer).(string); ok {
			q.mask.add(token)
		}
	}
}

// refreshOf reads the refresh token, where there is one that can be used. Its expiry is not worth losing it for: one that cannot be read counts as not given.
func (d *Descriptor) refreshOf(doc any) Answer {
	token, _ := lookup(doc, cmp.Or(d.Response.Refresh, "/refresh_token")).(string)
	if token == "" || unsafeToken(token) != "" {
		return Answer{}
	}
	answer := Answer{Refresh: redact.New(token)}
	if at := d.Response.RefreshExpiry; at.At != "" {
		answer.RefreshExpiry, _ = readExpiry(lookup(doc, at.At), at.Kind)
	}
	return answer
}

// tokenOf fills in all the rest. It returns what is wrong, in words that quote nothing; "": nothing is.
func (d *Descriptor) tokenOf(doc any, answer *Answer) (problem string) {
	at := cmp.Or(d.Response.Access, "/access_token")
	token, ok := lookup(doc, at).(string)
	if !ok || token == "" {
		return "no access token at " + at
	}
	if problem = unsafeToken(token); problem != "" {
		return "the access token at " + at + " " + problem
	}
	if answer.Type, problem = d.typeOf(doc); problem != "" {
		return problem
	}
	at = cmp.Or(d.Response.Refresh, "/refresh_token")
	if s, isText := lookup(doc, at).(string); isText && s != "" && answer.Refresh.IsZero() {
		return "the refresh token at " + at + " " + unsafeToken(s)
	}
	at = cmp.Or(d.Response.Expiry.At, "/expires_in")
	if answer.Expiry, ok = readExpiry(lookup(doc, at), d.Response.Expiry.Kind); !ok {
		return fmt.Sprintf("the expiry at %s is not %s", at, cmp.Or(d.Response.Expiry.Kind, Seconds))
	}
	answer.Access = redact.New(token)
	answer.Scope = d.scopeOf(doc)
	return ""
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

// typeOf accepts bearer tokens alone: whoever holds another kind has to do more than to send it.
func (d *Descriptor) typeOf(doc any) (name, problem string) {
	at := cmp.Or(d.Response.Type, "/token_type")
	switch v := lookup(doc, at).(type) {
	case nil:
		return "", ""
	case string:
		if v = strings.TrimSpace(v); v == "" {
			return "", ""
		}
		if strings.EqualFold(v, "bearer") {
			return "Bearer", ""
		}
	}
	return "", "the token type at " + at + " is not Bearer"
}

// scopeOf is the scope granted, space-separated. One that is neither text nor a list of texts, or not ASCII, counts as not named: the token works without it.
func (d *Descriptor) scopeOf(doc any) string {
	var words []string
	switch v := lookup(doc, cmp.Or(d.Response.Scope, "/scope")).(type) {
	case string:
		words = strings.Fields(strings.ReplaceAll(v, cmp.Or(d.Token.ScopeSep, " "), " "))
	case []any:
		for _, item := range v {
			word, _ := item.(string)
			words = append(words, strings.Fields(word)...)
		}
	}
	scope := strings.Join(words, " ")
	if strings.ContainsFunc(scope, func(r rune) bool { return r < ' ' || r > '~' }) {
		return ""
	}
	return scope
}

// complaint is the OAuth error in an answer.
type complaint struct {
	made bool
	code string // "" where there is none, or none that is one word
	text string

	words, texts []string // whatever else may name the error, for [Descriptor.meaning]
}

// complaint reads {"error":"…","error_description":"…"} (RFC 6749 §5.2), and {"error":{"code":"…","message":"…"}}.
func (d *Descriptor) complaint(doc any) complaint {
	var said complaint
	switch v := lookup(doc, cmp.Or(d.Response.Error, "/error")).(type) {
	case string:
		said = complaint{made: v != "", code: v}
	case map[string]any:
		said.made = true
		said.code, _ = v["code"].(string)
		said.text, _ = v["message"].(string)
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
