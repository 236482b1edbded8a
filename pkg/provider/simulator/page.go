package simulator

import (
	"bytes"
	"crypto/sha256"
	"encoding/base64"
	"html/template"
	"net/http"
	"strings"
)

const style = `
body { margin: 3rem auto; max-width: 28rem; padding: 0 1rem; font: 1rem/1.5 system-ui, sans-serif; color: #222; background: #fff }
h1 { font-size: 1.4rem }
small { color: #555 }
input { box-sizing: border-box; width: 100%; margin: .3rem 0 1rem; padding: .5rem; font: inherit }
button { padding: .5rem 1.5rem; font: inherit }
.wrong { color: #a00 }
`

// Whatever comes from a request is escaped by html/template. The form has no action: it posts to the page's own address, query included.
const pageHTML = `<!DOCTYPE html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>{{.Title}}</title>
<style>{{.Style}}</style>
</head>
<body>
<h1>{{.Title}}</h1>
{{with .Wrong}}<p class="wrong" id="wrong">{{.}}</p>
{{end}}{{with .Ask}}<p><strong id="client">{{.Client}}</strong> asks for access to your account at {{$.Provider}}.</p>
{{if .Scopes}}<p>It wants to have:</p>
<ul id="scopes">{{range .Scopes}}<li>{{.}}</li>{{end}}</ul>
{{else}}<p>It names no scope: it gets what everybody gets.</p>
{{end}}<form method="post">
<label for="person">Your name</label>
<input id="person" name="person" autocomplete="username" autofocus required>
<button id="allow" name="decision" value="allow">Allow</button>
<button id="deny" name="decision" value="deny" formnovalidate>Deny</button>
</form>
<p><small>Then you go back to {{.Redirect}}</small></p>
{{end}}<p><small>This provider is simulated: there are no accounts, and any name will do.</small></p>
</body>
</html>
`

// view is what a page shows.
type view struct {
	Provider, Title, Wrong string
	Ask                    *asking // nil: an error, and nothing to decide
	Style                  template.CSS
}

type asking struct {
	Client, Redirect string
	Scopes           []string
}

// consentPage asks the person. Wrong is what was wrong with the last try; "": it is the first.
func (c *call) consentPage(ask authorization, status int, wrong string) answer {
	scheme, _, _ := strings.Cut(ask.redirect, ":")
	a := c.html(status, view{
		Title: "Allow access to " + c.name + "?", Wrong: wrong,
		Ask: &asking{Client: ask.client, Redirect: ask.redirect, Scopes: strings.Fields(ask.scope)},
	}, "'self' "+scheme+":") // a browser holds form-action against the redirect that follows too; by scheme, for no source expression can name an IPv6 address
	if wrong == "" {
		a.outcome = "shown"
	}
	return a
}

// wrongPage says what is wrong, and leads nowhere.
func (c *call) wrongPage(status int, outcome, wrong string) answer {
	a := c.html(status, view{Title: "This does not work", Wrong: wrong}, "'none'")
	a.outcome = outcome
	return a
}

// html allows the page its own style, and its form to go where formAction says. Same-origin, and not no-referrer, because that would take the Origin from the form's request, and c.foreign looks at it.
func (c *call) html(status int, v view, formAction string) answer {
	v.Provider, v.Style = c.name, style
	a := answer{status: status, header: http.Header{}, outcome: "invalid_request"}
	var body bytes.Buffer
	if err := template.Must(template.New("page").Parse(pageHTML)).Execute(&body, v); err != nil {
		panic(err) // a view has all that the page asks for
	}
	a.body = body.Bytes()
	sum := sha256.Sum256([]byte(style))
	a.header.Set("Content-Security-Policy", "default-src 'none'; style-src 'sha256-"+base64.StdEncoding.EncodeToString(sum[:])+"'; form-action "+formAction+"; frame-ancestors 'none'; base-uri 'none'")
	a.header.Set("Content-Type", "text/html; charset=utf-8")
	a.header.Set("X-Content-Type-Options", "nosniff")
	a.header.Set("Referrer-Policy", "same-origin")
	a.header.Set("Cache-Control", "no-store")
	return a
}
