package credential_test

import (
	"strings"
	"testing"

	"github.com/tokenvend/tokenvend/pkg/credential/secret"
	"github.com/tokenvend/tokenvend/pkg/descriptor"
	"github.com/tokenvend/tokenvend/pkg/token"
)

// session is a credential of a session login: named secrets and variables, and
// neither client ID nor client secret.
var session = object{
	"descriptor": object{
		"grants":    []string{"login"},
		"variables": object{"tenant": object{"pattern": "[a-z]+"}, "app": object{"default": "main"}},
		"secrets":   object{"otp": object{"optional": true}},
		"token": object{
			"url":  "https://{variables.tenant}.id.example/login",
			"body": "json", "params": object{
				"user": "{secrets.username}", "password": "{secrets.password}", "otp": "{secrets.otp}",
				"app": "{variables.app}",
			},
		},
	},
	"secrets":   object{"username": "ann", "password": canary},
	"variables": object{"tenant": "acme"},
}

func TestNamedSecretsAndVariables(t *testing.T) {
	c := mustParse(t, session)
	if c.Grant != descriptor.Login || c.Client.Secrets["password"].Reveal() != canary ||
		c.Terms.Variables["tenant"] != "acme" {
		t.Errorf("Parse = %+v, want grant login, the password and the tenant", c)
	}
	with := func(name string, value object) object {
		return session.with(object{name: object(session[name].(object)).with(value)})
	}
	for _, c := range []struct {
		name   string
		secret object
		wrong  string
	}{
		{"no secret", with("secrets", object{"password": nil}), "secrets.password"},
		{"an empty secret", with("secrets", object{"password": ""}), "secrets.password"},
		{"a line's end", with("secrets", object{"password": canary + "\n"}), "secrets.password"},
		{"a number", with("secrets", object{"password": 7}), "secrets.password"},
		{"a secret that nothing sends", with("secrets", object{"pin": "1234"}), "secrets.pin"},
		{"an optional secret", with("secrets", object{"otp": "1"}), ""},
		{"no variable", session.with(object{"variables": nil}), "variables.tenant"},
		{"an unknown variable", with("variables", object{"realm": "x"}), "variables.realm"},
		{"a value that the pattern refuses", with("variables", object{"tenant": "ACME"}), "variables.tenant"},
		{"a value that ends the host", with("variables", object{"tenant": "a.evil.test/"}), "variables.tenant"},
		{"a client secret that no method sends", session.with(object{"client_secret": canary}), "client_secret"},
		{"a scope that nothing sends", session.with(object{"scope": "read"}), "scope"},
		{"an audience that nothing sends", session.with(object{"audience": "x"}), "audience"},
		{"another grant", session.with(object{"grant": "client_credentials"}), "grant"},
		{"secrets as a text", session.with(object{"secrets": canary}), "secrets secrets.password secrets.username"},
	} {
		t.Run(c.name, func(t *testing.T) {
			_, err := parse(t, c.secret)
			if c.wrong == "" {
				if err != nil {
					t.Errorf("Parse failed: %v", err)
				}
				return
			}
			if got := strings.Join(fields(t, err), " "); got != c.wrong {
				t.Errorf("Parse refuses %s, want %s", got, c.wrong)
			}
			if strings.Contains(err.Error(), canary) {
				t.Errorf("Parse = %v, which shows the secret", err)
			}
		})
	}
}

// A variable without a pattern is still one label of a host, or one segment of
// a path.
func TestVariablesDoNotLeadElsewhere(t *testing.T) {
	for _, c := range []struct{ url, value string }{
		{"https://{variables.x}.id.example/", "evil.example/"},
		{"https://{variables.x}.id.example/", "a.b"},
		{"https://{variables.x}.id.example/", "u@h"},
		{"https://id.example/{variables.x}/token", ".."},
		{"https://id.example/{variables.x}/token", "a/../b"},
		{"https://id.example/{variables.x}/token", "a?b"},
	} {
		secret := at(object{
			"token": object{"url": c.url}, "variables": object{"x": object{}},
		}).with(object{"variables": object{"x": c.value}})
		_, err := parse(t, secret)
		if err == nil || strings.Join(fields(t, err), " ") != "variables.x" {
			t.Errorf("Parse with %q in %s = %v, want variables.x refused", c.value, c.url, err)
		}
	}
}

