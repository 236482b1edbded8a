package transfer

import (
	"encoding/json"
	"strings"
	"testing"

	"github.com/tokenvend/tokenvend/cmd/tokenvend/internal/secretinput"
	"github.com/tokenvend/tokenvend/pkg/redact"
)

func TestReadEntries(t *testing.T) {
	for _, c := range []struct{ name, text, want string }{
		{"an environment file", `
# MONTA_CLIENT_ID=old
PORT=80
export MINUT_CLIENT_ID=abc
MINUT_CLIENT_SECRET="s = 1"
billing.api-clientSecret='x'
BILLING_API_CLIENT_ID=id
BILLING_API_TOKEN_URL=https://a.example/token
BILLING_API_REFRESH_TOKEN=r
SEARCH_SCOPE=read
`, `billing_api {"client_id":"id","client_secret":"x","grant":"refresh_token","provider":"oauth2",` +
			`"refresh_token":"r","token_url":"https://a.example/token"}
minut {"client_id":"abc","client_secret":"s = 1","provider":"minut"}
`},
		{"of an editor on Windows, with a comment", "\ufeffMINUT_CLIENT_ID=a\r\nMINUT_CLIENT_SECRET='s#' # old: 's'\r\n",
			`minut {"client_id":"a","client_secret":"s#","provider":"minut"}
`},
		{"a name twice", "MINUT_CLIENT_ID=a\nMINUT_CLIENT_ID=b", `minut {"client_id":"b","provider":"minut"}
`},
		{"a list", `[{"name":"a","provider":"minut","omitted":["client_secret","params"],"client_secret":"s"}]`,
			`a {"client_secret":"s","provider":"minut"} params
`},
	} {
		t.Run(c.name, func(t *testing.T) {
			entries, err := readEntries([]byte(c.text))
			if err != nil {
				t.Fatal(err)
			}
			if got := text(t, entries); got != c.want {
				t.Errorf("readEntries() = %s, want %s", got, c.want)
			}
		})
	}
	for _, wrong := range []string{
		"", " ", `{"name":"a"}`, `[7]`, `[{]`,
		`[{"name":"a","client_secret":"canary","client_secret":"canary-2"}]`,
		"A_CLIENT_ID=a\nA_CLIENT_SECRET=\"canary\nof two lines\"", "A_CLIENT_SECRET='", "A_CLIENT_SECRET='canary'x",
		"A_B_CLIENT_ID=a\nA-B_CLIENT_ID=b\nA_B_CLIENT_SECRET=canary", "A_CLIENT_SECRET=canary\nA_CLIENTSECRET=canary-2",
	} {
		if got, err := readEntries([]byte(wrong)); err == nil || strings.Contains(err.Error(), "canary") {
			t.Errorf("readEntries(%q) = %v, %v, want an error without a value", wrong, got, err)
		}
	}
}

func TestFromSecret(t *testing.T) {
	e, err := fromSecret("minut", []byte(`{"clientId":"i","CLIENT-SECRET":"s","refreshToken":"r","password":"p"}`))
	if err != nil {
		t.Fatal(err)
	}
	const want = `minut {"client_id":"i","client_secret":"s","grant":"refresh_token","provider":"minut","refresh_token":"r"}
`
	if got := text(t, []entry{e}); got != want {
		t.Errorf("fromSecret() = %s, want %s", got, want)
	}
}

// text returns entries as lines.
func text(t *testing.T, entries []entry) string {
	t.Helper()
	var b strings.Builder
	for _, e := range entries {
		fields, err := json.Marshal(e.fields)
		if err != nil {
			t.Fatal(err)
		}
		b.WriteString(strings.TrimSpace(strings.Join(append([]string{e.name, string(fields)}, e.omitted...), " ")) + "\n")
	}
	return b.String()
}

// Which of two is meant, only the operator knows.
func TestFromSecretRefusesTwoSpellings(t *testing.T) {
	e, err := fromSecret("minut", []byte(`{"clientId":"i","client_secret":"canary-1","clientSecret":"canary-2"}`))
	if err == nil || !strings.Contains(err.Error(), "expected one client_secret") ||
		strings.Contains(err.Error(), "canary") {
		t.Errorf("fromSecret() = %v, %v, want an error that names the field and no value", e.name, err)
	}
}

func TestExportShowsNoSecret(t *testing.T) {
	fields, _ := secretinput.ReadFields(redact.New(`{"provider":"minut","client_id":"i","client_secret":"canary",
		"private_key":"canary","refresh_token":"canary","params":{"p":"canary"},"client_secrets":"canary",
		"allow":{"scopes":["read"]},"lifetime":"1h",
		"descriptor":{"token":{"url":"https://a.example","params":{"key":"canary"}}}}`))
	got, err := json.Marshal(public("minut", fields))
	if err != nil {
		t.Fatal(err)
	}
	const want = `{"allow":{"scopes":["read"]},"client_id":"i","lifetime":"1h","name":"minut",` +
		`"omitted":["client_secret","descriptor","params","private_key","refresh_token"],"provider":"minut"}`
	if string(got) != want {
		t.Errorf("public() = %s, want %s", got, want)
	}
}
