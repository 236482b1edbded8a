package body

import (
	"bytes"
	"encoding/json"

	"github.com/tokenvend/tokenvend/pkg/jsonpointer"
)

// TextDocument returns a body that is one text, or one JSON string, as an
// object whose only member has that text. A body that is a JSON object or a
// list is returned as it is: an endpoint that answers with a bare token may
// tell its errors in JSON. The problem is "" where the body is one of these.
func (b Body) TextDocument(member string) (doc jsonpointer.Document, problem string) {
	doc, err := jsonpointer.Read(b.Text)
	text := bytes.TrimSpace(bytes.TrimPrefix(b.Text, []byte("\xef\xbb\xbf")))
	switch {
	case len(text) == 0:
		return nil, syntaxProblem(err)
	case text[0] == '{', text[0] == '[':
		return doc, syntaxProblem(err)
	case text[0] == '<':
		return nil, "the answer is a page or XML, not a token"
	case text[0] == '"' && err != nil:
		return nil, syntaxProblem(err)
	case text[0] == '"':
		return textMember(member, doc.Text()), ""
	case err == nil && (text[0] == 'n' || text[0] == 't' || text[0] == 'f'): // null, true, false
		return nil, "the answer is " + string(text) + ", not a token"
	}
	return textMember(member, string(text[:min(len(text), jsonpointer.MaxText)])), ""
}

func textMember(name, text string) jsonpointer.Document {
	doc, _ := json.Marshal(map[string]string{name: text}) // strings: cannot fail
	return doc
}
