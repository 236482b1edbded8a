package descriptor

import (
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"os"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"
)

func TestCatalogueLint(t *testing.T) {
	for _, name := range []string{"miden", "minut", "monta", "movemint", "oauth2", "oauth2-post", "trackmania"} {
		if !slices.Contains(Names(), name) {
			t.Errorf("Names() = %v, want %s among them", Names(), name)
		}
	}
	for _, name := range Names() {
		t.Run(name, func(t *testing.T) {
			d, err := Catalog(name)
			if err != nil {
				t.Fatal(err)
			}
			if d.Name != name || d.Docs == "" {
				t.Errorf("name = %q, docs = %q, want the file's name and the vendor's page", d.Name, d.Docs)
			}
			if checked, err := time.Parse(time.DateOnly, d.Checked); d.Checked != NotRead &&
				(err != nil || checked.After(time.Now())) {
				t.Errorf("checked = %q, want a day that is past, or %q", d.Checked, NotRead)
			}
			for grant, overlap := range d.Overlaps {
				assumed := slices.ContainsFunc(
					d.Notes,
					func(note string) bool { return strings.Contains(note, "overlap is assumed") },
				)
				if overlap != OverlapUnknown && !assumed {
					t.Errorf("overlap.%s is %s: no vendor's page says so, nor a note why it is assumed", grant, overlap)
				}
			}
			twice, err := json.Marshal(d)
			if err != nil {
				t.Fatal(err)
			}
			var same Descriptor
			if err := json.Unmarshal(twice, &same); err != nil || !reflect.DeepEqual(&same, d) {
				t.Errorf("written and read again it is another: %v, want no error and reflect.DeepEqual(&same, d)", err)
			}
		})
	}
}

// Of the vendors' pages, the table of what they say.
func TestCatalogueSaysWhatTheDocumentsSay(t *testing.T) {
	type row struct {
		url, revoke, verify, authorize string
		refreshes                      bool
		rotates                        Rotates
	}
	for name, want := range map[string]row{
		"minut": {url: "https://api.minut.com/v8/oauth/token", verify: "/v8/users/me"},
		"movemint": {url: "https://www.movemint.cc/oauth/token", revoke: "/oauth/revoke",
			verify: "/oauth/token/info", authorize: "/oauth/authorize", refreshes: true, rotates: RotatesUnknown},
		"trackmania": {url: "https://api.trackmania.com/api/access_token", authorize: "/oauth/authorize",
			refreshes: true, rotates: RotatesYes},
		"miden": {},
		"monta": {url: "https://public-api.monta.com/api/v1/auth/token", verify: "/api/v1/auth/me",
			refreshes: true, rotates: RotatesYes},
		"oauth2":      {refreshes: true, rotates: RotatesUnknown},
		"oauth2-post": {refreshes: true, rotates: RotatesUnknown},
	} {
		d, err := Catalog(name)
		if err != nil {
			t.Fatal(err)
		}
		got := row{url: d.Token.URL, refreshes: d.Refreshes()}
		if d.Revoke != nil {
			got.revoke = d.Revoke.URL
		}
		if d.Verify != nil {
			got.verify = d.Verify.URL
		}
		if d.Authorize != nil {
			got.authorize = d.Authorize.URL
		}
		if d.Refresh != nil {
			got.rotates = d.Refresh.Rotates
		}
		if got != want {
			t.Errorf("%s: %+v, want %+v", name, got, want)
		}
		if d.NeedsTokenURL() != (want.url == "") || d.Reuse() != ReuseUnknown || !d.SingleUse() ||
			d.MaxLifetime() != 24*time.Hour {
			t.Errorf("%s: defaults differ", name)
		}
	}
}

func TestCatalogUnknownNameListsTheKnown(t *testing.T) {
	for _, name := range []string{"nobody", "", "../provider", "minut.json"} {
		if _, err := Catalog(name); err == nil || !strings.Contains(err.Error(), "miden, minut, monta") {
			t.Errorf(`Catalog(%q): %v, want an error and "miden, minut, monta" in err.Error()`, name, err)
		}
	}
}

