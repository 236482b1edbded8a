package response

import (
	"cmp"
	"slices"
	"strings"

	"github.com/tokenvend/tokenvend/pkg/descriptor"
	"github.com/tokenvend/tokenvend/pkg/jsonpointer"
	"github.com/tokenvend/tokenvend/pkg/provider/body"
)

// oauthError is the error in a response (RFC 6749 §5.2).
type oauthError struct {
	made bool
	code string // one word, or ""
	text string

	// business is the vendor's own code of a refusal, see
	// [descriptor.Success]; "": there is none.
	business string

	// words and texts may name the error too: see [Request.meaning].
	words, texts []string
}

// readOAuthError reads {"error":"…","error_description":"…"} (RFC 6749 §5.2),
// {"error":{"code":"…","message":"…"}}, and the vendor's own code. Beside an
// error code of OAuth, that code counts as a further one.
func readOAuthError(d *descriptor.Descriptor, v body.Values) oauthError {
	var said oauthError
	switch named := v.Lookup(cmp.Or(d.Response.Error, "/error")).(type) {
	case string:
		said = oauthError{made: named != "", code: named}
	case jsonpointer.Document:
		if named.IsObject() && !named.IsEmpty() {
			said.made = true
			said.code, _ = named.Lookup("/code").(string)
			said.text, _ = named.Lookup("/message").(string)
		}
	}
	if strings.ContainsFunc(said.code, func(r rune) bool { return r <= ' ' || r > '~' }) {
		said.code, said.text = "", cmp.Or(said.text, said.code)
	}
	if text, ok := v.Lookup(cmp.Or(d.Response.Description, "/error_description")).(string); ok {
		said.text = text
	}
	said.words, said.texts = otherErrors(v.Document)
	said.addBusiness(d.Response.Success, v)
	return said
}

// addBusiness adds the vendor's own code. That of a success means that there is
// no error.
func (e *oauthError) addBusiness(success descriptor.Success, v body.Values) {
	code, found := body.AsText(v.Lookup(success.At))
	switch {
	case success.At == "" || !found || code == "":
	case slices.Contains(success.Values, code):
		e.made = false
	default:
		e.made, e.business = true, code
		e.code = cmp.Or(e.code, code)
	}
}
