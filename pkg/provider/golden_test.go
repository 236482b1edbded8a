package provider

import (
	"context"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/tokenvend/tokenvend/pkg/descriptor"
	"github.com/tokenvend/tokenvend/pkg/descriptor/catalog"
)

// golden is one exchange out of a vendor's document: testdata holds the
// request, the answer, and a malformed twin of the answer.
type golden struct {
	name   string // <provider>.<token or refresh>
	client Client
	ask    TokenRequest
	want   want
}

type want struct {
	access, refresh, kind, scope string
	in                           time.Duration
	at, refreshAt                string
}

func goldens() []golden {
	miden, login := alice, alice
	miden.TokenURL, login.TokenURL = "https://sandbox.miden.test/oauth/token", "https://login.test/oauth/token"
	return []golden{
		{"minut.token", alice, creds, want{access: "eyJ0", kind: "Bearer", in: time.Hour}},
		{"movemint.token", alice, creds, want{access: "ACCESS_TOKEN", kind: "Bearer", in: 2 * time.Hour}},
		{
			"movemint.refresh",
			alice,
			again,
			want{access: "ACCESS_TOKEN_2", refresh: "REFRESH_TOKEN_2", kind: "Bearer", in: 2 * time.Hour},
		},
		{
			"movemint.code",
			alice,
			brought,
			want{access: "ACCESS_TOKEN", refresh: "REFRESH_TOKEN", kind: "Bearer", in: 2 * time.Hour},
		},
		{
			"trackmania.code",
			alice,
			brought,
			want{access: "ACCESS_TOKEN", refresh: "REFRESH_TOKEN", kind: "Bearer", in: time.Hour},
		},
		{
			"trackmania.token",
			alice,
			TokenRequest{Grant: descriptor.ClientCredentials, Scope: "clubs read_favorite"},
			want{access: "ACCESS_TOKEN", kind: "Bearer", in: time.Hour},
		},
		{
			"trackmania.refresh",
			alice,
			again,
			want{access: "ACCESS_TOKEN_2", refresh: "REFRESH_TOKEN_2", kind: "Bearer", in: time.Hour},
		},
		{
			"miden.token",
			miden,
			creds,
			want{access: "ACCESS_TOKEN", kind: "Bearer", scope: "cards:read cards:write", in: time.Hour},
		},
		{
			"monta.token",
			alice,
			creds,
			want{
				access:    "dba896fe-8f14-46bd-89ac-4270091e9db1",
				refresh:   "8f449e8c-864e-4bbc-a328-aa3ad876351b",
				at:        "2023-05-10T17:35:31.703819Z",
				refreshAt: "2023-06-09T16:35:31.703832Z",
			},
		},
		{
			"monta.refresh",
			alice,
			again,
			want{
				access:    "495f55a3-f66c-4d30-be0a-3286724b5854",
				refresh:   "1fbca567-9d67-4a02-a59e-17ade68a8f7e",
				at:        "2023-05-10T17:36:19.557794Z",
				refreshAt: "2023-06-09T16:36:19.557808Z",
			},
		},
		{
			"oauth2.token",
			login,
			TokenRequest{Grant: descriptor.ClientCredentials, Scope: "read write", Audience: "https://api.test/"},
			want{access: "ACCESS_TOKEN", kind: "Bearer", scope: "cards:read cards:write", in: time.Hour},
		},
		{
			"oauth2-post.token",
			login,
			creds,
			want{access: "ACCESS_TOKEN", kind: "Bearer", scope: "cards:read cards:write", in: time.Hour},
		},
	}
}

func TestGoldenRequestsAndAnswers(t *testing.T) {
	for _, g := range goldens() {
		t.Run(g.name, func(t *testing.T) {
			v := serve(t, says(200, file(t, g.name+".answer.json")))
			answer, err := at(catalogued(t, g), g.client, v.hc).Exchange(context.Background(), g.ask)
			if err != nil {
				t.Fatal(err)
			}
			if got, want := v.lastRequest(), strings.TrimSuffix(file(t, g.name+".request"), "\n"); got != want {
				t.Errorf("asked\n%s\nwant\n%s", got, want)
			}
			g.want.check(t, answer)
		})
	}
}

func TestGoldenAnswersMalformedTwins(t *testing.T) {
	for _, g := range goldens() {
		t.Run(g.name, func(t *testing.T) {
			v := serve(t, says(200, file(t, g.name+".malformed.json")))
			answer, err := at(catalogued(t, g), g.client, v.hc).Exchange(context.Background(), g.ask)
			e := must(t, asError(t, err), Malformed)
			if !answer.Access.IsZero() {
				t.Errorf("an access token all the same, want answer.Access.IsZero()")
			}
			if got := answer.Refresh.Reveal(); got != g.want.refresh {
				t.Errorf("refresh token %q, want %q kept", got, g.want.refresh)
			}
			t.Log(e)
		})
	}
}

