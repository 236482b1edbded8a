package consent_test

import (
	"crypto/sha256"
	"encoding/base64"
	"errors"
	"fmt"
	"net/url"
	"strings"
	"testing"

	"github.com/tokenvend/tokenvend/pkg/api"
	"github.com/tokenvend/tokenvend/pkg/consent"
)

const authorizePage = "https://auth.example.com/oauth/authorize?client_id=c&redirect_uri=http%3A%2F%2F127.0.0.1%3A1%2Fconnected&response_type=code&scope=a+b"

func begin(t *testing.T, pkce string) (*consent.Request, url.Values) {
	t.Helper()
	v, err := consent.New(api.Authorization{URL: authorizePage, PKCE: pkce})
	if err != nil {
		t.Fatal(err)
	}
	page, err := url.Parse(v.Page().Reveal())
	if err != nil {
		t.Fatal(err)
	}
	return v, page.Query()
}

func TestAPageHasStateAndChallenge(t *testing.T) {
	v, query := begin(t, "S256")
	sum := sha256.Sum256([]byte(v.Verifier().Reveal()))
	if len(v.Verifier().Reveal()) != 43 ||
		query.Get("code_challenge") != base64.RawURLEncoding.EncodeToString(sum[:]) ||
		query.Get("code_challenge_method") != "S256" {
		t.Errorf("the challenge: %v", query)
	}
	if len(query.Get("state")) != 43 || query.Get("scope") != "a b" || query.Get("client_id") != "c" ||
		v.Site() != "https://auth.example.com" {
		t.Errorf(`the page: %v, want len(query.Get("state")) = 43 and query.Get("scope") = "a b" and query.Get("client_id") = "c" and v.Site() = "https://auth.example.com"`, query)
	}
	if _, other := begin(t, "S256"); other.Get("state") == query.Get("state") ||
		other.Get("code_challenge") == query.Get("code_challenge") {
		t.Errorf(`two visits are alike, want other.Get("state") other than %v and other.Get("code_challenge") other than %v`, query.Get("state"), query.Get("code_challenge"))
	}
	if v, query := begin(t, ""); !v.Verifier().IsZero() || query.Has("code_challenge") ||
		query.Has("code_challenge_method") {
		t.Errorf(`a challenge that the provider does not take: %v, want v.Verifier().IsZero() and not query.Has("code_challenge") and not query.Has("code_challenge_method")`, query)
	}
	if said := fmt.Sprintf("%v %+v %#v", v, *v, v); strings.Contains(said, v.Verifier().Reveal()) {
		t.Errorf("a visit shows its verifier, want not strings.Contains(said, v.Verifier().Reveal())")
	}
}

func TestPagesThatNobodyIsSentTo(t *testing.T) {
	for _, page := range []string{"", "http://auth.example.com/", "javascript:alert(1)", "file:///etc/passwd",
		"https://user@auth.example.com/", "//auth.example.com/", "https:///x", "%"} {
		if _, err := consent.New(api.Authorization{URL: page}); err == nil {
			t.Errorf("%s was taken, want an error", page)
		}
	}
	if _, err := consent.New(api.Authorization{URL: authorizePage, PKCE: "S512"}); err == nil {
		t.Errorf("PKCE S512 was taken, want an error")
	}
	for _, page := range []string{"http://127.0.0.1:3001/providers/x/authorize", "http://localhost:1/",
		"http://[::1]:1/"} {
		if _, err := consent.New(api.Authorization{URL: page}); err != nil {
			t.Errorf("%s: %v", page, err)
		}
	}
}

func TestAnswers(t *testing.T) {
	v, query := begin(t, "S256")
	state := "state=" + query.Get("state")
	for answer, want := range map[string]error{
		state + "&code=c0de":                     nil,
		"code=c0de&iss=https%3A%2F%2Fx&" + state: nil,
		"code=c0de":                              consent.ErrStateMismatch,
		"":                                       consent.ErrStateMismatch,
		"code=c0de&state=":                       consent.ErrStateMismatch,
		"code=c0de&state=x" + query.Get("state"): consent.ErrStateMismatch,
		"code=c0de&" + state + "x":               consent.ErrStateMismatch,
		"code=c0de&" + strings.ToUpper(state):    consent.ErrStateMismatch,
		"code=c0de&" + state + "&" + state:       consent.ErrStateMismatch,
		"error=access_denied":                    consent.ErrStateMismatch,
		"error=access_denied&state=x":            consent.ErrStateMismatch,
		// a query that does not parse
		state + "&code=c0de;x":   consent.ErrStateMismatch,
		state:                    consent.ErrNoCode,
		state + "&code=":         consent.ErrNoCode,
		state + "&code=a&code=b": consent.ErrNoCode,
	} {
		response, err := v.Response(answer)
		code := response.Code
		if !errors.Is(err, want) || (code.Reveal() == "c0de") != (want == nil) || err != nil && !code.IsZero() {
			t.Errorf("%s: %v, want %v", answer, err, want)
		}
	}
}

