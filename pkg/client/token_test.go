package client_test

import (
	"bytes"
	"encoding/hex"
	"encoding/json"
	"encoding/xml"
	"fmt"
	"log/slog"
	"net/http"
	"strings"
	"testing"

	"github.com/tokenvend/tokenvend/pkg/client"
)

// inside holds a token and a grant in every way that a struct can.
type inside struct {
	Open    client.Token
	hidden  client.Token
	Pointer *client.Token
	pointer *client.Token
	Slice   []client.Token
	Map     map[string]client.Token
	Any     any
	hideAny any
}

// Only Reveal shows a token: no verb, log or encoding does.
func TestAttack24_TokenIsNotPrinted(t *testing.T) {
	const secret = "s3cr3t-Token_value.42"
	token, err := sourceOf(
		t,
		answering(
			`{"access_token":"`+secret+`","token_type":"Bearer","expires_in":60,"fingerprint":"9f86d081884c7d65"}`,
		),
	).Token(t.Context())
	if err != nil || token.Reveal() != secret {
		t.Fatalf("Token() = %v, %v, want a token", token, err)
	}
	grant := client.Grant{Code: secret, CodeVerifier: secret, RedirectURI: "http://127.0.0.1/"}
	in := inside{
		Open: token, hidden: token, Pointer: &token, pointer: &token, Slice: []client.Token{token},
		Map: map[string]client.Token{"k": token}, Any: token, hideAny: token,
	}
	for name, value := range map[string]any{
		"token": token, "pointer": &token, "slice": []client.Token{token}, "struct": in, "struct pointer": &in,
		"error": fmt.Errorf("with %v and %s", token, &token),
		"grant": grant, "grant pointer": &grant, "grants": []client.Grant{grant},
	} {
		t.Run(name, func(t *testing.T) {
			var out bytes.Buffer
			verbs := "vTsqxXdboOcUteEfFgG"
			if !strings.HasPrefix(name, "grant") { // fmt asks no method for %p, and the caller's own fields are plain
				verbs += "p"
			}
			for _, verb := range verbs {
				for _, flags := range []string{"", "+", "#", " ", "# ", "-60", "060"} {
					_, _ = fmt.Fprintf(&out, "%"+flags+string(verb)+"\n", value)
				}
			}
			_, _ = fmt.Fprintln(&out, value)
			for _, h := range []slog.Handler{slog.NewTextHandler(&out, nil), slog.NewJSONHandler(&out, nil)} {
				slog.New(h).With("with", value).Info("x", "value", value)
			}
			encoded, err := json.Marshal(value)
			if err != nil {
				t.Errorf("json.Marshal() = %v, want nil", err)
			}
			out.Write(encoded)
			encoded, _ = xml.Marshal(value) // an error for a map
			out.Write(encoded)
			for _, form := range []string{secret, hex.EncodeToString([]byte(secret)), secret[:8]} {
				if at := strings.Index(strings.ToLower(out.String()), strings.ToLower(form)); at >= 0 {
					t.Errorf("the output = %s, want it without the secret",
						out.String()[max(0, at-100):min(out.Len(), at+100)])
				}
			}
		})
	}
	if got := fmt.Sprintf("%+v", token); !strings.Contains(got, "9f86d081884c7d65") {
		t.Errorf("%%+v = %s, want the fingerprint in it", got)
	}
	r, err := http.NewRequestWithContext(t.Context(), http.MethodGet, "http://127.0.0.1/", http.NoBody)
	if err != nil {
		t.Fatal(err)
	}
	if token.SetAuthHeader(r); r.Header.Get("Authorization") != "Bearer "+secret {
		t.Errorf("Authorization = %q, want the token", r.Header.Get("Authorization"))
	}
}
