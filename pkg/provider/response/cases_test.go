package response

import (
	"bytes"
	"compress/flate"
	"compress/gzip"
	"compress/zlib"
	"errors"
	"fmt"
	"io"
	"math"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/tokenvend/tokenvend/pkg/descriptor"
)

// answerCase is an answer that some token endpoint gives, and what is made of
// it. Each name begins with the title of the vendor's page.
type answerCase struct {
	name   string
	body   string
	header []string
	want   want
	warns  []string
}

func (c answerCase) run(t *testing.T, text string) {
	t.Helper()
	t.Run(c.name, func(t *testing.T) {
		answer, e := exchangeBy(t, text, creds, says(200, c.body, c.header...))
		if e != nil {
			t.Fatalf("Exchange answered with %.200q: %v, want a token", c.body, e)
		}
		access, refresh := answer.Access.Reveal(), answer.Refresh.Reveal()
		if access != c.want.access || refresh != c.want.refresh || answer.Type != c.want.kind {
			t.Errorf("Exchange answered with %.200q: token %q, refresh token %q, type %q; want %q, %q, %q", c.body,
				access, refresh, answer.Type, c.want.access, c.want.refresh, c.want.kind)
		}
		if answer.Expiry.In != c.want.in || stamp(answer.Expiry.At) != c.want.at {
			t.Errorf(
				"Exchange answered with %.200q: expiry %+v, want %v or %q",
				c.body,
				answer.Expiry,
				c.want.in,
				c.want.at,
			)
		}
		if !slices.Equal(answer.Warnings, c.warns) {
			t.Errorf("Exchange answered with %.200q: warnings %q, want %q", c.body, answer.Warnings, c.warns)
		}
	})
}

const (
	warnType       = "the token type is not Bearer and counts as Bearer"
	warnError      = "an error stands beside the token"
	warnForm       = "the answer is form-encoded, not JSON"
	warnCompressed = "the answer is compressed, though the request asked for identity"
	warnBeyond     = "the expiry is beyond any clock and is capped"
	warnKind       = "the expiry is not of the kind that the descriptor names"
	warnZone       = "the expiry has no time zone and is read as UTC"
	warnUnread     = "the expiry cannot be read and counts as not given"
)

// expiring is a descriptor of an expiry of some kind.
const expiring = `{"token":{"url":"https://login.test/token"},"response":{"expiry":{"at":"/until","kind":%q}}}`

func TestCaseC01_AnyTokenTypeCountsAsBearer(t *testing.T) {
	for _, c := range []answerCase{
		{name: "Apigee, Get OAuth 2.0 tokens",
			body: `{"access_token":"a","token_type":"BearerToken","expires_in":"3599"}`,
			want: want{access: "a", kind: "BearerToken", in: 3599 * time.Second}, warns: []string{warnType}},
		{name: "eBay, The client credentials grant flow",
			body:  `{"access_token":"v^1.1#i^1","expires_in":7200,"token_type":"Application Access Token"}`,
			want:  want{access: "v^1.1#i^1", kind: "Application Access Token", in: 2 * time.Hour},
			warns: []string{warnType}},
		{name: "Slack, oauth.v2.access",
			body: `{"ok":true,"access_token":"xoxb-17653672481","token_type":"bot","expires_in":43200}`,
			want: want{access: "xoxb-17653672481", kind: "bot", in: 12 * time.Hour}, warns: []string{warnType}},
		{name: "a list", body: `{"access_token":"a","token_type":["Bearer"]}`,
			want: want{access: "a"}, warns: []string{warnType}},
		{name: "a number", body: `{"access_token":"a","token_type":7}`,
			want: want{access: "a"}, warns: []string{warnType}},
		{name: "a terminal escape", body: `{"access_token":"a","token_type":"\u001b[2JCLIENT_SECRET"}`,
			want: want{access: "a", kind: "[2J[redacted]"}, warns: []string{warnType}},
		{name: "RFC 6749, Successful Response", body: `{"access_token":"a","token_type":"bearer"}`,
			want: want{access: "a", kind: "Bearer"}},
	} {
		c.run(t, plain)
	}
	for _, kind := range []string{"DPoP", "dpop", "mac", "PoP", "hmac-sha-256"} {
		_, e := exchange(t, creds, says(200, `{"access_token":"a","token_type":"`+kind+`"}`))
		must(t, e, Malformed)
	}
}

