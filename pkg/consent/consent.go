// Package consent is a person's side of the authorization code grant (RFC 6749 §4.1), for a program on the person's own machine (RFC 8252): where the person goes, and what the person comes back with. It needs no secret of the client's, and sees no token.
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

// Visit is one visit of a person to a provider's authorize page.
type Visit struct {
	page     *url.URL      // with state and code challenge: whoever knows it can bring an answer that is taken for this visit's
	state    redact.String // comes back with the answer
	verifier redact.String
}

// s256 is the only code challenge method that is worth its name (RFC 7636 §4.2).
const s256 = "S256"

// New begins a visit: it gives the authorize page's address a state, and a code challenge where the provider takes one.
func New(at api.Authorization) (*Visit, error) {
	page, err := url.Parse(at.URL)
	if err != nil || page.Host == "" || page.User != nil ||
		page.Scheme != "https" && !(page.Scheme == "http" && loopback.IsHost(page.Hostname())) {
		return nil, errors.New("the authorize page: expected an https URL, or an http one of a loopback address")
	}
	if at.PKCE != "" && at.PKCE != s256 {
		return nil, errors.New("the authorize page: it asks for a code challenge other than S256, which this program does not know")
	}
	v := &Visit{page: page, state: unguessable()}
	query := page.Query()
	query.Set("state", v.state.Reveal())
	if at.PKCE == s256 {
		v.verifier = unguessable()
		sum := sha256.Sum256([]byte(v.verifier.Reveal()))
		query.Set("code_challenge", base64.RawURLEncoding.EncodeToString(sum[:]))
		query.Set("code_challenge_method", s256)
	}
	page.RawQuery = query.Encode()
	return v, nil
}

// unguessable is 32 random bytes in base64url, which a state and a code verifier may be.
func unguessable() redact.String {
	b := make([]byte, 32)
	_, _ = rand.Read(b) // never fails
	return redact.New(base64.RawURLEncoding.EncodeToString(b))
}

// Page is the address that the person's browser has to open. It belongs in no log and in no command line: see [Landing.Link].
func (v *Visit) Page() redact.String { return redact.New(v.page.String()) }

// Site is where the page is, without anything that is secret: "https://api.example.com".
func (v *Visit) Site() string { return v.page.Scheme + "://" + v.page.Host }

// Verifier is what the code challenge was made of; zero: there is none.
func (v *Visit) Verifier() redact.String { return v.verifier }

// ErrStranger is the error of an answer that is not this visit's.
var ErrStranger = errors.New("this is not the answer that was waited for: its state is another's, or missing")

// ErrNoCode is the error of an answer that says neither yes nor no.
var ErrNoCode = errors.New("the provider sent the person back with neither a code nor an error")

// Refusal is the error of an answer that says no (RFC 6749 §4.1.2.1). Its texts are the provider's own, made harmless for terminals.
type Refusal struct {
	Code        string // "access_denied" where the person, or the provider, did not want to
	Description string // "": none was given
}

// Error is the provider's code and description.
func (r *Refusal) Error() string {
	text := "the provider sent the person back with " + r.Code
	if r.Description != "" {
		text += ": " + r.Description
	}
	return text
}

// Denied says whether it was the person who refused, as far as that can be known.
func (r *Refusal) Denied() bool { return r.Code == "access_denied" }

// Passing says whether the same visit may go better a little later.
func (r *Refusal) Passing() bool {
	return r.Code == "temporarily_unavailable" || r.Code == "server_error"
}

// Code reads the query of the address that the person came back to. Nothing in it is looked at before its state has proven that it answers this visit.
// The errors are ErrStranger, a *Refusal and ErrNoCode. A parameter iss (RFC 9207) is not looked at: nothing is known here that it could be held against.
func (v *Visit) Code(query string) (redact.String, error) {
	q, err := url.ParseQuery(query)
	if err != nil || !v.state.Equal(redact.New(only(q, "state"))) {
		return redact.String{}, ErrStranger
	}
	if q.Has("error") {
		return redact.String{}, &Refusal{Code: harmless(q.Get("error"), 40), Description: harmless(q.Get("error_description"), 300)}
	}
	code := redact.New(only(q, "code"))
	if code.IsZero() {
		return code, ErrNoCode
	}
	return code, nil
}

// Pasted reads the address that the person's browser has ended at, or its query.
func (v *Visit) Pasted(address string) (redact.String, error) {
	address, _, _ = strings.Cut(strings.TrimSpace(address), "#")
	if _, query, ok := strings.Cut(address, "?"); ok {
		address = query
	}
	return v.Code(address)
}

// only is a parameter's value; "" unless it stands there once.
func only(q url.Values, name string) string {
	if len(q[name]) != 1 {
		return ""
	}
	return q.Get(name)
}

// harmless is a text with nothing in it but what RFC 6749 allows there, and no longer than most.
func harmless(text string, most int) string {
	clean := strings.Map(func(c rune) rune {
		if c < ' ' || c > '~' || c == '"' || c == '\\' {
			return '?'
		}
		return c
	}, strings.ToValidUTF8(text, "?"))
	return clean[:min(len(clean), most)]
}
