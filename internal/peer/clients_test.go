//go:build testall

package peer_test

import (
	"encoding/base64"
	"encoding/json"
	"strings"
	"testing"
	"time"

	"github.com/tokenvend/tokenvend/internal/testworld"
	"github.com/tokenvend/tokenvend/pkg/api"
	"github.com/tokenvend/tokenvend/pkg/mint"
	"github.com/tokenvend/tokenvend/pkg/token"
)

func clientsAuthenticate(t *testing.T, w *world) {
	for name, c := range map[string]fields{
		"basic_encoded": {
			"descriptor": w.descriptor("basic_encoded"), "client_id": "basic:id", "client_secret": secret,
		},
		"post": {
			"descriptor": w.descriptor("post"), "client_id": "post", "client_secret": secret,
		},
		"private_key_jwt": {
			"descriptor": w.descriptor("private_key_jwt"), "client_id": "signs", "private_key": w.signs.Key,
			"key_id": "first",
		},
		"tls": {
			"descriptor": w.descriptor("tls"), "client_id": "issued", "certificate": w.issued.Certificate,
			"private_key": w.issued.Key,
		},
		"tls-of-an-authority-not-its-own": {
			"descriptor": w.descriptor("tls"), "client_id": "alone", "certificate": w.alone.Certificate,
			"private_key": w.alone.Key,
		},
	} {
		t.Run(name, func(t *testing.T) {
			c["scope"] = "write read"
			w.PutSecret(name, c)
			got, err := w.newProcess().Token(t.Context(), testworld.Key(name), mint.Want{})
			if err != nil {
				t.Fatalf("Token(%s) = %v, want a token", name, err)
			}
			if life := time.Until(got.Token.ExpiresAt); got.Token.Type != "Bearer" || got.Token.Scope != "read write" ||
				life < 9*time.Minute || life > 10*time.Minute {
				t.Errorf(
					"Token() = a %s of scope %q for %v, want a Bearer of scope read write for 10m", got.Token.Type,
					got.Token.Scope, life,
				)
			}
			if revoked, _, err := w.newProcess().Revoke(t.Context(), testworld.Key(name)); err != nil ||
				!revoked {
				t.Errorf("Revoke() = %t, %v, want true", revoked, err)
			}
		})
	}
}

func clientsAreRefused(t *testing.T, w *world) {
	const hint = "id or secret have characters that basic_encoded sends otherwise: perhaps that is expected"
	for name, c := range map[string]struct {
		secret fields
		says   []string
	}{
		"raw": {
			fields{"descriptor": w.descriptor("basic"), "client_id": "raw", "client_secret": secret},
			[]string{"401", "invalid_client", "client authentication failed", hint},
		},
		"raw-percent": {
			fields{"descriptor": w.descriptor("basic"), "client_id": "undecodable", "client_secret": undecodable},
			[]string{"400", "invalid_request", "not properly encoded", hint},
		},
		"wrong-secret": {
			fields{"descriptor": w.descriptor("post"), "client_id": "refused", "client_secret": "not the secret"},
			[]string{"401", "invalid_client", "client authentication failed"},
		},
		"no-client": {
			fields{"descriptor": w.descriptor("post"), "client_id": "nobody", "client_secret": secret},
			[]string{"401", "invalid_client"},
		},
		"other-auth": {
			fields{"descriptor": w.descriptor("none"), "client_id": "refused"},
			[]string{"401", "invalid_client"},
		},
		"no-scope": {
			fields{
				"descriptor": w.descriptor("post"), "client_id": "refused", "client_secret": secret, "scope": "openid",
			},
			[]string{"400", "invalid_scope", "requested scope is not allowed"},
		},
		"no-audience": {
			fields{
				"descriptor": w.descriptor("post"), "client_id": "refused", "client_secret": secret,
				"audience": "not a URI",
			},
			[]string{"400", "invalid_target"},
		},
	} {
		t.Run(name, func(t *testing.T) {
			w.PutSecret(name, c.secret)
			_, err := w.newProcess().Token(t.Context(), testworld.Key(name), mint.Want{})
			code, detail := apiError(err)
			if code != api.ProviderRejected {
				t.Errorf("Token(%s) = %v, want %s", name, err, api.ProviderRejected)
			}
			for _, part := range c.says {
				if !strings.Contains(detail, part) {
					t.Errorf("Token(%s) = %s, want in it: %s", name, detail, part)
				}
			}
			if given, _ := c.secret["client_secret"].(string); given != "" &&
				strings.Contains(detail+w.Log.String(), given) {
				t.Errorf("Token(%s): the error %q or the log shows the client secret", name, detail)
			}
		})
	}
}

// An access token for an audience is a JWT at this server. Its claims show what
// was requested.
func audiencesAndScopesArrive(t *testing.T, w *world) {
	w.PutSecret("audiences", fields{
		"descriptor": w.descriptor("post"), "client_id": "audiences", "client_secret": secret, "scope": "read",
	})
	m := w.newProcess()
	for _, audience := range []string{"https://one.example/api", "https://two.example/api?x=1&y=%2f"} {
		k := token.Key{Credential: "audiences", Variant: token.NewVariant("", audience, "")}
		got, err := m.Token(t.Context(), k, mint.Want{})
		testworld.Must(t, err)
		parts := strings.Split(got.Token.Access.Reveal(), ".")
		if len(parts) != 3 {
			t.Fatalf("Token() has %d parts, want the 3 of a JWT", len(parts))
		}
		var claims struct {
			Audience string `json:"aud"`
			Scope    string
			Expires  int64 `json:"exp"`
		}
		said, err := base64.RawURLEncoding.DecodeString(parts[1])
		testworld.Must(t, err)
		testworld.Must(t, json.Unmarshal(said, &claims))
		if claims.Audience != audience || claims.Scope != "read" {
			t.Errorf("claims = %+v, want audience %s, scope read", claims, audience)
		}
		if end := time.Unix(claims.Expires, 0); got.Token.ExpiresAt.After(end) {
			t.Errorf("ExpiresAt = %v, want %v at most", got.Token.ExpiresAt, end)
		}
	}
	if n := w.asked("audiences"); n != 2 {
		t.Errorf("%d token requests, want 2: one for each audience", n)
	}
}