func TestCaseC02_AnExpiryBeyondAnyClockIsCapped(t *testing.T) {
	for _, c := range []answerCase{
		{name: "WSO2 API Manager, Application token with no expiry",
			body: `{"access_token":"a","expires_in":9223372036854775}`,
			want: want{access: "a", in: math.MaxInt64}, warns: []string{warnBeyond}},
		{name: "Long.MAX_VALUE, as Java servers send it", body: `{"access_token":"a","expires_in":9223372036854775807}`,
			want: want{access: "a", in: math.MaxInt64}, warns: []string{warnBeyond}},
		{name: "Number.MAX_VALUE, as JavaScript servers send it",
			body: `{"access_token":"a","expires_in":1.7976931348623157e+308}`,
			want: want{access: "a", in: math.MaxInt64}, warns: []string{warnBeyond}},
		// Within a clock's reach, and capped when the renewal is scheduled.
		{name: "a bank of zenmoney/ZenPlugins#425", body: `{"access_token":"a","expires_in":2147483647}`,
			want: want{access: "a", in: math.MaxInt32 * time.Second}},
		{name: "ORCID, as lukakoning/shinyOAuth#14 shows it: twenty years",
			body: `{"access_token":"a","expires_in":631138518}`, want: want{access: "a", in: 631138518 * time.Second}},
		{name: "as a text", body: `{"access_token":"a","expires_in":"1180591620717411303424"}`,
			want: want{access: "a", in: math.MaxInt64}, warns: []string{warnBeyond}},
		{name: "no float64", body: `{"access_token":"a","expires_in":1e999}`,
			want: want{access: "a", in: math.MaxInt64}, warns: []string{warnBeyond}},
	} {
		c.run(t, plain)
	}
	for kind, want := range map[descriptor.ExpiryKind]want{
		descriptor.Milliseconds: {access: "a", in: math.MaxInt64},
		descriptor.Epoch:        {access: "a", at: "9999-12-31T23:59:59Z"},
		descriptor.EpochMS:      {access: "a", at: "9999-12-31T23:59:59Z"},
	} {
		body := `{"access_token":"a","until":9223372036854775807}`
		c := answerCase{name: string(kind), body: body, want: want, warns: []string{warnBeyond}}
		c.run(t, fmt.Sprintf(expiring, kind))
	}
}

func TestCaseC03_AnExpiryInAnotherSpellingIsRead(t *testing.T) {
	const at = "2030-01-02T03:04:05Z"
	for _, c := range []struct {
		value string
		want  want
		warn  string
	}{
		// as airbytehq/airbyte#19752 shows it
		{`"2030-01-02T03:04:05+0000"`, want{at: at}, warnKind},
		{`"2030-01-02 03:04:05"`, want{at: at}, warnZone},
		{`"2030-01-02T03:04:05"`, want{at: at}, warnZone},
		{`"Wed, 02 Jan 2030 03:04:05 GMT"`, want{at: at}, warnKind},
		{`"Wed, 02 Jan 2030 03:04:05 +0000"`, want{at: at}, warnKind},
		{`"2030-01-02T03:04:05Z"`, want{at: at}, warnKind},
		{`"2030-01-02T04:04:05.000+01"`, want{at: at}, warnKind},
		{`"20300102T030405Z"`, want{at: at}, warnKind},
		{`"2030-01-02 03:04:05 +0000 UTC"`, want{at: at}, warnKind},
		{`"2030-01-02 03:04:05Z"`, want{at: at}, warnKind}, // "u" of .NET
		{`"Wed Jan 02 2030 03:04:05 GMT+0000 (Coordinated Universal Time)"`, want{at: at}, warnKind},
		// mod.io, Access Token Object: date_expires
		{`1893553445`, want{at: at}, warnKind},
		// Azure, How to use managed identities: expires_on
		{`"1893553445"`, want{at: at}, warnKind},
		{`1893553445000`, want{at: at}, warnKind},
		{`"1h"`, want{in: time.Hour}, warnKind},
		{`"01:00:00"`, want{in: time.Hour}, warnKind},
		{`"1.01:00:00"`, want{in: 25 * time.Hour}, warnKind},
		{`"3600s"`, want{in: time.Hour}, warnKind},
		{`"60 minutes"`, want{in: time.Hour}, warnKind},
		{`"1 day 1 hour"`, want{in: 25 * time.Hour}, warnKind},
		{`"PT1H"`, want{in: time.Hour}, warnKind},
		{`"P1DT1H"`, want{in: 25 * time.Hour}, warnKind},
		{`"soon"`, want{}, warnUnread},
		{`"1:2"`, want{}, warnUnread},
		{`"P"`, want{}, warnUnread},
		{`"1 fortnight"`, want{}, warnUnread},
		{`"02/01/2030 03:04:05"`, want{}, warnUnread}, // January or February?
	} {
		c.want.access = "a"
		body := `{"access_token":"a","expires_in":` + c.value + `}`
		answerCase{name: c.value, body: body, want: c.want, warns: []string{c.warn}}.run(t, plain)
	}
	for _, c := range []struct {
		kind  descriptor.ExpiryKind
		value string
		want  want
	}{
		{descriptor.RFC3339, `"1893553445"`, want{access: "a", at: at}},
		{descriptor.RFC3339, `3600`, want{access: "a", in: time.Hour}},
		{descriptor.Epoch, `1893553445000`, want{access: "a", at: at}},
		{descriptor.EpochMS, `1893553445`, want{access: "a", at: at}},
		{descriptor.Epoch, `"2030-01-02T03:04:05Z"`, want{access: "a", at: at}},
		{descriptor.Milliseconds, `"1h"`, want{access: "a", in: time.Hour}},
	} {
		body := `{"access_token":"a","until":` + c.value + `}`
		one := answerCase{name: string(c.kind) + " " + c.value, body: body, want: c.want, warns: []string{warnKind}}
		one.run(t, fmt.Sprintf(expiring, c.kind))
	}
}

