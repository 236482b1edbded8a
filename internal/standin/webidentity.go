package standin

import (
	"crypto/rand"
	"net/url"
	"time"

	"github.com/tokenvend/tokenvend/internal/standin/wire"
)

// webIdentity is the answer of GetWebIdentityToken.
type webIdentity struct {
	WebIdentityToken string
	Expiration       time.Time
}

// webIdentityToken returns a token that names its audience and the account, and
// that nobody can verify. It stands for outbound web identity federation, which
// an account has to switch on ("GetWebIdentityToken", AWS STS API Reference).
func (a *Account) webIdentityToken(form url.Values) (any, error) {
	audience, algorithm := form.Get("Audience.member.1"), form.Get("SigningAlgorithm")
	if audience == "" || algorithm != "RS256" && algorithm != "ES384" {
		return nil, wire.Errorf("ValidationError", "an audience and the algorithm RS256 or ES384 are required")
	}
	if a.FederationOff {
		return nil, wire.Errorf(
			"OutboundWebIdentityFederationDisabledException",
			"Outbound web identity federation is not enabled for this account",
		)
	}
	return webIdentity{
		WebIdentityToken: "stand-in." + algorithm + "." + url.QueryEscape(audience) + "." + rand.Text(),
		Expiration:       time.Now().Add(5 * time.Minute).UTC().Truncate(time.Second),
	}, nil
}
