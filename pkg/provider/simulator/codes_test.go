package simulator

import (
	"crypto/sha256"
	"encoding/base64"
	"errors"
	"net/url"
	"strings"
	"testing"
	"testing/synctest"
	"time"
)

// withUsers are the providers that have users.
var withUsers = []string{"movemint", "trackmania"}

func TestCode(t *testing.T) {
	for _, name := range withUsers {
		s := New(Options{})
		h := roundTrip(s, exchanging(name, grantedCode(t, s, name, "read"), verifier))
		if h.status != 200 || !s.Accepts(name, tokenIn(h)) {
			t.Fatalf("%s: %d %v, want status 200 and s.Accepts(name, tokenIn(h))", name, h.status, h.fields)
		}
		if _, r := redeem(s, name, h.text("refresh_token")); r == "" {
			t.Errorf(`%s: the refresh token does not work, want r other than ""`, name)
		}
		st := s.Stats()
		if n := st.Providers[name]; n.CodeRequests != 1 || n.TokenRequests != 0 || n.RefreshRequests != 1 ||
			n.OtherRequests != 0 ||
			n.Issued != 2 {
			t.Errorf("%s: %+v, want n.CodeRequests = 1 and n.TokenRequests = 0 and n.RefreshRequests = 1 and n.OtherRequests = 0 and n.Issued = 2", name, n)
		}
		if e := st.Log[0]; e.Kind != "code" || e.Grant != "authorization_code" || e.Outcome != "issued" {
			t.Errorf(`%s: %+v, want e.Kind = "code" and e.Grant = "authorization_code" and e.Outcome = "issued"`,
				name, e)
		}
	}
}

func TestCodeIsRefused(t *testing.T) {
	other := Client{ID: "other", Secret: "x"}
	tests := []struct {
		name       string
		challenge  string
		change     func(body string) string
		doorkeeper string
		league     string
	}{
		{
			"unknown",
			challenge,
			func(b string) string { return strings.Replace(b, "&code=", "&code=x", 1) },
			"invalid_grant",
			"invalid_request",
		},
		{"of another client", challenge, func(b string) string {
			q, _ := url.ParseQuery(b)
			q.Set("client_id", other.ID)
			q.Set("client_secret", other.Secret)
			return q.Encode()
		}, "invalid_grant", "invalid_request"},
		{
			"another redirect_uri",
			challenge,
			func(b string) string { return strings.Replace(b, "54321", "54322", 1) },
			"invalid_grant",
			"invalid_request",
		},
		{
			"no redirect_uri",
			challenge,
			func(b string) string { return strings.Replace(b, "&redirect_uri="+escaped(callback), "", 1) },
			"invalid_request",
			"invalid_request",
		},
		{
			"no code",
			challenge,
			func(b string) string { return strings.Replace(b, "&code=", "&scope=", 1) },
			"invalid_request",
			"invalid_request",
		},
		{
			"no verifier",
			challenge,
			func(b string) string { return strings.Replace(b, "&code_verifier="+verifier, "", 1) },
			"invalid_request",
			"invalid_request",
		},
		{
			"wrong verifier",
			challenge,
			func(b string) string { return strings.Replace(b, verifier, verifier[1:]+"A", 1) },
			"invalid_grant",
			"invalid_grant",
		},
		{
			"the challenge for a verifier",
			challenge,
			func(b string) string { return strings.Replace(b, verifier, challenge, 1) },
			"invalid_grant",
			"invalid_grant",
		},
		{
			"a verifier where no challenge was",
			"",
			func(b string) string { return b },
			"invalid_grant",
			"invalid_request",
		},
		{
			"twice the same",
			challenge,
			func(b string) string { return b + "&redirect_uri=" + escaped(callback) },
			"invalid_request",
			"invalid_request",
		},
		{
			"a scope",
			challenge,
			func(b string) string { return b + "&scope=read" },
			"invalid_request",
			"invalid_request",
		},
		{
			"wrong secret",
			challenge,
			func(b string) string { return strings.Replace(b, "demo-secret", "old-secret", 1) },
			"invalid_client",
			"invalid_client",
		},
	}
	for _, tt := range tests {
		for _, name := range withUsers {
			s := New(Options{})
			s.SetClient(name, other)
			code, err := s.IssueCode(name, "demo-"+name, "alice", "", callback, tt.challenge)
			if err != nil {
				t.Fatal(err)
			}
			want := map[string]string{"movemint": tt.doorkeeper, "trackmania": tt.league}[name]
			a := exchanging(name, code, verifier)
			a.body = tt.change(a.body)
			if h := roundTrip(s, a); h.status/100 != 4 || h.fields["error"] != want ||
				h.text("error_description") == "" {
				t.Errorf("%s, %s: %d %v, not %s", name, tt.name, h.status, h.fields, want)
			}
			if n := s.Stats().Providers[name]; n.Issued != 0 {
				t.Errorf("%s, %s: issued, want n.Issued = 0", name, tt.name)
			}
			right := exchanging(name, code, map[string]string{challenge: verifier}[tt.challenge])
			if h := roundTrip(s, right); h.status != 200 {
				t.Errorf("%s, %s: the refusal has spent the code: %d %v, want status 200", name, tt.name, h.status,
					h.fields)
			}
		}
	}
}

