package transfer

import (
	"encoding/json"
	"os"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/tokenvend/tokenvend/cmd/tokenvend/internal/secretinput"
	"github.com/tokenvend/tokenvend/pkg/redact"
)

const (
	certificate = "-----BEGIN CERTIFICATE-----\nMIIB\n-----END CERTIFICATE-----\n"
	privateKey  = "-----BEGIN PRIVATE KEY-----\nSECR\n-----END PRIVATE KEY-----\n"
)

func TestPublicFieldsHoldNoSecret(t *testing.T) {
	for _, c := range []struct{ name, field, value, omitted string }{
		{"variables", "variables", `{"region":"us"}`, ""},
		{"named secrets", "secrets", `{"api_key":"SECR"}`, "secrets"},
		{"certificates", "certificate", quoted(certificate + "\r\n" + certificate), ""},
		{"a private key beside a certificate", "certificate", quoted(certificate + privateKey), "certificate"},
		{"a private key before a certificate", "certificate", quoted(privateKey + certificate), "certificate"},
		{"a text beside a certificate", "certificate", quoted("key: SECR\n" + certificate), "certificate"},
		{"a broken block", "certificate",
			quoted("-----BEGIN CERTIFICATE-----\nSECR!\n" + certificate), "certificate"},
		{"header fields of a certificate", "certificate",
			quoted("-----BEGIN CERTIFICATE-----\nkey: SECR\n\nMIIB\n-----END CERTIFICATE-----\n"), "certificate"},
		{"a token URL", "token_url", `"https://a.example/token"`, ""},
		{"a token URL with a query", "token_url", `"https://a.example/token?key=SECR"`, "token_url"},
		{"a descriptor", "descriptor", `{"token":{"url":"https://a.example/"},"use":{"header":"X-Key"}}`, ""},
		{"a descriptor that names a secret", "descriptor",
			`{"token":{"url":"https://a.example/","headers":{"X-Key":"{secrets.api_key}"}}}`, ""},
		{"a parameter", "descriptor", `{"token":{"params":{"a":{"b":["SECR"]}}}}`, "descriptor"},
		{"a number", "descriptor", `{"token":{"params":{"pin":1234}}}`, "descriptor"},
		{"a text in a placeholder", "descriptor", `{"token":{"headers":{"X-Key":"{hex('SECR')}"}}}`, "descriptor"},
		{"a key of HS256", "descriptor", `{"assertion":{"key":"SECR"}}`, "descriptor"},
		{"a claim", "descriptor", `{"assertion":{"claims":{"a":"SECR"}}}`, "descriptor"},
		{"a member of an assertion's header", "descriptor", `{"assertion":{"header":{"a":"SECR"}}}`, "descriptor"},
		{"the query of a URL", "descriptor", `{"revoke":{"url":"/revoke?key=SECR"}}`, "descriptor"},
		{"a step", "descriptor", `{"steps":[{"name":"a","params":{"a":"SECR"}}]}`, "descriptor"},
	} {
		t.Run(c.name, func(t *testing.T) {
			fields := secretinput.Fields{c.field: json.RawMessage(c.value)}
			text, err := public("minut", fields).Text()
			if err != nil {
				t.Fatal(err)
			}
			shown, _ := secretinput.ReadFields(redact.New(text.Reveal()))
			var omitted []string
			_ = json.Unmarshal(shown[omittedMember], &omitted)
			_, has := shown[c.field]
			if strings.Join(omitted, " ") != c.omitted || has != (c.omitted == "") {
				t.Errorf("public(%s) = %s, want omitted %q", c.value, text.Reveal(), c.omitted)
			}
		})
	}
}

func quoted(text string) string {
	b, _ := json.Marshal(text) // a string: cannot fail
	return string(b)
}

// A field that is on no list would be lost without a word.
func TestExportKnowsEachField(t *testing.T) {
	page, err := os.ReadFile("../../../../../docs/reference/credential.md")
	if err != nil {
		t.Fatal(err)
	}
	table, _, _ := strings.Cut(string(page), "\n## Proof")
	rows := regexp.MustCompile("(?m)^\\| `([a-z_]+)` \\|").FindAllStringSubmatch(table, -1)
	if len(rows) < 15 {
		t.Fatalf("the page lists %d fields, want all of a secret", len(rows))
	}
	for _, row := range rows {
		if known := slices.Concat(publicFields, secretFields, mixedFields); !slices.Contains(known, row[1]) {
			t.Errorf("export does not know the field %s, want it shown or listed in omitted", row[1])
		}
	}
}
