package credential_test

import (
	"encoding/json"
	"reflect"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/tokenvend/tokenvend/pkg/access"
	"github.com/tokenvend/tokenvend/pkg/credential"
	"github.com/tokenvend/tokenvend/pkg/credential/secret"
	"github.com/tokenvend/tokenvend/pkg/descriptor"
	"github.com/tokenvend/tokenvend/pkg/quota"
	"github.com/tokenvend/tokenvend/pkg/token"
)

func TestKeysKnowTheDefaults(t *testing.T) {
	terms := mustParse(t, plain.with(object{"scope": "write read", "audience": "https://api.example"})).Terms
	for _, c := range []struct{ account, audience, scope, key string }{
		{"", "", "", "minut/-"},
		{"", "https://api.example", "", "minut/-"},
		{"", "", "read write read", "minut/-"},
		{"", "https://api.example", "write read", "minut/-"},
		{"", "", "read", "minut/scope=read"},
		{"", "", "read write admin", "minut/scope=admin%20read%20write"},
		{"", "https://b.example", "read write", "minut/audience=https%3A%2F%2Fb.example"},
		{"ann", "https://api.example", "", "minut/account=ann"},
	} {
		if got := terms.Key(c.account, c.audience, c.scope).String(); got != c.key {
			t.Errorf("%q %q %q: %s, want %s", c.account, c.audience, c.scope, got, c.key)
		}
	}
}

func TestWhatAKeyAsksFor(t *testing.T) {
	words := rapid.SampledFrom([]string{"", "a", "b", "a b", "b a", "c"})
	rapid.Check(t, func(t *rapid.T) {
		terms := credential.Terms{
			Name: "minut", Scope: words.Draw(t, "default scope"), Audience: words.Draw(t, "default audience"),
		}
		scope, audience := words.Draw(t, "scope"), words.Draw(t, "audience")
		gotScope, gotAudience := terms.ScopeAndAudience(terms.Key("", audience, scope).Variant)
		if scope == "" {
			scope = terms.Scope
		}
		if audience == "" {
			audience = terms.Audience
		}
		if want := token.NewVariant("", "", scope).Scope; gotScope != want || gotAudience != audience {
			t.Fatalf("asks for %q and %q, want %q and %q", gotScope, gotAudience, want, audience)
		}
	})
}

func TestLegacyDigestChangesWithWhatATokenIsFor(t *testing.T) {
	base := plain.with(object{"scope": "read", "audience": "https://api.example"})
	made := func(secret object) string {
		c := mustParse(t, secret)
		return c.LegacyDigest(c.Terms.Key("", "", "").Variant)
	}
	was := made(base)
	if len(was) != 32 || strings.Contains(was, "read") {
		t.Errorf(`digest %q, want len(was) = 32 and not "read" in was`, was)
	}
	for name, changed := range map[string]object{
		"provider": {"descriptor": nil, "provider": "minut"},
		"inline descriptor": {
			"descriptor": object{"token": object{"url": "https://id.example/token", "auth": "post"}},
		},
		"the descriptor's URL":  {"descriptor": object{"token": object{"url": "https://id2.example/token"}}},
		"its own URL":           {"token_url": "https://eu.example/token"},
		"client id":             {"client_id": "id2"},
		"scope":                 {"scope": "read write"},
		"audience":              {"audience": "https://b.example"},
		"no scope":              {"scope": nil},
		"scope taken for":       {"scope": "https://api.example", "audience": "read"},
		"letters between parts": {"client_id": "idr", "scope": "ead"},
	} {
		if made(base.with(changed)) == was {
			t.Errorf("%s changed, and the digest did not, want made(base.with(changed)) other than %v", name, was)
		}
	}
	for name, changed := range map[string]object{
		"nothing":         {},
		"secret":          {"client_secret": "another"},
		"the same URL":    {"token_url": "https://id.example/token"},
		"order of scopes": {"scope": "read read"},
		"allow":           {"allow": object{"scopes": []string{"write"}, "aliases": []string{"billing"}}},
		"keep_warm":       {"keep_warm": true},
		"times":           {"lifetime": "2h", "idle_after": "2h"},
		"params":          {"params": object{"tenant": "7"}},
		"the rest of it": {
			"descriptor": object{
				"token":  object{"url": "https://id.example/token"},
				"docs":   "https://id.example/docs",
				"verify": object{"url": "https://id.example/me"},
			},
		},
		"the default grant": {"grant": "client_credentials"},
	} {
		if made(base.with(changed)) != was {
			t.Errorf("%s changed, and so did the digest, want made(base.with(changed)) = %v", name, was)
		}
	}
}

