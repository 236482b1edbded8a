package credential_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"maps"
	"slices"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/tokenvend/tokenvend/pkg/access"
	"github.com/tokenvend/tokenvend/pkg/credential"
	"github.com/tokenvend/tokenvend/pkg/credential/secret"
	"github.com/tokenvend/tokenvend/pkg/descriptor"
	"github.com/tokenvend/tokenvend/pkg/quota"
)

const canary = "canary-91d0c4"

// object is a JSON object for a test.
type object map[string]any

// with returns o with other fields; nil removes a field.
func (o object) with(fields object) object {
	all := maps.Clone(o)
	maps.Copy(all, fields)
	maps.DeleteFunc(all, func(_ string, v any) bool { return v == nil })
	return all
}

func (o object) json(t testing.TB) []byte {
	t.Helper()
	data, err := json.Marshal(o)
	if err != nil {
		t.Fatal(err)
	}
	return data
}

// at returns a secret with this inline descriptor.
func at(descriptor object) object {
	return object{"descriptor": descriptor, "client_id": "id", "client_secret": canary}
}

func with(token object) object {
	return at(object{"token": object{"url": "https://id.example/token"}.with(token)})
}

var plain = with(nil)

func parse(t testing.TB, given object) (credential.Credential, error) {
	t.Helper()
	return secret.Parse("minut", "v1", given.json(t))
}

func mustParse(t testing.TB, secret object) credential.Credential {
	t.Helper()
	c, err := parse(t, secret)
	if err != nil {
		t.Fatal(err)
	}
	return c
}

// fields returns the names of the wrong fields in an error.
func fields(t testing.TB, err error) []string {
	t.Helper()
	malformed, ok := errors.AsType[*credential.Malformed](err)
	if !ok {
		t.Fatalf("%v, want a Malformed", err)
	}
	if strings.Contains(fmt.Sprintf("%v %+v %#v", err, err, err), canary) {
		t.Errorf(`the error shows a value: %v, want not strings.Contains(fmt.Sprintf("%%v %%+v %%#v", err, err, err), canary)`, err)
	}
	var names []string
	for _, f := range malformed.Fields {
		if f.Expected == "" || !strings.Contains(err.Error(), f.Field+": "+f.Expected) {
			t.Errorf(`%s: not said in %q, want f.Expected other than "" and strings.Contains(err.Error(), f.Field+": "+f.Expected)`, f.Field, err)
		}
		names = append(names, f.Field)
	}
	return names
}

func TestParseAll(t *testing.T) {
	c := mustParse(t, at(object{
		"token":   object{"url": "https://id.example/token"},
		"refresh": object{"rotates": "yes"},
	}).with(object{
		"scope": "write  read write", "audience": "https://api.example", "params": object{"tenant": "7"},
		"token_url":     "https://eu.example/token?x=1",
		"refresh_token": canary, "grant": "refresh_token", "lifetime": "90m", "keep_warm": true, "idle_after": "2h30m",
		"max_variants": 7, "quota": object{"requests": 1000, "per": "day"},
		"allow": object{
			"principals": []string{"arn:aws:iam::1:role/billing-*"},
			"aliases":    []string{"billing"},
			"scopes":     []string{"admin"},
			"audiences":  []string{"https://b.example"},
			"accounts":   []string{"*@example.com"},
		},
	}))
	if c.Name != "minut" || c.Version != "v1" || c.ID != "id" || c.ClientID != "id" || c.Secret.Reveal() != canary ||
		c.Refresh.Reveal() != canary {
		t.Errorf(`identity: %+v, want c.Name = "minut" and c.Version = "v1" and c.ID = "id" and c.ClientID = "id" and c.Secret.Reveal() = %v and c.Refresh.Reveal() = %v`, c, canary, canary)
	}
	if c.Scope != "read write" || c.Audience != "https://api.example" || c.Grant != descriptor.RefreshToken ||
		c.Client.Params["tenant"] != "7" {
		t.Errorf(`what is asked: %+v, want c.Scope = "read write" and c.Audience = "https://api.example" and c.Grant = descriptor.RefreshToken and c.Client.Params["tenant"] = "7"`, c)
	}
	if c.Terms.TokenURL != "https://eu.example/token?x=1" || c.Client.TokenURL != c.Terms.TokenURL {
		t.Errorf(`URL: %+v, want c.Terms.TokenURL = "https://eu.example/token?x=1" and c.Client.TokenURL = %v`, c,
			c.Terms.TokenURL)
	}
	if time.Duration(c.Lifetime) != 90*time.Minute || !c.KeepWarm || time.Duration(c.IdleAfter) != 150*time.Minute {
		t.Errorf("times: %+v", c)
	}
	if want := (quota.Quota{Requests: 1000, Per: quota.PerDay}); c.Quota == nil || *c.Quota != want {
		t.Errorf("Quota = %v, want %v", c.Quota, want)
	}
	if len(c.Allow.Principals) != 1 || len(c.Allow.Aliases) != 1 || len(c.Allow.Scopes) != 1 ||
		len(c.Allow.Audiences) != 1 || len(c.Allow.Accounts) != 1 {
		t.Errorf("rule: %+v, want len(c.Allow.Principals) = 1 and len(c.Allow.Aliases) = 1 and len(c.Allow.Scopes) = 1 and len(c.Allow.Audiences) = 1 and len(c.Allow.Accounts) = 1", c.Allow)
	}
}

