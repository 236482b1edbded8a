package client_test

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/tokenvend/tokenvend/pkg/api"
	"github.com/tokenvend/tokenvend/pkg/client"
	"github.com/tokenvend/tokenvend/pkg/client/clienttest"
)

// A request carries the token as the provider's API expects it.
func TestUseIsObeyed(t *testing.T) {
	for name, c := range map[string]struct {
		use           api.Use
		target        string
		header, query string // what the API gets
	}{
		"the default": {api.Use{}, "/?a=b", "Authorization: Bearer token-1", "a=b"},
		"a header":    {api.Use{Header: "X-Shopify-Access-Token"}, "/", "X-Shopify-Access-Token: token-1", ""},
		"a prefix": {
			api.Use{Header: "Authorization", Prefix: "Zoho-oauthtoken "}, "/",
			"Authorization: Zoho-oauthtoken token-1", "",
		},
		"the query":        {api.Use{Query: "access_token"}, "/", "", "access_token=token-1"},
		"beside a query":   {api.Use{Query: "access_token"}, "/?b=1;2&a=%7E", "", "b=1;2&a=%7E&access_token=token-1"},
		"in place of none": {api.Use{Query: "key"}, "/?key=old&a=b", "", "a=b&key=token-1"},
	} {
		t.Run(name, func(t *testing.T) {
			var got *http.Request
			at := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) { got = r }))
			defer at.Close()
			answer := get(t, sourceOf(t, &clienttest.Server{Use: c.use}), nil, at.URL+c.target)
			field, value, _ := strings.Cut(c.header, ": ")
			if got.Header.Get(field) != value || got.URL.RawQuery != c.query {
				t.Errorf("GET = header %v, query %s; want %s, %s", got.Header, got.URL.RawQuery, c.header, c.query)
			}
			if all := fmt.Sprint(got.Header) + got.URL.RawQuery; strings.Count(all, "token-1") != 1 {
				t.Errorf("GET = %s, want the token once", all)
			}
			if asked := answer.Request; strings.Contains(asked.URL.String()+fmt.Sprint(asked.Header), "token-1") {
				t.Errorf("Get() names the request %s, want it without the token", asked.URL)
			}
		})
	}
}

func TestExtraValues(t *testing.T) {
	fake := &clienttest.Server{Extra: map[string]string{"instance_url": "https://secret-host.test"}}
	token, err := sourceOf(t, fake).Token(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if got := token.Extra("instance_url"); got != "https://secret-host.test" || token.Extra("other") != "" {
		t.Errorf("Extra(instance_url) = %q, want the value", got)
	}
	if text := fmt.Sprintf("%v %+v %#v", token, token, token); strings.Contains(text, "secret-host") {
		t.Errorf("Sprintf() = %s, want no extra value", text)
	}
	token.Extras()["instance_url"] = "changed"
	if got := token.Extra("instance_url"); got == "changed" {
		t.Errorf("Extra(instance_url) = %q, want what tokenvend vended", got)
	}
	if none := (client.Token{}); none.Extra("a") != "" || none.Extras() != nil {
		t.Errorf("Extras() = %v, want none", none.Extras())
	}
}