func TestLegacyDigestOfVariants(t *testing.T) {
	c := mustParse(t, plain.with(object{"scope": "read"}))
	other, _ := secret.Parse("another", "v9", plain.with(object{"scope": "read"}).json(t))
	v := token.NewVariant
	if c.LegacyDigest(v("", "", "")) != c.LegacyDigest(v("", "", "read")) {
		t.Errorf(`the default by its name is the default, want c.LegacyDigest(v("", "", "")) = %v`,
			c.LegacyDigest(v("", "", "read")))
	}
	if c.LegacyDigest(v("", "", "")) == c.LegacyDigest(v("", "", "write")) ||
		c.LegacyDigest(v("", "", "")) == c.LegacyDigest(v("", "x", "")) {
		t.Errorf(`variants are alike, want c.LegacyDigest(v("", "", "")) other than %v and c.LegacyDigest(v("", "", "")) other than %v`, c.LegacyDigest(v("", "", "write")), c.LegacyDigest(v("", "x", "")))
	}
	if c.LegacyDigest(v("", "", "")) != other.LegacyDigest(v("", "", "")) {
		t.Errorf(`name and version are no part of it, want c.LegacyDigest(v("", "", "")) = %v`,
			other.LegacyDigest(v("", "", "")))
	}
	if made := (credential.Terms{Provider: "no-such"}).LegacyDigest(v("", "", "")); made != "" {
		t.Errorf(`%q of a provider that nobody knows, want made = ""`, made)
	}
}

func TestTermsComeBack(t *testing.T) {
	want := mustParse(t, at(object{
		"token":   object{"url": "https://id.example/token", "params": object{"a": "b"}},
		"refresh": object{"rotates": "yes"}, "renew": object{"earliest": "1h"},
	}).with(object{
		"scope": "read", "audience": "https://api.example", "grant": "client_credentials", "lifetime": "90m",
		"keep_warm": true,
		"allow":     object{"principals": []string{"*"}, "accounts": []string{"*"}},
	})).Terms
	row, err := json.Marshal(want)
	if err != nil || strings.Contains(string(row), canary) {
		t.Fatalf("%s, %v, want no error and not strings.Contains(string(row), canary)", row, err)
	}
	var got credential.Terms
	if err := json.Unmarshal(row, &got); err != nil || !reflect.DeepEqual(got, want) {
		t.Errorf("%v\n%+v\n%+v", err, got, want)
	}
}

// golden is a record as the first release wrote it, with a field that a later
// one may add.
const golden = `{"name":"monta-eu","version":"v1","provider":"monta","client_id":"id","token_url":"https://eu.example/token","scope":"a b","audience":"x","grant":"refresh_token",
	"lifetime":"1h30m0s","keep_warm":true,"idle_after":"24h0m0s","allow":{"principals":["*"],"aliases":["billing"],"later":1},"later":{"x":1},
	"descriptor":{"token":{"url":"https://id.example/token","later":true},"renew":{"earliest":"1h"},"later":[]}}`

func TestFault57_TermsOfAnotherVersion(t *testing.T) {
	var got credential.Terms
	if err := json.Unmarshal([]byte(golden), &got); err != nil {
		t.Fatal(err)
	}
	own := &descriptor.Descriptor{
		Token: descriptor.TokenEndpoint{Request: descriptor.Request{URL: "https://id.example/token"}},
		Renew: descriptor.Renew{Earliest: descriptor.Duration(time.Hour)},
	}
	want := credential.Terms{
		Name: "monta-eu", Version: "v1", Provider: "monta", Descriptor: own, ClientID: "id",
		TokenURL: "https://eu.example/token", Scope: "a b", Audience: "x",
		Grant: descriptor.RefreshToken, Lifetime: credential.Duration(90 * time.Minute), KeepWarm: true,
		IdleAfter: credential.Duration(24 * time.Hour),
		Allow:     access.Rule{Principals: []string{"*"}, Aliases: []string{"billing"}},
	}
	if !reflect.DeepEqual(got, want) {
		t.Errorf("got\n%+v, want\n%+v", got, want)
	}
	for _, broken := range []string{"", "[]", `{"lifetime":7}`, `{"name":`, `{"descriptor":7}`} {
		if err := json.Unmarshal([]byte(broken), new(credential.Terms)); err == nil {
			t.Errorf("%q was read, want an error", broken)
		}
	}
}

func TestQuotaOfSecretReplacesThatOfDescriptor(t *testing.T) {
	hourly := &quota.Quota{Requests: 5, Per: quota.PerHour}
	daily := &quota.Quota{Requests: 1, Per: quota.PerDay}
	signs := []descriptor.Grant{descriptor.SelfSigned, descriptor.ClientCredentials}
	for name, c := range map[string]struct {
		terms credential.Terms
		want  *quota.Quota
	}{
		"none":            {credential.Terms{Descriptor: &descriptor.Descriptor{}}, nil},
		"of the secret":   {credential.Terms{Descriptor: &descriptor.Descriptor{Quota: daily}, Quota: hourly}, hourly},
		"of the provider": {credential.Terms{Descriptor: &descriptor.Descriptor{Quota: daily}}, daily},
		"no request is sent": {credential.Terms{
			Descriptor: &descriptor.Descriptor{Grants: signs, Quota: daily}, Grant: descriptor.SelfSigned,
		}, nil},
		"unknown provider": {credential.Terms{Provider: "later"}, nil},
	} {
		t.Run(name, func(t *testing.T) {
			if got := c.terms.StatedQuota(); got != c.want {
				t.Errorf("StatedQuota() = %v, want %v", got, c.want)
			}
		})
	}
}