func TestParseLittle(t *testing.T) {
	c := mustParse(t, plain)
	if time.Duration(c.IdleAfter) != 24*time.Hour || c.KeepWarm || c.Lifetime != 0 || c.Grant != "" ||
		c.Client.Key != nil || c.Certificate != nil || !c.Refresh.IsZero() {
		t.Errorf("defaults: %+v", c)
	}
	if c.Allow.Admits(access.Caller{Via: access.Bare}, "minut") != true {
		t.Errorf(`no rule narrows nothing, want c.Allow.Admits(access.Caller{Via: access.Bare}, "minut") = true`)
	}
}

func TestParseFromTheCatalogue(t *testing.T) {
	c, err := secret.Parse("minut", "v1", []byte(`{"provider":"minut","client_id":"id","client_secret":"s"}`))
	if err != nil || c.Provider != "minut" || c.Descriptor != nil {
		t.Fatalf(`%+v, %v, want no error and c.Provider = "minut" and c.Descriptor = nil`, c, err)
	}
	if d, err := c.ProviderDescriptor(); err != nil || d.Token.URL == "" {
		t.Errorf(`c.ProviderDescriptor() = %v, want no error and d.Token.URL other than ""`, err)
	}
}

func TestFault49_EveryWrongFieldIsNamed(t *testing.T) {
	noURL := at(object{"token": object{"body": "form"}})
	post, none := with(object{"auth": "post"}), with(object{"auth": "none"})
	for _, c := range []struct {
		name   string
		secret object
		wrong  string
	}{
		{"unknown fields", plain.with(object{"Client_ID": 1, "extra": canary}), "Client_ID extra"},
		{"a name that may be a secret", plain.with(object{canary + " with spaces": "x"}), "(a name not shown)"},
		{
			"wrong types",
			plain.with(object{
				"client_id":     7,
				"client_secret": []string{canary},
				"keep_warm":     canary,
				"params":        canary,
				"allow":         []string{canary},
			}),
			"allow client_id client_secret keep_warm params",
		},
		{
			"nulls",
			plain.with(object{
				"client_id": (*int)(nil), "allow": json.RawMessage("null"), "scope": json.RawMessage("null"),
			}),
			"allow client_id scope",
		},
		{"nothing at all", object{}, "client_id provider"},
		{"missing secret", plain.with(object{"client_secret": nil}), "client_secret"},
		{"an empty secret, written out", plain.with(object{"client_secret": ""}), ""},
		{"no secret", plain.with(object{"client_secret": nil}), "client_secret"},
		{"missing secret, post", post.with(object{"client_secret": nil}), "client_secret"},
		{"a public client", none.with(object{"client_secret": nil}), ""},
		{
			"a line's end pasted along",
			plain.with(object{"client_secret": canary + "\n", "client_id": "id\r", "scope": " read"}),
			"client_id client_secret scope",
		},
		{
			"a broken escape", plain.with(object{"client_secret": json.RawMessage(`"\ud800` + canary + `"`)}),
			"client_secret",
		},
		{"no colon in Basic", plain.with(object{"client_id": "a:b"}), "client_id"},
		{"a colon in post", post.with(object{"client_id": "a:b"}), ""},

		{"provider and descriptor", plain.with(object{"provider": "minut"}), "descriptor"},
		{"an unknown provider", object{"provider": canary, "client_id": "id"}, "provider"},
		{"a provider that leads astray", object{"provider": "../catalog/minut", "client_id": "id"}, "provider"},
		{"a descriptor that is none", plain.with(object{"descriptor": canary}), "descriptor"},
		{"a null descriptor", plain.with(object{"descriptor": json.RawMessage("null")}), "descriptor"},
		{
			"a wrong descriptor",
			plain.with(object{"descriptor": object{"token": object{"url": canary, "bogus": canary, "auth": canary}}}),
			"descriptor.token.auth descriptor.token.bogus descriptor.token.url",
		},

		{"no URL anywhere", noURL, "token_url"},
		{"its own URL", noURL.with(object{"token_url": "https://eu.example/token"}), ""},
		{"plain http", plain.with(object{"token_url": "http://" + canary + ".example/token"}), "token_url"},
		{"plain http on this machine", plain.with(object{"token_url": "http://127.0.0.1:8080/token"}), ""},
		{"plain http on this machine, IPv6", plain.with(object{"token_url": "http://[::1]:8080/token"}), ""},
		{"plain http on this machine, by name", plain.with(object{"token_url": "http://localhost/token"}), ""},
		{
			"a host that looks like this machine", plain.with(object{"token_url": "http://127.0.0.1.evil.example/"}),
			"token_url",
		},
		{"user and password", plain.with(object{"token_url": "https://u:" + canary + "@x.example/"}), "token_url"},
		{"a fragment", plain.with(object{"token_url": "https://x.example/#x"}), "token_url"},
		{"no host", plain.with(object{"token_url": "https:///token"}), "token_url"},
		{"no URL", plain.with(object{"token_url": "https://%zz" + canary}), "token_url"},
		{"another scheme", plain.with(object{"token_url": "file:///etc/passwd"}), "token_url"},

		{"too few variants", plain.with(object{"max_variants": 0}), "max_variants"},
		{"too many variants", plain.with(object{"max_variants": 10001}), "max_variants"},
		{"part of a variant", plain.with(object{"max_variants": 1.5}), "max_variants"},
		{"a quota without fields", plain.with(object{"quota": object{}}), "quota.per quota.requests"},
		{"a quota that is a number", plain.with(object{"quota": 1000}), "quota"},
		{"a quota of 0", plain.with(object{"quota": object{"requests": 0, "per": "hour"}}), "quota.requests"},
		{"a quota below 0", plain.with(object{"quota": object{"requests": -1, "per": "hour"}}), "quota.requests"},
		{"a huge quota", plain.with(object{"quota": object{"requests": 1000000001, "per": "hour"}}), "quota.requests"},
		{"a part of a request", plain.with(object{"quota": object{"requests": 1.5, "per": "hour"}}), "quota.requests"},
		{"a quota of a minute", plain.with(object{"quota": object{"requests": 5, "per": "minute"}}), "quota.per"},
		{"a quota of more", plain.with(object{"quota": object{"requests": 5, "per": "hour", "x": 1}}), "quota.x"},
		{"bad durations", plain.with(object{"lifetime": "tomorrow", "idle_after": "24"}), "idle_after lifetime"},
		{"durations without unit", plain.with(object{"lifetime": 3600, "idle_after": 24}), "idle_after lifetime"},
		{"durations out of range", plain.with(object{"lifetime": "-1h", "idle_after": "1s"}), "idle_after lifetime"},
		{"zero durations", plain.with(object{"lifetime": "0s", "idle_after": "0s"}), "idle_after lifetime"},
		{
			"durations far too long", plain.with(object{"lifetime": "100000h", "idle_after": "9999999h"}),
			"idle_after lifetime",
		},

		{"an unknown grant", plain.with(object{"grant": "implicit"}), "grant"},
		{"a refresh token nobody redeems", plain.with(object{"refresh_token": canary}), "refresh_token"},
		{"a grant without its token", plain.with(object{"grant": "refresh_token"}), "refresh_token"},
		{"people where none can connect", plain.with(object{"grant": "authorization_code"}), "grant"},

		{"standard parameters", with(object{
			"fields": object{"client_id": "clientId"},
		}).with(object{
			"params": object{"client_secret": canary, "grant_type": "x", "clientId": "x", "tenant": "fine"},
		}),
			"params.clientId params.client_secret params.grant_type"},
		{
			"parameters of other types",
			plain.with(object{"params": object{"a": 1, "b": canary, "c": json.RawMessage("null")}}),
			"params.a params.c",
		},

		{"a rule that would do something else", plain.with(object{"allow": object{
			"principals": []string{"billing", "arn:aws:iam::1:role/team/*", "arn:aws:iam::1:role/x"},
			"aliases":    []string{"api", "ok", "c-minut"},
			"scopes":     []string{"a b", ""}, "audiences": []string{" x"}, "accounts": []string{"", "ann"},
			"Scopes": []string{},
		}}),
			"allow.Scopes allow.accounts[0] allow.aliases[0] allow.aliases[2] allow.audiences[0] allow.principals[0] allow.principals[1] allow.scopes[0] allow.scopes[1]"},
		{
			"a rule of other types", plain.with(object{"allow": object{"principals": "*", "aliases": []any{1}}}),
			"allow.aliases allow.principals",
		},
	} {
		t.Run(c.name, func(t *testing.T) {
			_, err := parse(t, c.secret)
			if c.wrong == "" {
				if err != nil {
					t.Error(err)
				}
				return
			}
			if got := strings.Join(fields(t, err), " "); got != c.wrong {
				t.Errorf("named %s, want %s", got, c.wrong)
			}
		})
	}
}

