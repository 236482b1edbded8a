package credential_test

import (
	"strings"
	"testing"

	"github.com/tokenvend/tokenvend/pkg/credential"
	"github.com/tokenvend/tokenvend/pkg/token"
)

func TestDestinationAndRequestDigests(t *testing.T) {
	base := at(object{
		"token":   object{"url": "https://id.example/token"},
		"refresh": object{}, "revoke": object{"url": "/revoke"}, "verify": object{"url": "/me"},
		"authorize": object{"url": "/authorize"},
	}).with(object{"scope": "read"})
	with := func(name string, value object) object {
		d := object(base["descriptor"].(object))
		return base.with(object{"descriptor": d.with(object{name: value})})
	}
	digests := func(secret object) (destination, request string) {
		c := mustParse(t, secret)
		return c.Destination().Digest(), c.RequestDigest(token.Variant{})
	}
	destination, request := digests(base)
	for name, c := range map[string]struct {
		secret               object
		destination, request bool // they change
	}{
		"nothing":               {base, false, false},
		"client_secret":         {base.with(object{"client_secret": "another"}), false, false},
		"allow":                 {base.with(object{"allow": object{"accounts": []string{"*"}}}), false, false},
		"a URL written out":     {with("revoke", object{"url": "https://id.example/revoke"}), false, false},
		"a pointer written out": {with("response", object{"access_token": "/access_token"}), false, false},
		"client_id":             {base.with(object{"client_id": "id2"}), true, false},
		"token_url":             {base.with(object{"token_url": "https://other.example/token"}), true, false},
		"token.auth": {with("token", object{"url": "https://id.example/token", "auth": "post"}), true,
			false},
		"refresh.url":            {with("refresh", object{"url": "https://other.example/token"}), true, false},
		"refresh.auth":           {with("refresh", object{"auth": "post"}), true, false},
		"revoke.url":             {with("revoke", object{"url": "https://other.example/revoke"}), true, false},
		"verify.url":             {with("verify", object{"url": "https://other.example/me"}), true, false},
		"authorize.url":          {with("authorize", object{"url": "https://other.example/authorize"}), true, false},
		"response.access_token":  {with("response", object{"access_token": "/token"}), true, false},
		"response.refresh_token": {with("response", object{"refresh_token": "/token"}), true, false},
		"response.format":        {with("response", object{"format": "text"}), true, false},
		"response.success": {with("response",
			object{"success": object{"at": "/code", "values": []string{"0"}}}), true, false},
		"response.extra":       {with("response", object{"extra": object{"a": "/a"}}), false, true},
		"use":                  {with("use", object{"header": "X-Token"}), false, false},
		"scope":                {base.with(object{"scope": "write"}), false, true},
		"audience":             {base.with(object{"audience": "https://api.example"}), false, true},
		"params of the secret": {base.with(object{"params": object{"tenant": "7"}}), false, true},
		"params of the descriptor": {with("token",
			object{"url": "https://id.example/token", "params": object{"tenant": "7"}}), false, true},
		"headers of the descriptor": {with("token",
			object{"url": "https://id.example/token", "headers": object{"X-Tenant": "7"}}), false, true},
		"params of the refresh": {with("refresh", object{"params": object{"tenant": "7"}}), false, true},
	} {
		t.Run(name, func(t *testing.T) {
			d, r := digests(c.secret)
			if (d != destination) != c.destination || (r != request) != c.request {
				t.Errorf(
					"destination changed %t, request changed %t; want %t and %t",
					d != destination,
					r != request,
					c.destination,
					c.request,
				)
			}
		})
	}
}

func TestChangesNameWhatDiffers(t *testing.T) {
	before := credential.Destination{{Name: "client_id", Value: "id"}, {Name: "token_url", Value: "https://a.example"}}
	now := credential.Destination{
		{Name: "client_id", Value: "id"},
		{Name: "token_url", Value: "https://b.example"},
		{Name: "descriptor.verify.url", Value: "https://b.example/me"},
	}
	var got []string
	for _, c := range now.Changes(before) {
		got = append(got, c.Name+": "+c.Old+" -> "+c.New)
	}
	const want = "descriptor.verify.url:  -> https://b.example/me, token_url: https://a.example -> https://b.example"
	if strings.Join(got, ", ") != want {
		t.Errorf("Changes = %s, want %s", strings.Join(got, ", "), want)
	}
}

// This program sends nothing to the page where a user consents: a variable of
// its URL alone changes no destination.
func TestVariablesOfTheAuthorizePageAreNoDestination(t *testing.T) {
	c := mustParse(t, object{"client_id": "a", "client_secret": canary, "provider": "amazon-sp-api",
		"grant": "refresh_token", "refresh_token": canary})
	for _, part := range c.Destination() {
		if strings.HasPrefix(part.Name, "variables.") {
			t.Errorf("Destination() has %s, want none but those of URLs that are called", part.Name)
		}
	}
}