func file(t *testing.T, name string) string {
	t.Helper()
	data, err := os.ReadFile("testdata/" + name)
	if err != nil {
		t.Fatal(err)
	}
	return string(data)
}

func catalogued(t *testing.T, g golden) *descriptor.Descriptor {
	t.Helper()
	name, _, _ := strings.Cut(g.name, ".")
	d, err := catalog.Get(name)
	if err != nil {
		t.Fatal(err)
	}
	return d
}

func (w want) check(t *testing.T, a TokenResponse) {
	t.Helper()
	if got := a.Access.Reveal(); got != w.access && (len(w.access) > 4 || !strings.HasPrefix(got, w.access)) {
		t.Errorf("access token %q, want %q", got, w.access)
	}
	if got := a.Refresh.Reveal(); got != w.refresh {
		t.Errorf("refresh token %q, want %q", got, w.refresh)
	}
	if a.Type != w.kind || a.Scope != w.scope {
		t.Errorf("type %q and scope %q, want %q and %q", a.Type, a.Scope, w.kind, w.scope)
	}
	if !a.Expiry.Given || a.Expiry.In != w.in || stamp(a.Expiry.At) != w.at ||
		stamp(a.RefreshExpiry.At) != w.refreshAt {
		t.Errorf("expiries %+v and %+v, want %v, %q and %q", a.Expiry, a.RefreshExpiry, w.in, w.at, w.refreshAt)
	}
	if !a.Clock.Known() || a.SentAt.IsZero() || a.SentAt != a.SentAt.Round(0).Truncate(time.Millisecond) {
		t.Errorf(
			"clock %+v, sent at %v: want both known, the second to the millisecond and without the monotonic clock",
			a.Clock,
			a.SentAt,
		)
	}
}

func stamp(t time.Time) string {
	if t.IsZero() {
		return ""
	}
	return t.Format(time.RFC3339Nano)
}

// The request that the five vendors' documents show carries the credential's
// own URL and parameters too.
func TestCredentialsOwnURLAndParams(t *testing.T) {
	c := alice
	c.TokenURL, c.Params = "https://login.test/sandbox/oauth/token?tenant=7", map[string]any{
		"response_type": "code",
		"extra":         "1",
	}
	v := serve(t, says(200, `{"access_token":"a"}`))
	d, err := catalog.Get("minut")
	if err != nil {
		t.Fatal(err)
	}
	if _, err = at(d, c, v.hc).Exchange(context.Background(), creds); err != nil {
		t.Fatal(err)
	}
	got := v.lastRequest()
	if !strings.HasPrefix(got, "POST https://login.test/sandbox/oauth/token?tenant=7\n") ||
		!strings.HasSuffix(got, "\n\nextra=1&grant_type=client_credentials&response_type=code") {
		t.Errorf("asked\n%s", got)
	}
}

// A relative refresh URL follows a credential's token_url: a sandbox's refresh
// token never goes to the vendor's real one.
func TestRefreshURLFollowsTokenURL(t *testing.T) {
	c := alice
	c.TokenURL = "https://sandbox.miden.test/api/v1/auth/token"
	v := serve(t, says(200, file(t, "monta.refresh.answer.json")))
	d, err := catalog.Get("monta")
	if err != nil {
		t.Fatal(err)
	}
	if _, err = at(d, c, v.hc).Exchange(context.Background(), again); err != nil {
		t.Fatal(err)
	}
	if got := v.lastRequest(); !strings.HasPrefix(got, "POST https://sandbox.miden.test/api/v1/auth/refresh\n") {
		t.Errorf("asked\n%s, want got with the prefix \"POST https://sandbox.miden.test/api/v1/auth/refresh\\n\"", got)
	}
}

// A refresh may speak otherwise than the token request: its own parameters in
// the place of token's, its own body and authentication.
func TestRefreshInItsOwnWords(t *testing.T) {
	v := serve(t, says(200, `{"access_token":"a"}`))
	d := parse(
		t,
		`{"token":{"url":"https://login.test/token","params":{"a":"1"}},"refresh":{"url":"https://login.test/refresh?x=1","auth":"post","body":"query","params":{"b":"2"}}}`,
	)
	if _, err := at(d, alice, v.hc).Exchange(context.Background(), again); err != nil {
		t.Fatal(err)
	}
	want := "POST https://login.test/refresh?x=1&b=2&client_id=CLIENT_ID&client_secret=CLIENT_SECRET&grant_type=refresh_token&refresh_token=REFRESH_TOKEN\n"
	if got := v.lastRequest(); !strings.HasPrefix(got, want) || strings.Contains(got, "Authorization") {
		t.Errorf("asked\n%s, want got with the prefix want and not \"Authorization\" in got", got)
	}
}
