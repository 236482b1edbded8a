package provider

import (
	"bytes"
	"context"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"html"
	"maps"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/tokenvend/tokenvend/pkg/descriptor"
	"github.com/tokenvend/tokenvend/pkg/provider/body"
	"github.com/tokenvend/tokenvend/pkg/provider/response"
	"github.com/tokenvend/tokenvend/pkg/provider/skew"
	"github.com/tokenvend/tokenvend/pkg/redact"
)

// echoes are ways in which a server may repeat a secret.
var echoes = map[string]func(string) string{
	"as it is":        func(s string) string { return s },
	"upper case":      strings.ToUpper,
	"hex":             func(s string) string { return hex.EncodeToString([]byte(s)) },
	"base64":          func(s string) string { return base64.StdEncoding.EncodeToString([]byte(s)) },
	"base64, shifted": func(s string) string { return base64.RawURLEncoding.EncodeToString([]byte("a" + s)) },
	"base64, by two":  func(s string) string { return base64.RawStdEncoding.EncodeToString([]byte("ab" + s)) },
	"query":           url.QueryEscape,
	"HTML":            html.EscapeString,
	"JSON":            func(s string) string { data, _ := json.Marshal(s); return string(data) },
	"cut short":       func(s string) string { return s[:len(s)*3/4] },
}

// shows returns how a text shows 8 bytes of a secret.
func shows(text, secret string) string {
	text = strings.ToLower(text)
	for i := 0; i+8 <= len(secret); i++ {
		part := secret[i : i+8]
		for how, encode := range echoes {
			if strings.HasPrefix(how, "base64") || how == "cut short" {
				continue
			}
			if strings.Contains(text, strings.ToLower(encode(part))) {
				return how
			}
		}
	}
	for i := 0; i+9 <= len(secret); i += 3 {
		if strings.Contains(text, strings.ToLower(base64.RawStdEncoding.EncodeToString([]byte(secret[i:i+9])))) {
			return "base64"
		}
	}
	return ""
}

// Every secret that a request carries, configured values included, and the
// tokens of the answer, in every encoding.
func TestFault50_NoErrorShowsASecretInAnyEncoding(t *testing.T) {
	d := parse(t, `{"token":{"url":"https://login.test/token","headers":{"X-Api-Key":"HEADER-0f9e8d7c"},
		"params":{"tenant_key":"PARAM-7c6b5a49"}},"refresh":{}}`)
	secrets := map[string]string{
		"client secret": "s3cr3t/+&<é>=value", "refresh token": "rt.0123456789abcdef", "parameter": "OWN-PARAM-5566",
		"parameter of the URL": "URL-QUERY-778899",
		"descriptor's header":  "HEADER-0f9e8d7c", "descriptor's parameter": "PARAM-7c6b5a49",
		"access token": "at_ANSWERED-99887766", "new refresh token": "rt_ANSWERED-11223344",
	}
	c := Client{ID: "id", Secret: redact.New(secrets["client secret"])}
	c.Params = map[string]any{"own": secrets["parameter"]}
	c.TokenURL = "https://login.test/token?key=" + secrets["parameter of the URL"]
	ask := TokenRequest{Grant: descriptor.RefreshToken, Refresh: redact.New(secrets["refresh token"])}
	names, ways := slices.Sorted(maps.Keys(secrets)), slices.Sorted(maps.Keys(echoes))
	n := "2000"
	if testing.Short() {
		n = "200"
	}
	checks(t, n)
	rapid.Check(t, func(t *rapid.T) {
		name, way := rapid.SampledFrom(names).Draw(t, "secret"), rapid.SampledFrom(ways).Draw(t, "echo")
		before := rapid.StringN(0, 20, 40).Draw(t, "before")
		text := before + " " + echoes[way](secrets[name]) + " " + rapid.StringN(0, 20, 40).Draw(t, "after")
		code := rapid.SampledFrom([]string{"oops", strings.ReplaceAll(text, " ", "")}).Draw(t, "error")
		fields := map[string]any{
			"access_token": secrets["access token"], "refresh_token": secrets["new refresh token"],
			"error": code, "error_description": text,
		}
		data, err := json.Marshal(fields)
		if err != nil {
			t.Skip("no JSON")
		}
		q, bad := at(d, c, nil).builder(t.Context()).Token(ask, skew.Skew{}, nil)
		if bad != nil {
			t.Fatalf("%v, want no error", bad)
		}
		r := response.Message{Status: 400, At: time.Unix(0, 0)}
		r.Body, _ = body.Read(r.Header, bytes.NewReader(data))
		_, e := q.Token(r)
		if e == nil {
			t.Fatalf("no error of a 400, want an error")
		}
		if how := shows(e.Code, secrets[name]) + shows(e.Description, secrets[name]); how != "" {
			t.Fatalf(`Token(%s) = %v, which shows the %s: %s, want how = ""`, data, e, name, how)
		}
	})
}

