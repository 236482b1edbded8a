package simulator

import (
	"net/http"
	"net/url"
	"slices"
	"strings"
)

// authorization is what a client asks a person for. The page that shows it posts to its own address, so the request's query holds it both times.
type authorization struct {
	client, redirect, scope, state, challenge string
}

// authorize is the page on which a person logs in and says yes or no, and what follows.
func authorize(c *call) answer {
	q, err := url.ParseQuery(c.query)
	client, known := c.registered(q.Get("client_id"))
	switch { // RFC 6749, section 4.1.2.1: nobody may be sent to an address that is not known to be the client's
	case err != nil:
		return c.wrongPage(http.StatusBadRequest, "invalid_request", "The query of this address is malformed.")
	case !known || len(q["client_id"]) > 1:
		return c.wrongPage(http.StatusUnauthorized, "invalid_client", "There is no client with this client_id.")
	case !client.returnsTo(q.Get("redirect_uri")) || len(q["redirect_uri"]) > 1:
		return c.wrongPage(http.StatusBadRequest, "invalid_redirect_uri", "The redirect_uri is malformed, or not one of this client's.")
	}
	ask := authorization{client: client.ID, redirect: q.Get("redirect_uri"), scope: q.Get("scope"), state: q.Get("state"), challenge: q.Get("code_challenge")}
	if code, hint := checkAuthorization(q, client); code != "" {
		return ask.refused(code, hint)
	}
	if c.method == http.MethodPost {
		return c.decide(ask)
	}
	return c.consentPage(ask, http.StatusOK, "")
}

// checkAuthorization returns the error's code and what is wrong, never a value; "" and "" where nothing is.
func checkAuthorization(q url.Values, client Client) (code, hint string) {
	for name, v := range q {
		if !slices.Contains([]string{"response_type", "client_id", "redirect_uri", "scope", "state", "code_challenge", "code_challenge_method"}, name) {
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

// decide is what follows on Allow and Deny.
func (c *call) decide(ask authorization) answer {
	if c.foreign {
		return c.wrongPage(http.StatusForbidden, "cross_site", "This form was sent by another site. Nothing was granted.")
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
		return ask.refused("access_denied", "The resource owner or authorization server denied the request.")
	case "allow":
		if person == "" {
			return c.consentPage(ask, http.StatusBadRequest, "Enter a name: any will do.")
		}
		code := c.issueCode(grant{client: ask.client, subject: person, scope: ask.scope}, ask.redirect, ask.challenge)
		return ask.back("allowed", url.Values{"code": {code}})
	}
	return c.wrongPage(http.StatusBadRequest, "invalid_request", "The decision is neither allow nor deny.")
}

func (ask authorization) refused(code, hint string) answer {
	return ask.back(code, url.Values{"error": {code}, "error_description": {hint}})
}

// back sends the browser to the client. A query that is part of the redirect URI stays (RFC 6749, section 3.1.2).
func (ask authorization) back(outcome string, v url.Values) answer {
	if ask.state != "" {
		v.Set("state", ask.state)
	}
	mark := "?"
	if strings.Contains(ask.redirect, "?") {
		mark = "&"
	}
	a := answer{status: http.StatusFound, header: http.Header{}, outcome: outcome}
	a.header.Set("Location", ask.redirect+mark+v.Encode())
	a.header.Set("Cache-Control", "no-store")
	a.header.Set("Referrer-Policy", "no-referrer")
	return a
}

// registered finds a client by its id alone.
func (p *provider) registered(id string) (Client, bool) {
	i := slices.IndexFunc(p.clients, func(k Client) bool { return k.ID == id })
	if i < 0 {
		return Client{}, false
	}
	return p.clients[i], true
}

// returnsTo says whether a person may be sent to uri with a code for this client.
func (k Client) returnsTo(uri string) bool {
	return slices.Contains(k.RedirectURIs, uri) || redirectsToLoopback(uri)
}

// redirectsToLoopback knows RFC 8252, section 7.3: a program listens on a port of its own choice. Servers want the path to be registered, and let the port alone vary; here any path will do. A name, localhost too, is no loopback address.
func redirectsToLoopback(uri string) bool {
	u, err := url.Parse(uri)
	return err == nil && u.Scheme == "http" && u.User == nil && !strings.Contains(uri, "#") && (u.Hostname() == "127.0.0.1" || u.Hostname() == "::1")
}
