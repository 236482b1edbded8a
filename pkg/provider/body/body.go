// Package body reads the bodies of token responses: compressed or not, JSON or
// a form, complete or cut short.
package body

import (
	"errors"
	"io"
	"net/http"

	"github.com/tokenvend/tokenvend/pkg/jsonpointer"
)

// maxBody is how much of a body is read, in bytes.
const maxBody = 1 << 20

// Body is the body of a response, as far as it arrived.
type Body struct {
	Text []byte // decompressed
	// Compressed reports whether the body arrived compressed.
	Compressed bool

	contentType string
	coding      string // the Content-Encoding; "" is identity
	tooLong     bool
	cut         error // why the body could not be read to its end
}

// Read reads a body, and decompresses it. The limit holds on both sides. The
// error says why the body could not be read to its end; what is returned with
// it can be used all the same.
func Read(h http.Header, r io.Reader) (Body, error) {
	wire := &io.LimitedReader{R: r, N: maxBody + 1}
	b := Body{contentType: h.Get("Content-Type"), coding: contentCoding(h)}
	plain, compressed, err := decompress(wire, b.coding)
	b.Compressed = compressed
	if err == nil {
		b.Text, err = io.ReadAll(io.LimitReader(plain, maxBody+1))
	}
	if b.tooLong = len(b.Text) > maxBody || wire.N <= 0; b.tooLong {
		b.Text = nil
	}
	b.cut = err
	return b, err
}

// Problem returns why a body was not read completely, or "". show makes a text
// of the server printable.
func (b Body) Problem(show func(string) string) string {
	switch {
	case b.tooLong:
		return "the answer is longer than 1 MiB"
	case errors.Is(b.cut, errCoding):
		return "the answer is compressed by " + show(b.coding) + ", which is not read; gzip and deflate are"
	case isCorrupt(b.cut):
		return "the answer is compressed, and damaged"
	case b.cut != nil:
		return "the answer was cut short"
	}
	return ""
}

// Document returns the body as JSON. isForm reports whether it was a form. The
// problem is "" where the body is one JSON value or a form.
func (b Body) Document() (doc jsonpointer.Document, isForm bool, problem string) {
	if isFormEncoded(b.contentType, b.Text) {
		return formDocument(b.Text), true, ""
	}
	doc, err := jsonpointer.Read(b.Text)
	return doc, false, syntaxProblem(err)
}

func syntaxProblem(err error) string {
	switch {
	case err == nil:
		return ""
	case errors.Is(err, jsonpointer.ErrEmpty):
		return "the answer is empty"
	case errors.Is(err, jsonpointer.ErrTruncated):
		return "the answer was cut short"
	case errors.Is(err, jsonpointer.ErrTrailing):
		return "bytes follow the JSON of the answer"
	}
	return "the answer is not JSON"
}
