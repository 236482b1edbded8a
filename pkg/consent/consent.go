// Package consent is the browser's side of the authorization code grant (RFC
// 6749 §4.1), for a program on the user's own machine (RFC 8252): it makes the
// URL of the authorization request and reads the authorization response. It
// needs no client secret and sees no token.
package consent

import (
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

// Visit is one authorization request.
type Visit struct {
	// page has state and code challenge. Whoever knows it can forge a response.
	page     *url.URL
	state    redact.String // returned with the response
	verifier redact.String
}

// s256 is the only code challenge method that is used (RFC 7636 §4.2): the
// other one, plain, sends the verifier itself.
const s256 = "S256"

// New returns a visit: it adds a state to the authorize page's URL, and a code
// challenge where the provider takes one.
func New(at api.Authorization) (*Visit, error) {
	page, err := url.Parse(at.URL)
	if err != nil || page.Host == "" || page.User != nil ||
		page.Scheme != "https" && !(page.Scheme == "http" && loopback.IsHost(page.Hostname())) {
		return nil, errors.New("the authorize page: expected an https URL, or an http one of a loopback address")
	}
	if at.PKCE != "" && at.PKCE != s256 {
		return nil, errors.New("the authorize page: it asks for a code challenge other than S256, " +
			"which this program does not know")
	}
	v := &Visit{page: page, state: randomString()}
	query := page.Query()
	query.Set("state", v.state.Reveal())
	if at.PKCE == s256 {
		v.verifier = randomString()
		sum := sha256.Sum256([]byte(v.verifier.Reveal()))
		query.Set("code_challenge", base64.RawURLEncoding.EncodeToString(sum[:]))
		query.Set("code_challenge_method", s256)
	}
	page.RawQuery = query.Encode()
	return v, nil
}

// randomString returns 32 random bytes in base64url. A state and a code
// verifier may have these characters.
func randomString() redact.String {
	b := make([]byte, 32)
	_, _ = rand.Read(b) // never fails
	return redact.New(base64.RawURLEncoding.EncodeToString(b))
}

// Page returns the URL that the user's browser has to open. It must not get
// into a log or a command line: see [Landing.Link].
func (v *Visit) Page() redact.String { return redact.New(v.page.String()) }

// Site returns scheme and host of the page, which are not secret:
// "https://api.example.com".
func (v *Visit) Site() string { return v.page.Scheme + "://" + v.page.Host }

// Verifier returns the code verifier; zero: there is none.
func (v *Visit) Verifier() redact.String { return v.verifier }

// ErrStranger is the error of a response to another request.
var ErrStranger = errors.New("this is not the answer that was waited for: its state is another's, or missing")

// ErrNoCode is the error of a response with neither a code nor an error.
var ErrNoCode = errors.New("the provider sent the person back with neither a code nor an error")

// Refusal is an error response (RFC 6749 §4.1.2.1). Its texts are the
// provider's, without the characters that could control a terminal.
type Refusal struct {
	Code        string // "access_denied" where the user or the provider refused
	Description string // "": none was given
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

// Passing reports whether the same request may succeed a little later.
func (r *Refusal) Passing() bool {
	return r.Code == "temporarily_unavailable" || r.Code == "server_error"
}

// Code returns the authorization code in the query of a response. It reads
// nothing else of a response whose state is not that of this request. The
// errors are ErrStranger, a *Refusal and ErrNoCode. The parameter iss (RFC
// 9207) is not read: the issuer's identifier is not known here.
func (v *Visit) Code(query string) (redact.String, error) {
	q, err := url.ParseQuery(query)
	if err != nil || !v.state.Equal(redact.New(single(q, "state"))) {
		return redact.String{}, ErrStranger
	}
	if q.Has("error") {
		return redact.String{}, &Refusal{
			Code: printable(q.Get("error"), 40), Description: printable(q.Get("error_description"), 300),
		}
	}
	code := redact.New(single(q, "code"))
	if code.IsZero() {
		return code, ErrNoCode
	}
	return code, nil
}

// Pasted is Code for a URL that the user has copied from the browser, or its
// query.
func (v *Visit) Pasted(address string) (redact.String, error) {
	address, _, _ = strings.Cut(strings.TrimSpace(address), "#")
	if _, query, ok := strings.Cut(address, "?"); ok {
		address = query
	}
	return v.Code(address)
}

// single returns a parameter's value; "" unless it is there exactly once.
func single(q url.Values, name string) string {
	if len(q[name]) != 1 {
		return ""
	}
	return q.Get(name)
}

// printable returns a text of at most so many bytes, with a question mark for
// each character that RFC 6749 does not allow there.
func printable(text string, most int) string {
	clean := strings.Map(func(c rune) rune {
		if c < ' ' || c > '~' || c == '"' || c == '\\' {
			return '?'
		}
		return c
	}, strings.ToValidUTF8(text, "?"))
	return clean[:min(len(clean), most)]
}
