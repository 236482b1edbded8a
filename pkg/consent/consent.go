// Package consent is the resource owner's side of the authorization code grant
// (RFC 6749 §4.1), for a program on the user's own machine (RFC 8252): it makes
// the authorization request and receives the authorization response. It needs
// no client secret, and sees no token.
package consent

import (
	"cmp"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"errors"
	"net/url"
	"strings"

	"github.com/tokenvend/tokenvend/pkg/api"
	"github.com/tokenvend/tokenvend/pkg/loopback"
	"github.com/tokenvend/tokenvend/pkg/redact"
)

// Request is one authorization request.
type Request struct {
	// page has the state and the code challenge. Whoever knows it can forge a
	// response to this request.
	page     *url.URL
	state    redact.String // comes back with the response
	verifier redact.String
	code     string   // the parameter of the response that has the code
	further  []string // further parameters of the response
}

// Response is an authorization response that belongs to a request.
type Response struct {
	Code redact.String
	// Parameters are the further parameters that the provider's descriptor
	// names, in the form of a query; zero: there are none.
	Parameters redact.String
}

// The code challenge methods (RFC 7636 §4.2).
const (
	s256  = "S256"
	plain = "plain"
)

// New makes an authorization request: it adds a state, and a code challenge
// where the provider takes one.
func New(at api.Authorization) (*Request, error) {
	page, err := url.Parse(at.URL)
	if err != nil || page.Host == "" || page.User != nil ||
		page.Scheme != "https" && !(page.Scheme == "http" && loopback.IsHost(page.Hostname())) {
		return nil, errors.New("the authorize page: expected an https URL, or an http one of a loopback address")
	}
	if at.PKCE != "" && at.PKCE != s256 && at.PKCE != plain {
		return nil, errors.New("the authorize page: it asks for a code challenge other than S256 and plain, " +
			"which this program does not know")
	}
	v := &Request{
		page: page, state: randomValue(), code: cmp.Or(at.CodeParameter, "code"), further: at.ResponseParameters,
	}
	query := page.Query()
	query.Set("state", v.state.Reveal())
	if at.PKCE != "" {
		v.verifier = randomValue()
		query.Set("code_challenge", challenge(at.PKCE, v.verifier.Reveal()))
		query.Set("code_challenge_method", at.PKCE)
	}
	page.RawQuery = query.Encode()
	return v, nil
}

// challenge returns the code challenge of a code verifier.
func challenge(method, verifier string) string {
	if method == plain {
		return verifier
	}
	sum := sha256.Sum256([]byte(verifier))
	return base64.RawURLEncoding.EncodeToString(sum[:])
}

// randomValue returns 32 random bytes in base64url, for a state or a code
// verifier.
func randomValue() redact.String {
	b := make([]byte, 32)
	_, _ = rand.Read(b) // never fails
	return redact.New(base64.RawURLEncoding.EncodeToString(b))
}

// Page returns the URL that the user's browser has to open. It must not stand
// in a log or in a command line: see [CallbackServer.Link].
func (v *Request) Page() redact.String { return redact.New(v.page.String()) }

// Site returns scheme and host of the page, which are not secret:
// "https://api.example.com".
func (v *Request) Site() string { return v.page.Scheme + "://" + v.page.Host }

// Verifier returns the code verifier; zero where no code challenge is sent.
func (v *Request) Verifier() redact.String { return v.verifier }

// ErrStateMismatch is the error of a response to another request.
var ErrStateMismatch = errors.New("this is not the answer that was waited for: its state is another's, or missing")

// ErrNoCode is the error of a response with neither a code nor an error.
var ErrNoCode = errors.New("the provider sent the person back with neither a code nor an error")

// Refusal is an error response (RFC 6749 §4.1.2.1). Its texts are the
// provider's own, cleaned for terminals.
type Refusal struct {
	// Code is "access_denied" where the user or the provider refused.
	Code        string
	Description string // "" where not given
}

// Error returns the provider's code and description.
func (r *Refusal) Error() string {
	text := "the provider sent the person back with " + r.Code
	if r.Description != "" {
		text += ": " + r.Description
	}
	return text
}

// Denied reports whether the user refused, as far as that can be known.
func (r *Refusal) Denied() bool { return r.Code == "access_denied" }

// Transient reports whether the same request may succeed later.
func (r *Refusal) Transient() bool {
	return r.Code == "temporarily_unavailable" || r.Code == "server_error"
}

// Response reads the query of the redirect. It reads nothing but the state
// until the state has shown that the response belongs to this request.
//
// The errors are ErrStateMismatch, a *Refusal and ErrNoCode. The parameter iss
// (RFC 9207) is ignored: there is nothing to compare it with.
func (v *Request) Response(query string) (Response, error) {
	q, err := url.ParseQuery(query)
	if err != nil || !v.state.Equal(redact.New(single(q, "state"))) {
		return Response{}, ErrStateMismatch
	}
	if q.Has("error") {
		return Response{}, &Refusal{
			Code:        clean(q.Get("error"), 40),
			Description: clean(q.Get("error_description"), 300),
		}
	}
	code := redact.New(single(q, v.code))
	if code.IsZero() {
		return Response{}, ErrNoCode
	}
	return Response{Code: code, Parameters: redact.New(v.parameters(q).Encode())}, nil
}

// parameters returns the further parameters of a response.
func (v *Request) parameters(q url.Values) url.Values {
	further := url.Values{}
	for _, name := range v.further {
		if value := single(q, name); value != "" {
			further.Set(name, value)
		}
	}
	return further
}

// Pasted reads the URL that the user's browser was redirected to, or its query.
func (v *Request) Pasted(address string) (Response, error) {
	address, _, _ = strings.Cut(strings.TrimSpace(address), "#")
	if _, query, ok := strings.Cut(address, "?"); ok {
		address = query
	}
	return v.Response(address)
}

// single returns the value of a parameter that is given once, and else "".
func single(q url.Values, name string) string {
	if len(q[name]) != 1 {
		return ""
	}
	return q.Get(name)
}

// clean returns a text with the characters that RFC 6749 allows there, cut to a
// length.
func clean(text string, most int) string {
	clean := strings.Map(func(c rune) rune {
		if c < ' ' || c > '~' || c == '"' || c == '\\' {
			return '?'
		}
		return c
	}, strings.ToValidUTF8(text, "?"))
	return clean[:min(len(clean), most)]
}
