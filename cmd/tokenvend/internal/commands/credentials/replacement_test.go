package credentials

import (
	"testing"

	"github.com/tokenvend/tokenvend/pkg/credential"
	"github.com/tokenvend/tokenvend/pkg/descriptor"
	"github.com/tokenvend/tokenvend/pkg/redact"
)

func TestObstacleOfAGrantThatCanBeLost(t *testing.T) {
	for _, c := range []struct {
		grant   descriptor.Grant
		refresh redact.String
		want    bool
	}{
		{grant: ""},
		{grant: descriptor.ClientCredentials},
		{grant: descriptor.JWTBearer},
		{grant: descriptor.RefreshToken, want: true},
		{grant: descriptor.AuthorizationCode, want: true},
		{grant: "", refresh: redact.New("r"), want: true},
	} {
		r := replacement{parsed: credential.Credential{
			Terms: credential.Terms{Provider: "oauth2", Grant: c.grant}, Refresh: c.refresh,
		}}
		if got := r.obstacle(); (got != "") != c.want {
			t.Errorf("obstacle() with grant %q = %q, want one: %t", c.grant, got, c.want)
		}
	}
}
