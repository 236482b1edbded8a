//go:build testall

package peer_test

import (
	"encoding/base64"
	"encoding/json"
	"strings"
	"testing"
	"time"

	"github.com/tokenvend/tokenvend/pkg/api"
	"github.com/tokenvend/tokenvend/pkg/mint"
	"github.com/tokenvend/tokenvend/pkg/token"
)

func clientsProveThemselves(t *testing.T, w *world) {
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
			w.put(name, c)
			got, err := w.instance().Token(t.Context(), key(name), mint.Want{})
			if err != nil {
				t.Fatal(err)
			}
			if life := time.Until(got.Token.ExpiresAt); got.Token.Type != "Bearer" || got.Token.Scope != "read write" ||
				life < 9*time.Minute || life > 10*time.Minute {
				t.Errorf(
					"a %s of scope %q for %v, want a Bearer of scope read write for 10m", got.Token.Type,
					got.Token.Scope, life,
				)
			}
			if revoked, _, err := w.instance().Revoke(t.Context(), key(name)); err != nil || !revoked {
				t.Errorf("revoked %t, %v", revoked, err)
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
			w.put(name, c.secret)
			_, err := w.instance().Token(t.Context(), key(name), mint.Want{})
			code, detail := apiError(err)
			if code != api.ProviderRejected {
				t.Errorf("%v", err)
			}
			for _, part := range c.says {
				if !strings.Contains(detail, part) {
					t.Errorf("%s\nwant in it: %s", detail, part)
				}
			}
			if given, _ := c.secret["client_secret"].(string); given != "" &&
				strings.Contains(detail+w.logged(), given) {
				t.Error("the client secret stands in the error or in the log")
			}
		})
	}
}

// An access token for an audience is a JWT at this server. Its claims show what
// was requested.
func audiencesAndScopesArrive(t *testing.T, w *world) {
	w.put("audiences", fields{
		"descriptor": w.descriptor("post"), "client_id": "audiences", "client_secret": secret, "scope": "read",
	})
	m := w.instance()
	for _, audience := range []string{"https://one.example/api", "https://two.example/api?x=1&y=%2f"} {
		k := token.Key{Credential: "audiences", Variant: token.NewVariant("", audience, "")}
		got, err := m.Token(t.Context(), k, mint.Want{})
		must(t, err)
		parts := strings.Split(got.Token.Access.Reveal(), ".")
		if len(parts) != 3 {
			t.Fatalf("%d parts, want a JWT", len(parts))
		}
		var claims struct {
			Audience string `json:"aud"`
			Scope    string
			Expires  int64 `json:"exp"`
		}
		said, err := base64.RawURLEncoding.DecodeString(parts[1])
		must(t, err)
		must(t, json.Unmarshal(said, &claims))
		if claims.Audience != audience || claims.Scope != "read" {
			t.Errorf("%+v, want %s", claims, audience)
		}
		if end := time.Unix(claims.Expires, 0); got.Token.ExpiresAt.After(end) {
			t.Errorf("taken to live until %v, and ends at %v", got.Token.ExpiresAt, end)
		}
	}
	if n := w.asked("audiences"); n != 2 {
		t.Errorf("asked %d times, want once for each audience", n)
	}
}