func TestRefusals(t *testing.T) {
	v, query := begin(t, "S256")
	state := "&state=" + query.Get("state")
	const sentBack = "the provider sent the person back with "
	for answer, want := range map[string]string{
		"error=access_denied":                                             sentBack + "access_denied",
		"error=access_denied&code=c0de":                                   sentBack + "access_denied",
		"error=invalid_scope&error_description=no+such+scope":             sentBack + "invalid_scope: no such scope",
		"error=%1b%5b31mred%0a&error_description=a%0d%0ab%22%5c%c3%a9%ff": sentBack + "?[31mred?: a??b????",
		"error=": sentBack,
		"error=x&error_description=" + strings.Repeat("y", 5000): sentBack + "x: " +
			strings.Repeat("y", 300),
	} {
		_, err := v.Response(answer + state)
		if e, ok := errors.AsType[*consent.Refusal](err); !ok || e.Error() != want ||
			e.Denied() != strings.HasPrefix(answer, "error=access_denied") {
			t.Errorf("%.80s: %v", answer, err)
		}
	}
}

func TestPastedAddresses(t *testing.T) {
	v, query := begin(t, "S256")
	answer := "code=c0de&state=" + query.Get("state")
	for _, address := range []string{"https://app.example.com/callback?" + answer, " http://127.0.0.1/connected?" +
		answer + "#_=_\r", "?" + answer, answer, "https://app.example.com/callback?x=1&" + answer} {
		if response, err := v.Pasted(address); err != nil || response.Code.Reveal() != "c0de" {
			t.Errorf(`%s: v.Pasted(address) = %v, want no error and code.Reveal() = "c0de"`, address, err)
		}
	}
	for _, address := range []string{"", "c0de", "https://app.example.com/callback",
		"https://app.example.com/callback?code=c0de", "https://app.example.com/callback#" + answer,
		"code=c0de&state=x"} {
		if _, err := v.Pasted(address); !errors.Is(err, consent.ErrStateMismatch) {
			t.Errorf("%s: v.Pasted(address) = %v, want errors.Is(err, consent.ErrStateMismatch)", address, err)
		}
	}
}

// A plain code challenge is the verifier (RFC 7636 §4.2).
func TestPlainChallenge(t *testing.T) {
	v, query := begin(t, "plain")
	if got := query.Get("code_challenge"); got != v.Verifier().Reveal() || len(got) != 43 ||
		query.Get("code_challenge_method") != "plain" {
		t.Errorf("code_challenge = %s, code_challenge_method = %s, want the verifier and plain",
			got, query.Get("code_challenge_method"))
	}
}

// Of the response, the code by its name, and the parameters that are named.
func TestNamedParametersOfTheResponse(t *testing.T) {
	v, err := consent.New(api.Authorization{
		URL: authorizePage, CodeParameter: "auth_code", ResponseParameters: []string{"realmId", "none"},
	})
	if err != nil {
		t.Fatal(err)
	}
	page, err := url.Parse(v.Page().Reveal())
	if err != nil {
		t.Fatal(err)
	}
	state := "&state=" + page.Query().Get("state")
	response, err := v.Response("auth_code=c0de&realmId=4%2B6&other=x" + state)
	if got := response.Parameters.Reveal(); err != nil || response.Code.Reveal() != "c0de" || got != "realmId=4%2B6" {
		t.Errorf("Response(auth_code, realmId) = %s, %v, want realmId=4%%2B6", got, err)
	}
	for _, twin := range []string{"code=c0de&realmId=46", "auth_code=a&auth_code=b"} {
		if _, err := v.Response(twin + state); !errors.Is(err, consent.ErrNoCode) {
			t.Errorf("Response(%s) = %v, want %v", twin, err, consent.ErrNoCode)
		}
	}
	response, err = v.Response("auth_code=c0de&realmId=1&realmId=2" + state)
	if got := response.Parameters.Reveal(); err != nil || got != "" {
		t.Errorf("Response(realmId twice) = %q, %v, want no parameter", got, err)
	}
}