func TestFault49_NotEvenJSON(t *testing.T) {
	good := string(plain.json(t))
	for data, wrong := range map[string]string{
		"":                           "secret",
		canary:                       "secret",
		`"` + canary + `"`:           "secret",
		`["` + canary + `"]`:         "secret",
		"null":                       "secret",
		good + "}":                   "secret",
		good + good:                  "secret",
		good + " x":                  "secret",
		good[:len(good)-2]:           "secret",
		"\xef\xbb\xbf" + good:        "secret",
		`{"client_id":"` + "\xff\"}": "secret",
		strings.Repeat("[", 1<<15):   "secret",
		good + strings.Repeat(" ", credential.MaxSize):                                                       "secret",
		`{"client_id":"a","client_id":"b","client_secret":"c","descriptor":{"token":{"url":"https://x.y"}}}`: "client_id",
		`{"allow":{"scopes":[],"scopes":[]},"params":{"a":"","a":""},` +
			good[1:]: "allow.scopes params.a",
		`{"descriptor":{"token":{"url":"https://x.y","url":"https://x.y"}},"client_id":"a"}`: "descriptor.token.url",
	} {
		_, err := secret.Parse("minut", "v1", []byte(data))
		if got := strings.Join(fields(t, err), " "); got != wrong {
			t.Errorf("%.40q: named %s, want %s", data, got, wrong)
		}
	}
}