func TestVerifierMustBeOfItsForm(t *testing.T) {
	for _, name := range withUsers {
		for _, verifier := range []string{verifier[:42], strings.Repeat("a", 129), verifier + "+"} {
			s := New(Options{})
			sum := sha256.Sum256([]byte(verifier))
			code, err := s.IssueCode(
				name,
				"demo-"+name,
				"alice",
				"",
				callback,
				base64.RawURLEncoding.EncodeToString(sum[:]),
			)
			if err != nil {
				t.Fatal(err)
			}
			a := exchanging(name, code, "")
			a.body += "&code_verifier=" + escaped(verifier)
			if h := roundTrip(s, a); h.status != 400 || h.fields["error"] != "invalid_grant" {
				t.Errorf(`%s, %d characters: %d %v, want status 400 and error = "invalid_grant"`, name, len(verifier),
					h.status, h.fields)
			}
		}
	}
}

func TestCodeTwice(t *testing.T) {
	for _, name := range withUsers {
		s := New(Options{})
		bystander, _ := connected(t, s, name)
		code := grantedCode(t, s, name, "")
		h := roundTrip(s, exchanging(name, code, verifier))
		if no := roundTrip(s, exchanging(name, code, strings.Repeat("x", 43))); no.status != 400 ||
			!s.Accepts(name, tokenIn(h)) {
			t.Errorf("%s: one who can't prove that the code is his has killed its token: %d, want status 400 and s.Accepts(name, tokenIn(h))", name, no.status)
		}
		a2, r2 := redeem(s, name, h.text("refresh_token"))
		if again := roundTrip(s, exchanging(name, code, verifier)); again.status != 400 ||
			again.fields["error"] != "invalid_grant" {
			t.Errorf(`%s: roundTrip(s, exchanging(name, code, verifier)) = %d %v, want status 400 and error = "invalid_grant"`, name, again.status, again.fields)
		}
		if _, r := redeem(s, name, r2); r != "" || s.Accepts(name, tokenIn(h)) || s.Accepts(name, a2) {
			t.Errorf(`%s: what the first use issued lives, want r = "" and not s.Accepts(name, tokenIn(h)) and not s.Accepts(name, a2)`, name)
		}
		if !s.Accepts(name, bystander) {
			t.Errorf("%s: another grant died, want s.Accepts(name, bystander)", name)
		}
	}
}

func TestCodeEnds(t *testing.T) {
	for _, name := range withUsers {
		synctest.Test(t, func(t *testing.T) {
			s := New(Options{})
			in, late := grantedCode(t, s, name, ""), grantedCode(t, s, name, "")
			time.Sleep(10*time.Minute - time.Second)
			if h := roundTrip(s, exchanging(name, in, verifier)); h.status != 200 {
				t.Errorf("%s: ended early: %d %v, want status 200", name, h.status, h.fields)
			}
			time.Sleep(time.Second)
			if h := roundTrip(s, exchanging(name, late, verifier)); h.status != 400 ||
				h.fields["error"] != "invalid_grant" {
				t.Errorf(`%s: roundTrip(s, exchanging(name, late, verifier)) = %d %v, want status 400 and error = "invalid_grant"`, name, h.status, h.fields)
			}
		})
	}
}

func TestOverlapRevokesIsOnePersons(t *testing.T) {
	for _, name := range withUsers {
		s := New(Options{})
		set(t, s, name, Fault{Overlap: OverlapRevokes})
		bob, err := s.IssueCode(name, "demo-"+name, "bob", "", callback, "")
		if err != nil {
			t.Fatal(err)
		}
		his := tokenIn(roundTrip(s, exchanging(name, bob, "")))
		first, _ := connected(t, s, name)
		second, _ := connected(t, s, name)
		if s.Accepts(name, first) || !s.Accepts(name, second) || !s.Accepts(name, his) {
			t.Errorf("%s: her first %v, her second %v, his %v, want not s.Accepts(name, first) and s.Accepts(name, second) and s.Accepts(name, his)", name, s.Accepts(name, first), s.Accepts(name, second), s.Accepts(name, his))
		}
	}
}

func TestFaultOnlyCode(t *testing.T) {
	s := New(Options{})
	set(t, s, "movemint", Fault{Drop: true, Late: true, Only: "code"})
	code := grantedCode(t, s, "movemint", "")
	if h := roundTrip(s, exchange("movemint")); h.status != 200 {
		t.Errorf("a token request: %d %v, want status 200", h.status, h.err)
	}
	if h := roundTrip(s, exchanging("movemint", code, verifier)); h.err == nil {
		t.Errorf("answered: %d, want an error", h.status)
	}
	if n := s.Stats().Providers["movemint"]; n.Issued != 2 || n.Faulted != 1 {
		t.Errorf("%+v, want n.Issued = 2 and n.Faulted = 1", n)
	}
}

func TestGrantThatNobodyCouldGive(t *testing.T) {
	s := New(Options{Clients: map[string][]Client{"movemint": {{ID: "demo-movemint", Scopes: []string{"read"}}}}})
	tests := []struct{ name, client, person, scope, redirect, challenge string }{
		{"minut", "demo-minut", "alice", "", callback, challenge},
		{"movemint", "nobody", "alice", "", callback, challenge},
		{"movemint", "demo-movemint", "", "", callback, challenge},
		{"movemint", "demo-movemint", "alice", "read write", callback, challenge},
		{"movemint", "demo-movemint", "alice", "", "https://elsewhere.example/", challenge},
		{"movemint", "demo-movemint", "alice", "", callback, verifier + "="},
	}
	for _, tt := range tests {
		if code, err := s.IssueCode(tt.name, tt.client, tt.person, tt.scope, tt.redirect, tt.challenge); err == nil ||
			code != "" {
			t.Errorf(`%+v: granted, want an error and code = ""`, tt)
		}
	}
	if _, err := s.IssueCode("nobody", "", "alice", "", callback, ""); !errors.Is(err, ErrUnknownProvider) {
		t.Errorf("s.IssueCode() = %v, want errors.Is(err, ErrUnknownProvider)", err)
	}
}