func TestFault50_HeadersOfVerifyAreMasked(t *testing.T) {
	d := parse(t, `{"token":{"url":"https://login.test/token"},
		"verify":{"url":"/me","headers":{"X-Api-Key":"HEADER-0f9e8d7c"}}}`)
	v := serve(t, says(403, `{"error":"HEADER-0f9e8d7c","error_description":"no key HEADER-0f9e8d7c, ACCESS_TOKEN"}`))
	_, err := at(d, alice, v.hc).VerifyToken(context.Background(), redact.New("ACCESS_TOKEN"))
	e := must(t, asError(t, err), Rejected)
	if e.Code != "[redacted]" || e.Description != "no key [redacted], [redacted]" {
		t.Errorf("VerifyToken = %v, want the header and the token masked", e)
	}
}

// A short secret is masked as a word, and does not garble others.
func TestCaseC37_ShortSecretsDoNotGarbleErrors(t *testing.T) {
	for secret, want := range map[string]string{
		"no":     "unknown client at auth.example.com",
		"ex":     "unknown client at auth.example.com",
		"client": "unknown [redacted] at auth.example.com",
	} {
		c := Client{ID: "id", Secret: redact.New(secret)}
		body := `{"error":"oops","error_description":"unknown client at auth.example.com"}`
		_, e := exchangeBy(t, plain, c, creds, says(400, body))
		if must(t, e, Rejected); e.Description != want {
			t.Errorf("with the secret %q: %q, want %q", secret, e.Description, want)
		}
	}
}

// What a provider says reaches an operator's terminal.
func TestErrorsHoldNoControlCharacters(t *testing.T) {
	hostile := "\x1b]52;c;ZXZpbA==\x07\u009b2J\u202e\u2066\u200b\x7f\x00"
	text, _ := json.Marshal(hostile + "x")
	for name, handler := range map[string]http.HandlerFunc{
		"error and description": says(400, fmt.Sprintf(`{"error":%s,"error_description":%s}`, text, text)),
		"nested error":          says(400, fmt.Sprintf(`{"error":{"code":%s,"message":%s}}`, text, text)),
		"form":                  says(400, "error="+url.QueryEscape(hostile)),
		"token type":            says(200, fmt.Sprintf(`{"access_token":"a","token_type":%s}`, text)),
		"content encoding":      says(200, "xx", "Content-Encoding", "br\u009b2J\u202e"),
		"location":              says(302, "", "Location", "https://\u202eevil.test"),
	} {
		answer, e := exchange(t, creds, handler)
		said := answer.Type
		if e != nil {
			said = e.Error()
		}
		if said == "" || unprintable(said) {
			t.Errorf("%s: %q, want printable ASCII", name, said)
		}
	}
}

func unprintable(s string) bool {
	return strings.ContainsFunc(s, func(r rune) bool { return r < ' ' || r > '~' })
}
