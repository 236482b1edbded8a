package oauth2source_test

import (
	"errors"
	"net/http"
	"net/http/httptest"
	"testing"
	"testing/synctest"
	"time"

	"golang.org/x/oauth2"

	"github.com/tokenvend/tokenvend/pkg/api"
	"github.com/tokenvend/tokenvend/pkg/client"
	"github.com/tokenvend/tokenvend/pkg/client/clienttest"
	"github.com/tokenvend/tokenvend/pkg/client/oauth2source"
)

func TestHTTPClient(t *testing.T) {
	var sent string
	s := httptest.NewServer(
		http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) { sent = r.Header.Get("Authorization") }),
	)
	defer s.Close()
	c := client.New(&clienttest.Server{})
	defer func() { _ = c.Close() }()
	answer, err := oauth2.NewClient(t.Context(), oauth2source.New(t.Context(), c.Source("minut"))).Get(s.URL)
	if err != nil {
		t.Fatal(err)
	}
	_ = answer.Body.Close()
	if sent != "Bearer token-1" {
		t.Errorf("the API was sent %q, want the token", sent)
	}
}

func TestExtraAndScheme(t *testing.T) {
	fake := &clienttest.Server{
		Extra: map[string]string{"instance_url": "https://x.test"},
		Use:   api.Use{Header: "Authorization", Prefix: "Zoho-oauthtoken "},
	}
	c := client.New(fake)
	defer func() { _ = c.Close() }()
	token, err := oauth2source.New(t.Context(), c.Source("zoho")).Token()
	if err != nil {
		t.Fatal(err)
	}
	r := httptest.NewRequest(http.MethodGet, "/", nil)
	token.SetAuthHeader(r)
	if got := r.Header.Get("Authorization"); got != "Zoho-oauthtoken token-1" ||
		token.Extra("instance_url") != "https://x.test" || token.Extra("other") != nil {
		t.Errorf("Token() = header %q, extra %v; want Zoho-oauthtoken and the URL", got, token.Extra("instance_url"))
	}
}

// What package oauth2 keeps by itself is kept no longer than tokenvend allows,
// and used in an outage for as long as the token is good.
func TestReuseTokenSource(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		fake := &clienttest.Server{Lifetime: time.Hour, Early: 12 * time.Minute}
		c := client.New(fake)
		defer func() { _ = c.Close() }()
		source := oauth2.ReuseTokenSource(nil, oauth2source.New(t.Context(), c.Source("minut")))
		start, changed := time.Now(), time.Duration(0)
		for time.Since(start) < time.Hour {
			token, err := source.Token()
			if err != nil || !token.Valid() {
				t.Fatalf("Token() at %v = expiry %v, %v; want a valid token", time.Since(start), token.Expiry, err)
			}
			if changed == 0 && token.AccessToken != "token-1" {
				changed = time.Since(start)
			}
			time.Sleep(time.Second)
		}
		if changed < 47*time.Minute || changed > 48*time.Minute+10*time.Second {
			t.Errorf("the second token was used after %v, want soon after cache_until at 48m", changed)
		}
		fake.Fail(errors.New("no connection"))
		time.Sleep(48*time.Minute - 12*time.Minute)
		if token, err := source.Token(); err != nil || token.AccessToken != "token-2" {
			t.Errorf("Token() in an outage = %v, want the one at hand", err)
		}
	})
}
