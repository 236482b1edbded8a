package simulator

import (
	"net/http"
	"net/url"
	"slices"
	"strings"
)

// authorization is an authorization request (RFC 6749 §4.1.1). The form of its
// page posts to the same URL, so both requests have the same query.
type authorization struct {
	client, redirect, scope, state, challenge string
}

// authorize serves the authorization endpoint: the page where a user logs in
// and decides, and the response to its form.
func authorize(c *call) response {
	q, err := url.ParseQuery(c.query)
	client, known := c.registered(q.Get("client_id"))
	switch { // RFC 6749 §4.1.2.1: no redirect to a URI that is not the client's
	case err != nil:
		return c.wrongPage(http.StatusBadRequest, "invalid_request", "The query of this address is malformed.")
	case !known || len(q["client_id"]) > 1:
		return c.wrongPage(http.StatusUnauthorized, "invalid_client", "There is no client with this client_id.")
	case !client.allowsRedirect(q.Get("redirect_uri")) || len(q["redirect_uri"]) > 1:
		return c.wrongPage(
			http.StatusBadRequest,
			"invalid_redirect_uri",
			"The redirect_uri is malformed, or not one of this client's.",
		)
	}
	request := authorization{
		client:    client.ID,
		redirect:  q.Get("redirect_uri"),
		scope:     q.Get("scope"),
		state:     q.Get("state"),
		challenge: q.Get("code_challenge"),
	}
	if code, hint := checkAuthorization(q, client); code != "" {
		return request.errorRedirect(code, hint)
	}
	if c.method == http.MethodPost {
		return c.decide(request)
	}
	return c.consentPage(request, http.StatusOK, "")
}

// checkAuthorization returns the error code of a request and a hint that quotes
// no value, or "" and "" where the request is valid.
func checkAuthorization(q url.Values, client Client) (code, hint string) {
	for name, v := range q {
		if !slices.Contains(
			[]string{
				"response_type",
				"client_id",
				"redirect_uri",
				"scope",
				"state",
				"code_challenge",
				"code_challenge_method",
			},
			name,
		) {
			return "invalid_request", "There is a parameter that is not understood here"
		}
		if len(v) > 1 {
			return "invalid_request", "Parameter " + name + " is repeated"
		}
	}
	challenge, method := q.Get("code_challenge"), q.Get("code_challenge_method")
	switch {
	case q.Get("response_type") == "":
		return "invalid_request", "Missing required parameter: response_type."
	case q.Get("response_type") != "code":
		return "unsupported_response_type", "The authorization server does not support this response type."
	case challenge != "" && method != "S256" || challenge == "" && method != "":
		return "invalid_request", "The code_challenge_method must be S256."
	case challenge != "" && !isChallenge(challenge):
		return "invalid_request", "The code_challenge must be 32 bytes, base64url without padding."
	case !client.grants(q.Get("scope")):
		return "invalid_scope", "The requested scope is invalid, unknown, or malformed."
	}
	return "", ""
}

// decide handles the form, with its buttons Allow and Deny.
func (c *call) decide(request authorization) response {
	if c.crossSite {
		return c.wrongPage(
			http.StatusForbidden,
			"cross_site",
			"This form was sent by another site. Nothing was granted.",
		)
	}
	problem := c.checkType(formType)
	if problem == "" {
		problem = c.checkFields("person", "decision")
	}
	if problem != "" {
		return c.wrongPage(http.StatusBadRequest, "invalid_request", problem)
	}
	person := strings.TrimSpace(c.param("person"))
	switch c.param("decision") {
	case "deny":
		return request.errorRedirect("access_denied", "The resource owner or authorization server denied the request.")
	case "allow":
		if person == "" {
			return c.consentPage(request, http.StatusBadRequest, "Enter a name: any will do.")
		}
		code := c.issueCode(
			grant{client: request.client, subject: person, scope: request.scope},
			request.redirect,
			request.challenge,
		)
		return request.redirectBack("allowed", url.Values{"code": {code}})
	}
	return c.wrongPage(http.StatusBadRequest, "invalid_request", "The decision is neither allow nor deny.")
}

func (request authorization) errorRedirect(code, hint string) response {
	return request.redirectBack(code, url.Values{"error": {code}, "error_description": {hint}})
}

// redirectBack redirects the browser to the client. A query that is part of the
// redirect URI stays (RFC 6749 §3.1.2).
func (request authorization) redirectBack(outcome string, v url.Values) response {
	if request.state != "" {
		v.Set("state", request.state)
	}
	mark := "?"
	if strings.Contains(request.redirect, "?") {
		mark = "&"
	}
	a := response{status: http.StatusFound, header: http.Header{}, outcome: outcome}
	a.header.Set("Location", request.redirect+mark+v.Encode())
	a.header.Set("Cache-Control", "no-store")
	a.header.Set("Referrer-Policy", "no-referrer")
	return a
}

// registered returns the client with an ID.
func (p *provider) registered(id string) (Client, bool) {
	i := slices.IndexFunc(p.clients, func(k Client) bool { return k.ID == id })
	if i < 0 {
		return Client{}, false
	}
	return p.clients[i], true
}

// allowsRedirect reports whether a code for this client may be sent to uri.
func (k Client) allowsRedirect(uri string) bool {
	return slices.Contains(k.RedirectURIs, uri) || redirectsToLoopback(uri)
}

// redirectsToLoopback reports whether uri is on a loopback address, at any port
// (RFC 8252 §7.3). Servers want the path to be registered; here any path is
// allowed. A host name is no loopback address, not even localhost.
func redirectsToLoopback(uri string) bool {
	u, err := url.Parse(uri)
	return err == nil && u.Scheme == "http" && u.User == nil && !strings.Contains(uri, "#") &&
		(u.Hostname() == "127.0.0.1" || u.Hostname() == "::1")
}