func TestDigestsOfVariablesAndSecrets(t *testing.T) {
	digests := func(secret object) (destination, request string) {
		c := mustParse(t, secret)
		return c.Destination().Digest(), c.RequestDigest(token.Variant{})
	}
	destination, request := digests(session)
	d := session["descriptor"].(object)
	place := func(params object) object {
		moved := object(d["token"].(object)).with(object{"params": params})
		return session.with(object{"descriptor": d.with(object{"token": moved})})
	}
	params := d["token"].(object)["params"].(object)
	for _, c := range []struct {
		name                 string
		secret               object
		destination, request bool // they change
	}{
		{"a named secret", session.with(object{"secrets": object{"username": "b", "password": "x"}}), false, false},
		{"a variable in the URL", session.with(object{"variables": object{"tenant": "other"}}), true, true},
		{"a variable elsewhere", session.with(object{"variables": object{"tenant": "acme", "app": "b"}}), false, true},
		{
			"the place of a secret",
			place(params.with(object{"password": nil, "pass": "{secrets.password}"})), false, true,
		},
	} {
		t.Run(c.name, func(t *testing.T) {
			gotDestination, gotRequest := digests(c.secret)
			if (gotDestination != destination) != c.destination || (gotRequest != request) != c.request {
				t.Errorf("destination changed %t, request changed %t; want %t and %t",
					gotDestination != destination, gotRequest != request, c.destination, c.request)
			}
		})
	}
	if text := mustParse(t, session).Destination(); strings.Contains(text[0].Value, "{") {
		t.Errorf("Destination() = %v, want the variables filled in", text)
	}
}

// C30: a credential's own parameter has several values.
func TestCaseC30_SeveralValuesOfOneParameter(t *testing.T) {
	secret := plain.with(object{"params": object{"resource": []string{"a", "b"}}})
	c := mustParse(t, secret)
	if got := c.Client.Params["resource"].([]any); len(got) != 2 || got[0] != "a" || got[1] != "b" {
		t.Errorf("Params = %v, want a and b", got)
	}
	other := mustParse(t, plain.with(object{"params": object{"resource": `["a","b"]`}}))
	if c.RequestDigest(token.Variant{}) == other.RequestDigest(token.Variant{}) {
		t.Errorf("RequestDigest is the same for an array and a text, want another")
	}
	for _, bad := range []any{7, []any{"a", 7}, object{"a": "b"}, nil} {
		if _, err := parse(t, plain.with(object{"params": object{"resource": bad}})); err == nil && bad != nil {
			t.Errorf("Parse(params.resource = %v) = nil, want an error", bad)
		}
	}
}

// C34: a secret beside a certificate is sent, and one that is not is refused.
func TestCaseC34_SecretBesideACertificate(t *testing.T) {
	if _, err := parse(t, mtls.with(object{"client_secret": canary})); err == nil ||
		!strings.Contains(strings.Join(fields(t, err), " "), "client_secret") {
		t.Errorf("Parse(tls with client_secret) = %v, want client_secret refused", err)
	}
}

// An inline descriptor is read as strictly inside a secret as in a file.
func TestDescriptorInsideASecretIsStrict(t *testing.T) {
	_, err := secret.Parse("mine", "v1", []byte(`{"client_id":"id","descriptor":{"token":{"auth":"none","colour":"red"}}}`))
	if err == nil || !strings.Contains(err.Error(), "descriptor.token.colour: unknown field") {
		t.Errorf("Parse(unknown field) = %v, want descriptor.token.colour: unknown field", err)
	}
}

// A token URL in the secret takes the place of the descriptor's, and of the
// variables that only that one uses.
func TestTokenURLReplacesVariables(t *testing.T) {
	const own = "https://login.example.com/oauth/token"
	plain := object{"client_id": "id", "client_secret": canary, "token_url": own}
	c := mustParse(t, plain.with(object{"provider": "auth0"}))
	d, err := c.ProviderDescriptor()
	if err != nil {
		t.Fatal(err)
	}
	if got := c.TokenEndpoint(d); got != own {
		t.Errorf("TokenEndpoint() = %s, want %s", got, own)
	}
	elsewhere := plain.with(object{"descriptor": object{
		"token":     object{"url": "https://{variables.tenant}.id.example/login"},
		"revoke":    object{"url": "https://{variables.tenant}.id.example/revoke"},
		"variables": object{"tenant": object{}},
	}})
	_, err = parse(t, elsewhere)
	if got := strings.Join(fields(t, err), " "); got != "variables.tenant" {
		t.Errorf("Parse without a variable that another URL uses refuses %q, want variables.tenant", got)
	}
}
