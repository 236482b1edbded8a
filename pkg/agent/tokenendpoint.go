package agent

import (
	"cmp"
	"encoding/json"
	"net/http"
	"net/url"
	"time"

	"github.com/tokenvend/tokenvend/pkg/api"
	"github.com/tokenvend/tokenvend/pkg/client"
)

// tokenResponse is a successful response (RFC 6749 §5.1).
type tokenResponse struct {
	AccessToken string `json:"access_token"`
	TokenType   string `json:"token_type"`
	ExpiresIn   int    `json:"expires_in"`
	Scope       string `json:"scope,omitempty"`
}

// serveTokenEndpoint answers the client credentials grant, so that a client
// library gets tokens by its settings alone: the token URL, the name of a
// credential as client_id and the agent's key as client_secret. Of the form's
// other fields, scope and audience are passed on.
func (a *Agent) serveTokenEndpoint(w http.ResponseWriter, r *http.Request) {
	if r.Method != http.MethodPost {
		writeOAuthError(w, http.StatusMethodNotAllowed, "invalid_request", "expected POST")
		return
	}
	name, _ := clientOf(r)
	if grant := r.PostForm.Get("grant_type"); grant != "client_credentials" {
		writeOAuthError(w, http.StatusBadRequest, "unsupported_grant_type", "expected client_credentials")
		return
	}
	t, err := a.Token(r.Context(), api.Request{
		Credential: name, Scope: r.PostForm.Get("scope"), Audience: r.PostForm.Get("audience"),
	})
	if err != nil {
		e := problemOf(err)
		code, status := oauthError(e.Code)
		writeOAuthError(w, status, code, e.Detail)
		return
	}
	v := apiToken(t)
	writeJSON(w, http.StatusOK, tokenResponse{v.AccessToken, v.TokenType, keepFor(t), v.Scope})
}

// keepFor returns for how many seconds a client may keep a token: until its
// cache_until, so that the client then asks again, or for some seconds where
// that has passed.
func keepFor(t client.Token) int {
	const soon = 15 * time.Second
	left := min(max(time.Until(t.CacheUntil), soon), time.Until(t.ExpiresAt))
	return int(max(left, 0) / time.Second)
}

// clientOf returns the client's identifier and secret, of a Basic header, where
// both are percent-encoded (RFC 6749 §2.3.1), else of the form.
func clientOf(r *http.Request) (id, secret string) {
	r.Body = http.MaxBytesReader(nil, r.Body, api.MaxBody)
	_ = r.ParseForm() // what cannot be read is not there
	id, secret, ok := r.BasicAuth()
	if !ok {
		return r.PostForm.Get("client_id"), r.PostForm.Get("client_secret")
	}
	return decoded(id), decoded(secret)
}

// decoded returns a percent-encoded text. One that is not is returned as it is.
func decoded(s string) string {
	if text, err := url.QueryUnescape(s); err == nil {
		return text
	}
	return s
}

// oauthError returns the error code (RFC 6749 §5.2) and the status for a
// refusal. What is none of the client's faults has the status of the API.
func oauthError(code api.Code) (string, int) {
	switch code {
	case api.UnknownCredential:
		return "invalid_client", http.StatusUnauthorized
	case api.AccessDenied:
		return "unauthorized_client", http.StatusBadRequest
	case api.InvalidRequest:
		return "invalid_request", http.StatusBadRequest
	case Unavailable:
		return "temporarily_unavailable", http.StatusServiceUnavailable
	}
	return "temporarily_unavailable", code.Status()
}

func writeOAuthError(w http.ResponseWriter, status int, code, description string) {
	writeJSON(w, status, map[string]string{"error": code, "error_description": description})
}

func writeJSON(w http.ResponseWriter, status int, body any) {
	text, err := json.Marshal(body)
	if err != nil { // strings and a number
		status, text = http.StatusInternalServerError, nil
	}
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	_, _ = w.Write(text) // an error means that nobody listens
}

// apiToken returns a token as the API vends it.
func apiToken(t client.Token) api.Token {
	return api.Token{
		AccessToken: t.Reveal(), TokenType: cmp.Or(t.Type, "Bearer"), Scope: t.Scope, Fingerprint: t.Fingerprint,
		ExpiresIn:  api.Seconds(max(time.Until(t.ExpiresAt), 0)),
		ExpiresAt:  t.ExpiresAt.UTC().Truncate(time.Millisecond),
		CacheUntil: t.CacheUntil.UTC().Truncate(time.Millisecond),
		Extra:      t.Extras(),
		Use:        t.Use,
	}
}