func TestDescriptorProblems(t *testing.T) {
	for _, c := range []struct{ text, want string }{
		{``, "not JSON: unexpected end of JSON input at byte 0"},
		{`{"token":{}} x`, "not JSON: invalid character 'x' after top-level value at byte 14"},
		{`[]`, "expected an object"},
		{`{"tokn":{"url":1}}`, "tokn: unknown field"},
		{`{"Token":{}}`, "Token: unknown field"},
		{`{"token":{"url":"https://a.test/"},"token":{}}`, "token: given twice"},
		{`{"verify":{"url":"/me","minted":"yes"}}`, "verify.minted: expected true or false"},
		{`{"token":null}`, "token: expected an object"},
		{`{"token":{"auth":"bsic"}}`,
			"token.auth: expected one of basic, basic_encoded, post, private_key_jwt, tls, none"},
		{`{"token":{"auth":7,"body":[]}}`, "token.auth: expected a string, or an array of strings; token.body: expected a string"},
		{`{"token":{"method":"GET"}}`, "token.method: GET needs token.body to be query"},
		{`{"token":{"url":"http://a.test/"}}`, "token.url: expected an https URL without user, password and fragment"},
		{`{"token":{"url":"https://u:p@a.test/"}}`,
			"token.url: expected an https URL without user, password and fragment"},
		{`{"token":{"url":"/token"}}`, "token.url: expected an https URL without user, password and fragment"},
		{`{"token":{"fields":{"grant":"x"}}}`,
			"token.fields: expected one of grant_type, client_id, client_secret, scope, audience, refresh_token, client_assertion, client_assertion_type, code, redirect_uri, code_verifier, assertion"},
		{`{"token":{"params":{"grant_type":"password"}}}`,
			"token.params.grant_type: is a standard parameter; leave that out by fields first"},
		{`{"token":{"headers":{"authorization":"x"}}}`,
			"token.headers.authorization: expected the name of a header that the request does not set itself"},
		{`{"token":{"headers":{"X-A":"1\r\nX-B: 2"}}}`, "token.headers.X-A: expected printable ASCII"},
		{`{"response":{"access_token":"data.token"}}`,
			"response.access_token: expected a JSON Pointer (RFC 6901), such as /data/token, or header:NAME"},
		{`{"response":{"expiry":{"kind":"days"}}}`,
			"response.expiry.kind: expected one of seconds, minutes, hours, milliseconds, epoch, epoch_ms, rfc3339"},
		{`{"response":{"max_lifetime":3600}}`, `response.max_lifetime: expected a duration above zero, such as "90m"`},
		{`{"response":{"default_lifetime":"-1h"}}`,
			`response.default_lifetime: expected a duration above zero, such as "90m"`},
		{`{"renew":{"concurrency":-1}}`, "renew.concurrency: expected a number from 1 to 1000"},
		{`{"renew":{"concurrency":1001}}`, "renew.concurrency: expected a number from 1 to 1000"},
		{`{"response":{"default_lifetime":"2h","max_lifetime":"1h"}}`,
			"response.default_lifetime: expected no more than response.max_lifetime"},
		{`{"refresh":{"url":"//evil.test/x","rotates":"maybe","reuse":"?"}}`,
			"refresh.reuse: expected one of unknown, tolerated, refused, revokes_family; refresh.rotates: expected one of unknown, yes, no; refresh.url: expected an https URL without user, password and fragment"},
		{`{"authorize":{},"revoke":{},"verify":{}}`,
			"authorize.url: missing; revoke.url: missing; verify.url: missing"},
		{`{"overlap":{"implicit":"keeps"}}`,
			"overlap: expected one of client_credentials, refresh_token, authorization_code, urn:ietf:params:oauth:grant-type:jwt-bearer, password, urn:ietf:params:oauth:grant-type:token-exchange, login, self_signed"},
		{`{"overlap":{"refresh_token":"kills"}}`, "overlap.refresh_token: expected one of unknown, keeps, revokes"},
		{`{"renew":{"earliest":"1m","latest":"2m"}}`,
			"renew.latest: expected no more than renew.earliest: both count back from the end"},
		{`{"verify":{"url":"/me","refused":[403,500,429]}}`,
			"verify.refused[1]: expected 400 to 499, and not 429; verify.refused[2]: expected 400 to 499, and not 429"},
		{`{"limits":{"reset":"Rate Limit","reset_kind":"x"}}`,
			"limits.reset: expected the name of a header; limits.reset_kind: expected one of seconds, minutes, hours, milliseconds, epoch, epoch_ms, rfc3339"},
		{`{"permanent":{"status":[403,500,"404",429]}}`,
			"permanent.status[1]: expected 400 to 499, and not 429; permanent.status[2]: expected 400 to 499, and not 429; permanent.status[2]: expected a whole number; permanent.status[3]: expected 400 to 499, and not 429"},
		{`{"name":"Ä","checked":"today","docs":"ftp://x"}`,
			"checked: expected a day, such as 2026-11-22, or \"not read\"; docs: expected an https URL; name: expected ^[a-z0-9][a-z0-9_-]{0,62}$"},
	} {
		_, err := Parse([]byte(c.text))
		var problems *Error
		if !errors.As(err, &problems) || strings.Join(problems.Problems, "; ") != c.want {
			t.Errorf("%s\n got %v\nwant descriptor: %s", c.text, err, c.want)
		}
	}
}

