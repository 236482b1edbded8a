package response

import (
	"cmp"
	"strings"

	"github.com/tokenvend/tokenvend/pkg/descriptor"
	"github.com/tokenvend/tokenvend/pkg/jsonpointer"
)

// oauthError is the error in a response (RFC 6749 §5.2).
type oauthError struct {
	made bool
	code string // one word, or ""
	text string

	// words and texts may name the error too: see [Request.meaning].
	words, texts []string
}

// readOAuthError reads {"error":"…","error_description":"…"} (RFC 6749 §5.2),
// and {"error":{"code":"…","message":"…"}}.
func readOAuthError(d *descriptor.Descriptor, doc jsonpointer.Document) oauthError {
	var said oauthError
	switch v := doc.Lookup(cmp.Or(d.Response.Error, "/error")).(type) {
	case string:
		said = oauthError{made: v != "", code: v}
	case jsonpointer.Document:
		if v.IsObject() && !v.IsEmpty() {
			said.made = true
			said.code, _ = v.Lookup("/code").(string)
			said.text, _ = v.Lookup("/message").(string)
		}
	}
	if strings.ContainsFunc(said.code, func(r rune) bool { return r <= ' ' || r > '~' }) {
		said.code, said.text = "", cmp.Or(said.text, said.code)
	}
	if text, ok := doc.Lookup(cmp.Or(d.Response.Description, "/error_description")).(string); ok {
		said.text = text
	}
	said.words, said.texts = otherErrors(doc)
	return said
}