func TestParseRefusesNames(t *testing.T) {
	for name, want := range map[string]bool{
		"minut": true, "0": true, "monta-eu_2": true, strings.Repeat("a", 63): true,
		"": false, "-a": false, "Minut": false, "a.b": false, "../a": false, "a\n": false,
		strings.Repeat("a", 64): false,
	} {
		if credential.ValidName(name) != want {
			t.Errorf("%q: want %v", name, want)
		}
		_, err := secret.Parse(name, "", plain.json(t))
		if (err == nil) != want {
			t.Errorf("%q: %v, want (err == nil) = %v", name, err, want)
		}
	}
}

// No value of a secret is ever in an error.
func TestFault50_NoValueInAnyError(t *testing.T) {
	names := []string{
		"provider", "client_id", "client_secret", "scope", "audience", "params", "token_url", "private_key", "key_id",
		"certificate", "refresh_token", "grant", "lifetime", "keep_warm", "idle_after", "max_variants", "quota",
		"allow", "descriptor",
	}
	inner := []string{
		"token", "url", "auth", "body", "overlap", "refresh", "principals", "aliases", "scopes", "accounts", "x",
	}
	rapid.Check(t, func(t *rapid.T) {
		given := object{}
		for _, name := range rapid.SliceOfDistinct(rapid.SampledFrom(names), rapid.ID).Draw(t, "fields") {
			given[name] = rapid.SampledFrom([]any{
				canary, " " + canary, []any{canary, 1}, 17, nil, true,
				object{
					rapid.SampledFrom(inner).Draw(t, "inner"): rapid.SampledFrom([]any{
						canary,
						[]string{canary},
						object{"url": canary, "auth": canary, "client_credentials": canary},
					}).Draw(t, "value"),
				},
			}).Draw(t, name)
		}
		data, _ := json.Marshal(given)
		_, err := secret.Parse("minut", "v1", data)
		if err != nil && strings.Contains(err.Error(), canary) {
			t.Fatalf("%s: %v", data, err)
		}
	})
}

