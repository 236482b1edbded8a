package agent

import (
	"io"
	"net/http"
	"strings"

	"github.com/tokenvend/tokenvend/pkg/api"
	"github.com/tokenvend/tokenvend/pkg/client"
)

// The paths of the handler. A credential's name follows, except for the token
// endpoint.
const (
	tokensPath        = "/tokens/"
	authorizationPath = "/authorization/"
	forwardAuthPath   = "/forward-auth/"
	tokenEndpointPath = "/oauth2/token" // #nosec G101 -- a path
)

// Handler returns the HTTP interface:
//
//   - GET and POST /tokens/NAME answer as tokenvend's API does.
//   - GET /authorization/NAME answers the value of an Authorization header, or
//     of the header in which the provider's API expects the token.
//   - /forward-auth/NAME, with any method and whatever path follows, answers
//     200 with such a header, for proxies that ask before they pass a request
//     on.
//   - POST /oauth2/token is a token endpoint for the client credentials grant
//     (RFC 6749 §4.4), whose client_id is the name of a credential.
func (a *Agent) Handler() http.Handler { return http.HandlerFunc(a.serve) }

func (a *Agent) serve(w http.ResponseWriter, r *http.Request) {
	w.Header().Set("Cache-Control", "no-store")
	path := r.URL.Path
	switch {
	case strings.HasPrefix(path, tokensPath):
		a.serveToken(w, r)
	case strings.HasPrefix(path, authorizationPath):
		a.serveAuthorization(w, r)
	case strings.HasPrefix(path, forwardAuthPath):
		a.serveForwardAuth(w, r)
	case path == tokenEndpointPath:
		a.serveTokenEndpoint(w, r)
	default:
		writeError(w, &api.Error{Code: api.UnknownCredential, Detail: "the path: expected /tokens/NAME"})
	}
}

func (a *Agent) serveToken(w http.ResponseWriter, r *http.Request) {
	t, err := a.vend(r, r.URL.Path, http.MethodGet, http.MethodPost)
	if err != nil {
		writeError(w, err)
		return
	}
	w.Header().Set("Content-Type", "application/json")
	_, _ = w.Write(apiToken(t).AppendJSON(nil)) // #nosec G705 -- JSON, and named so; an error: nobody listens
}

func (a *Agent) serveAuthorization(w http.ResponseWriter, r *http.Request) {
	name := strings.TrimPrefix(r.URL.Path, authorizationPath)
	t, err := a.vend(r, tokensPath+name, http.MethodGet)
	if err == nil {
		err = needsHeader(t)
	}
	if err != nil {
		writeError(w, err)
		return
	}
	_, value := t.Header()
	w.Header().Set("Content-Type", "text/plain; charset=utf-8")
	_, _ = io.WriteString(w, value) // #nosec G705 -- plain text, and named so
}

// serveForwardAuth ignores the method, the query and the rest of the path:
// proxies send those of the request that they ask about.
func (a *Agent) serveForwardAuth(w http.ResponseWriter, r *http.Request) {
	name, _, _ := strings.Cut(strings.TrimPrefix(r.URL.Path, forwardAuthPath), "/")
	t, err := a.Token(r.Context(), api.Request{Credential: name})
	if err == nil {
		err = needsHeader(t)
	}
	if err != nil {
		writeError(w, err)
		return
	}
	field, value := t.Header()
	w.Header().Set(field, value)
	w.WriteHeader(http.StatusOK)
}

// vend returns the token that a request asks for, as the API reads it at the
// path. Only these methods are taken.
func (a *Agent) vend(r *http.Request, path string, methods ...string) (client.Token, error) {
	allow := strings.Join(methods, ", ")
	if !strings.Contains(", "+allow+", ", ", "+r.Method+", ") {
		return client.Token{}, &api.Error{
			Code: api.MethodNotAllowed, Detail: "expected one of " + allow, Allow: allow,
		}
	}
	body, err := io.ReadAll(io.LimitReader(r.Body, api.MaxBody+1))
	if err != nil {
		return client.Token{}, &api.Error{Code: api.InvalidRequest, Detail: "the body: it broke off"}
	}
	route, ok := api.Operations().Route(path)
	if !ok || !ValidName(route.Credential) || path != tokensPath+route.Credential {
		return client.Token{}, &api.Error{
			Code: api.UnknownCredential, Detail: "the path: expected the name of a credential",
		}
	}
	request, err := route.Decode(r.Method, r.URL.RawQuery, body)
	if err != nil {
		return client.Token{}, err
	}
	return a.Token(r.Context(), request)
}

// needsHeader returns an error for a token that the provider's API expects in
// the URL and not in a header.
func needsHeader(t client.Token) error {
	if t.Use.Query == "" {
		return nil
	}
	detail := "the API expects the token in the parameter " + t.Use.Query + " of the URL: GET /tokens/NAME returns it"
	return &api.Error{Code: api.InvalidRequest, Detail: detail}
}
