package grant

import (
	"slices"
	"testing"

	"github.com/tokenvend/tokenvend/pkg/descriptor"
)

func TestStrategies(t *testing.T) {
	const (
		cc      = descriptor.ClientCredentials
		refresh = descriptor.RefreshToken
		code    = descriptor.AuthorizationCode
		jwt     = descriptor.JWTBearer
	)
	for _, c := range []struct {
		name         descriptor.Grant
		lost, byUser bool
		without      []descriptor.Grant // the requests without a refresh token
		with         []descriptor.Grant // and with one
	}{
		{"", false, false, []descriptor.Grant{cc}, []descriptor.Grant{refresh, cc}},
		{cc, false, false, []descriptor.Grant{cc}, []descriptor.Grant{refresh, cc}},
		{refresh, true, false, nil, []descriptor.Grant{refresh}},
		{code, true, true, nil, []descriptor.Grant{refresh}},
		{jwt, false, false, []descriptor.Grant{jwt}, []descriptor.Grant{refresh, jwt}},
		{"a newer program's", true, false, nil, []descriptor.Grant{refresh}},
	} {
		t.Run(string(c.name), func(t *testing.T) {
			s := Of(c.name)
			if s.CanBeLost() != c.lost || s.ByUser != c.byUser {
				t.Errorf("Of(%q) = %+v, want lost %t, by a user %t", c.name, s, c.lost, c.byUser)
			}
			if got := s.Requests(false); !slices.Equal(got, c.without) {
				t.Errorf("Of(%q).Requests(false) = %v, want %v", c.name, got, c.without)
			}
			if got := s.Requests(true); !slices.Equal(got, c.with) {
				t.Errorf("Of(%q).Requests(true) = %v, want %v", c.name, got, c.with)
			}
			if got := s.RenewedBy(true); got != refresh {
				t.Errorf("Of(%q).RenewedBy(true) = %s, want %s", c.name, got, refresh)
			}
		})
	}
}

// The zero value must not send a request that a lost refresh token would make
// wrong.
func TestZeroStrategyHasOnlyItsRefreshToken(t *testing.T) {
	if s := (Strategy{}); !s.CanBeLost() || s.ByUser || len(s.Requests(false)) != 0 {
		t.Errorf("Strategy{} = %+v with requests %v, want none without a refresh token", s, s.Requests(false))
	}
}

func TestUserGrantsSendNoScope(t *testing.T) {
	for name, want := range map[descriptor.Grant]bool{
		descriptor.RefreshToken: true, descriptor.AuthorizationCode: false, descriptor.ClientCredentials: true,
	} {
		if got := Of(name).SendsScope(descriptor.RefreshToken); got != want {
			t.Errorf("Of(%s).SendsScope(refresh_token) = %t, want %t", name, got, want)
		}
	}
}
