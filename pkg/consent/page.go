package consent

import (
	"crypto/sha256"
	"encoding/base64"
	"html/template"
	"net/http"
)

const style = "body{margin:4rem auto;max-width:32rem;padding:0 1rem;" +
	"font:1.1rem/1.5 system-ui,sans-serif;color:#222;background:#fff}h1{font-size:1.5rem}"

// html/template escapes what comes from outside.
const pageHTML = `<!DOCTYPE html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>tokenvend: {{.Title}}</title>
<style>{{.Style}}</style>
</head>
<body>
<h1>{{.Title}}</h1>
<p>{{.Text}}</p>
</body>
</html>
`

// page is an HTML page for the user.
type page struct {
	Status      int
	Title, Text string
	Style       template.CSS
}

// The fixed pages.
var (
	nothingHere = page{
		Status: http.StatusNotFound,
		Title:  "Nothing is here",
		Text:   "The address that begins is the one that tokenvend connect has printed.",
	}
	notAllowed = page{
		Status: http.StatusMethodNotAllowed,
		Title:  "Not understood",
		Text:   "Nothing was stored.",
	}
	otherHost = page{
		Status: http.StatusMisdirectedRequest,
		Title:  "Not understood",
		Text:   "This program answers to its own address only. Nothing was stored.",
	}
	stranger = page{
		Status: http.StatusBadRequest,
		Title:  "This is not the answer that was waited for",
		Text: "It does not belong to the request that tokenvend connect has begun in this browser, so it " +
			"was not looked at and nothing was stored. Begin with the address that tokenvend connect " +
			"has printed.",
	}
	already = page{
		Status: http.StatusConflict,
		Title:  "This is done already",
		Text: "An answer came before this one, and only one is taken: this one changes nothing. What " +
			"became of the first stands on its own page, and where tokenvend connect was called.",
	}
	twoBrowsers = page{
		Status: http.StatusConflict,
		Title:  "This was begun in another browser",
		Text: "The address was opened before, and not by this browser. In case that was somebody else, " +
			"tokenvend connect has ended, and nothing was stored. Call it again.",
	}
)

// setSecurityHeaders forbids a page to load anything, to be framed, to be
// stored, and to send its URL to others.
func setSecurityHeaders(h http.Header) {
	sum := sha256.Sum256([]byte(style))
	hash := base64.StdEncoding.EncodeToString(sum[:])
	h.Set("Content-Security-Policy", "default-src 'none'; style-src 'sha256-"+hash+"'; "+
		"form-action 'none'; frame-ancestors 'none'; base-uri 'none'")
	h.Set("Cache-Control", "no-store")
	h.Set("Referrer-Policy", "no-referrer")
	h.Set("X-Content-Type-Options", "nosniff")
}

func (p page) show(w http.ResponseWriter) {
	p.Style = style
	w.Header().Set("Content-Type", "text/html; charset=utf-8")
	w.WriteHeader(p.Status)
	// An error means that the browser has closed the connection.
	_ = template.Must(template.New("page").Parse(pageHTML)).Execute(w, p)
}