// An inline descriptor is read as strictly inside another document.
func TestDescriptorInsideASecretIsStrict(t *testing.T) {
	var secret struct{ Descriptor *Descriptor }
	err := json.Unmarshal([]byte(`{"descriptor":{"token":{"auth":"post","colour":"red"}}}`), &secret)
	if err == nil || err.Error() != "descriptor: token.colour: unknown field" {
		t.Errorf(`got %v, want an error and err.Error() = "descriptor: token.colour: unknown field"`, err)
	}
}

func TestLifetimes(t *testing.T) {
	d := mustParse(t, `{"response":{"default_lifetime":"90m","max_lifetime":"720h"}}`)
	if d.DefaultLifetime() != 90*time.Minute || d.MaxLifetime() != 720*time.Hour ||
		new(Descriptor).DefaultLifetime() != 0 ||
		new(Descriptor).MaxLifetime() != 24*time.Hour {
		t.Error("lifetimes differ")
	}
}

func TestOverlapIsUnknownUnlessSaid(t *testing.T) {
	d := mustParse(t, `{"overlap":{"refresh_token":"revokes"}}`)
	if d.Overlap(RefreshToken) != OverlapRevokes || d.Overlap(ClientCredentials) != OverlapUnknown {
		t.Errorf("overlap differs, want d.Overlap(RefreshToken) = %v and d.Overlap(ClientCredentials) = %v",
			OverlapRevokes, OverlapUnknown)
	}
	if new(Descriptor).Overlap(ClientCredentials) != OverlapUnknown || new(Descriptor).Reuse() != ReuseUnknown ||
		!new(Descriptor).SingleUse() {
		t.Errorf("the zero descriptor is not the careful one, want new(Descriptor).Overlap(ClientCredentials) = %v and new(Descriptor).Reuse() = %v and new(Descriptor).SingleUse()", OverlapUnknown, ReuseUnknown)
	}
}

type object = map[string]any

func schema(t *testing.T) object {
	t.Helper()
	data, err := os.ReadFile("descriptor.schema.json")
	if err != nil {
		t.Fatal(err)
	}
	var s object
	if err := json.Unmarshal(data, &s); err != nil {
		t.Fatal(err)
	}
	return s
}

// TestSchemaAndStructHaveTheSameFields walks both;
// TestSchemaAndParserKnowTheSameWords tries every enum's words.
func TestSchemaAndStructHaveTheSameFields(t *testing.T) {
	s := schema(t)
	agree(t, "", s, s["$defs"].(object), reflect.TypeFor[Descriptor]())
}

