// Package refusal reads the error in a response of a token endpoint, and what
// it means.
package refusal

import (
	"cmp"
	"slices"
	"strings"

	"github.com/tokenvend/tokenvend/pkg/descriptor"
	"github.com/tokenvend/tokenvend/pkg/jsonpointer"
	"github.com/tokenvend/tokenvend/pkg/provider/body"
)

// Refusal is the error in a response (RFC 6749 §5.2).
type Refusal struct {
	Given bool   // there is one
	Code  string // one word, or ""
	Text  string

	// Business is the vendor's own code of a refusal, see
	// [descriptor.Success]; "": there is none.
	Business string

	// words and texts may name the error too: see [Refusal.Meaning].
	words, texts []string
}

// Read reads {"error":"…","error_description":"…"} (RFC 6749 §5.2),
// {"error":{"code":"…","message":"…"}}, and the vendor's own code. Beside an
// error code of OAuth, that code counts as a further one.
func Read(d *descriptor.Descriptor, v body.Values) Refusal {
	var r Refusal
	switch named := v.Lookup(cmp.Or(d.Response.Error, "/error")).(type) {
	case string:
		r = Refusal{Given: named != "", Code: named}
	case jsonpointer.Document:
		if named.IsObject() && !named.IsEmpty() {
			r.Given = true
			r.Code, _ = named.Lookup("/code").(string)
			r.Text, _ = named.Lookup("/message").(string)
		}
	}
	if strings.ContainsFunc(r.Code, func(r rune) bool { return r <= ' ' || r > '~' }) {
		r.Code, r.Text = "", cmp.Or(r.Text, r.Code)
	}
	if text, ok := v.Lookup(cmp.Or(d.Response.Description, "/error_description")).(string); ok {
		r.Text = text
	}
	r.words, r.texts = otherErrors(v.Document)
	r.addBusiness(d.Response.Success, v)
	return r
}

// addBusiness adds the vendor's own code. That of a success means that there is
// no error.
func (r *Refusal) addBusiness(success descriptor.Success, v body.Values) {
	code, found := body.AsText(v.Lookup(success.At))
	switch {
	case success.At == "" || !found || code == "":
	case slices.Contains(success.Values, code):
		r.Given = false
	default:
		r.Given, r.Business = true, code
		r.Code = cmp.Or(r.Code, code)
	}
}

// maxSearched is the longest response that is searched for errors in places
// that RFC 6749 does not name. Each place costs a pass over the response.
const maxSearched = 16 << 10

// otherErrors returns the error codes and the sentences in places that RFC 6749
// does not name: {"status":…,"message":…}, {"errors":[…]}.
func otherErrors(doc jsonpointer.Document) (words, texts []string) {
	if len(doc) > maxSearched {
		return nil, nil
	}
	add := func(text string) {
		if text != "" {
			word, _, _ := strings.Cut(strings.TrimSpace(text), " ")
			words, texts = append(words, strings.TrimRight(word, ":,;.")), append(texts, text)
		}
	}
	for _, at := range otherPlaces {
		text, _ := doc.Lookup(at).(string)
		add(text)
	}
	if _, isObject := doc.Lookup("/errors/0").(jsonpointer.Document); !isObject {
		return words, texts
	}
	var all []string
	for _, name := range []string{"errorType", "type", "resource", "field", "code", "error", "message", "detail"} {
		if text, ok := doc.Lookup("/errors/0/" + name).(string); ok {
			add(text)
			all = append(all, text)
		}
	}
	add(strings.Join(all, " "))
	return words, texts
}

// otherPlaces are the places of error codes and of their descriptions.
var otherPlaces = []string{
	"/error", "/error/code", "/error/type", "/errorCode", "/error_code", "/code", "/status", "/errorType",
	"/message", "/msg", "/error/message", "/error_description", "/errors/0",
}
