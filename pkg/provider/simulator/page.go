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

// html/template escapes all that comes from the request. The form has no
// action: it posts to the page's own URL, with its query.
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
{{end}}{{with .Consent}}<p><strong id="client">{{.Client}}</strong> asks for access to your account at {{$.Provider}}.</p>
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

// pageData is the data of a page.
type pageData struct {
	Provider, Title, Wrong string
	Consent                *consentRequest // nil: an error page
	Style                  template.CSS
}

type consentRequest struct {
	Client, Redirect string
	Scopes           []string
}

// consentPage asks the user for consent. wrong is what was wrong with the last
// attempt; "": this is the first.
func (c *call) consentPage(request authorization, status int, wrong string) response {
	scheme, _, _ := strings.Cut(request.redirect, ":")
	a := c.html(status, pageData{
		Title: "Allow access to " + c.name + "?", Wrong: wrong,
		Consent: &consentRequest{
			Client:   request.client,
			Redirect: request.redirect,
			Scopes:   strings.Fields(request.scope),
		},
		// Browsers apply form-action to the redirect of the form too. It is
		// given by scheme, because no source expression matches an IPv6
		// address.
	}, "'self' "+scheme+":")
	if wrong == "" {
		a.outcome = "shown"
	}
	return a
}

// wrongPage returns a page that shows an error and redirects nowhere.
func (c *call) wrongPage(status int, outcome, wrong string) response {
	a := c.html(status, pageData{Title: "This does not work", Wrong: wrong}, "'none'")
	a.outcome = outcome
	return a
}

// html returns a page that may use its own style, and whose form may go to
// formAction. The referrer policy is same-origin: no-referrer would remove the
// Origin header that call.crossSite depends on.
func (c *call) html(status int, v pageData, formAction string) response {
	v.Provider, v.Style = c.name, style
	a := response{status: status, header: http.Header{}, outcome: "invalid_request"}
	var body bytes.Buffer
	if err := template.Must(template.New("page").Parse(pageHTML)).Execute(&body, v); err != nil {
		panic(err) // pageData has all fields of the template
	}
	a.body = body.Bytes()
	sum := sha256.Sum256([]byte(style))
	a.header.Set(
		"Content-Security-Policy",
		"default-src 'none'; style-src 'sha256-"+base64.StdEncoding.EncodeToString(
			sum[:],
		)+"'; form-action "+formAction+"; frame-ancestors 'none'; base-uri 'none'",
	)
	a.header.Set("Content-Type", "text/html; charset=utf-8")
	a.header.Set("X-Content-Type-Options", "nosniff")
	a.header.Set("Referrer-Policy", "same-origin")
	a.header.Set("Cache-Control", "no-store")
	return a
}
