package body_test

import (
	"bytes"
	"compress/gzip"
	"io"
	"net/http"
	"strings"
	"testing"

	"github.com/tokenvend/tokenvend/pkg/provider/body"
)

// zipped returns a text in the format gzip.
func zipped(t *testing.T, text string) string {
	t.Helper()
	var b bytes.Buffer
	w := gzip.NewWriter(&b)
	if _, err := io.WriteString(w, text); err != nil {
		t.Fatal(err)
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return b.String()
}

func TestRead(t *testing.T) {
	const form = "application/x-www-form-urlencoded"
	for name, c := range map[string]struct {
		coding, contentType, text string
		token                     string // at /access_token
		problem                   string
		compressed, isForm        bool
	}{
		"JSON":                {text: `{"access_token":"a"}`, token: "a"},
		"JSON as a form":      {contentType: form, text: `{"access_token":"a"}`, token: "a"},
		"a form":              {contentType: form, text: `access_token=a%20b`, token: "a b", isForm: true},
		"a form by its looks": {contentType: "text/html", text: `access_token=a`, token: "a", isForm: true},
		"gzip":                {coding: "gzip", text: zipped(t, `{"access_token":"a"}`), token: "a", compressed: true},
		"gzip, not said":      {text: zipped(t, `{"access_token":"a"}`), token: "a", compressed: true},
		"said to be gzip":     {coding: "gzip", text: `{"access_token":"a"}`, token: "a"},
		"an unknown coding": {coding: "br", text: "\x8b\x12", compressed: true,
			problem: "the answer is compressed by <br>, which is not read; gzip and deflate are"},
		"damaged gzip": {coding: "gzip", text: "\x1f\x8bnonsense", compressed: true,
			problem: "the answer is compressed, and damaged"},
		"gzip cut short": {coding: "gzip", text: zipped(t, `{"access_token":"a"}`)[:30], token: "a", compressed: true,
			problem: "the answer was cut short"},
		"too long": {text: strings.Repeat(" ", 1<<20+1), problem: "the answer is longer than 1 MiB"},
		"too long packed": {text: zipped(t, strings.Repeat(" ", 1<<20+1)), compressed: true,
			problem: "the answer is longer than 1 MiB"},
		"nothing":        {problem: "the answer is empty"},
		"JSON cut short": {text: `{"access_token":"a","x`, token: "a", problem: "the answer was cut short"},
		"bytes after it": {text: `{"access_token":"a"}x`, token: "a", problem: "bytes follow the JSON of the answer"},
		"no JSON":        {text: `<html>`, problem: "the answer is not JSON"},
	} {
		t.Run(name, func(t *testing.T) {
			h := http.Header{"Content-Encoding": {c.coding}, "Content-Type": {c.contentType}}
			b, _ := body.Read(h, strings.NewReader(c.text))
			problem := b.Problem(func(s string) string { return "<" + s + ">" })
			doc, isForm, syntax := b.Document()
			if problem == "" {
				problem = syntax
			}
			if problem != c.problem || b.Compressed != c.compressed || isForm != c.isForm {
				t.Errorf("Read() = problem %q, compressed %t, a form %t; want %q, %t, %t",
					problem, b.Compressed, isForm, c.problem, c.compressed, c.isForm)
			}
			if got, _ := doc.Lookup("/access_token").(string); got != c.token {
				t.Errorf("Read() = access_token %q, want %q", got, c.token)
			}
		})
	}
}

func TestReadReturnsTheErrorOfTheConnection(t *testing.T) {
	broken := io.MultiReader(strings.NewReader(`{"refresh_token":"r",`), cutReader{})
	b, err := body.Read(http.Header{}, broken)
	if err != io.ErrUnexpectedEOF {
		t.Errorf("Read() = error %v, want %v", err, io.ErrUnexpectedEOF)
	}
	doc, _, _ := b.Document()
	if got := doc.Lookup("/refresh_token"); got != "r" {
		t.Errorf("Read() = refresh_token %v, want what arrived before the error", got)
	}
}

// cutReader is a connection that is cut.
type cutReader struct{}

func (cutReader) Read([]byte) (int, error) { return 0, io.ErrUnexpectedEOF }
