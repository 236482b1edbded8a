package api_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"log/slog"
	"strings"
	"testing"

	"github.com/tokenvend/tokenvend/pkg/api"
)

func TestAttack24_SecretsAreNotPrinted(t *testing.T) {
	const secret = "s3cr3t-Token_value.42"
	for name, value := range map[string]any{
		"token":             api.Token{AccessToken: secret, Fingerprint: "9f86d081884c7d65"},
		"extra":             api.Token{Extra: map[string]string{"instance_url": secret}},
		"token pointer":     &api.Token{AccessToken: secret},
		"tokens":            []api.Token{{AccessToken: secret}},
		"token in a struct": struct{ T api.Token }{api.Token{AccessToken: secret}},
		"request":           api.Request{Code: secret, CodeVerifier: secret, Recovery: secret},
		"request pointer":   &api.Request{Code: secret},
		"requests":          map[string]api.Request{"k": {Recovery: secret}},
	} {
		t.Run(name, func(t *testing.T) {
			for _, verb := range "vsqxXd" {
				for _, flags := range []string{"", "+", "#", " "} {
					format := "%" + flags + string(verb)
					if out := fmt.Sprintf(format, value); strings.Contains(out, secret) ||
						strings.Contains(strings.ToLower(out), fmt.Sprintf("%x", secret)) {
						t.Errorf("Sprintf(%q) = %s, want it without the secret", format, out)
					}
				}
			}
			var log bytes.Buffer
			slog.New(slog.NewTextHandler(&log, nil)).Info("x", "value", value)
			if _, alone := value.(fmt.Formatter); alone { // slog looks for LogValue at the top alone
				slog.New(slog.NewJSONHandler(&log, nil)).Info("x", "value", value)
			}
			if strings.Contains(log.String(), secret) {
				t.Errorf("the log = %s, want it without the secret", &log)
			}
		})
	}
	out := fmt.Sprintf("%+v", api.Token{AccessToken: secret, Fingerprint: "9f86d081884c7d65"})
	if !strings.Contains(out, "9f86d081884c7d65") || !strings.Contains(out, "[redacted]") {
		t.Errorf("Sprintf(%%+v) = %s, want the rest of the token", out)
	}
	if out, err := json.Marshal(api.Token{AccessToken: secret}); err != nil || !strings.Contains(string(out), secret) {
		t.Errorf("json.Marshal() = %s, %v, want the token as it is sent", out, err)
	}
}
