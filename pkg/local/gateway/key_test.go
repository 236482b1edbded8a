package gateway

import (
	"strings"
	"testing"

	"github.com/tokenvend/tokenvend/pkg/redact"
)

func newKey(id, secret, arn string) Key { return Key{ID: id, Secret: redact.New(secret), ARN: arn} }

const annARN = "arn:aws:iam::123456789012:user/ann"

func TestParseKey(t *testing.T) {
	for _, c := range []struct{ text, id, secret, arn string }{
		{"local:local", "local", "local", ""},
		{"AKIAX:wJalr/K7+x", "AKIAX", "wJalr/K7+x", ""},
		{"a:b=" + annARN, "a", "b", annARN},
		{"a:b==" + annARN, "a", "b=", annARN},
		{"a:YWI=", "a", "YWI=", ""},
		{"a:b:c", "a", "b:c", ""},
	} {
		k, err := ParseKey(c.text)
		if err != nil || k.ID != c.id || k.Secret.Reveal() != c.secret || k.ARN != c.arn {
			t.Errorf("ParseKey(%q) = {%s %s %s}, %v, want {%s %s %s}",
				c.text, k.ID, k.Secret.Reveal(), k.ARN, err, c.id, c.secret, c.arn)
		}
	}
}

func TestParseKeyRefusesWithoutShowingTheKey(t *testing.T) {
	for _, text := range []string{
		"", "Xk2", ":Xk2", "a:", "a b:Xk2", "a/b:Xk2", "a:Xk 2", "a:Xk2\n", "a:Xk2=user/ann",
		"a:Xk2=arn:aws:s3:::bucket",
		"a:=" + annARN, "a:Xk2=arn:", "a:Xké2", strings.Repeat("a", 129) + ":Xk2",
	} {
		_, err := ParseKey(text)
		if err == nil || !strings.Contains(err.Error(), "expected") ||
			strings.Contains(err.Error(), "Xk") || strings.Contains(err.Error(), "ann") {
			t.Errorf("ParseKey(%q) = %v, want an error that says what is expected and shows nothing of it", text, err)
		}
	}
}