func TestCaseC04_ATokenWinsOverAnErrorMember(t *testing.T) {
	for _, c := range []answerCase{
		{name: "an empty object", body: `{"access_token":"a","error":{}}`, want: want{access: "a"}},
		{name: "null", body: `{"access_token":"a","error":null}`, want: want{access: "a"}},
		{name: "an empty text", body: `{"access_token":"a","error":""}`, want: want{access: "a"}},
		{name: "an empty list", body: `{"access_token":"a","error":[]}`, want: want{access: "a"}},
		{name: "false", body: `{"access_token":"a","error":false}`, want: want{access: "a"}},
		{name: "Keycloak, as CZ-NIC/pyoidc#879 shows it",
			body: `{"access_token":"a","error":null,"error_description":null,"error_uri":null}`,
			want: want{access: "a"}},
		{name: "a server of dotnet/aspnetcore#53457",
			body: `{"access_token":"x","refresh_token":"y","expires_in":7199,"token_type":"Bearer","error":""}`,
			want: want{access: "x", refresh: "y", kind: "Bearer", in: 7199 * time.Second}},
		{name: "an error that says something", body: `{"access_token":"a","error":"deprecated"}`,
			want: want{access: "a"}, warns: []string{warnError}},
		{name: "TikTok for Developers, Response structure: an error for a success",
			body: `{"access_token":"a","error":{"code":"ok","message":"","log_id":"2024"}}`,
			want: want{access: "a"}, warns: []string{warnError}},
	} {
		c.run(t, plain)
	}
	_, e := exchange(t, creds, says(200, `{"access_token":"","error":"invalid_client"}`))
	if must(t, e, Rejected); e.Code != "invalid_client" {
		t.Errorf("an error beside an empty token: %+v, want it rejected as invalid_client", e)
	}
}

func deflated(text string) string {
	var b bytes.Buffer
	w, _ := flate.NewWriter(&b, flate.DefaultCompression)
	_, _ = io.WriteString(w, text)
	_ = w.Close()
	return b.String()
}

func TestCaseC06_CompressedAnswersAreRead(t *testing.T) {
	const body = `{"access_token":"a","expires_in":3600}`
	hour := want{access: "a", in: time.Hour}
	for _, c := range []answerCase{
		{name: "Akamai, as epam/ai-dial-core#1496 shows it",
			body: squeezed(body), header: []string{"Content-Encoding", "gzip"},
			want: hour, warns: []string{warnCompressed}},
		{name: "x-gzip", body: squeezed(body), header: []string{"Content-Encoding", "X-GZIP"},
			want: hour, warns: []string{warnCompressed}},
		{name: "deflate", body: string(compressed("zlib", body)), header: []string{"Content-Encoding", "deflate"},
			want: hour, warns: []string{warnCompressed}},
		{name: "deflate without a header", body: deflated(body), header: []string{"Content-Encoding", "deflate"},
			want: hour, warns: []string{warnCompressed}},
		{name: "identity", body: body, header: []string{"Content-Encoding", "identity"}, want: hour},
		{name: "said to be gzip, and is not", body: body, header: []string{"Content-Encoding", "gzip"}, want: hour},
		{name: "Snowflake, as modelcontextprotocol/typescript-sdk#2408 shows it", body: squeezed(body),
			want: hour, warns: []string{warnCompressed}},
	} {
		c.run(t, plain)
	}
	for _, c := range []struct{ coding, body, want string }{
		// Auth0, as nginxinc/nginx-openid-connect#26 shows it.
		{"br", "\x8b\x12", "the answer is compressed by br, which is not read; gzip and deflate are"},
		{"zstd", "\x28\xb5\x2f\xfd", "the answer is compressed by zstd, which is not read; gzip and deflate are"},
		{"gzip, gzip", squeezed(body),
			"the answer is compressed by gzip, gzip, which is not read; gzip and deflate are"},
		{"gzip", "\x1f\x8bnonsense", "the answer is compressed, and damaged"},
		{"gzip", squeezed(body)[:30], "the answer was cut short"},
		{"gzip", string(compressed("gzip", strings.Repeat(" ", 1<<20+1))), "the answer is longer than 1 MiB"},
	} {
		_, e := exchange(t, creds, says(200, c.body, "Content-Encoding", c.coding))
		if must(t, e, Malformed); e.Description != c.want {
			t.Errorf("Content-Encoding %s: %q, want %q", c.coding, e.Description, c.want)
		}
	}
	_, e := exchange(t, creds, says(401, squeezed(`{"error":"invalid_client"}`), "Content-Encoding", "gzip"))
	if must(t, e, Rejected); e.Code != "invalid_client" {
		t.Errorf("a compressed error: %+v, want invalid_client", e)
	}
}