func FuzzParse(f *testing.F) {
	f.Add(plain.json(f))
	f.Add(
		[]byte(
			`{"provider":"minut","client_id":"a","client_secret":"b","lifetime":"1h","allow":{"scopes":["a"]},"params":{"a":"b"}}`,
		),
	)
	f.Add([]byte(`{"a":{"a":[{},{"b":1,"b":2}]}}`))
	for _, data := range []string{
		`{"CANARY":1}`, `{"descriptor":{"token":{"CANARY":1}}}`,
		`{"descriptor":{"token":{"headers":{"CANARY":1,"x":{"CANARY":[]}}}}}`, `{"params":{"CANARY":1}}`,
		`{"allow":{"CANARY":{}}}`, `{"a":{"CANARY":1,"CANARY":1}}`,
	} {
		f.Add([]byte(strings.ReplaceAll(data, "CANARY", canary)))
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		c, err := secret.Parse("minut", "v1", data)
		if err != nil {
			fields(t, err)
			return
		}
		row, err := json.Marshal(c.Terms)
		if err != nil {
			t.Fatal(err)
		}
		var back credential.Terms
		if err := json.Unmarshal(row, &back); err != nil ||
			back.LegacyDigest(back.Key("", "", "").Variant) != c.LegacyDigest(c.Terms.Key("", "", "").Variant) {
			t.Fatal("the terms do not come back:", err)
		}
	})
}

func TestFault50_ACredentialIsNotPrinted(t *testing.T) {
	c := mustParse(t, withKeys(t))
	leaks := append(digits(t, c), canary)
	var out bytes.Buffer
	for _, v := range []any{
		c,
		&c,
		c.Client,
		c.Client.Key,
		c.Certificate,
		*c.Certificate,
		struct{ c credential.Credential }{c},
	} {
		for _, verb := range []string{"%v", "%+v", "%#v", "%s", "%d", "%x", "%q"} {
			fmt.Fprintf(&out, verb+"\n", v)
		}
		if data, err := json.Marshal(v); err == nil {
			out.Write(data)
		}
		slog.New(slog.NewJSONHandler(&out, nil)).Info("x", "v", v)
		slog.New(slog.NewTextHandler(&out, nil)).Info("x", "v", v)
	}
	for _, leak := range leaks {
		if bytes.Contains(out.Bytes(), []byte(leak)) {
			t.Errorf("%.8s… is printed, want not bytes.Contains(out.Bytes(), []byte(leak))", leak)
		}
	}
	if !slices.Contains(leaks, canary) || out.Len() == 0 {
		t.Errorf("nothing was looked for, want slices.Contains(leaks, canary) and out.Len() other than 0")
	}
}