func agree(t *testing.T, path string, node, defs object, typ reflect.Type) {
	t.Helper()
	node = resolve(node, defs)
	if typ.Kind() == reflect.Pointer {
		typ = typ.Elem()
	}
	if typ.Kind() != reflect.Struct {
		return
	}
	var fields []string
	properties, _ := node["properties"].(object)
	for _, field := range reflect.VisibleFields(typ) {
		if field.Anonymous {
			continue
		}
		name, _, _ := strings.Cut(field.Tag.Get("json"), ",")
		fields = append(fields, name)
		if inner, ok := properties[name].(object); ok {
			agree(t, path+"/"+name, inner, defs, field.Type)
		}
	}
	slices.Sort(fields)
	if names := slices.Sorted(maps.Keys(properties)); !slices.Equal(fields, names) {
		t.Errorf("%s: the struct has %v, the schema %v, want slices.Equal(fields, names)", path, fields, names)
	}
	if node["additionalProperties"] != false {
		t.Errorf(`%s: the schema lets unknown fields pass, want node["additionalProperties"] = false`, path)
	}
}

func resolve(node, defs object) object {
	if ref, ok := node["$ref"].(string); ok {
		return defs[strings.TrimPrefix(ref, "#/$defs/")].(object)
	}
	return node
}

func TestSchemaAndParserKnowTheSameWords(t *testing.T) {
	s := schema(t)
	defs := s["$defs"].(object)
	for _, path := range []string{"token.auth", "token.body", "token.method",
		"assertion.algorithm", "token.algorithm", "refresh.auth", "refresh.body",
		"refresh.rotates", "refresh.reuse", "authorize.pkce", "revoke.auth", "revoke.body", "limits.reset_kind",
		"response.expiry.kind", "response.refresh_expiry.kind", "response.format"} {
		node, text := s, `%s`
		for part := range strings.SplitSeq(path, ".") {
			node = resolve(node["properties"].(object)[part].(object), defs)
			text = fmt.Sprintf(text, fmt.Sprintf(`{%q:%%s}`, part))
		}
		if either, ok := node["anyOf"].([]any); ok {
			node = resolve(either[0].(object), defs)
		}
		_, err := Parse(fmt.Appendf(nil, text, `"?"`))
		var words []string
		for _, word := range node["enum"].([]any) {
			words = append(words, word.(string))
		}
		if want := path + ": expected one of " + strings.Join(words, ", "); err == nil ||
			!strings.Contains(err.Error(), want) {
			t.Errorf("%v; the schema would say %s", err, want)
		}
	}
}

func FuzzParseDescriptor(f *testing.F) {
	for _, name := range Names() {
		data, _ := catalog.ReadFile("catalog/" + name + ".json")
		f.Add(data)
	}
	f.Add([]byte(`{"token":{"fields":{"scope":null}},"permanent":{"status":[1e9,-0]}}`))
	f.Fuzz(func(t *testing.T, data []byte) {
		d, err := Parse(data)
		if (d == nil) == (err == nil) {
			t.Fatalf("%v and %v", d, err)
		}
		if err != nil {
			return
		}
		again, err := json.Marshal(d)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := Parse(again); err != nil {
			t.Fatalf("%s becomes %s: %v", data, again, err)
		}
	})
}

func mustParse(t *testing.T, text string) *Descriptor {
	t.Helper()
	d, err := Parse([]byte(text))
	if err != nil {
		t.Fatalf("Parse(%s): %v", text, err)
	}
	return d
}

func TestDescriptorErrorsAreChecked(t *testing.T) {
	for _, phrases := range []string{
		`{"grant_over":["no"]}`, `{"grant_over":[""]}`, `{"grant_over":["same_word"],"try_later":["SAME_WORD"]}`,
		`{"grant":["invalid_code"]}`, `{"too_early":"text"}`,
	} {
		if _, err := Parse([]byte(`{"token":{"url":"https://login.test/"},"errors":` + phrases + `}`)); err == nil {
			t.Errorf("Parse(errors: %s) = nil, want an error", phrases)
		}
	}
}