func TestCaseC07_FormsAreRead(t *testing.T) {
	form := []string{"Content-Type", "application/x-www-form-urlencoded; charset=utf-8"}
	text := []string{"Content-Type", "text/plain"}
	for _, c := range []answerCase{
		{name: "a minute", body: `access_token=a&expires_in=60`, header: form,
			want: want{access: "a", in: time.Minute}, warns: []string{warnForm}},
		{name: "by its looks", body: "access_token=a&expires_in=60\r\n", header: text,
			want: want{access: "a", in: time.Minute}, warns: []string{warnForm}},
		{name: "GitHub, Generating a user access token for a GitHub App", header: form,
			body:  `access_token=gho_16C7&expires_in=28800&refresh_token=ghr_1B4a&scope=repo%2Cgist&token_type=bearer`,
			want:  want{access: "gho_16C7", refresh: "ghr_1B4a", kind: "Bearer", in: 8 * time.Hour},
			warns: []string{warnForm}},
		{name: "Facebook, Graph API Changelog, before version 2.3",
			header: text, body: `access_token=CAAC|x&expires=5183999`,
			want: want{access: "CAAC|x"}, warns: []string{warnForm}},
		{name: "a space, which only the content type excuses", header: form, body: `scope=a b&access_token=a`,
			want: want{access: "a"}, warns: []string{warnForm}},
		{name: "JSON, said to be a form", header: form, body: `{"access_token":"a"}`, want: want{access: "a"}},
		{name: "the last of two", header: form, body: `access_token=a&access_token=b`,
			want: want{access: "b"}, warns: []string{warnForm}},
	} {
		c.run(t, plain)
	}
	for _, status := range []int{200, 400} {
		_, e := exchange(t, creds, says(status, `error=invalid_scope&error_description=The+scope+is+unknown.`, form...))
		if must(t, e, Rejected); e.Code != "invalid_scope" || e.Description != "The scope is unknown." {
			t.Errorf("an error as a form: %+v, want invalid_scope and its description", e)
		}
	}
	for _, body := range []string{`a=<b>`, `hello=world and more`, `=a`, `<html lang="en">`} {
		_, e := exchange(t, creds, says(200, body, text...))
		if must(t, e, Malformed); e.Description != "the answer is not JSON" {
			t.Errorf("%s: %v, want it not to be taken for a form", body, e)
		}
	}
}

func TestWarningsQuoteNothing(t *testing.T) {
	body := `{"access_token":"CANARY-0","token_type":"CANARY-1","expires_in":"CANARY-2",
		"scope":"CANARY-3\u00e9","refresh_token":"CANARY-4\n","error":"CANARY-5"}`
	answer, e := exchange(t, creds, func(w http.ResponseWriter, _ *http.Request) { _, _ = io.WriteString(w, body) })
	if e != nil || len(answer.Warnings) != 5 {
		t.Fatalf("Exchange: warnings %q, %v; want five", answer.Warnings, e)
	}
	if strings.Contains(strings.Join(answer.Warnings, " "), "CANARY") {
		t.Errorf(`warnings %q quote the answer, want not strings.Contains(strings.Join(answer.Warnings, " "), "CANARY")`, answer.Warnings)
	}
}

// compressed returns a text in the format gzip or zlib.
func compressed(format, text string) []byte {
	var b bytes.Buffer
	var w io.WriteCloser = gzip.NewWriter(&b)
	if format == "zlib" {
		w = zlib.NewWriter(&b)
	}
	_, err := io.WriteString(w, text)
	if err = errors.Join(err, w.Close()); err != nil {
		panic(err)
	}
	return b.Bytes()
}
