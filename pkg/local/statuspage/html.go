package statuspage

import (
	_ "embed" // the pages
	"html/template"
	"strings"
	"time"
)

//go:embed page.css
var styleText string

//go:embed page.html
var pageHTML string

// style is the style sheet of all pages. Its hash is in their policy.
var style = template.CSS(styleText) // #nosec G203 -- a constant

// pages are the templates. html/template escapes what comes from outside.
var pages = template.Must(template.New("").Funcs(template.FuncMap{
	"clock": func(t time.Time) string { return t.UTC().Format("15:04:05") },
	"iso":   func(t time.Time) string { return t.UTC().Format(time.RFC3339) },
	"words": strings.Fields,
}).Parse(pageHTML))
